"""What a person did at a reader's PIN pad during a call, as the step that does it again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cardtwin.drafting.layout import Entry
from cardtwin.events import PinPadAnswer, PinPadUsed, PinPrompt

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cardtwin.drafting.layout import Tree
    from cardtwin.drafting.names import Secrets
    from cardtwin.drafting.recorded import RecordedCall
    from cardtwin.trace import Trace

__all__ = ["enter_step", "with_pads"]

_NOTHING: Final = {PinPadAnswer.CANCELLED: "cancel", PinPadAnswer.TIMED_OUT: "timeout"}
_NEW: Final = {PinPrompt.NEW_PIN, PinPrompt.NEW_PIN_AGAIN}
_TOO_SHORT: Final = "1"
_ABOUT_LENGTH: Final = "LOOK: the trace doesn't tell whether a PIN was too short or too long"


def enter_step(call: RecordedCall, current: str, secrets: Secrets, place: Mapping[str, Tree]) -> Entry | None:
    """Return the step that comes before a call at whose PIN pad something was asked for; else None.

    Args:
        call: The call.
        current: What to write for the PIN or PUK that the call takes.
        secrets: The names for secrets.
        place: The key that says at which reader.
    """
    if not call.asked:
        return None

    entries: list[Tree] = [_entry(each, current, secrets) for each in call.asked]
    notes = (_ABOUT_LENGTH,) if _TOO_SHORT in entries else ()
    return Entry({"enter": entries[0] if len(entries) == 1 else entries, **place}, notes)


def _entry(asked: PinPadUsed, current: str, secrets: Secrets) -> str:
    match asked.answer:
        case PinPadAnswer.CANCELLED | PinPadAnswer.TIMED_OUT as nothing:
            return _NOTHING[nothing]
        case PinPadAnswer.WRONG_LENGTH:
            return _TOO_SHORT
        case PinPadAnswer.DIFFERENT:
            return secrets.refer("wrong_pin")
        case _:
            return secrets.refer("new_pin") if asked.prompt in _NEW else current


def with_pads(trace: Trace) -> frozenset[str]:
    """Return the readers of a trace that have a PIN pad."""
    return frozenset(event.reader for event in trace.events if isinstance(event, PinPadUsed))
