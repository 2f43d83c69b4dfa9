"""``cardtwin trace``."""

from __future__ import annotations

from pathlib import Path

import click

from cardtwin.cli.files import fail
from cardtwin.source import SourceError
from cardtwin.trace import Trace, read_traces

__all__ = ["command"]

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group("trace", short_help="Show traces.")
def command() -> None:
    """Look at trace files, which ``run``, ``exec`` and ``serve`` write with --trace."""


@command.command("show")
@click.argument("file", type=_FILE)
def show(file: Path) -> None:
    """Show what happened: calls, the APDUs that they caused, and what these changed."""
    click.echo("\n".join(trace.text() for trace in _read(file)), nl=False)


def _read(file: Path) -> tuple[Trace, ...]:
    try:
        return read_traces(file)
    except SourceError as error:
        fail(str(error))
    except OSError as error:
        fail(f"{file}: {error.strerror}")
