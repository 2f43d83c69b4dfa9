"""What a trace tells, in its order: calls from beginning to end, and what happened outside of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from cardtwin.events import CallBegan, CallEnded, ReaderChanged
from cardtwin.trace import MaskedExchange

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from cardtwin.events import Cause
    from cardtwin.trace import Trace

__all__ = ["Happening", "RecordedCall", "happenings"]


@dataclass(frozen=True, slots=True)
class RecordedCall:
    """A call of a function.

    Attributes:
        name: The function's.
        program: Who calls; empty where the trace doesn't say.
        arguments: As texts, by the names of the parameters in C.
        result: The return value's name; empty where the trace ends before.
        results: As texts, by the names of the parameters.
    """

    name: str
    program: str
    arguments: Mapping[str, str]
    result: str = ""
    results: Mapping[str, str] = field(default_factory=dict)


Happening: TypeAlias = RecordedCall | MaskedExchange | ReaderChanged


def happenings(trace: Trace) -> Iterator[Happening]:
    """Yield calls in the order of their beginnings; between them, APDUs and what became of cards in readers.

    What a call has caused is the call's, and does not come by itself.
    """
    ended = {event.call.number: event for event in trace.events if isinstance(event, CallEnded)}
    calls = {event.call.number for event in trace.events if isinstance(event, CallBegan)}

    for event in trace.events:
        match event:
            case CallBegan() if not _is_within(event.cause, calls):
                yield _call(event, ended.get(event.call.number))
            case MaskedExchange() | ReaderChanged() if not _is_within(event.cause, calls):
                yield event
            case _:
                pass


def _is_within(cause: Cause | None, calls: set[int]) -> bool:
    return cause is not None and any(each.number in calls for each in cause.path())


def _call(began: CallBegan, ended: CallEnded | None) -> RecordedCall:
    results = () if ended is None else ended.results
    return RecordedCall(
        began.call.what,
        began.program,
        dict(began.arguments),
        "" if ended is None else ended.result,
        {name.removeprefix("*"): text for name, text in results},
    )
