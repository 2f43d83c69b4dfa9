"""What SCardControl does at a reader: features, properties, PIN entry (PC/SC part 10, 2.2 to 2.6)."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final

from cardtwin.events import PinPadUsed
from cardtwin.iso7816 import Tlv
from cardtwin.pcsc import (
    EntryValidation,
    Feature,
    InvalidParameterError,
    PinModification,
    PinVerification,
    UnsupportedFeatureError,
)
from cardtwin.readers.errors import PinFormatError, PinRefusedError
from cardtwin.readers.pinpad.operations import MAX_DIGITS, PinCollector

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from cardtwin.events import Hub, PinPadAnswer, PinPrompt
    from cardtwin.readers.pinpad import PinPad
    from cardtwin.readers.slot import Slot
    from cardtwin.readers.turns import Seat

    Collect = Callable[[PinCollector], bytes]

__all__ = ["GET_FEATURE_REQUEST", "PinEntryTurn", "features_of", "told"]

_CONTROL_CODES: Final = 0x42000000
GET_FEATURE_REQUEST: Final = _CONTROL_CODES + 3400
"""CM_IOCTL_GET_FEATURE_REQUEST, as pcsc-lite numbers it."""

_OURS: Final = _CONTROL_CODES + 3500
_PIN_PAD_FEATURES: Final = (Feature.VERIFY_PIN_DIRECT, Feature.MODIFY_PIN_DIRECT, Feature.IFD_PIN_PROPERTIES)

_LCD_LAYOUT, _ENTRY_VALIDATION, _TIMEOUT2, _MIN_PIN_SIZE, _MAX_PIN_SIZE = 0x01, 0x02, 0x03, 0x06, 0x07
_MAX_APDU_DATA_SIZE: Final = 0x0A
_TWO_LINES: Final = 2 << 8 | MAX_DIGITS
_CONDITIONS: Final = int(
    EntryValidation.MAX_SIZE_REACHED | EntryValidation.VALIDATION_KEY | EntryValidation.TIMEOUT
)
_ONE_TIMEOUT: Final = 0
"""Whether the time after the first key is another than the whole (bTimeOut2): it isn't."""

_SHORT: Final = 255
_SUCCESS: Final = bytes.fromhex("9000")
_BAD_STRUCTURE: Final = bytes.fromhex("6B80")


def features_of(slot: Slot) -> Mapping[Feature, int]:
    """Return the features of a reader with their control codes."""
    pads = _PIN_PAD_FEATURES if slot.pinpad is not None else ()
    properties = (Feature.GET_TLV_PROPERTIES,) if pads or slot.tells_length else ()
    return {feature: _OURS + feature for feature in (*pads, *properties)}


def told(slot: Slot, code: int) -> bytes | None:
    """Return what a reader tells of itself by a control code; None where that isn't what the code is for."""
    if code == GET_FEATURE_REQUEST:
        return b"".join(Tlv(feature, own.to_bytes(4)).encode() for feature, own in features_of(slot).items())

    if code == features_of(slot).get(Feature.GET_TLV_PROPERTIES):
        return _properties(slot)

    if code == _OURS + Feature.IFD_PIN_PROPERTIES and slot.pinpad is not None:
        return struct.pack("=HBB", _TWO_LINES, _CONDITIONS, _ONE_TIMEOUT)

    return None


def _properties(slot: Slot) -> bytes:
    longest = 0x100 if slot.max_command_data <= _SHORT else slot.max_command_data + 1
    told = Tlv(_MAX_APDU_DATA_SIZE, longest.to_bytes(4, "little")).encode()
    size = told if slot.tells_length else b""

    if slot.pinpad is None:
        return Tlv(_LCD_LAYOUT, bytes(2)).encode() + size

    numbers = {
        _ENTRY_VALIDATION: _CONDITIONS,
        _TIMEOUT2: _ONE_TIMEOUT,
        _MIN_PIN_SIZE: 1,
        _MAX_PIN_SIZE: MAX_DIGITS,
    }
    display = Tlv(_LCD_LAYOUT, _TWO_LINES.to_bytes(2, "little")).encode()
    return display + b"".join(Tlv(tag, bytes((number,))).encode() for tag, number in numbers.items()) + size


class PinEntryTurn:
    """One PIN entry at a reader, for one connection. Nobody else gets at the card meanwhile.

    Args:
        slot: The reader.
        seat: Whose turn it is.
        hub: Told what the PIN pad asks for.
        check: Raises where the program doesn't want the answer any more.
    """

    def __init__(self, slot: Slot, seat: Seat, hub: Hub | None, check: Callable[[], object]) -> None:
        self._slot = slot
        self._seat = seat
        self._hub = hub
        self._check = check

    def run(self, code: int, data: bytes, transmit: Callable[[bytes], bytes]) -> bytes:
        """Let PINs be entered and put into a command, send that, and return the answer, or the reader's own.

        Raises:
            UnsupportedFeatureError: The code is not for PIN entry, or the reader has no PIN pad.
            InvalidParameterError: The data are no such structure.
            PcscError: As ManagedConnection.transmit().
        """
        pad = self._slot.pinpad
        collect = _collect(code, data, self._slot.name)

        if pad is None or collect is None:
            raise UnsupportedFeatureError(self._slot.name)

        answer = b""
        self._slot.begin(self._seat)

        try:
            self._slot.check_ready()
            answer = self._answer(pad, collect, transmit)
        finally:
            self._slot.give_up(self._seat)

            if answer[-2:] != _SUCCESS:
                pad.forget()

        return answer

    def _answer(self, pad: PinPad, collect: Collect, transmit: Callable[[bytes], bytes]) -> bytes:
        try:
            command = collect(PinCollector(lambda seconds: pad.ask(seconds, self._look), self._tell))
        except PinRefusedError as refused:
            return refused.status
        except PinFormatError:
            return _BAD_STRUCTURE

        return transmit(command)

    def _look(self) -> None:
        self._slot.check(self._seat)
        self._check()

    def _tell(self, prompt: PinPrompt, answer: PinPadAnswer) -> None:
        if self._hub is not None and not self._hub.silent:
            self._hub.emit(PinPadUsed(reader=self._slot.name, prompt=prompt, answer=answer))


def _collect(code: int, data: bytes, reader: str) -> Collect | None:
    """Return what collects the PINs that a control code asks for."""
    try:
        if code == _OURS + Feature.VERIFY_PIN_DIRECT:
            verification = PinVerification.parse(data)
            return lambda collector: collector.verification(verification)

        if code == _OURS + Feature.MODIFY_PIN_DIRECT:
            modification = PinModification.parse(data)
            return lambda collector: collector.modification(modification)
    except ValueError as error:
        raise InvalidParameterError(reader, str(error)) from None

    return None
