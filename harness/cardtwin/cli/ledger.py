"""``cardtwin ledger``."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cardtwin.cli.files import fail
from cardtwin.targets import TargetError
from cardtwin.targets.hardware import Ledger

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["command"]


def _serial(context: click.Context, argument: click.Parameter, text: str) -> bytes:
    """Return the bytes of a serial number."""
    try:
        serial = bytes.fromhex(text)
    except ValueError:
        serial = b""

    if not serial:
        raise click.BadParameter(f"{text!r} is no serial number in hex", context, argument)

    return serial


def _serials(context: click.Context, argument: click.Parameter, texts: tuple[str, ...]) -> tuple[bytes, ...]:
    """Return the bytes of several."""
    return tuple(_serial(context, argument, text) for text in texts)


_folder = click.option(
    "--ledger",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="FOLDER",
    help="Where tries spent on physical cards are kept [the user's].",
)


@click.group("ledger", short_help="Show and correct what is kept of the tries of physical cards.")
def command() -> None:
    """Show and correct what is kept of the tries of physical cards."""


@command.command("show")
@click.argument("serials", nargs=-1, metavar="[SERIAL ...]", callback=_serials)
@_folder
def show(serials: tuple[bytes, ...], folder: Path | None) -> None:
    """Show of each card how many tries of its PINs and keys were spent and not given back."""
    ledger = Ledger(folder)

    try:
        lines = [line for serial in serials or ledger.serials() for line in _lines(ledger, serial)]
    except TargetError as error:
        fail(str(error))

    click.echo("\n".join(lines) or "no card is in the ledger")


@command.command("forget")
@click.argument("serial", callback=_serial)
@click.argument("credentials", nargs=-1, metavar="[CREDENTIAL ...]")
@click.option("--all", "everything", is_flag=True, help="All that is kept of the card.")
@_folder
def forget(serial: bytes, credentials: tuple[str, ...], folder: Path | None, *, everything: bool) -> None:
    """Take out what is kept of PINs and keys of a card, by the names that `show` gives them.

    Only who knows that the card has its tries back should do this, such as after unblocking it elsewhere:
    the guard goes by what stands here where a card doesn't tell its tries.
    """
    if everything == bool(credentials):
        raise click.UsageError("say which PINs and keys, or --all")

    ledger = Ledger(folder)

    try:
        ledger.forget(serial, None if everything else credentials)
    except TargetError as error:
        fail(str(error))


def _lines(ledger: Ledger, serial: bytes) -> Iterator[str]:
    spent = ledger.spent(serial)
    path = ledger.path(serial)
    changed = f", changed {_changed(path)}" if path.exists() else ""
    yield f"card {serial.hex().upper()}  {path}{changed}"

    for credential, count in spent.items():
        yield f"  {credential}: {count} {'try' if count == 1 else 'tries'} spent"

    if not spent:
        yield "  nothing spent"


def _changed(path: Path) -> str:
    return datetime.fromtimestamp(path.stat().st_mtime, UTC).strftime("%Y-%m-%d %H:%M UTC")
