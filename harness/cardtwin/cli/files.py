"""Files on the command line: read them, or say what is wrong with them and end."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

from cardtwin.cli import WRONG_USAGE
from cardtwin.cli.messages import tell
from cardtwin.source import SourceError, SourceText

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cardtwin.scenario import Instance

__all__ = ["INPUT", "OUTPUT", "fail", "in_a_folder", "load_scenarios", "read_source", "see_kept"]

INPUT = click.Path(path_type=Path, exists=True, dir_okay=False)
"""A file that is read."""

OUTPUT = click.Path(path_type=Path, dir_okay=False, writable=True)
"""A file that is written."""


def in_a_folder(context: click.Context, option: click.Parameter, path: Path | None) -> Path | None:
    """Refuse a file to write in a folder that isn't there: before the run, which takes its time.

    Raises:
        click.BadParameter: There is no such folder.
    """
    if path is not None and not path.parent.is_dir():
        raise click.BadParameter(f"there is no folder {str(path.parent)!r}", context, option)

    return path


def see_kept(file: Path, output: Path | None) -> None:
    """See that what is read isn't written over; else end with status 2."""
    if output is not None and output.exists() and output.samefile(file):
        fail(f"{output}: this is what is read; -o names another file")


def fail(message: str) -> NoReturn:
    """Say what is wrong, and end with status 2."""
    tell(message)
    sys.exit(WRONG_USAGE)


def read_source(path: Path) -> SourceText:
    """Return a file's text; one that cannot be read ends the program with status 2."""
    try:
        return SourceText.read(path)
    except OSError as error:
        fail(str(error))


def load_scenarios(paths: Iterable[Path]) -> tuple[Instance, ...]:
    """Return the instances of all files; with a wrong one among them, tell of all and end with status 2."""
    from cardtwin.scenario import find, load  # noqa: PLC0415  # heavy, and few commands need it

    instances: list[Instance] = []
    wrong = False

    try:
        for path in find(paths):
            try:
                instances += load(path)
            except SourceError as error:
                click.echo(f"{error}\n", err=True)
                wrong = True
    except OSError as error:
        fail(str(error))

    if wrong:
        sys.exit(WRONG_USAGE)

    return tuple(instances)
