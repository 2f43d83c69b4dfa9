"""``cardtwin scenario``: scenario files that nobody wrote."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cardtwin.cli.files import INPUT, OUTPUT, fail, in_a_folder, load_scenarios, see_kept
from cardtwin.cli.overrides import checked_overrides
from cardtwin.drafting import Circumstances, DraftError, NothingFailsError, draft, shrink
from cardtwin.drafting.names import DEFAULTS
from cardtwin.provenance import Switches, UnknownSwitchError
from cardtwin.source import SourceError
from cardtwin.targets import get as get_target
from cardtwin.targets import is_physical
from cardtwin.trace import read_traces
from cardtwin.trace.imports import import_traces

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cardtwin.drafting import Shrunk
    from cardtwin.scenario import Instance
    from cardtwin.trace import Trace

__all__ = ["command"]

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.\-]*")
_TRACE_BEGINS = b'{"kind"'


@click.group("scenario", short_help="Make scenarios of traces, and of failures.")
def command() -> None:
    """Make scenario files: of what a trace tells, and of a scenario that fails the fewest steps that do."""


@command.command("from", short_help="Make a scenario of a trace or a log.")
@click.argument("trace_file", metavar="TRACE", type=INPUT)
@click.option("-o", "output", type=OUTPUT, callback=in_a_folder, help="Write it there; else it is printed.")
@click.option("--title", metavar="TITLE", help="Of several traces in the file: the one of this title.")
@click.option("--fault", metavar="RV", help="The return value that is wrong: success is expected there.")
@click.option("--card", metavar="MODEL", help="The card's model, where the trace shows no ATR.")
@click.option("--profile", default="full", metavar="NAME", help="The shipped profile that makes the token.")
@click.option("--blank", is_flag=True, help="The card starts blank: the trace itself makes the token.")
@click.option("--image", type=INPUT, help="The card starts with this memory, in the place of a profile.")
@click.option("--config", type=INPUT, help="A Personal.cfg for the programs.")
@click.option("--program", metavar="NAME", help="What the program is called, such as java.exe.")
@click.option("--quirk", "quirks", multiple=True, metavar="Q", help="A quirk of the card.")
@click.option("--switch", "switches", multiple=True, metavar="RULE=VALUE", help="Which rule holds.")
@click.option("--proves", multiple=True, metavar="ID", help="What its last step proves.")
@click.option("--pin", metavar="TEXT", help="The user's PIN, as --secret pin=... gives it too.")
@click.option(
    "--secret", "secrets", multiple=True, metavar="NAME=SOURCE", help="A secret, from env:NAME or file:PATH."
)
def from_(  # noqa: PLR0913  # one per option
    *,
    trace_file: Path,
    output: Path | None,
    title: str | None,
    fault: str | None,
    card: str | None,
    profile: str,
    blank: bool,
    image: Path | None,
    config: Path | None,
    program: str | None,
    quirks: tuple[str, ...],
    switches: tuple[str, ...],
    proves: tuple[str, ...],
    pin: str | None,
    secrets: tuple[str, ...],
) -> None:
    """Make a scenario that does again what TRACE tells, and expects what came of it.

    TRACE is a trace file, or the log of another program that `cardtwin trace import` knows.

    Handles and what else is new each time get names and matchers. A trace has no secrets: the scenario says
    where they belong. Comments that begin with LOOK say what else the trace doesn't tell.
    """
    see_kept(trace_file, output)
    checked_overrides(card=card, quirks=quirks)
    _check_program(program)
    given = {} if pin is None else {"pin": pin}
    circumstances = Circumstances(
        card=card,
        profile=None if blank else profile,
        image=image,
        config=config,
        program=program,
        quirks=quirks,
        switches=_switches(switches),
        secrets={**given, **dict(_secret(each) for each in secrets)},
        fault=fault,
        proves=proves,
    )
    folder = Path.cwd() if output is None else output.absolute().parent

    try:
        text = draft(_one(_read(trace_file), title, trace_file), folder, circumstances)
    except DraftError as error:
        fail(f"{trace_file}: {error}")

    _write(text, output)


@command.command("shrink", short_help="Cut a failing scenario down.")
@click.argument("file", type=INPUT)
@click.option("--id", "id_", metavar="INSTANCE", help="Which instance; the first that fails if not given.")
@click.option("-o", "output", type=OUTPUT, callback=in_a_folder, help="Write it there; else it is printed.")
@click.option("--target", metavar="NAME", help="Run against this target.")
@click.option("--card", metavar="MODEL", help="Put this card model into every reader that has a card.")
@click.option("--quirk", "quirks", multiple=True, metavar="Q", help="Switch a quirk on in every card.")
@click.option(
    "--seed", metavar="TEXT", help="Seed, if the scenario has none; equal seeds give equal results."
)
def shrink_(
    *,
    file: Path,
    id_: str | None,
    output: Path | None,
    target: str | None,
    card: str | None,
    quirks: tuple[str, ...],
    seed: str | None,
) -> None:
    """Cut a failing scenario down to the fewest steps that still fail in the same way.

    The same step fails then, with the same finding, expectation and result; the steps before it that make no
    difference are left out. The result has the one instance, its steps in one file. After an interrupt, it is
    what was found until then. Cards that are kept in files begin with these each time, and leave them alone.
    """
    see_kept(file, output)
    overrides = checked_overrides(target, card, quirks)
    instances = [overrides.apply(each) for each in load_scenarios((file,))]
    chosen = [each for each in instances if id_ in {None, each.id}]

    if not chosen:
        known = ", ".join(each.id for each in instances)
        raise click.BadParameter(f"there is no {id_!r}, but {known}", param_hint="--id")

    if physical := [each.id for each in chosen if is_physical(each.target)]:
        fail(
            f"{physical[0]} is for a physical card: to shrink it would spend tries, run after run; "
            "shrink it with --target emulated"
        )

    found = _shrunk([_seeded(each, seed) for each in chosen])
    folder = Path.cwd() if output is None else output.absolute().parent
    _write(found.text(folder), output)
    click.echo(
        f"{found.instance.id}: {found.after} of {found.before} steps, after {found.runs} runs", err=True
    )

    if found.interrupt is not None:
        raise found.interrupt


def _seeded(instance: Instance, seed: str | None) -> Instance:
    return replace(instance, setup=replace(instance.setup, seed=instance.setup.seed or seed))


def _shrunk(instances: Sequence[Instance]) -> Shrunk:
    """Return the first of them that fails, cut down."""
    reasons: list[str] = []

    for instance in instances:
        try:
            return shrink(instance, get_target(instance.target))
        except NothingFailsError as error:
            reasons.append(str(error))

    return fail("\n  ".join(("nothing fails here", *reasons)))


def _write(text: str, output: Path | None) -> None:
    if output is None:
        click.echo(text, nl=False)
        return

    try:
        output.write_text(text, encoding="utf-8")
    except OSError as error:
        fail(f"{output}: {error.strerror}")


def _check_program(name: str | None) -> None:
    """Refuse a name that no program in a scenario can have."""
    if name is not None and not _NAME.fullmatch(name):
        raise click.BadParameter(
            f"{name!r} is no name: letters, digits, '_', '-' and '.' make one", param_hint="--program"
        )


def _switches(given: Sequence[str]) -> dict[str, str]:
    """Return the values of switches, by rules that there are."""
    found = dict(_pair(each, "--switch") for each in given)

    try:
        Switches(found)
    except UnknownSwitchError as error:
        raise click.BadParameter(str(error), param_hint="--switch") from None

    return found


def _pair(text: str, option: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")

    if not equals or not name:
        raise click.BadParameter(f"{text!r} is no NAME=VALUE", param_hint=option)

    return name, value


def _secret(text: str) -> tuple[str, str]:
    """Return the name of a secret and the secret, from where it is to be found; no message shows it."""
    name, equals, source = text.partition("=")
    kind, colon, place = source.partition(":")

    if not equals or not colon or kind not in {"env", "file"}:
        raise click.BadParameter("a secret is NAME=env:VARIABLE or NAME=file:PATH", param_hint="--secret")

    if name not in DEFAULTS:
        raise click.BadParameter(
            f"there is no secret {name!r}, but {', '.join(DEFAULTS)}", param_hint="--secret"
        )

    if kind == "env":
        if place not in os.environ:
            raise click.BadParameter(f"the environment has no {place}", param_hint="--secret")

        return name, os.environ[place]

    try:
        return name, Path(place).read_text(encoding="utf-8").removesuffix("\n")
    except OSError as error:
        fail(f"{place}: {error.strerror}")


def _read(file: Path) -> tuple[Trace, ...]:
    """Return the traces of a trace file, or those that the log of another program tells of."""
    try:
        with file.open("rb") as stream:
            is_trace = stream.read(len(_TRACE_BEGINS)) == _TRACE_BEGINS

        return read_traces(file) if is_trace else import_traces(file)
    except SourceError as error:
        fail(str(error))
    except OSError as error:
        fail(f"{file}: {error.strerror}")


def _one(traces: tuple[Trace, ...], title: str | None, file: Path) -> Trace:
    """Return the one trace that is meant."""
    found = [trace for trace in traces if title in {None, trace.title}]

    if len(found) == 1:
        return found[0]

    if found:
        listed = "".join(f"\n  {trace.title}" for trace in found)
        message = f"{file} holds several traces; say by --title which one is meant:{listed}"
    else:
        message = f"{file} holds no trace" + ("" if title is None else f" {title!r}")

    return fail(message)
