"""``cardtwin plan``."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from cardtwin.cli import PASSED, SCENARIO_FAILED
from cardtwin.cli.files import load_scenarios
from cardtwin.cli.hardware_options import hardware_of, hardware_options
from cardtwin.scenario.overrides import Overrides, OverridesError
from cardtwin.scenario.planning import rehearse
from cardtwin.scenario.selection import SelectionError, select
from cardtwin.targets import TargetError, is_physical

__all__ = ["command"]


@click.command("plan", short_help="Tell what scenarios would do to cards.")
@click.argument("paths", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--target", default="pcsc", show_default=True, metavar="NAME", help="Where they are to run.")
@click.option("-k", "expression", default="", metavar="EXPR", help="Only ids with these words: and, or, not.")
@click.option("--tag", "tags", multiple=True, metavar="T", help="Only scenarios with this tag.")
@click.option("--card", metavar="MODEL", help="The model of the card in every reader that has one.")
@hardware_options
def command(
    *,
    paths: tuple[Path, ...],
    target: str,
    expression: str,
    tags: tuple[str, ...],
    card: str | None,
    **hardware: object,
) -> None:
    """Tell what would be sent to cards, changed on them and spent: by a dry run on emulated ones.

    No reader is touched. Exit status 1 if a dry run fails, or something would be refused.
    """
    try:
        instances = select(load_scenarios(paths), expression_text=expression, tags=tags)
    except SelectionError as error:
        raise click.BadParameter(str(error), param_hint="-k") from None

    if not instances:
        raise click.UsageError("no scenario is left to plan")

    known = hardware_of(hardware, instances, used=is_physical(target))
    overrides = Overrides(target, card, hardware=known)

    try:
        overrides.check()
        applied = [overrides.apply(instance) for instance in instances]
        allowed = None if known is None else known.asked
        plans = [rehearse(each, overrides.target_of(each), allowed) for each in applied]
    except (OverridesError, TargetError) as error:
        raise click.UsageError(str(error)) from None

    for plan in plans:
        click.echo("\n".join(plan.lines()))

    sys.exit(SCENARIO_FAILED if any(plan.failure or plan.refusals for plan in plans) else PASSED)
