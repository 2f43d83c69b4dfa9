"""``cardtwin trace``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from cardtwin.cli import FOUND_WRONG, PASSED
from cardtwin.cli.files import INPUT, OUTPUT, fail, in_a_folder, see_kept
from cardtwin.comparing import compare_calls, compare_traces
from cardtwin.source import SourceError
from cardtwin.trace import Statistics, Trace, read_traces
from cardtwin.trace.exports import FORMS as EXPORTED
from cardtwin.trace.exports import ExportError, export_traces
from cardtwin.trace.imports import FORMS as IMPORTED
from cardtwin.trace.imports import import_log
from cardtwin.trace.text import printable

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["command"]


@click.group("trace", short_help="Show, compare, import and export traces.")
def command() -> None:
    """Look at trace files, and make them of other programs' logs, or for other programs.

    ``run``, ``exec`` and ``serve`` write trace files with --trace.
    """


@command.command("show")
@click.argument("file", type=INPUT)
def show(file: Path) -> None:
    """Show what happened: calls, the APDUs that they caused, and what these changed."""
    click.echo("\n".join(trace.text() for trace in _read(file)), nl=False)


@command.command("import")
@click.argument("file", type=INPUT)
@click.option(
    "--from", "form", type=click.Choice(tuple(IMPORTED)), help="The log's form, if its lines don't tell."
)
@click.option(
    "-o", "--output", type=OUTPUT, callback=in_a_folder, required=True, help="Where the trace goes."
)
def import_(file: Path, form: str | None, output: Path) -> None:
    """Make a trace of a log that another program has written, without the PINs that the log may hold."""
    see_kept(file, output)

    try:
        events = import_log(file, output, form)
    except SourceError as error:
        fail(str(error))
    except OSError as error:
        fail(f"{error.filename or output}: {error.strerror}")

    click.echo(f"{output}: {_number(events, 'event')}")


@command.command("export")
@click.argument("file", type=INPUT)
@click.option("--to", "form", type=click.Choice(tuple(EXPORTED)), required=True, help="The form.")
@click.option("--reader", metavar="NAME", help="Only the APDUs at this reader.")
@click.option("-o", "--output", type=OUTPUT, callback=in_a_folder, required=True, help="Where it goes.")
def export(file: Path, form: str, reader: str | None, output: Path) -> None:
    """Write the APDUs of a trace for another program. Masked bytes are 00 there, and remarks tell which."""
    see_kept(file, output)

    try:
        export_traces(_read(file), form, output, reader=reader)
    except ExportError as error:
        fail(f"{file}: {error}")
    except OSError as error:
        fail(f"{output}: {error.strerror}")


@command.command("stats")
@click.argument("file", type=INPUT)
def stats(file: Path) -> None:
    """Count the calls, the APDUs, and what came of them."""
    click.echo("\n".join(Statistics.of(trace).text() for trace in _read(file)), nl=False)


@command.command("diff")
@click.argument("left", type=INPUT)
@click.argument("right", type=INPUT)
@click.pass_context
def diff(context: click.Context, left: Path, right: Path) -> None:
    """Tell in what two traces differ: calls and return values, APDUs and their answers.

    The traces of the files are put side by side in their order. Of what is new each time, such as challenges
    and signatures, the lengths count; masked bytes are taken as equal. Exit status 1 if something differs.
    """
    one, other = _read(left), _read(right)
    found = (
        [f"the left file has {len(one)} traces, the right one {len(other)}"] if len(one) != len(other) else []
    )

    for number, pair in enumerate(zip(one, other, strict=False), start=1):
        place = f"trace {number}: " if len(one) > 1 else ""
        found += [f"{place}{each}" for each in (*compare_calls(*pair), *compare_traces(*pair))]

    for line in found or ["no difference"]:
        click.echo(printable(line))

    context.exit(FOUND_WRONG if found else PASSED)


def _number(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def _read(file: Path) -> tuple[Trace, ...]:
    try:
        return read_traces(file)
    except SourceError as error:
        fail(str(error))
    except OSError as error:
        fail(f"{file}: {error.strerror}")
