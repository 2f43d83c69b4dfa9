"""The way from a driver to the card: one command, one response, errors as this package's own."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from cardtwin.iso7816 import ApduFormatError, CommandApdu, ResponseApdu, StatusWord
from cardtwin.middleware.ckr import Ckr
from cardtwin.middleware.errors import CardLostError, CommandFailedError
from cardtwin.middleware.pinpad import modification, verification
from cardtwin.pcsc import (
    CardMuteError,
    CardRemovedError,
    CardResetError,
    Feature,
    NoSmartCardError,
    PcscError,
    UnknownReaderError,
    UnsupportedFeatureError,
    exchange,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from cardtwin.middleware.pinpad import PinBlock
    from cardtwin.pcsc import CardConnection

__all__ = ["Channel", "lost", "refused"]

_SHORT_DATA = 255

_RV_BY_ERROR: tuple[tuple[type[PcscError], Ckr], ...] = (
    (CardRemovedError, Ckr.CKR_DEVICE_REMOVED),
    (NoSmartCardError, Ckr.CKR_TOKEN_NOT_PRESENT),
    (UnknownReaderError, Ckr.CKR_SLOT_ID_INVALID),
    (CardResetError, Ckr.CKR_DEVICE_ERROR),
    (CardMuteError, Ckr.CKR_DEVICE_ERROR),
)

_RV_BY_STATUS = {
    StatusWord.NOT_ENOUGH_MEMORY: Ckr.CKR_DEVICE_MEMORY,
    StatusWord.SECURITY_STATUS_NOT_SATISFIED: Ckr.CKR_USER_NOT_LOGGED_IN,
    StatusWord.AUTHENTICATION_METHOD_BLOCKED: Ckr.CKR_PIN_LOCKED,
}


def lost(error: PcscError) -> CardLostError:
    """Return this package's error for one of PC/SC."""
    rv = next((rv for kind, rv in _RV_BY_ERROR if isinstance(error, kind)), Ckr.CKR_DEVICE_ERROR)
    return CardLostError(rv, str(error))


def refused(what: str, sw: StatusWord) -> CommandFailedError:
    """Return the error for a status word that is no success."""
    return CommandFailedError(what, sw, _RV_BY_STATUS.get(sw, Ckr.CKR_DEVICE_ERROR))


class Channel:
    """Commands to one card over one connection."""

    def __init__(self, connection: CardConnection) -> None:
        self._connection = connection

    @property
    def atr(self) -> bytes:
        """The card's answer to reset."""
        return self._connection.atr

    @property
    def max_data(self) -> int:
        """How many bytes of data go into one short command."""
        return min(_SHORT_DATA, self._connection.max_command_data)

    @cached_property
    def has_pinpad(self) -> bool:
        """Whether the reader has keys of its own, for entering PINs and for changing them."""
        return {Feature.VERIFY_PIN_DIRECT, Feature.MODIFY_PIN_DIRECT} <= self._features.keys()

    @cached_property
    def _features(self) -> Mapping[Feature, int]:
        try:
            return self._connection.features()
        except PcscError as error:
            raise lost(error) from error

    def verify_entered(self, header: str, block: PinBlock) -> ResponseApdu:
        """Send a command with a PIN that is entered at the reader, and return the response.

        Where nothing was entered, the response is the reader's own: 6400, 6401, 6403.

        Args:
            header: CLA, INS, P1, P2 in hex.
            block: How the PIN stands in it.

        Raises:
            CardLostError: As ask(), or the reader has no keys.
        """
        return self._enter(Feature.VERIFY_PIN_DIRECT, verification(header, block))

    def modify_entered(
        self, header: str, block: PinBlock, *, current: bool, before: bytes = b""
    ) -> ResponseApdu:
        """Send a command with a new PIN that is entered at the reader twice; otherwise as verify_entered().

        The response may be 6402 too: the two differ.

        Args:
            header: CLA, INS, P1, P2 in hex.
            block: How each PIN stands in it.
            current: Whether the reader asks for another PIN or PUK before, which stands before the new one.
            before: Data that stand before the PINs.
        """
        wanted = modification(header, block, current=current, before=before)
        return self._enter(Feature.MODIFY_PIN_DIRECT, wanted)

    def unblock_entered(self, header: str, puk: bytes | PinBlock, block: PinBlock) -> ResponseApdu:
        """Send a command with a PUK and a new PIN entered at the reader; otherwise as modify_entered().

        Args:
            header: CLA, INS, P1, P2 in hex.
            puk: The PUK, padded; or how it stands in the command, and then it is entered as well.
            block: How the new PIN stands in the command.
        """
        if isinstance(puk, bytes):
            return self.modify_entered(header, block, current=False, before=puk)

        return self.modify_entered(header, block.beside(puk), current=True)

    def _enter(self, feature: Feature, wanted: bytes) -> ResponseApdu:
        code = self._features.get(feature)

        if code is None:
            raise lost(UnsupportedFeatureError(self._connection.reader, "it has no PIN pad"))

        return _answered(lambda: ResponseApdu.parse(self._connection.control(code, wanted)))

    def send(self, header: str, data: bytes = b"", le: int | None = None, *, what: str) -> bytes:
        """Send a command and return the response's data.

        Args:
            header: CLA, INS, P1, P2 in hex.
            data: The command's data.
            le: The number of bytes expected at most; None expects none.
            what: What this does, for messages; never holds a secret.

        Raises:
            CommandFailedError: The status word is not 9000.
            CardLostError: The card could not be spoken to.
        """
        response = self.ask(header, data, le)

        if response.sw != StatusWord.SUCCESS:
            raise refused(what, response.sw)

        return response.data

    def send_chained(self, header: str, data: bytes, le: int | None = None, *, what: str) -> bytes:
        """Send a command whose data may need several (ISO/IEC 7816-4, 5.3.3); otherwise as send()."""
        cla, rest = int(header[:2], 16), header[2:]
        step = self.max_data
        last = max(0, len(data) - 1) // step * step

        for at in range(0, last, step):
            self.send(f"{cla | 0x10:02X}{rest}", data[at : at + step], what=what)

        return self.send(header, data[last:], le, what=what)

    def ask(self, header: str, data: bytes = b"", le: int | None = None) -> ResponseApdu:
        """Send a command and return the response, whatever its status word is.

        61xx and 6Cxx, which T=0 readers may hand on, are followed (ISO/IEC 7816-4, 5.3.4 and 5.6).

        Raises:
            CardLostError: The card could not be spoken to, or answered no response APDU.
        """
        cla, ins, p1, p2 = bytes.fromhex(header)
        return _answered(lambda: exchange(self._connection.transmit, CommandApdu(cla, ins, p1, p2, data, le)))


def _answered(ask: Callable[[], ResponseApdu]) -> ResponseApdu:
    try:
        return ask()
    except PcscError as error:
        raise lost(error) from error
    except ApduFormatError as error:
        raise CardLostError(Ckr.CKR_DEVICE_ERROR, f"no response APDU: {error}") from error
