"""A connection to a card in one of the system's readers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from cardtwin.events import Exchange
from cardtwin.iso7816 import CommandApdu
from cardtwin.pcsc import (
    CardConnection,
    CardMuteError,
    CardRemovedError,
    CardResetError,
    Disposition,
    InvalidHandleError,
    NotTransactedError,
    PcscError,
    Protocol,
    ShareMode,
)
from cardtwin.readers.errors import CommandTooLongError
from cardtwin.readers.physical.features import features_of, max_apdu_data
from cardtwin.readers.physical.scard import called, scard
from cardtwin.readers.transaction import Transaction

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cardtwin.events import Hub
    from cardtwin.pcsc import Feature
    from cardtwin.readers.physical.changes import Mark, ReaderChanges

__all__ = ["PhysicalConnection"]

_SHORT: Final = 255
_EXTENDED: Final = 65535
_STATUS: Final = 2
_MORE, _WRONG_LE = 0x61, 0x6C
_GET_RESPONSE: Final = 0xC0
_UNANSWERED: Final = (CardMuteError, CardRemovedError, NotTransactedError)
"""What a transmission fails with where the card may have had the command."""

_LOST: Final = (CardRemovedError, CardResetError)


class PhysicalConnection(CardConnection):
    """A connection. With T=0, whole command APDUs are sent as ISO/IEC 7816-3:2006, 12.2 has it.

    Args:
        reader: The reader's name.
        handle: The service's handle.
        protocol: The protocol in use.
        hub: Told of every APDU.
        whole: Whether that is so; where it isn't, transmit() sends bytes as they are, as carry() does.
        changes: Told of what happens to the card, by this connection or noticed by it; None for nobody, and
            for a connection that needs no card.
    """

    def __init__(
        self,
        reader: str,
        handle: int,
        protocol: Protocol,
        hub: Hub | None,
        *,
        whole: bool = True,
        changes: ReaderChanges | None = None,
    ) -> None:
        self._reader = reader
        self._handle = handle
        self._protocol = protocol
        self._hub = hub
        self._whole = whole
        self._changes = changes
        self._mark: Mark | None = None
        self._closed = False
        self._atr = self._read_atr()
        self._max_data: int | None = None
        self._note_card()

    @property
    def reader(self) -> str:
        """The reader's name."""
        return self._reader

    @property
    def atr(self) -> bytes:
        """The card's ATR at connect or the last reconnect."""
        return self._atr

    @property
    def protocol(self) -> Protocol:
        """The protocol in use; UNDEFINED while none is settled."""
        return self._protocol

    @property
    def closed(self) -> bool:
        """Whether the connection is closed, by itself or with its context."""
        return self._closed

    @property
    def max_command_data(self) -> int:
        """How many bytes of data a command may hold: what the driver says, 255 where it says nothing.

        With T=0 it is 255: extended length would take ENVELOPE.
        """
        return self.told_command_data or _SHORT

    @property
    def told_command_data(self) -> int | None:
        """The same; None where the driver says nothing, and longer commands may be carried as well."""
        if self._protocol is Protocol.T0:
            return _SHORT

        if self._max_data is None:
            self._max_data = max_apdu_data(self._reader, self._handle)

        return min(max(_SHORT, self._max_data), _EXTENDED) if self._max_data else None

    def transmit(self, command: bytes) -> bytes:
        """Send a command APDU and return the response APDU, status word included."""
        try:
            by_parts = self._whole and self._protocol is Protocol.T0
            response = self._transmit_t0(command) if by_parts else self.carry(command)
        except _UNANSWERED as error:
            self._tell(command, unanswered=error.detail or error.name)
            self._notice(error)
            raise
        except CardResetError as error:
            self._notice(error)
            raise

        self._tell(command, response)
        return response

    def features(self) -> Mapping[Feature, int]:
        """Return what the reader's driver says that it can do, each with its control code."""
        return features_of(self._reader, self._handle)

    def control(self, code: int, data: bytes = b"") -> bytes:
        """Send a control code to the reader's driver, with what belongs to it, and return the answer."""
        (answer,) = self._call(scard.SCardControl, code, list(data))
        return bytes(answer)

    def _tell(self, command: bytes, response: bytes = b"", unanswered: str = "") -> None:
        if self._hub is not None and not self._hub.silent:
            self._hub.emit(
                Exchange(reader=self._reader, command=command, response=response, unanswered=unanswered)
            )

    def begin_transaction(self) -> None:
        """Begin a transaction, after those of others."""
        self._call(scard.SCardBeginTransaction)

    def end_transaction(self, disposition: Disposition = Disposition.LEAVE) -> None:
        """End a transaction."""
        self._call(scard.SCardEndTransaction, disposition.value)

        if self._changes is not None:
            self._changes.disposed(self._reader, disposition, power_again=True)

    def transaction(self, disposition: Disposition = Disposition.LEAVE) -> Transaction:
        """Hold the card exclusively for the block."""
        return Transaction(self, disposition)

    def reconnect(
        self,
        disposition: Disposition = Disposition.LEAVE,
        *,
        share: ShareMode = ShareMode.SHARED,
        protocol: Protocol = Protocol.ANY,
    ) -> None:
        """Take the connection up again, with the card that is in the reader now."""
        try:
            (active,) = self._call(scard.SCardReconnect, share.value, int(protocol), disposition.value)
        except CardMuteError:
            if self._changes is not None:
                self._changes.fell_mute(self._reader, disposition)

            raise

        self._protocol = Protocol(active)
        self._atr = self._read_atr()

        if self._changes is not None:
            self._changes.disposed(self._reader, disposition, self._atr, power_again=True)

        self._note_card()

    def disconnect(self, disposition: Disposition = Disposition.LEAVE) -> None:
        """Close the connection. A second call does nothing."""
        if self._closed:
            return

        self._closed = True

        try:
            called(self._reader, scard.SCardDisconnect, self._handle, disposition.value)
        except PcscError:
            return  # a connection that was lost is closed

        if self._changes is not None:
            self._changes.disposed(self._reader, disposition, power_again=False)

    def _call(self, function: Any, *arguments: object) -> tuple[Any, ...]:
        try:
            return self._called(function, *arguments)
        except _LOST as error:
            self._notice(error)
            raise

    def _called(self, function: Any, *arguments: object) -> tuple[Any, ...]:
        if self._closed:
            raise InvalidHandleError(self._reader)

        return called(self._reader, function, self._handle, *arguments)

    def _note_card(self) -> None:
        """Take note that there is a card."""
        if self._changes is not None:
            self._mark = self._changes.connected(self._reader, self._atr)

    def _notice(self, error: PcscError) -> None:
        """Take note of what an error says of the card."""
        if self._changes is not None and self._mark is not None and isinstance(error, _LOST):
            self._changes.noticed(self._reader, self._mark, error)

    def _read_atr(self) -> bytes:
        _, _, _, atr = self._call(scard.SCardStatus)
        return bytes(atr)

    def carry(self, command: bytes) -> bytes:
        """Send bytes as they are and return the answer: with T=0, GET RESPONSE is the caller's business.

        Nobody is told; errors as transmit().
        """
        (response,) = self._called(scard.SCardTransmit, int(self._protocol), list(command))

        # What some drivers make of a card that is gone, or mute, in the midst of a command.
        if len(response) < _STATUS:
            raise CardMuteError(self._reader, "the reader has passed on no answer")

        return bytes(response)

    def _transmit_t0(self, command: bytes) -> bytes:
        """Send a command by T=0: without Le where there is data, asking again where the card wants it."""
        apdu = CommandApdu.parse(command)

        if apdu.extended:
            raise CommandTooLongError(self._reader, "extended length isn't carried by T=0")

        response = self.carry(command[:-1] if apdu.data and apdu.le is not None else command)

        if response[-2:-1] == bytes((_WRONG_LE,)) and apdu.le is not None and not apdu.data:
            response = self.carry(command[:-1] + response[-1:])

        collected = response[:-2]

        while response[-2:-1] == bytes((_MORE,)):
            response = self.carry(bytes((apdu.cla & ~0x10, _GET_RESPONSE, 0, 0)) + response[-1:])
            collected += response[:-2]

        return collected + response[-2:]
