"""``cardtwin trace``."""

from __future__ import annotations

from pathlib import Path

import click

from cardtwin.cli.files import OUTPUT, fail, in_a_folder
from cardtwin.source import SourceError
from cardtwin.trace import Trace, read_traces, write_traces
from cardtwin.trace.imports import FORMS, import_traces

__all__ = ["command"]

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group("trace", short_help="Show and import traces.")
def command() -> None:
    """Look at trace files, and make them of other programs' logs.

    ``run``, ``exec`` and ``serve`` write trace files with --trace.
    """


@command.command("show")
@click.argument("file", type=_FILE)
def show(file: Path) -> None:
    """Show what happened: calls, the APDUs that they caused, and what these changed."""
    click.echo("\n".join(trace.text() for trace in _read(file)), nl=False)


@command.command("import")
@click.argument("file", type=_FILE)
@click.option(
    "--from", "form", type=click.Choice(tuple(FORMS)), help="The log's form, if its lines don't tell."
)
@click.option(
    "-o", "--output", type=OUTPUT, callback=in_a_folder, required=True, help="Where the trace goes."
)
def import_(file: Path, form: str | None, output: Path) -> None:
    """Make a trace of a log that another program has written, without the PINs that the log may hold."""
    try:
        traces = import_traces(file, form)
        write_traces(traces, output)
    except SourceError as error:
        fail(str(error))
    except OSError as error:
        fail(f"{error.filename or output}: {error.strerror}")

    click.echo(f"{output}: {_number(sum(len(trace.events) for trace in traces), 'event')}")


def _number(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def _read(file: Path) -> tuple[Trace, ...]:
    try:
        return read_traces(file)
    except SourceError as error:
        fail(str(error))
    except OSError as error:
        fail(f"{file}: {error.strerror}")
