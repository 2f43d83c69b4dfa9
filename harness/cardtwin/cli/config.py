"""``cardtwin config``: Personal.cfg without a card."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cardtwin.cli import SCENARIO_FAILED
from cardtwin.cli.files import read_source
from cardtwin.middleware import configuration
from cardtwin.source import Diagnostics

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cardtwin.middleware.configuration import ClientConfiguration

__all__ = ["command"]

_COLUMNS = ("Key", "Value", "From")


@click.group("config", short_help="Explain Personal.cfg.")
def command() -> None:
    """Explain the configuration of Personal Desktop Client, Personal.cfg, without a card."""


@command.command("explain")
@click.option("--process", required=True, metavar="NAME", help="The program, such as java.exe.")
@click.option("--system", type=click.Path(path_type=Path), help="The system's Personal.cfg.")
@click.option("--user", type=click.Path(path_type=Path), help="The user's Personal.cfg, which wins.")
def explain(process: str, system: Path | None, user: Path | None) -> None:
    """Tell which value each key has for a program, and which line of which file gives it.

    Warnings go to standard error. Exit status 1 if a value is broken.
    """
    found = Diagnostics()
    system_text, user_text = (None if path is None else read_source(path) for path in (system, user))
    explained = configuration.load(system_text, user_text, process, found)

    for finding in found:
        click.echo(f"{finding.render()}\n", err=True)

    if found.errors:
        sys.exit(SCENARIO_FAILED)

    for line in _table((_COLUMNS, *_rows(explained))):
        click.echo(line)


def _rows(explained: ClientConfiguration) -> Iterator[tuple[str, ...]]:
    for setting in explained.settings:
        for value, origin in zip(setting.values, setting.origins, strict=True):
            yield str(setting.key), value or '""', origin


def _table(rows: Sequence[tuple[str, ...]]) -> Iterator[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]

    for row in rows:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
