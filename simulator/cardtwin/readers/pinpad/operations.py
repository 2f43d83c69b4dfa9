"""PIN entry as a reader does it (PC/SC part 10, 2.5.2 and 2.5.3): ask, check, and give the command.

What isn't the card's answer is a status word of the reader (2.5.4): 6400 nothing was entered in time, 6401 it
was cancelled, 6402 the new PIN and its repetition differ, 6403 too few or too many digits, 6B80 the structure
asks for what the reader cannot do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cardtwin.events import PinPadAnswer, PinPrompt
from cardtwin.pcsc import Confirmation, EntryValidation, PinModification, PinVerification
from cardtwin.readers.errors import PinFormatError, PinRefusedError
from cardtwin.readers.pinpad.blocks import PinLayout
from cardtwin.readers.pinpad.entries import Key

if TYPE_CHECKING:
    from collections.abc import Callable

    from cardtwin.readers.pinpad.entries import PinEntry

    Ask = Callable[[float], PinEntry]
    Tell = Callable[[PinPrompt, PinPadAnswer], object]

__all__ = ["DEFAULT_TIMEOUT", "MAX_DIGITS", "MESSAGES", "PinCollector"]

DEFAULT_TIMEOUT: Final = 30.0
"""Seconds for the entry where the host leaves them to the reader."""

MAX_DIGITS: Final = 16
"""The most digits that are taken: what a line of the display holds."""

MESSAGES: Final = 3
"""The reader's own messages: enter the PIN, enter the new PIN, enter it again."""

_ALL_DEFAULT: Final = 0xFF
_VERIFY: Final = frozenset({0x20})
_MODIFY: Final = frozenset({0x24, 0x2C})
_HEADER: Final = 4
_CHAINED: Final = 0x10
_CONDITIONS: Final = int(
    EntryValidation.MAX_SIZE_REACHED | EntryValidation.VALIDATION_KEY | EntryValidation.TIMEOUT
)
_CONFIRMATIONS: Final = int(Confirmation.NEW_PIN_AGAIN | Confirmation.CURRENT_PIN)

_STATUS: Final = {
    PinPadAnswer.TIMED_OUT: bytes.fromhex("6400"),
    PinPadAnswer.CANCELLED: bytes.fromhex("6401"),
    PinPadAnswer.DIFFERENT: bytes.fromhex("6402"),
    PinPadAnswer.WRONG_LENGTH: bytes.fromhex("6403"),
}


class PinCollector:
    """Collects what one command needs.

    Args:
        ask: Returns what the person does in so many seconds.
        tell: Told what was asked for, and what came of it.
    """

    def __init__(self, ask: Ask, tell: Tell) -> None:
        self._ask = ask
        self._tell = tell

    def verification(self, wanted: PinVerification) -> bytes:
        """Return the command with the PIN in it.

        Raises:
            PinFormatError: The structure asks for what cannot be done.
            PinRefusedError: The person has not entered it.
        """
        header, data = _parted(wanted.command, _VERIFY)
        _check(wanted, count=1, messages=(wanted.message,))
        layout = PinLayout.of(wanted)
        digits = self._digits(PinPrompt.PIN, wanted, layout.capacity(data, 0))
        return _command(header, layout.put(data, 0, digits) if data else layout.alone(digits))

    def modification(self, wanted: PinModification) -> bytes:
        """Return the command with the PINs in it; errors as verification()."""
        header, data = _parted(wanted.command, _MODIFY)

        if wanted.confirmation & ~_CONFIRMATIONS:
            raise PinFormatError("bConfirmPIN has two bits")

        _check(wanted, count=MESSAGES, messages=wanted.messages)
        layout = PinLayout.of(wanted)
        blocks = _blocks(wanted)
        longest = min(layout.capacity(data, origin) for _, origin in blocks)
        entered = [(origin, self._entered(prompt, wanted, longest)) for prompt, origin in blocks]

        if not data:
            return _command(header, b"".join(layout.alone(digits) for _, digits in entered))

        for origin, digits in entered:
            data = layout.put(data, origin, digits)

        return _command(header, data)

    def _entered(self, prompt: PinPrompt, wanted: PinModification, longest: int) -> bytes:
        digits = self._digits(prompt, wanted, longest)

        if prompt is PinPrompt.NEW_PIN and wanted.confirmation & Confirmation.NEW_PIN_AGAIN:
            self._confirm(digits, wanted, longest)

        return digits

    def _confirm(self, digits: bytes, wanted: PinModification, longest: int) -> None:
        again, answer = self._answered(wanted, longest)

        if answer is PinPadAnswer.ENTERED and again != digits:
            answer = PinPadAnswer.DIFFERENT

        self._see(PinPrompt.NEW_PIN_AGAIN, answer)

    def _digits(self, prompt: PinPrompt, wanted: PinVerification | PinModification, longest: int) -> bytes:
        digits, answer = self._answered(wanted, longest)
        self._see(prompt, answer)
        return digits

    def _see(self, prompt: PinPrompt, answer: PinPadAnswer) -> None:
        self._tell(prompt, answer)

        if answer is not PinPadAnswer.ENTERED:
            raise PinRefusedError(_STATUS[answer])

    def _answered(
        self, wanted: PinVerification | PinModification, longest: int
    ) -> tuple[bytes, PinPadAnswer]:
        entry = self._ask(float(wanted.timeout or DEFAULT_TIMEOUT))

        if entry.key is Key.CANCEL:
            return b"", PinPadAnswer.CANCELLED

        digits = _validated(entry, wanted)

        if digits is None:
            return b"", PinPadAnswer.TIMED_OUT

        most = min(wanted.max_digits, longest, MAX_DIGITS)
        fits = wanted.min_digits <= len(digits) <= most
        return digits, PinPadAnswer.ENTERED if fits else PinPadAnswer.WRONG_LENGTH


def _blocks(wanted: PinModification) -> tuple[tuple[PinPrompt, int], ...]:
    """Return what is asked for, and where it goes."""
    new = (PinPrompt.NEW_PIN, wanted.insertion_offset_new)

    if not wanted.confirmation & Confirmation.CURRENT_PIN:
        return (new,)

    return ((PinPrompt.CURRENT_PIN, wanted.insertion_offset_old), new)


def _validated(entry: PinEntry, wanted: PinVerification | PinModification) -> bytes | None:
    """Return the digits that are taken; None where the time is over before anything takes them."""
    if not entry.digits:
        return None

    if wanted.validation & EntryValidation.MAX_SIZE_REACHED and len(entry.digits) >= wanted.max_digits:
        return entry.digits[: wanted.max_digits]

    ends = wanted.validation & (EntryValidation.VALIDATION_KEY | EntryValidation.TIMEOUT)
    return entry.digits if ends else None


def _parted(command: bytes, instructions: frozenset[int]) -> tuple[bytes, bytes]:
    """Return header and data of the command that PINs go into.

    Raises:
        PinFormatError: It is none that a PIN is put into by this feature.
    """
    header, length, data = command[:_HEADER], command[_HEADER : _HEADER + 1], command[_HEADER + 1 :]

    if len(header) < _HEADER or header[1] not in instructions or header[0] & _CHAINED:
        raise PinFormatError("the reader puts PINs into no such command")

    if length and length[0] != len(data):
        raise PinFormatError("Lc is not the length of the command's data")

    return header, data


def _check(wanted: PinVerification | PinModification, *, count: int, messages: tuple[int, ...]) -> None:
    """See that numbers mean something."""
    if not wanted.max_digits or wanted.min_digits > wanted.max_digits:
        raise PinFormatError("wPINMaxExtraDigit allows no PIN")

    if not wanted.validation or wanted.validation & ~_CONDITIONS:
        raise PinFormatError("bEntryValidationCondition has three bits, one of which at least is set")

    if wanted.number_message == _ALL_DEFAULT:
        return

    if wanted.number_message > count or any(
        message >= MESSAGES for message in messages[: wanted.number_message]
    ):
        raise PinFormatError("the reader has no such message")


def _command(header: bytes, data: bytes) -> bytes:
    return header + bytes((len(data),)) + data
