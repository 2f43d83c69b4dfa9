"""Findings in files, on the console."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from cardtwin.cli import FOUND_WRONG, WRONG_USAGE
from cardtwin.cli.messages import tell
from cardtwin.source import Diagnostics, SourceText
from cardtwin.source.text import decode_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from cardtwin.source import Diagnostic, SourceError

__all__ = ["collected", "report", "report_bytes"]


def collected(error: SourceError) -> Diagnostics:
    """Return the findings of a text that was refused."""
    found = Diagnostics()

    for finding in error.diagnostics:
        found.add(finding)

    return found


def report(paths: Iterable[Path], check: Callable[[SourceText], Diagnostics]) -> None:
    """Check text files and tell of every finding; ends as report_bytes() does."""
    report_bytes(paths, lambda name, data: check(SourceText(name, decode_text(data))))


def report_bytes(
    paths: Iterable[Path],
    check: Callable[[str, bytes], Diagnostics],
    more: Callable[[Diagnostic], str] = lambda _: "",
) -> None:
    """Check files by their names and contents, and tell of every finding, with what `more` says to it.

    Ends with status 2 if a file cannot be read, else with 1 if there is an error in one; all are told first.
    """
    errors, unreadable = 0, False

    for path in paths:
        try:
            found = check(str(path), path.read_bytes())
        except OSError as error:
            tell(str(error))
            unreadable = True
            continue

        for finding in found:
            click.echo(f"{finding.render()}\n{more(finding)}", err=True)

        errors += len(found.errors)

        if not found.errors:
            click.echo(
                f"{path}: " + (_count(len(found.warnings), "warning") if found.warnings else "no findings")
            )

    if errors:
        click.echo(_count(errors, "error"), err=True)

    if unreadable or errors:
        sys.exit(WRONG_USAGE if unreadable else FOUND_WRONG)


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'s' if number != 1 else ''}"
