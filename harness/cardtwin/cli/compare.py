"""``cardtwin compare``."""

from __future__ import annotations

import sys
from collections import Counter
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cardtwin.cli import PASSED, SCENARIO_FAILED
from cardtwin.cli.evidence import evidence_folder, evidence_option
from cardtwin.cli.files import load_scenarios
from cardtwin.cli.hardware_options import hardware_of, hardware_options
from cardtwin.cli.overrides import checked_overrides
from cardtwin.comparing import compare_results, compare_traces
from cardtwin.scenario import Verdict
from cardtwin.scenario.overrides import Overrides
from cardtwin.scenario.pool import Options, run_all
from cardtwin.scenario.selection import SelectionError, select
from cardtwin.targets import is_physical

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cardtwin.comparing import Difference
    from cardtwin.scenario import Instance
    from cardtwin.scenario.planning import Plan
    from cardtwin.scenario.pool import Outcome

__all__ = ["command"]

_SEED = "compare"
_ADVICE = (
    "What to do: `cardtwin run FILE --target NAME --trace TRACE` keeps all commands of one target; "
    "docs/deviations.md lists what of the emulated card and middleware is inferred or ours, and its switches."
)


@click.command("compare", short_help="Run scenarios on two targets, and tell where they differ.")
@click.argument("paths", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--target", "targets", multiple=True, metavar="NAME", help="A target; give two.")
@click.option("-k", "expression", default="", metavar="EXPR", help="Only instances whose names match.")
@click.option("--tag", "tags", multiple=True, metavar="TAG", help="Only scenarios with this tag.")
@click.option("--seed", default=_SEED, metavar="TEXT", help="Seed for the scenarios that have none.")
@hardware_options
@evidence_option
def command(
    *,
    paths: tuple[Path, ...],
    targets: tuple[str, ...],
    expression: str,
    tags: tuple[str, ...],
    seed: str,
    evidence: Path | None,
    **hardware: object,
) -> None:
    """Run scenarios on two targets, and tell step by step in what their cards differ.

    The same commands are put side by side: status words, tries left, access conditions, lengths and data. Of
    what is new each time, such as challenges and signatures, the lengths count. What is to be done to
    physical cards is told before.
    """
    if len(targets) != 2:
        raise click.UsageError("two targets are compared: --target A --target B")

    for target in targets:
        checked_overrides(target)

    try:
        instances = select(load_scenarios(paths), expression_text=expression, tags=tags)
    except SelectionError as error:
        raise click.BadParameter(str(error), param_hint="-k") from None

    if not instances:
        raise click.UsageError("no scenario is left to run")

    physical = hardware_of(hardware, instances, used=any(map(is_physical, targets)))
    overrides = [Overrides(target, hardware=physical) for target in targets]
    options = [
        Options(seed=seed, record=True, overrides=each, witnesses=evidence_folder(evidence, instances, each))
        for each in overrides
    ]
    click.echo(f"left: {targets[0]}, right: {targets[1]}")
    told = Counter(_compared(instance, options) for instance in instances)

    if told[_Answer.DIFFERENT]:
        click.echo(_ADVICE)

    click.echo(", ".join(f"{number} {answer.value}" for answer, number in told.items()))
    sys.exit(SCENARIO_FAILED if told[_Answer.DIFFERENT] or told[_Answer.REFUSED] else PASSED)


class _Answer(Enum):
    """What came of a comparison."""

    EQUAL = "the same"
    DIFFERENT = "different"
    NOT_RUN = "not run on both"
    REFUSED = "refused"


def _compared(instance: Instance, options: Sequence[Options]) -> _Answer:
    """Run an instance on both targets, and tell in what they differ."""
    left, right = (next(run_all([instance], each, announce=_tell)) for each in options)

    if refused := [o.result for o in (left, right) if o.refused]:
        click.echo("\n  ".join((instance.id, *(f"{r.target}: {r.message}" for r in refused))))
        return _Answer.REFUSED

    not_run = [o.result for o in (left, right) if o.result.verdict is Verdict.UNSUPPORTED]
    reasons = [f"not run on {result.target}: {result.message}" for result in not_run]
    found = reasons or list(_differences(left, right))

    if found:
        click.echo("\n  ".join((instance.id, *found)))

    if reasons:
        return _Answer.NOT_RUN

    return _Answer.DIFFERENT if found else _Answer.EQUAL


def _tell(plan: Plan) -> None:
    click.echo("\n".join(plan.lines()))


def _differences(left: Outcome, right: Outcome) -> Iterator[str]:
    for result in (left.result, right.result):
        if result.message:
            yield f"{result.target}: {result.message}"

    found = list(compare_results(left.result, right.result))

    if left.trace is not None and right.trace is not None:
        found += compare_traces(left.trace, right.trace)

    steps = left.result.steps
    where = {f"step {each.number} ({each.verb})": f"{each.title}, {each.place}" for each in steps}
    by_step: dict[str, list[Difference]] = {place: [] for place in where}

    for difference in found:
        by_step.setdefault(_step(difference), []).append(difference)

    for place, differences in by_step.items():
        if differences:
            yield f"{place}: {where[place]}" if place in where else place
            yield from (f"  {str(each).removeprefix(f'{place}, ')}" for each in differences)


def _step(difference: Difference) -> str:
    """Return the step that a difference belongs to; its place says more."""
    return difference.place.partition(",")[0]
