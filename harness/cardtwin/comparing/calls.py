"""Two traces' calls: which functions were called, and what they returned."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cardtwin.comparing.answers import Difference, Kind
from cardtwin.comparing.matching import side_by_side
from cardtwin.events import CallBegan, CallEnded

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cardtwin.trace import Trace

__all__ = ["compare_calls"]

_NO_RETURN: Final = "no return"
_SHOWN: Final = 8

Call = tuple[str, str]
"""A function, and what it returned."""


def compare_calls(left: Trace, right: Trace) -> tuple[Difference, ...]:
    """Return in what the calls of two traces differ, in the order in which they began.

    Calls of one function are put side by side; arguments may differ, for handles and buffers are a run's own.
    """
    return tuple(_differences(_calls(left), _calls(right)))


def _calls(trace: Trace) -> list[Call]:
    results = {event.call.number: event.result for event in trace.events if isinstance(event, CallEnded)}
    return [
        (event.call.what, results.get(event.call.number, _NO_RETURN))
        for event in trace.events
        if isinstance(event, CallBegan)
    ]


def _differences(left: Sequence[Call], right: Sequence[Call]) -> Iterator[Difference]:
    for alike, here, there in side_by_side([name for name, _ in left], [name for name, _ in right]):
        one, other = left[here], right[there]

        if alike:
            for number, (before, now) in enumerate(zip(one, other, strict=True), here.start + 1):
                if before[1] != now[1]:
                    yield Difference(Kind.RESULT, f"call {number}", before[0], before[1], now[1])
        else:
            yield Difference(Kind.CALL, f"call {here.start + 1}", "called", _listed(one), _listed(other))


def _listed(calls: Sequence[Call]) -> str:
    more = f" and {len(calls) - _SHOWN} more" if len(calls) > _SHOWN else ""
    return ", ".join(name for name, _ in calls[:_SHOWN]) + more or "nothing"
