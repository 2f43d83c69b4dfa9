"""Two traces' calls: which functions were called, and what they returned."""

from __future__ import annotations

from difflib import SequenceMatcher
from typing import TYPE_CHECKING, Final

from cardtwin.comparing.answers import Difference, Kind
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
    matcher = SequenceMatcher(None, [name for name, _ in left], [name for name, _ in right], autojunk=False)

    for tag, first, last, begin, end in matcher.get_opcodes():
        one, other = left[first:last], right[begin:end]

        if tag == "equal":
            for number, (here, there) in enumerate(zip(one, other, strict=True), first + 1):
                if here[1] != there[1]:
                    yield Difference(Kind.RESULT, f"call {number}", here[0], here[1], there[1])
        else:
            yield Difference(Kind.CALL, f"call {first + 1}", "called", _listed(one), _listed(other))


def _listed(calls: Sequence[Call]) -> str:
    more = f" and {len(calls) - _SHOWN} more" if len(calls) > _SHOWN else ""
    return ", ".join(name for name, _ in calls[:_SHOWN]) + more or "nothing"
