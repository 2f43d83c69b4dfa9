"""``cardtwin plan``."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from cardtwin.cli import PASSED, SCENARIO_FAILED
from cardtwin.cli.files import OUTPUT, fail, in_a_folder, load_scenarios
from cardtwin.cli.hardware_options import hardware_of, hardware_options
from cardtwin.report.plans import write_plans
from cardtwin.scenario.overrides import Overrides, OverridesError
from cardtwin.scenario.planning import rehearse
from cardtwin.scenario.pool import Options
from cardtwin.scenario.selection import SelectionError, select
from cardtwin.targets import TargetError, is_physical

__all__ = ["command"]


@click.command("plan", short_help="Tell what scenarios would do to cards.")
@click.argument("paths", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--target", default="pcsc", show_default=True, metavar="NAME", help="Where they are to run.")
@click.option("-k", "expression", default="", metavar="EXPR", help="Only ids with these words: and, or, not.")
@click.option("--tag", "tags", multiple=True, metavar="T", help="Only scenarios with this tag.")
@click.option("--card", metavar="MODEL", help="The model of the card in every reader that has one.")
@click.option("--seed", metavar="TEXT", help="Seed for the scenarios that have none.")
@click.option("--quirk", "quirks", multiple=True, metavar="Q", help="Switch a quirk on in every card.")
@click.option("--json", "json_file", type=OUTPUT, callback=in_a_folder, help="Write JSON.")
@hardware_options
def command(
    *,
    paths: tuple[Path, ...],
    target: str,
    expression: str,
    tags: tuple[str, ...],
    card: str | None,
    seed: str | None,
    quirks: tuple[str, ...],
    json_file: Path | None,
    **hardware: object,
) -> None:
    """Tell what would be sent to cards, changed on them and spent: by a dry run on emulated ones.

    No reader is touched. Exit status 1 if a run with the same options would send nothing: a dry run fails,
    something would be refused, or the hardware file doesn't allow it.
    """
    try:
        instances = select(load_scenarios(paths), expression_text=expression, tags=tags)
    except SelectionError as error:
        raise click.BadParameter(str(error), param_hint="-k") from None

    if not instances:
        raise click.UsageError("no scenario is left to plan")

    known = hardware_of(hardware, instances, used=is_physical(target), prompts=False)
    overrides = Overrides(target, card, quirks, hardware=known)

    try:
        overrides.check()
        applied = [Options(seed=seed, overrides=overrides).applied(instance) for instance in instances]
        plans = [rehearse(each, overrides.target_of(each), known) for each in applied]
    except (OverridesError, TargetError) as error:
        raise click.UsageError(str(error)) from None

    for plan in plans:
        click.echo("\n".join(plan.lines()))

    if json_file is not None:
        try:
            write_plans(plans, json_file)
        except OSError as error:
            fail(str(error))

    sys.exit(SCENARIO_FAILED if any(plan.refused for plan in plans) else PASSED)
