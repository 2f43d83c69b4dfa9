"""Why a scenario failed, as plain text."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from cardtwin.scenario import ScenarioResult, StepResult, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["explain_failure"]

_SHOWN_BYTES = 32


def explain_failure(result: ScenarioResult) -> str:
    """Return the failed step, what was expected and what was there, and the last APDUs decoded."""
    return "\n".join(_lines(result))


def _lines(result: ScenarioResult) -> Iterator[str]:
    yield f"{result.id}: {result.title}"
    yield f"target: {result.target}"

    if result.message:
        yield result.message

    step = result.failed_step

    if step is not None:
        yield from _step_lines(step)

    waiting = sum(other.verdict is Verdict.NOT_RUN for other in result.steps)

    if waiting:
        yield f"{waiting} more step{'s were' if waiting > 1 else ' was'} not run"


def _step_lines(step: StepResult) -> Iterator[str]:
    yield f"step {step.number} at {step.place}: {step.title}"
    failure = step.failure

    if failure is None:
        return

    yield f"  {failure.message}"

    for name, text in (("expected", failure.expected), ("actual", failure.actual)):
        if text:
            yield (
                textwrap.indent(text, "  | ")
                .replace("  | ", f"  {name:9} ", 1)
                .replace("\n  | ", "\n" + " " * 12)
            )

    if failure.detail:
        yield textwrap.indent(failure.detail.rstrip(), "  ")

    if step.exchanges:
        yield f"  {_which(len(step.exchanges), step.apdus)}:"

        for exchange in step.exchanges:
            yield f"    > {_shortened(exchange.command)}    {exchange.meaning}"
            yield f"    < {_shortened(exchange.answer)}    {exchange.status}"


def _which(shown: int, all_: int) -> str:
    if shown < all_:
        return f"the last {shown} of {all_} APDUs"

    return f"all {all_} APDUs" if all_ > 1 else "the APDU"


def _shortened(hex_text: str) -> str:
    """Return hex as it is, or without its middle where it is long; a trace has all of it."""
    count = (len(hex_text) + 1) // 3

    if count <= _SHOWN_BYTES:
        return hex_text

    head, tail = hex_text[: 3 * _SHOWN_BYTES - 9], hex_text[-5:]
    return f"{head} .. {tail} ({count} bytes)"
