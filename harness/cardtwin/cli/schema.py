"""``cardtwin schema``."""

from __future__ import annotations

import json

import click

from cardtwin.scenario.schema import json_schema

__all__ = ["command"]


@click.command("schema", short_help="Print the JSON Schema of scenario files, for editors.")
def command() -> None:
    """Print the JSON Schema (draft 2020-12) of scenario files, format 1."""
    click.echo(json.dumps(json_schema(), indent=2))
