"""``cardtwin ctl``."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from cardtwin.cli.card_words import card_of_words
from cardtwin.cli.files import fail
from cardtwin.cli.messages import tell
from cardtwin.cli.pairs import hidden_value
from cardtwin.cli.serve import exports
from cardtwin.hosting import CONTROL_VARIABLE, Control, HostingError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

__all__ = ["command"]

F = TypeVar("F", bound="Callable[..., object]")

_FILE = click.Path(path_type=Path, dir_okay=False)


@click.group("ctl", short_help="Take served cards out, put them in, look at them.")
@click.option("--socket", type=click.Path(), help=f"The server's control socket, else ${CONTROL_VARIABLE}.")
@click.pass_context
def command(context: click.Context, socket: str | None) -> None:
    """Do something to the cards and readers of `cardtwin serve` or `cardtwin exec`, from another shell.

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


def _of_reader(function: F) -> F:
    """Give a command the option that says which reader it is about."""
    return click.option("--reader", metavar="NAME", help="The reader; needed where there are several.")(
        function
    )


@command.command("insert", short_help="Put a card into a reader.")
@click.argument("card", required=False)
@_of_reader
@click.pass_context
def insert(context: click.Context, card: str | None, reader: str | None) -> None:
    """Put a card into a reader; the name of a new one is printed.

    CARD is the name of one of the server's cards, or a new card in words: its model and KEY=VALUE, such as
    "cardos-5.3 profile=full secret.PIN1=env:MY_PIN" or "image=FILE". Without it, it is the card that was in
    the reader before.
    """
    _told(context, lambda server: _insert(server, card, reader))


def _insert(server: Control, card: str | None, reader: str | None) -> None:
    if card is None or card in {each["name"] for each in server.status()["cards"]}:
        server.insert(card, reader=reader)
        return

    inserted = server.insert(card_of_words(card, "CARD"), reader=reader)

    tell(*inserted.warnings)

    click.echo(inserted.card)


@command.command("remove")
@_of_reader
@click.pass_context
def remove(context: click.Context, reader: str | None) -> None:
    """Take the card out of the reader, whoever uses it."""
    _told(context, lambda server: server.remove(reader=reader))


@command.command("reset")
@_of_reader
@click.pass_context
def reset(context: click.Context, reader: str | None) -> None:
    """Reset the card, whoever uses it."""
    _told(context, lambda server: server.reset(reader=reader))


@command.command("power-on")
@_of_reader
@click.pass_context
def power_on(context: click.Context, reader: str | None) -> None:
    """Power the card."""
    _told(context, lambda server: server.power_on(reader=reader))


@command.command("power-off")
@_of_reader
@click.pass_context
def power_off(context: click.Context, reader: str | None) -> None:
    """Take the card's power away. A program that connects gives it back."""
    _told(context, lambda server: server.power_off(reader=reader))


@command.command("fault", short_help="Let something go wrong with the card.")
@click.argument("words", nargs=-1)
@click.option("--clear", is_flag=True, help="Let nothing go wrong any more.")
@_of_reader
@click.pass_context
def fault(context: click.Context, words: tuple[str, ...], reader: str | None, *, clear: bool) -> None:
    """Let something go wrong with the card, at commands that come from now on: do=mute at=002A after=1.

    It comes to the faults that the card has; --clear takes all of them away. A card that has fallen silent
    answers again when its faults were cleared and it was reset.
    """
    if clear is bool(words):
        raise click.UsageError("say what goes wrong, such as do=mute, or --clear")

    def tell(server: Control) -> None:
        if clear:
            server.disarm(reader=reader)
        else:
            server.arm(" ".join(words), reader=reader)

    _told(context, tell)


@command.command("add-reader", short_help="Attach an empty reader.")
@click.argument("name")
@click.option("--pinpad", is_flag=True, help="It has a PIN pad.")
@click.pass_context
def add_reader(context: click.Context, name: str, *, pinpad: bool) -> None:
    """Attach an empty reader of that name."""
    _told(context, lambda server: server.add_reader(name, pinpad=pinpad))


@command.command("remove-reader", short_help="Take a reader away.")
@click.argument("name")
@click.pass_context
def remove_reader(context: click.Context, name: str) -> None:
    """Take a reader away. The card in it can be put into another one."""
    _told(context, lambda server: server.remove_reader(name))


@command.group("pinpad")
def pinpad() -> None:
    """Use the PIN pad of the reader, where the server has one (--pinpad)."""


@pinpad.command("enter")
@click.argument("entries", metavar="[ENTRY ...]", nargs=-1)
@_of_reader
@click.pass_context
def enter(context: click.Context, entries: tuple[str, ...], reader: str | None) -> None:
    """Enter something when the PIN pad next asks for it, or now if it does: one ENTRY for each prompt.

    An ENTRY is env:VARIABLE, file:PATH, the digits themselves, which others can see then, `cancel`, or
    `timeout`. Without any, the terminal asks for one, or standard input has one in each line. A change of a
    PIN takes three: the old one, the new one, and that again.
    """
    texts = [hidden_value(entry, "ENTRY") for entry in entries] or _asked_for()
    _told(context, lambda server: server.enter(*texts, reader=reader))


def _asked_for() -> list[str]:
    """Return what is entered at the terminal, where it is hidden, or what standard input has."""
    if sys.stdin.isatty():
        return [click.prompt("PIN", hide_input=True)]

    return sys.stdin.read().splitlines()


@command.command("snapshot", short_help="Save the card's memory to a file.")
@click.argument("path", metavar="FILE", type=_FILE)
@_of_reader
@click.pass_context
def snapshot(context: click.Context, path: Path, reader: str | None) -> None:
    """Save the card's memory, PINs and keys included, to a file that only you may read."""
    _told(context, lambda server: server.snapshot(path, reader=reader))


@command.command("load", short_help="Make a saved memory that of the card.")
@click.argument("path", metavar="FILE", type=_FILE)
@_of_reader
@click.pass_context
def load(context: click.Context, path: Path, reader: str | None) -> None:
    """Make a saved memory that of the card, and reset the card."""
    _told(context, lambda server: server.load(path, reader=reader))


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
            yield from _card_lines(card, reader["connections"])

    for card in status["cards"]:
        if card["reader"] is None and len(status["cards"]) > 1:
            yield f"in no reader: {card['name']}, {card['model']}"

    for program in status["programs"]:
        yield f"program {program['pid']}: {program['name'] or '(no name)'}"


def _card_lines(card: Mapping[str, Any], connections: int | None) -> Iterator[str]:
    yield f"  power: {_POWER[card['powered']]}; connections: {_told_or_not(connections)}"
    yield f"  life cycle: {card['life_cycle']}; fuse: {card['fuse']}; erasable: {card['erasable']}"

    if card["kept"] is not None:
        yield f"  kept in {card['kept']}"

    for fault in card["faults"]:
        yield f"  fault: {fault}"

    for pin in card["pins"]:
        tries = f"{pin['tries_left']} of {pin['max_tries']} tries left"
        yield f"  PIN {pin['directory']}:{pin['reference']}  {tries}"
