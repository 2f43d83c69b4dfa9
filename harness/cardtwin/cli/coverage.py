"""``cardtwin coverage``."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.table import Table

from cardtwin.cli import PASSED, SCENARIO_FAILED
from cardtwin.cli.files import OUTPUT, fail, in_a_folder, load_scenarios
from cardtwin.report.coverage import Coverage, Requirement, count, read_requirements
from cardtwin.report.proofs import Proof, ProofsError, ProofsFile, proofs_of
from cardtwin.scenario import Verdict
from cardtwin.scenario.pool import Options, run_all
from cardtwin.source import SourceError, closest

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from cardtwin.scenario import ScenarioResult

__all__ = ["command"]

_EVERY_AREA = ""
"""What ``--complete`` holds without names of areas."""


@click.command("coverage", short_help="Tell which requirements scenarios and tests prove.")
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
@click.option(
    "--requirements",
    required=True,
    type=click.Path(path_type=Path, dir_okay=False),
    help="The list of requirements, YAML.",
)
@click.option(
    "--proved",
    "proved_files",
    multiple=True,
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="What a run of pytest has proved: pytest --cardtwin-proved=FILE; may be repeated.",
)
@click.option("-n", "processes", type=click.IntRange(1), default=1, metavar="N", help="Run in N processes.")
@click.option(
    "--timeout", type=click.FloatRange(min=0, min_open=True), metavar="S", help="Seconds per scenario."
)
@click.option("--missing", is_flag=True, help="List what nothing proves.")
@click.option(
    "--complete",
    "areas",
    is_flag=False,
    flag_value=_EVERY_AREA,
    metavar="[AREA,...]",
    help="List what nothing proves, of these areas or of all, and have exit status 1 if there is any.",
)
@click.option("--json", "json_file", type=OUTPUT, callback=in_a_folder, help="Write JSON.")
def command(
    *,
    paths: tuple[Path, ...],
    requirements: Path,
    proved_files: tuple[Path, ...],
    processes: int,
    timeout: float | None,
    missing: bool,
    areas: str | None,
    json_file: Path | None,
) -> None:
    """Count the requirements that are proved, for each target: something proves them, and nothing failed.

    Scenarios in PATHS are run. Files of proofs are read; their tests have a column of their own.

    Exit status 1 if a scenario or a run of tests failed, or something proves what the list doesn't have.
    """
    if not paths and not proved_files:
        raise click.UsageError("what proves them? Give PATHS of scenarios, or --proved FILE")

    wanted = _requirements(requirements)
    needed = _of_areas(wanted, areas)
    files = {path: _proofs_file(path) for path in proved_files}
    results = [each.result for each in run_all(load_scenarios(paths), Options(timeout), processes=processes)]
    found = count(
        wanted, [*_by_running(results), *(proof for file in files.values() for proof in file.proofs)]
    )
    absent = _unproved(needed, found)
    _print(found, wanted)
    _list(_unproved(wanted, found) if missing else absent)

    if json_file is not None:
        json_file.write_text(json.dumps(found.document(), indent=2) + "\n", encoding="utf-8")

    complaints = [*_failed(results), *_failed_runs(files), *_unknown(found)]

    if absent:
        complaints.append(f"not proved: {len(absent)} of {len(needed)} requirements")

    for complaint in complaints:
        click.echo(complaint, err=True)

    sys.exit(SCENARIO_FAILED if complaints else PASSED)


def _requirements(path: Path) -> tuple[Requirement, ...]:
    try:
        return read_requirements(path)
    except (OSError, SourceError) as error:
        fail(str(error))


def _of_areas(wanted: Sequence[Requirement], areas: str | None) -> tuple[Requirement, ...]:
    """Return the requirements that have to be proved.

    Raises:
        click.BadParameter: There is no such area.
    """
    if areas is None:
        return ()

    known = {requirement.area for requirement in wanted}
    asked = known if areas == _EVERY_AREA else set(areas.split(","))

    for area in sorted(asked - known):
        remedy = closest(area, known) or f"there are {', '.join(sorted(known))}"
        raise click.BadParameter(f"there is no area {area!r}: {remedy}", param_hint="--complete")

    return tuple(requirement for requirement in wanted if requirement.area in asked)


def _proofs_file(path: Path) -> ProofsFile:
    try:
        return ProofsFile.read(path)
    except FileNotFoundError:
        fail(f"{path} isn't there: pytest --cardtwin-proved={path} writes it")
    except (OSError, ProofsError) as error:
        fail(str(error))


def _by_running(results: Iterable[ScenarioResult]) -> Iterator[Proof]:
    for result in results:
        yield from proofs_of(result, f"{result.path}::{result.id}")


def _unproved(wanted: Iterable[Requirement], found: Coverage) -> tuple[Requirement, ...]:
    everywhere = found.everywhere
    return tuple(requirement for requirement in wanted if requirement.id not in everywhere)


def _failed(results: Iterable[ScenarioResult]) -> Iterator[str]:
    for result in results:
        if result.verdict is Verdict.FAILED:
            yield f"failed: {result.id}"


def _failed_runs(files: Mapping[Path, ProofsFile]) -> Iterator[str]:
    for path, file in files.items():
        for test in dict.fromkeys(proof.test for proof in file.proofs if proof.verdict is Verdict.FAILED):
            yield f"{path}: failed: {test}"

        if file.status:
            yield f"{path}: of a run of pytest that ended with status {file.status}"


def _unknown(found: Coverage) -> Iterator[str]:
    for id_, place in found.unknown:
        yield f"{place}: proves {id_!r}, which the requirements don't have"


def _print(found: Coverage, wanted: Sequence[Requirement]) -> None:
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

    if len(found.targets) > 1:
        console.print(f"together: {len(found.everywhere)} of {len(wanted)} requirements proved")


def _list(requirements: Iterable[Requirement]) -> None:
    for requirement in requirements:
        click.echo(f"{requirement.id:8} {requirement.text}")
