"""From syntax tree to plan."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cardtwin.plan import Plan
from cardtwin.ppa.run import Run
from cardtwin.ppa.syntax import Assignment, Block, CallStatement, Directive
from cardtwin.ppa.vocabulary import load_vocabulary
from cardtwin.source import Diagnostics, Note

if TYPE_CHECKING:
    from cardtwin.plan import PinPlan
    from cardtwin.ppa.environment import Environment
    from cardtwin.ppa.syntax import Profile, Statement

__all__ = ["check", "evaluate"]


def evaluate(profile: Profile, environment: Environment, report: Diagnostics | None = None) -> Plan:
    """Work out what a profile amounts to. Nothing is looked up, and no card is needed.

    Args:
        profile: The profile.
        environment: What it is evaluated with.
        report: Where warnings go, if anybody wants them.

    Raises:
        SourceError: The profile is wrong somewhere. All findings are in it, warnings included.
        RegistrationError: An extension of the vocabulary cannot be loaded.
    """
    load_vocabulary()
    found = Diagnostics()
    run = Run(profile, environment, found)
    run.execute(profile.statements)
    pins = _finish(run)
    found.raise_errors()

    if report is not None:
        for finding in found:
            report.add(finding)

    assert run.layout.root is not None
    return Plan(
        source=profile.source.name,
        card_model=run.card_model,
        root=run.layout.root.plan(),
        pins=pins,
        keys=tuple(key.plan for key in run.objects.keys.values()),
        profile_name=run.persinfo.profile_name,
        eraseable=run.place_of("MakeCardEraseable()") is not None,
        burn_fuse=run.place_of("BurnFuse()") is not None,
        label_written=run.label_written,
    )


def check(profile: Profile, environment: Environment) -> Diagnostics:
    """Look for mistakes without values from outside: a variable that has none is taken for a parameter.

    Returns:
        All findings.

    Raises:
        RegistrationError: An extension of the vocabulary cannot be loaded.
    """
    load_vocabulary()
    found = Diagnostics()
    run = Run(profile, environment, found, checking=True)
    run.execute(profile.statements)
    _finish(run)
    return found


def _finish(run: Run) -> tuple[PinPlan, ...]:
    """Check what shows only when all has been said; return the PINs in the order of their making."""
    run.variables.report_unused()
    start = run.profile.source.start
    remedies = {
        "CardModel": "say which card the profile is for, for example CardModel 'SIEMENS50'",
        "MasterFile": "lay the files out: MasterFile, CreateDf, CreateEf, Endfile",
        "CreateFiles()": "put CreateFiles() behind the files, or nothing is written to the card",
    }

    written = set(map(_keyword, run.done))

    for what, remedy in remedies.items():
        if what.removesuffix("()").casefold() not in written:
            run.report.error("missing-statement", f"the profile has no {what}", start, remedy=remedy)

    _check_fuse_last(run)
    _check_public_files(run)
    run.objects.report_missing(run.report, run.broken)
    return run.objects.ordered_pins(run.report)


def _keyword(statement: Statement) -> str:
    """Return the folded keyword or function of a statement, be it rejected; an assignment has none."""
    match statement:
        case Assignment():
            return ""
        case CallStatement(call):
            return call.name.key
        case Directive(keyword) | Block(Directive(keyword)):
            return keyword.key


def _check_fuse_last(run: Run) -> None:
    fuse = run.place_of("BurnFuse()")
    last = run.done[-1] if run.done else None

    if fuse is not None and last is not None and not (isinstance(last, CallStatement) and last.span == fuse):
        run.out_of_order(
            "BurnFuse() does not stand at the end",
            fuse,
            remedy="put it on the last line",
            notes=(Note("this stands behind it", last.span),),
        )


def _check_public_files(run: Run) -> None:
    for key in run.objects.keys.values():
        if key.public is None or key.public.body is not None or key.public.name.key in run.broken:
            continue

        run.report.error(
            "no-public-key",
            f"{key.public.name.text} is to hold the public half of {key.plan.name}, and has no contents",
            key.span,
            remedy=f"say them: File Dynamic {key.public.name.text}, data = X_PUBLICKEY({key.plan.name})",
        )
