"""The options of the commands that start a card."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from cardtwin.cli.pairs import hidden_pairs, pairs, parameter
from cardtwin.hosting import DEFAULT_READER, FIRST_SLOT, SPEEDS, CardRequest

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["card_options", "request_of"]

F = TypeVar("F", bound="Callable[..., object]")

_FILE: Final = click.Path(dir_okay=False)
_NAME_VALUE: Final = "NAME=VALUE"

_OPTIONS: Final = (
    click.option("--card", metavar="MODEL", help="The card model. Not needed with --image."),
    click.option("--image", type=_FILE, help="A saved card memory; without it the card is as delivered."),
    click.option("--factory", is_flag=True, help="The card is as it leaves the factory: without any file."),
    click.option("--profile", metavar="CPF", help="Put a card profile on the card: a file, or `full`, ..."),
    click.option("--secret", "secrets", multiple=True, metavar=_NAME_VALUE, help="PIN1, PUK, ... for it."),
    click.option(
        "--param", "parameters", multiple=True, metavar=_NAME_VALUE, help="Its parameters; 0x... is hex."
    ),
    click.option("--label", help="The token's label for it."),
    click.option("--encoding", type=_FILE, metavar="DSC", help="Run an encoding description on the card."),
    click.option(
        "--field", "--fields", "fields", multiple=True, metavar=_NAME_VALUE, help="Values of its fields."
    ),
    click.option("--answer", "answers", multiple=True, metavar="N=VALUE", help="Answers to its dialogs."),
    click.option(
        "--attach", "attached", multiple=True, type=_FILE, help="Attach a file that isn't beside it."
    ),
    click.option("--key-descriptors", type=_FILE, help="Keys for PINs: its engineSignEncrypt.xml."),
    click.option("--key-properties", type=_FILE, help="Keys for PINs: its system.properties."),
    click.option("--ppa-config", type=_FILE, help="iD2ppa.cfg; its certificate lies beside it."),
    click.option("--config", type=_FILE, help="The system's Personal.cfg."),
    click.option("--user-config", type=_FILE, help="The user's Personal.cfg."),
    click.option("--as", "program", metavar="NAME", help="What all programs are called, such as java.exe."),
    click.option("--reader", default=DEFAULT_READER, show_default=True, help="The reader's name."),
    click.option("--pinpad", is_flag=True, help="The reader has a PIN pad; `ctl pinpad enter` uses it."),
    click.option(
        "--pcscd",
        is_flag=False,
        flag_value=FIRST_SLOT,
        metavar="[HOST:PORT]",
        help="Put the card into the system's pcscd, by vpcd, instead of a reader of cardtwin's own.",
    ),
    click.option("--quirk", "quirks", multiple=True, metavar="Q", help="Switch a quirk of the card on."),
    click.option(
        "--speed", type=click.Choice(SPEEDS), default=SPEEDS[0], show_default=True, help="The card's speed."
    ),
    click.option(
        "--fault", "faults", multiple=True, metavar="WORDS", help="What goes wrong: do=mute at=002A after=1"
    ),
    click.option("--switch", "switches", multiple=True, metavar="RULE=VALUE", help="Choose a behaviour."),
    click.option("--seed", metavar="TEXT", help="Draw all random values from this, to get the same again."),
    click.option("--trace", type=_FILE, help="Write what happened, masked."),
)


def card_options(function: F) -> F:
    """Give a command the options that say which card is started."""
    for option in reversed(_OPTIONS):
        function = option(function)

    return function


def request_of(options: Mapping[str, Any]) -> CardRequest:
    """Return the card that the options ask for.

    Raises:
        click.BadParameter: A value is none.
    """
    given = dict(options)
    given["secrets"] = hidden_pairs(given["secrets"], "--secret")
    given["fields"] = hidden_pairs(given["fields"], "--field")
    given["answers"] = hidden_pairs(given["answers"], "--answer")
    parameters = pairs(given["parameters"], "--param")
    given["parameters"] = {name: parameter(text).hex() for name, text in parameters}
    given["switches"] = dict(pairs(given["switches"], "--switch"))
    _check_numbers(given["answers"])
    return CardRequest(**given)


def _check_numbers(answers: Mapping[str, str]) -> None:
    for number in answers:
        if not number.isdecimal():
            raise click.BadParameter(f"{number!r} is no dialog's number", param_hint="--answer")
