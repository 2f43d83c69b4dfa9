"""``cardtwin run``."""

from __future__ import annotations

import os
import sys
import time
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console

from cardtwin.cli import PASSED, SCENARIO_FAILED
from cardtwin.cli.evidence import evidence_folder, evidence_option
from cardtwin.cli.files import OUTPUT, fail, in_a_folder, load_scenarios
from cardtwin.cli.golden import Golden
from cardtwin.cli.hardware_options import hardware_of, hardware_options
from cardtwin.cli.overrides import checked_overrides
from cardtwin.report.console import ConsoleReport
from cardtwin.scenario import Instance, ScenarioResult, Verdict
from cardtwin.scenario.pool import Options, Outcome, run_all
from cardtwin.scenario.selection import SelectionError, select
from cardtwin.targets import is_physical
from cardtwin.trace import write_traces

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cardtwin.scenario.overrides import Overrides

__all__ = ["command"]

_WIDTH = 120
"""Of a report that goes into a file or a log."""


@click.command("run", short_help="Run scenario files.")
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("-n", "processes", type=click.IntRange(1), default=1, metavar="N", help="Run in N processes.")
@click.option("-k", "expression", default="", metavar="EXPR", help="Only ids with these words: and, or, not.")
@click.option(
    "--tag", "tags", multiple=True, metavar="T", help="Only scenarios with this tag; may be repeated."
)
@click.option("--list", "list_only", is_flag=True, help="List what would run.")
@click.option("--fail-fast", is_flag=True, help="Stop at the first scenario that fails.")
@click.option(
    "--timeout", type=click.FloatRange(min=0, min_open=True), metavar="S", help="Seconds per scenario."
)
@click.option("--seed", metavar="TEXT", help="Seed for the scenarios that have none.")
@click.option("--target", metavar="NAME", help="Run against this target, such as module:PATH, pcsc:READER.")
@click.option("--card", metavar="MODEL", help="Put this card model into every reader that has a card.")
@click.option("--quirk", "quirks", multiple=True, metavar="Q", help="Switch a quirk on in every card.")
@click.option("--junit", type=OUTPUT, callback=in_a_folder, help="Write JUnit XML.")
@click.option("--json", "json_file", type=OUTPUT, callback=in_a_folder, help="Write JSON.")
@click.option(
    "--golden",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="FOLDER",
    help="Compare traces with those in FOLDER; scenarios that have a file there.",
)
@click.option("--update", is_flag=True, help="With --golden: make what happens the golden traces.")
@hardware_options
@click.option("--trace", type=OUTPUT, callback=in_a_folder, help="Write what happened, masked; JSON Lines.")
@evidence_option
def command(  # noqa: PLR0913  # one per option
    *,
    paths: tuple[Path, ...],
    processes: int,
    expression: str,
    tags: tuple[str, ...],
    list_only: bool,
    fail_fast: bool,
    timeout: float | None,
    seed: str | None,
    target: str | None,
    card: str | None,
    quirks: tuple[str, ...],
    junit: Path | None,
    json_file: Path | None,
    trace: Path | None,
    golden: Path | None,
    update: bool,
    evidence: Path | None,
    **hardware: object,
) -> None:
    """Run scenario files, and those in folders that end in .scenario.yaml.

    On physical cards (--target pcsc) the plan is told first, and carried out on an emulated card.
    """
    overrides = checked_overrides(target, card, quirks, to_run=not list_only)

    loaded = load_scenarios(paths)

    try:
        instances = select(loaded, expression_text=expression, tags=tags)
    except SelectionError as error:
        raise click.BadParameter(str(error), param_hint="-k") from None

    if not instances:
        raise click.UsageError("no scenario is left to run")

    if list_only:
        for instance in instances:
            click.echo(f"{instance.path}::{instance.id}")

        sys.exit(PASSED)

    overrides = _with_hardware(overrides, hardware, instances, processes)
    traces = Golden.of(golden, instances, update=update, seeded=seed is not None)
    record = trace is not None or traces is not None
    witnesses = evidence_folder(evidence, instances, overrides)
    options = Options(timeout, seed, record, overrides, witnesses)
    done = _run(instances, options, processes, fail_fast=fail_fast)
    results = done.results

    try:
        _write(results, done.seconds, junit, json_file)

        if trace is not None:
            write_traces((o.trace for o in done.outcomes if o.trace is not None), trace)

        differences = traces.differences(loaded, done.outcomes) if traces is not None else ()
    except OSError as error:
        fail(str(error))

    if done.interrupt is not None:
        raise done.interrupt

    for difference in differences:
        click.echo(f"\nnot the golden trace:\n{difference}")

    failed = differences or any(result.verdict is Verdict.FAILED for result in results)
    sys.exit(SCENARIO_FAILED if failed else PASSED)


def _with_hardware(
    overrides: Overrides, options: Mapping[str, object], instances: Sequence[Instance], processes: int
) -> Overrides:
    physical = any(is_physical(overrides.target or instance.target) for instance in instances)

    if physical and processes > 1:
        raise click.UsageError("physical cards are used by one scenario after the other: leave -n out")

    return replace(overrides, hardware=hardware_of(options, instances, used=physical))


@dataclass(frozen=True, slots=True)
class _Done:
    """What ran, in the order of the files."""

    outcomes: list[Outcome]
    seconds: float
    interrupt: KeyboardInterrupt | None

    @property
    def results(self) -> list[ScenarioResult]:
        return [outcome.result for outcome in self.outcomes]


def _run(instances: Sequence[Instance], options: Options, processes: int, *, fail_fast: bool) -> _Done:
    """Run, telling about it. After an interrupt, what had ended until then is summed up."""
    width = None if sys.stdout.isatty() or "COLUMNS" in os.environ else _WIDTH
    console = Console(highlight=False, width=width)
    report = ConsoleReport(console, len(instances))
    outcomes: dict[tuple[Path, str], Outcome] = {}
    interrupt: KeyboardInterrupt | None = None
    began = time.perf_counter()
    arriving = run_all(instances, options, processes=processes, progress=report.step, announce=report.plan)

    try:
        with report, closing(arriving):
            for outcome in arriving:
                result = outcome.result
                outcomes[result.path, result.id] = outcome
                report.add(result)

                if fail_fast and result.verdict is Verdict.FAILED:
                    break
    except KeyboardInterrupt as error:
        interrupt = error

    ordered = [outcomes[i.path, i.id] for i in instances if (i.path, i.id) in outcomes]
    done = _Done(ordered, time.perf_counter() - began, interrupt)
    report.sum_up(done.results, done.seconds)
    return done


def _write(
    results: Sequence[ScenarioResult], seconds: float, junit: Path | None, json_file: Path | None
) -> None:
    if junit is not None:
        from cardtwin.report.junit import write_junit  # noqa: PLC0415  # only where it is asked for

        write_junit(results, seconds, junit)

    if json_file is not None:
        from cardtwin.report.json import write_json  # noqa: PLC0415  # as above

        write_json(results, seconds, json_file)
