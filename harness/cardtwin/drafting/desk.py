"""What happens to a card outside of calls, as steps: APDUs of programs, resets, cards that come and go."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from cardtwin.comparing import VOLATILE
from cardtwin.drafting.layout import Entry
from cardtwin.drafting.names import DEFAULTS
from cardtwin.events import PowerChange

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cardtwin.drafting.layout import Tree
    from cardtwin.events import Event, ReaderChanged
    from cardtwin.trace import MaskedExchange

__all__ = ["apdu_step", "is_carried_out", "reader_step", "who"]

_MASK: Final = "**"
_STEP: Final = re.compile(r"step \d+ \((\w+)\)")
_OURS: Final = {"apdu", "pcsc", "card"}
"""Steps that do nothing but what stands in the trace; whatever others did, their own steps would do."""

_GONE: Final = "the program is gone"
_CHANGES_BY_ITSELF: Final = (*VOLATILE, "GET DATA serial number")
_VERIFY: Final = "VERIFY"
_PIN_SIZE: Final = 8


def who(event: Event) -> str | None:
    """Return the program that an event is due to; None where nobody but a hand at the reader is."""
    causes = () if event.cause is None else event.cause.chain()
    named = [cause for cause in causes if not _STEP.fullmatch(cause)]
    return named[-1] if named else None


def is_carried_out(event: Event) -> bool:
    """Whether a scenario has to do again what an event tells: it isn't what steps of other verbs did."""
    causes = () if event.cause is None else event.cause.chain()
    verbs = [match[1] for cause in causes if (match := _STEP.fullmatch(cause))]
    return _GONE not in causes and all(verb in _OURS for verb in verbs)


def apdu_step(event: MaskedExchange, place: Mapping[str, Tree], secrets: Mapping[str, str]) -> Entry:
    """Return the step that sends a command.

    Args:
        event: The command and its answer.
        place: The keys that say by whom, and in which reader.
        secrets: Those that somebody gave, by their names.
    """
    command, notes = _command(event, secrets)
    return Entry({"apdu": command, **place, "expect": _expected(event)}, (event.meaning, *notes))


def _command(event: MaskedExchange, secrets: Mapping[str, str]) -> tuple[str, tuple[str, ...]]:
    bytes_ = event.command.split()
    hidden = [place for place, byte in enumerate(bytes_) if byte == _MASK]

    if not hidden:
        return event.command, ()

    pin = (secrets.get("pin") or DEFAULTS["pin"]).encode() if event.meaning.startswith(_VERIFY) else b""

    for place, byte in zip(hidden, pin.ljust(len(hidden), b"\x00"), strict=False):
        bytes_[place] = f"{byte:02X}"

    what = "a PIN, padded with 00" if pin else "secrets, in the place of which there are 00"
    return " ".join(bytes_), (f"LOOK: the trace has no secrets: fill in {what}",)


def _expected(event: MaskedExchange) -> Tree:
    if event.unanswered:
        return "absent"

    *data, _, _ = response = event.response.split()
    status = " ".join(response[-2:])

    if not data:
        return status

    hidden = _MASK in data or event.meaning.startswith(_CHANGES_BY_ITSELF)
    return {"sw": status, "data": {"any": str(len(data))} if hidden else " ".join(data)}


_BY_HAND: Final = {
    PowerChange.REMOVED: "remove",
    PowerChange.RESET: "reset",
    PowerChange.POWERED_OFF: "power_off",
}
_BY_PROGRAM: Final = {PowerChange.RESET: "reset", PowerChange.POWERED_OFF: "unpower"}


def reader_step(event: ReaderChanged, by: str, on: Mapping[str, Tree], card: str) -> Entry | None:
    """Return the step that does to a card what was done; None where that comes by itself.

    Args:
        event: What was done.
        by: What the scenario calls the program; empty where no program did it.
        on: The key that says in which reader.
        card: What the scenario calls the card.
    """
    if by:
        disposition = _BY_PROGRAM.get(event.change)
        fields: dict[str, Tree] = {"pcsc": "reconnect", "disposition": disposition or "", "by": by, **on}
        return Entry(fields) if disposition else None

    if event.change is PowerChange.INSERTED:
        return Entry({"card": "insert", "which": card, **on})

    action = _BY_HAND.get(event.change)
    return None if action is None else Entry({"card": action, **on})
