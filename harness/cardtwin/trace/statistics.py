"""What there is in a trace, counted."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Final

from cardtwin.decode.commands import FORMS
from cardtwin.events import CallBegan, CallEnded
from cardtwin.trace.masking import MaskedExchange
from cardtwin.trace.text import printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from cardtwin.trace.recorder import Trace

__all__ = ["Row", "Statistics"]

_NO_RETURN: Final = "no return"
_NO_ANSWER: Final = "no answer"


@dataclass(frozen=True, slots=True)
class Row:
    """What was called or sent, and what came of it.

    Attributes:
        what: The function, or the command.
        outcomes: How often it ended how.
        seconds: That all of them took, from call to return; None where that isn't known.
    """

    what: str
    outcomes: Mapping[str, int]
    seconds: float | None = None

    @property
    def count(self) -> int:
        """How many there were."""
        return sum(self.outcomes.values())


@dataclass(frozen=True, slots=True)
class Statistics:
    """The numbers of one trace.

    Attributes:
        title: The trace's.
        events: How many there are, of all kinds.
        seconds: From the first event to the last; None where there are no times.
        calls: The functions that were called, in the order of their first calls.
        commands: By reader, the commands that were sent, likewise.
        lengths: By reader, how many bytes were sent and received.
    """

    title: str
    events: int
    seconds: float | None
    calls: tuple[Row, ...]
    commands: Mapping[str, tuple[Row, ...]]
    lengths: Mapping[str, tuple[int, int]]

    @classmethod
    def of(cls, trace: Trace) -> Statistics:
        """Return a trace's numbers."""
        exchanges: dict[str, list[MaskedExchange]] = defaultdict(list)

        for event in trace.events:
            if isinstance(event, MaskedExchange):
                exchanges[event.reader].append(event)

        return cls(
            trace.title,
            len(trace.events),
            trace.times[-1] - trace.times[0] if trace.times else None,
            tuple(_calls(trace)),
            {reader: tuple(_commands(sent)) for reader, sent in exchanges.items()},
            {reader: _lengths(sent) for reader, sent in exchanges.items()},
        )

    def text(self) -> str:
        """Return them for people."""
        return "".join(f"{printable(line)}\n" for line in self._lines())

    def _lines(self) -> Iterator[str]:
        took = "" if self.seconds is None else f", {self.seconds:.3f} s"
        yield f"## {self.title}"
        yield f"{self.events} events{took}"
        yield from _table("calls", self.calls)

        for reader, commands in self.commands.items():
            sent, received = self.lengths[reader]
            yield from _table(f"APDUs at {reader}, {sent} bytes sent, {received} received", commands)


def _calls(trace: Trace) -> Iterator[Row]:
    began: dict[int, float] = {}
    outcomes: dict[str, Counter[str]] = defaultdict(Counter)
    seconds: dict[str, float] = defaultdict(float)

    for event, at in zip(trace.events, trace.times or (0.0,) * len(trace.events), strict=True):
        match event:
            case CallBegan():
                began[event.call.number] = at
                outcomes[event.call.what][_NO_RETURN] += 1
            case CallEnded():
                outcomes[event.call.what][_NO_RETURN] -= 1
                outcomes[event.call.what][event.result] += 1
                seconds[event.call.what] += at - began.get(event.call.number, at)
            case _:
                pass

    for (
        name,
        results,
    ) in outcomes.items():  # logs that don't tell when calls ended have all of them take no time
        yield Row(name, +results, seconds[name] if any(seconds.values()) else None)


def _commands(exchanges: list[MaskedExchange]) -> Iterator[Row]:
    outcomes: dict[str, Counter[str]] = defaultdict(Counter)

    for event in exchanges:
        outcomes[_name(event.meaning)][_NO_ANSWER if event.unanswered else event.status] += 1

    for name, statuses in outcomes.items():
        yield Row(name, statuses)


def _lengths(exchanges: list[MaskedExchange]) -> tuple[int, int]:
    return (
        sum(len(event.command.split()) for event in exchanges),
        sum(len(event.response.split()) for event in exchanges),
    )


@cache
def _names() -> tuple[str, ...]:
    return tuple(sorted({form.name for form in FORMS}, key=len, reverse=True))


def _name(meaning: str) -> str:
    """Return a command's name, without what its parameters mean."""
    return next((name for name in _names() if meaning.startswith(name)), meaning.partition(" ")[0])


def _table(title: str, rows: tuple[Row, ...]) -> Iterator[str]:
    if not rows:
        return

    yield f"{title}: {sum(row.count for row in rows)}"
    width = max(len(row.what) for row in rows)

    for row in rows:
        took = "" if row.seconds is None else f"  {row.seconds:9.3f} s"
        told = ", ".join(f"{count} {outcome}" for outcome, count in row.outcomes.items())
        yield f"  {row.count:6}  {row.what:{width}}{took}  {told}"
