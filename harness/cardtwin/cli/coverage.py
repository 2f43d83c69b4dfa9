"""``cardtwin coverage``."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from cardtwin.cli import PASSED, SCENARIO_FAILED, WRONG_USAGE
from cardtwin.cli.files import OUTPUT, in_a_folder, load_scenarios
from cardtwin.report.coverage import Coverage, Requirement, count, read_requirements
from cardtwin.scenario import Verdict
from cardtwin.scenario.pool import Options, run_all
from cardtwin.source import SourceError

__all__ = ["command"]


@click.command("coverage", short_help="Tell which requirements the scenarios prove.")
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--requirements",
    required=True,
    type=click.Path(path_type=Path, dir_okay=False),
    help="The list of requirements, YAML.",
)
@click.option("-n", "processes", type=click.IntRange(1), default=1, metavar="N", help="Run in N processes.")
@click.option(
    "--timeout", type=click.FloatRange(min=0, min_open=True), metavar="S", help="Seconds per scenario."
)
@click.option("--missing", is_flag=True, help="List what no scenario proves.")
@click.option("--json", "json_file", type=OUTPUT, callback=in_a_folder, help="Write JSON.")
def command(
    *,
    paths: tuple[Path, ...],
    requirements: Path,
    processes: int,
    timeout: float | None,
    missing: bool,
    json_file: Path | None,
) -> None:
    """Run scenarios, and count the requirements whose proving step ran and passed, for each target.

    Exit status 1 if a scenario failed, or a step proves what the list doesn't have.
    """
    try:
        wanted = read_requirements(requirements)
    except (OSError, SourceError) as error:
        click.echo(str(error), err=True)
        sys.exit(WRONG_USAGE)

    instances = load_scenarios(paths)
    results = [outcome.result for outcome in run_all(instances, Options(timeout), processes=processes)]
    found = count(wanted, results)
    _print(found, wanted, missing=missing)

    if json_file is not None:
        json_file.write_text(json.dumps(found.document(), indent=2) + "\n", encoding="utf-8")

    failed = [result.id for result in results if result.verdict is Verdict.FAILED]

    for id_ in failed:
        click.echo(f"failed: {id_}", err=True)

    for id_, place in found.unknown:
        click.echo(f"{place}: proves {id_!r}, which the requirements don't have", err=True)

    sys.exit(SCENARIO_FAILED if failed or found.unknown else PASSED)


def _print(found: Coverage, wanted: tuple[Requirement, ...], *, missing: bool) -> None:
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("area")

    for target in found.targets:
        table.add_column(target, justify="right")

    for area in dict.fromkeys(requirement.area for requirement in wanted):
        of_area = [requirement.id for requirement in wanted if requirement.area == area]
        table.add_row(
            area,
            *(f"{sum(id_ in found.proved[t] for id_ in of_area)} of {len(of_area)}" for t in found.targets),
        )

    console = Console(highlight=False, markup=False)
    console.print(table)

    for target in found.targets:
        console.print(f"{target}: {len(found.proved[target])} of {len(wanted)} requirements proved")

    if missing:
        everywhere = set().union(*found.proved.values())

        for requirement in wanted:
            if requirement.id not in everywhere:
                console.print(f"{requirement.id:8} {requirement.text}", soft_wrap=True)
