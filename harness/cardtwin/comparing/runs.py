"""Two traces of one scenario: what was sent and answered, step by step."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final

from cardtwin.comparing.answers import Difference, Kind, differences, origins
from cardtwin.comparing.matching import side_by_side
from cardtwin.targets.looking import is_a_look
from cardtwin.trace import MaskedExchange

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from cardtwin.events import Cause
    from cardtwin.scenario import ScenarioResult, StepResult
    from cardtwin.trace import Trace

__all__ = ["compare_results", "compare_traces"]

_BEFORE: Final = "before any step"
_WHOLE: Final = "the whole trace"
_HEADER: Final = 11
"""Of a command in hex, the characters of CLA, INS, P1 and P2."""


def compare_traces(left: Trace, right: Trace) -> tuple[Difference, ...]:
    """Return in what two runs of one scenario differ.

    Within a step, commands of both sides that are alike are put side by side: their answers are compared, and
    commands that only one side has sent are differences themselves. Traces without a step in common, such as
    those of different programs, are compared as a whole.
    """
    one, other, fetched = _by_step(left), _by_step(right), origins(left.events)

    if not one.keys() & other.keys():
        one, other = _as_a_whole(one), _as_a_whole(other)

    return tuple(
        difference
        for step in dict.fromkeys((*one, *other))
        for difference in _in_step(step, one.get(step, []), other.get(step, []), fetched)
    )


def compare_results(left: ScenarioResult, right: ScenarioResult) -> tuple[Difference, ...]:
    """Return the steps whose verdicts differ; the failure is told where there is one."""
    return tuple(
        Difference(Kind.VERDICT, f"step {one.number} ({one.verb})", one.title, _verdict(one), _verdict(other))
        for one, other in zip(left.steps, right.steps, strict=True)
        if one.verdict is not other.verdict
    )


def _verdict(step: StepResult) -> str:
    if step.failure is None:
        return step.verdict.value

    seen = f" (expected {step.failure.expected}, got {step.failure.actual})" if step.failure.actual else ""
    return f"{step.verdict.value}: {step.failure.message}{seen}"


def _by_step(trace: Trace) -> dict[str, list[MaskedExchange]]:
    steps: dict[str, list[MaskedExchange]] = defaultdict(list)

    for event in trace.events:
        if isinstance(event, MaskedExchange) and not is_a_look(event.cause):
            steps[_step(event.cause)].append(event)

    return steps


def _as_a_whole(steps: Mapping[str, list[MaskedExchange]]) -> dict[str, list[MaskedExchange]]:
    return {_WHOLE: [exchange for exchanges in steps.values() for exchange in exchanges]}


def _step(cause: Cause | None) -> str:
    return cause.path()[0].what if cause is not None else _BEFORE


def _in_step(
    step: str, left: Sequence[MaskedExchange], right: Sequence[MaskedExchange], fetched: Mapping[int, str]
) -> Iterator[Difference]:
    for alike, here, there in side_by_side([_key(e) for e in left], [_key(e) for e in right]):
        sent, also = left[here], right[there]

        if alike:
            for at, (one, other) in enumerate(zip(sent, also, strict=True), here.start + 1):
                yield from differences(one, other, f"{step}, APDU {at}", fetched[id(one)])
        else:
            place = f"{step}, APDU {here.start + 1}"
            yield Difference(Kind.COMMAND, place, "sent", _commands(sent), _commands(also))


def _key(exchange: MaskedExchange) -> tuple[str, str]:
    """Return what makes two commands alike: reader and header; data may be new each time."""
    return exchange.reader, exchange.command[:_HEADER]


def _commands(exchanges: Sequence[MaskedExchange]) -> str:
    return ", ".join(f"{e.command[:_HEADER]} {e.meaning}" for e in exchanges) or "nothing"
