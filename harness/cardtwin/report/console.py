"""The report on the console: progress while it runs, a table at the end, what failed and why."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from cardtwin.report.text import explain_failure
from cardtwin.scenario import ScenarioResult, Verdict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from cardtwin.scenario import Instance, StepResult
    from cardtwin.scenario.planning import Plan

__all__ = ["ConsoleReport"]

_STYLE = {
    Verdict.PASSED: "green",
    Verdict.FAILED: "bold red",
    Verdict.NOT_RUN: "dim",
    Verdict.UNSUPPORTED: "yellow",
}


class ConsoleReport:
    """Writes about results as they come, and sums them up. As a context, it shows what runs."""

    def __init__(self, console: Console, total: int) -> None:
        self._console = console
        self._total = total
        self._done = 0
        self._status = console.status("")

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._status.start()

        return self

    def __exit__(self, *_: object) -> None:
        self._status.stop()

    def step(self, instance: Instance, step: StepResult) -> None:
        """Show on a terminal how far a scenario is."""
        self._status.update(Text(f"{instance.id}: step {step.number} of {len(instance.steps)}"))

    def plan(self, plan: Plan) -> None:
        """Tell what is about to be done to physical cards."""
        for line in plan.lines():
            self._console.print(Text(line), soft_wrap=True)

    def add(self, result: ScenarioResult) -> None:
        """Tell of one result; of a failed one, all that helps to understand it."""
        self._done += 1
        width = len(str(self._total))
        line = Text(f"[{self._done:{width}}/{self._total}] ", style="dim")
        line.append(f"{result.verdict.value:11}", style=_STYLE[result.verdict])
        line.append(f" {result.id}", style="default")
        line.append(f"  {result.seconds:.2f} s", style="dim")
        self._console.print(line, soft_wrap=True)

        if result.verdict is Verdict.FAILED:
            self._console.print(
                Panel(Text(explain_failure(result)), title=Text(str(result.path)), title_align="left")
            )
        elif result.message:
            self._console.print(Text(f"    {result.message}", style="yellow"), soft_wrap=True)

    def sum_up(self, results: Sequence[ScenarioResult], seconds: float) -> None:
        """Print the table of all files, and the totals."""
        table = Table(box=None, pad_edge=False, header_style="dim")

        for title in ("scenario", "passed", "failed", "unsupported", "steps", "seconds"):
            left = title == "scenario"
            table.add_column(
                title, justify="left" if left else "right", overflow="fold" if left else "ellipsis"
            )

        for path in sorted({result.path for result in results}):
            row = _row(str(path), [result for result in results if result.path == path])
            table.add_row(*map(Text, row))

        self._console.print()
        self._console.print(table)
        counts = {verdict: sum(r.verdict is verdict for r in results) for verdict in Verdict}
        style = "bold red" if counts[Verdict.FAILED] else "bold green"
        parts = [f"{count} {verdict.value}" for verdict, count in counts.items() if count]
        targets = ", ".join(sorted({result.target for result in results}))
        where = f" on {targets}" if targets else ""
        self._console.print(
            Text(f"{', '.join(parts) or 'nothing ran'}{where} in {seconds:.1f} s", style=style),
            soft_wrap=True,
        )


def _row(path: str, results: Sequence[ScenarioResult]) -> list[str]:
    counts = [
        sum(result.verdict is verdict for result in results)
        for verdict in (Verdict.PASSED, Verdict.FAILED, Verdict.UNSUPPORTED)
    ]
    steps = sum(step.verdict is not Verdict.NOT_RUN for result in results for step in result.steps)
    seconds = sum(result.seconds for result in results)
    return [path, *(str(count) if count else "" for count in counts), str(steps), f"{seconds:.2f}"]
