"""What happens to a card outside of calls: who does it, and resets and cards that come and go as steps."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from cardtwin.drafting.layout import Entry
from cardtwin.events import PowerChange

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cardtwin.drafting.layout import Tree
    from cardtwin.events import Event, ReaderChanged

__all__ = ["is_carried_out", "reader_step", "who"]

_STEP: Final = re.compile(r"step \d+ \((\w+)\)")
_OURS: Final = {"apdu", "pcsc", "card"}
"""Steps that do nothing but what stands in the trace; whatever others did, their own steps would do."""

_GONE: Final = "the program is gone"


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
