"""What the program says beside its output: on standard error, under its name."""

from __future__ import annotations

import click

__all__ = ["tell"]


def tell(*messages: str) -> None:
    """Say something, a line each."""
    for message in messages:
        click.echo(f"cardtwin: {message}", err=True)
