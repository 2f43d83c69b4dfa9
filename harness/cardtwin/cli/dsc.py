"""``cardtwin dsc``: encoding descriptions without a card."""

from __future__ import annotations

from pathlib import Path

import click

from cardtwin.cli.findings import collected, report
from cardtwin.encoding import check as check_description
from cardtwin.encoding import parse
from cardtwin.source import Diagnostics, SourceError, SourceText

__all__ = ["command"]


@click.group("dsc", short_help="Check encoding descriptions.")
def command() -> None:
    """Check encoding descriptions (.dsc), without a card."""


@command.command("check")
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--attached",
    "attachments",
    multiple=True,
    metavar="NAME",
    help="A file that is attached; may be repeated.",
)
def check(paths: tuple[Path, ...], attachments: tuple[str, ...]) -> None:
    """Look for mistakes in descriptions. Without --attached it stays open which files are attached.

    Exit status 1 if there is an error, 2 if a file cannot be read.
    """
    report(paths, lambda source: _findings(source, attachments))


def _findings(source: SourceText, attachments: tuple[str, ...]) -> Diagnostics:
    try:
        return check_description(parse(source), attachments=attachments or None)
    except SourceError as error:
        return collected(error)
