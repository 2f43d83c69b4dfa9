"""``cardtwin ctl``."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from cardtwin.cli.files import fail
from cardtwin.cli.pairs import hidden_value
from cardtwin.cli.serve import exports
from cardtwin.hosting import CONTROL_VARIABLE, Control, HostingError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

__all__ = ["command"]

_FILE = click.Path(path_type=Path, dir_okay=False)


@click.group("ctl", short_help="Take a served card out, put it in, look at it.")
@click.option("--socket", type=click.Path(), help=f"The server's control socket, else ${CONTROL_VARIABLE}.")
@click.pass_context
def command(context: click.Context, socket: str | None) -> None:
    """Do something to the card of `cardtwin serve` or `cardtwin exec`, from another shell.

    Exit status: 0, or 2 if there is no server, or it can't do that.
    """
    context.obj = socket or os.environ.get(CONTROL_VARIABLE)


def _told(context: click.Context, do: Callable[[Control], Any]) -> Any:
    """Do something with the server; say why if it can't be done."""
    if not context.obj:
        fail(
            f"which server? {CONTROL_VARIABLE} is not set: set what `cardtwin serve` has printed, "
            "or give --socket"
        )

    try:
        with Control(context.obj) as server:
            return do(server)
    except HostingError as error:
        fail(str(error))


@command.command("insert")
@click.pass_context
def insert(context: click.Context) -> None:
    """Put the card into the reader."""
    _told(context, Control.insert)


@command.command("remove")
@click.pass_context
def remove(context: click.Context) -> None:
    """Take the card out of the reader, whoever uses it."""
    _told(context, Control.remove)


@command.command("reset")
@click.pass_context
def reset(context: click.Context) -> None:
    """Reset the card, whoever uses it."""
    _told(context, Control.reset)


@command.command("power-on")
@click.pass_context
def power_on(context: click.Context) -> None:
    """Power the card."""
    _told(context, Control.power_on)


@command.command("power-off")
@click.pass_context
def power_off(context: click.Context) -> None:
    """Take the card's power away. A program that connects gives it back."""
    _told(context, Control.power_off)


@command.group("pinpad")
def pinpad() -> None:
    """Use the PIN pad of the reader, where the server has one (--pinpad)."""


@pinpad.command("enter")
@click.argument("entries", metavar="[ENTRY ...]", nargs=-1)
@click.pass_context
def enter(context: click.Context, entries: tuple[str, ...]) -> None:
    """Enter something when the PIN pad next asks for it, or now if it does: one ENTRY for each prompt.

    An ENTRY is env:VARIABLE, file:PATH, the digits themselves, which others can see then, `cancel`, or
    `timeout`. Without any, the terminal asks for one, or standard input has one in each line. A change of a
    PIN takes three: the old one, the new one, and that again.
    """
    texts = [hidden_value(entry, "ENTRY") for entry in entries] or _asked_for()
    _told(context, lambda server: server.enter(*texts))


def _asked_for() -> list[str]:
    """Return what is entered at the terminal, where it is hidden, or what standard input has."""
    if sys.stdin.isatty():
        return [click.prompt("PIN", hide_input=True)]

    return sys.stdin.read().splitlines()


@command.command("snapshot", short_help="Save the card's memory to a file.")
@click.argument("path", metavar="FILE", type=_FILE)
@click.pass_context
def snapshot(context: click.Context, path: Path) -> None:
    """Save the card's memory, PINs and keys included, to a file that only you may read."""
    _told(context, lambda server: server.snapshot(path))


@command.command("load", short_help="Make a saved memory that of the card.")
@click.argument("path", metavar="FILE", type=_FILE)
@click.pass_context
def load(context: click.Context, path: Path) -> None:
    """Make a saved memory that of the card, and reset the card."""
    _told(context, lambda server: server.load(path))


@command.command("env", short_help="Print the environment variables, for a shell.")
@click.pass_context
def env(context: click.Context) -> None:
    """Print what makes a shell's programs use the card: eval "$(cardtwin ctl --socket PATH env)"."""
    for line in exports(_told(context, Control.server_environment)):
        click.echo(line)


@command.command("stop")
@click.pass_context
def stop(context: click.Context) -> None:
    """End the server."""
    _told(context, Control.stop)


@command.command("status")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def status(context: click.Context, *, as_json: bool) -> None:
    """Tell what is in the reader, and which programs use PKCS#11."""
    found = _told(context, Control.status)

    for line in [json.dumps(found, indent=2)] if as_json else _lines(found):
        click.echo(line)


_POWER: Final = {True: "on", False: "off", None: "as pcscd wants it"}


def _told_or_not(connections: int | None) -> str:
    return "known to pcscd alone" if connections is None else str(connections)


def _lines(status: Mapping[str, Any]) -> Iterator[str]:
    for reader in status["readers"]:
        card = reader["card"]
        content = "empty" if card is None else f"{card['model']}, serial {card['serial']}"
        yield f"{reader['name']}: {content}"

        if card is not None:
            yield f"  power: {_POWER[card['powered']]}; connections: {_told_or_not(reader['connections'])}"
            yield f"  life cycle: {card['life_cycle']}; fuse: {card['fuse']}; erasable: {card['erasable']}"

            for pin in card["pins"]:
                tries = f"{pin['tries_left']} of {pin['max_tries']} tries left"
                yield f"  PIN {pin['directory']}:{pin['reference']}  {tries}"

    for program in status["programs"]:
        yield f"program {program['pid']}: {program['name'] or '(no name)'}"
