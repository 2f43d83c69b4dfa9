"""APDUs as steps: PINs in the place of masked bytes, matchers for what is another one on each card."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cardtwin.comparing import VOLATILE
from cardtwin.drafting.layout import Entry

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from cardtwin.drafting.layout import Tree
    from cardtwin.drafting.names import Secrets
    from cardtwin.trace import MaskedExchange

__all__ = ["ApduDrafter"]

_MASK: Final = "**"
_CHANGES_BY_ITSELF: Final = (*VOLATILE, "GET DATA serial number")
_READS: Final = "READ "
_ABOUT_READING: Final = (
    "LOOK: the card has keys of its own here: what is read is matched by its length; "
    "with --image, by its bytes"
)

_VERIFY, _CHANGE, _UNBLOCK = 0x20, 0x24, 0x2C
_OLD, _PUK, _NEW = "old", "puk", "new"
_CARRIED: Final = {
    (_VERIFY, 0): (_OLD,),
    (_CHANGE, 0): (_OLD, _NEW),
    (_CHANGE, 1): (_NEW,),
    (_UNBLOCK, 0): (_PUK, _NEW),
    (_UNBLOCK, 1): (_PUK,),
    (_UNBLOCK, 2): (_NEW,),
}
"""What commands carry, one after the other in equal parts, by INS and P1 (ISO/IEC 7816-4:2020, 11.6)."""

_PINS: Final = {1: "pin", 2: "puk", 3: "signature_pin"}
"""The secrets of the full profiles, by their references."""

_UNBLOCKED_BY_PUK: Final = 1
_REFERENCE: Final = 0x1F
_PROPRIETARY: Final = 0x80
_OK: Final = ["90", "00"]
_WRONG: Final = "63"


class ApduDrafter:
    """Makes steps of APDUs, one after the other.

    Args:
        secrets: The names for secrets, and what each is at present.
        value: Gives what a secret is in this draft, by its name.
        made: Whether the scenario makes the card, whose keys are its own then.
    """

    def __init__(self, secrets: Secrets, value: Callable[[str], str], *, made: bool) -> None:
        self._secrets = secrets
        self._value = value
        self._made = made
        self._has_read = False

    def step(self, event: MaskedExchange, place: Mapping[str, Tree]) -> Entry:
        """Return the step that sends a command.

        Args:
            event: The command and its answer.
            place: The keys that say by whom, and in which reader.
        """
        command, notes = self._command(event)
        expected, more = self._expected(event)
        return Entry({"apdu": command, **place, "expect": expected}, (event.meaning, *notes, *more))

    def _command(self, event: MaskedExchange) -> tuple[str, tuple[str, ...]]:
        bytes_ = event.command.split()
        hidden = [place for place, byte in enumerate(bytes_) if byte == _MASK]

        if not hidden:
            return event.command, ()

        names = self._carried(bytes_[:4], event.response.split()[-2:])
        filled = self._filled(names, len(hidden)).ljust(len(hidden), b"\x00")

        for place, byte in zip(hidden, filled, strict=True):
            bytes_[place] = f"{byte:02X}"

        what = f"{' and '.join(names)}, padded with 00" if names else "00, in the place of secrets"
        return " ".join(bytes_), (f"LOOK: the trace has no secrets: filled in is {what}",)

    def _filled(self, names: Sequence[str], size: int) -> bytes:
        part = size // max(len(names), 1)
        return b"".join(self._value(name).encode()[:part].ljust(part, b"\x00") for name in names)

    def _carried(self, header: list[str], status: list[str]) -> tuple[str, ...]:
        """Return the names of the secrets that a command carries; none where they aren't known."""
        if _MASK in header or int(header[0], 16) >= _PROPRIETARY:
            return ()

        _, ins, p1, p2 = (int(byte, 16) for byte in header)
        reference = p2 & _REFERENCE
        roles = _CARRIED.get((ins, p1), ())
        names = [self._name(role, reference, wrong=status[:1] == [_WRONG]) for role in roles]

        if _NEW in roles and status == _OK and reference in _PINS:
            self._secrets.changed(_PINS[reference], "new_pin")

        return tuple(name for name in names if name) if all(names) else ()

    def _name(self, role: str, reference: int, *, wrong: bool) -> str:
        if role == _NEW:
            return "new_pin"

        if wrong:
            return "wrong_pin"

        if role == _PUK:
            return self._secrets.current("puk") if reference == _UNBLOCKED_BY_PUK else ""

        return self._secrets.current(_PINS[reference]) if reference in _PINS else ""

    def _expected(self, event: MaskedExchange) -> tuple[Tree, tuple[str, ...]]:
        if event.unanswered:
            return "absent", ()

        *data, _, _ = response = event.response.split()
        status = " ".join(response[-2:])

        if not data:
            return status, ()

        read = self._made and event.meaning.startswith(_READS)
        notes = (_ABOUT_READING,) if read and not self._has_read else ()
        self._has_read |= read
        hidden = _MASK in data or read or event.meaning.startswith(_CHANGES_BY_ITSELF)
        return {"sw": status, "data": {"any": str(len(data))} if hidden else " ".join(data)}, notes
