"""``cardtwin module``."""

from __future__ import annotations

import click

from cardtwin.cli.files import fail
from cardtwin.cryptoki.errors import LibraryMissingError
from cardtwin.cryptoki.native import header_path, library_path

__all__ = ["command"]


@click.command("module", short_help="Print where the PKCS#11 library is.")
@click.option("--header", is_flag=True, help="Print where the C header of cardtwin's own functions is.")
def command(*, header: bool) -> None:
    """Print the path of the PKCS#11 library. Exit status 2 if this installation has none."""
    try:
        click.echo(header_path() if header else library_path())
    except LibraryMissingError as error:
        fail(str(error))
