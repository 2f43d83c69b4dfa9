"""Files on the command line: read them, or say what is wrong with them and end."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, NoReturn

import click

from cardtwin.cli import WRONG_USAGE
from cardtwin.scenario import Instance, find, load
from cardtwin.source import SourceError, SourceText

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

__all__ = ["fail", "load_scenarios", "read_source"]


def fail(message: str) -> NoReturn:
    """Say what is wrong, and end with status 2."""
    click.echo(f"cardtwin: {message}", err=True)
    sys.exit(WRONG_USAGE)


def read_source(path: Path) -> SourceText:
    """Return a file's text; one that cannot be read ends the program with status 2."""
    try:
        return SourceText.read(path)
    except OSError as error:
        fail(str(error))


def load_scenarios(paths: Iterable[Path]) -> tuple[Instance, ...]:
    """Return the instances of all files; with a wrong one among them, tell of all and end with status 2."""
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
