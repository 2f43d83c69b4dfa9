"""``cardtwin schema``."""

from __future__ import annotations

import json

import click

from cardtwin.scenario import hardware_file
from cardtwin.scenario.schema import json_schema

__all__ = ["command"]


@click.command("schema", short_help="Print the JSON Schema of scenario files, for editors.")
@click.option("--hardware", is_flag=True, help="Of hardware files instead.")
def command(*, hardware: bool) -> None:
    """Print the JSON Schema (draft 2020-12) of scenario files, format 1."""
    click.echo(json.dumps(hardware_file.json_schema() if hardware else json_schema(), indent=2))
