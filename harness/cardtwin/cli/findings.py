"""Findings in files, on the console."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from cardtwin.source import Diagnostics

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from cardtwin.source import SourceError

__all__ = ["collected", "report"]


def collected(error: SourceError) -> Diagnostics:
    """Return the findings of a text that was refused."""
    found = Diagnostics()

    for finding in error.diagnostics:
        found.add(finding)

    return found


def report(files: Iterable[tuple[Path, Diagnostics]]) -> None:
    """Tell of every finding, and end with status 1 if there is an error among them."""
    errors = 0

    for path, found in files:
        for finding in found:
            click.echo(f"{finding.render()}\n", err=True)

        errors += len(found.errors)
        warnings = len(found.warnings)

        if not found.errors:
            click.echo(f"{path}: " + (f"{warnings} warnings" if warnings else "no findings"))

    if errors:
        click.echo(f"{errors} error{'s' if errors > 1 else ''}", err=True)
        sys.exit(1)
