"""The options of the commands that start a card."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from cardtwin.cli.card_words import card_of_words
from cardtwin.cli.pairs import hidden_pairs, hidden_value, pairs, parameter
from cardtwin.hosting import DEFAULT_READER, FIRST_SLOT, SPEEDS, CardRefusedError, CardRequest, HostRequest
from cardtwin.source import SourceError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

__all__ = [
    "READERS_HELP",
    "card_options",
    "middleware_request",
    "names_a_card",
    "request_of",
    "untraced_card_options",
]

F = TypeVar("F", bound="Callable[..., object]")

_FILE: Final = click.Path(dir_okay=False)
_NAME_VALUE: Final = "NAME=VALUE"

_OPTIONS: Final = (
    click.option("--card", metavar="MODEL", help="The card model. Not needed with --image."),
    click.option("--image", type=_FILE, help="A saved card memory; without it the card is as delivered."),
    click.option("--keep", type=_FILE, help="Keep the card's memory in this file, and go on with it."),
    click.option("--serial", metavar="HEX", help="The card's serial number, else the model's."),
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
    click.option(
        "--reader",
        "readers",
        multiple=True,
        metavar="NAME[=CARD]",
        help=f"The reader's name [{DEFAULT_READER}]; with CARD another reader: see below.",
    ),
    click.option(
        "--readers", "readers_file", type=_FILE, metavar="YAML", help="A file of readers and cards."
    ),
    click.option("--pinpad", is_flag=True, help="The readers have PIN pads; `ctl pinpad enter` uses them."),
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
)
_TRACE: Final = click.option("--trace", type=_FILE, help="Write what happened, masked.")

_OF_THE_CARD: Final = (
    "card",
    "image",
    "serial",
    "keep",
    "factory",
    "profile",
    "secrets",
    "parameters",
    "label",
    "encoding",
    "fields",
    "answers",
    "attached",
    "key_descriptors",
    "key_properties",
    "quirks",
    "speed",
    "faults",
)
"""The options that say what card is in the reader, of one card."""


def card_options(function: F) -> F:
    """Give a command the options that say which card is started, and where the trace goes."""
    return untraced_card_options(_TRACE(function))


def untraced_card_options(function: F) -> F:
    """Give a command the options that say which card is started."""
    for option in reversed(_OPTIONS):
        function = option(function)

    return function


def names_a_card(options: Mapping[str, Any]) -> bool:
    """Whether the options ask for a card or a reader of cardtwin's own."""
    own = any(options[name] for name in _OF_THE_CARD if name != "speed")
    return own or bool(options["readers_file"]) or any("=" in name for name in options["readers"])


READERS_HELP: Final = """\b
Several readers:
  --reader "Left=cardos-5.3 profile=full secret.PIN1=env:MY_PIN" --reader Right=cosmo-8.2 --reader Spare=empty
  --readers FILE      with the keys `readers:` and `cards:`, as in a scenario
"""


def request_of(options: Mapping[str, Any]) -> HostRequest:
    """Return the readers and cards that the options ask for.

    Raises:
        click.BadParameter: A value is none.
        CardRefusedError: They contradict one another.
    """
    given = dict(options)
    names, file = given.pop("readers"), given.pop("readers_file")
    card = _card_of({key: given.pop(key) for key in _OF_THE_CARD})
    given["switches"] = dict(pairs(given["switches"], "--switch"))
    given["seed"] = None if given["seed"] is None else hidden_value(given["seed"], "--seed")
    readers, cards, pinpads = _from_file(file)
    arranged = _with_readers(readers, card, names)
    given["pinpads"] = tuple(arranged) if given.pop("pinpad") else pinpads
    return HostRequest.arranged(arranged, cards, **given)


def middleware_request(options: Mapping[str, Any]) -> HostRequest:
    """Return the request for no reader and no card, but for the middleware above those that others bring.

    Raises:
        click.BadParameter: A value is none.
        CardRefusedError: They contradict one another.
    """
    # An empty reader stands for none, so that the other options are read as they always are.
    asked = request_of({**options, "readers": ("none=empty",)})
    return replace(asked, readers={}, cards={})


def _card_of(options: Mapping[str, Any]) -> CardRequest:
    """Return the card that the options for one card ask for."""
    given = dict(options)
    given["model"] = given.pop("card")
    given["secrets"] = hidden_pairs(given["secrets"], "--secret")
    given["fields"] = hidden_pairs(given["fields"], "--field")
    given["answers"] = hidden_pairs(given["answers"], "--answer")
    parameters = pairs(given["parameters"], "--param")
    given["parameters"] = {name: parameter(text, name=name).hex() for name, text in parameters}
    _check_numbers(given["answers"])
    return CardRequest(**given)


def _from_file(
    path: str | None,
) -> tuple[Mapping[str, str | None], Mapping[str, CardRequest], tuple[str, ...]]:
    """Return the readers, the cards and the readers with PIN pads that a file has, if there is one."""
    if path is None:
        return {}, {}, ()

    from cardtwin.cli.readers_file import read_readers  # noqa: PLC0415  # heavy, and seldom needed

    try:
        found = read_readers(Path(path))
    except SourceError as error:
        raise CardRefusedError(str(error)) from None
    except OSError as error:
        raise CardRefusedError(f"{path}: {error.strerror}") from None

    return found.readers, found.cards, found.pinpads


def _with_readers(
    readers: Mapping[str, str | None], card: CardRequest, names: Sequence[str]
) -> Mapping[str, CardRequest | str | None]:
    """Return the reader of the one card, those of a file, and those that are given with what is in them."""
    alone = [name for name in names if "=" not in name]
    others = [_reader(name) for name in names if "=" in name]

    if len(alone) > 1:
        raise click.BadParameter(
            f"{alone[1]!r}: which card is in it? Write NAME=CARD, or NAME=empty", param_hint="--reader"
        )

    if asked := card != CardRequest() or not (readers or others):
        alone = alone or [DEFAULT_READER]
    elif alone:
        raise click.BadParameter(
            f"{alone[0]!r}: which card is in it? Give --card, or write NAME=CARD or NAME=empty",
            param_hint="--reader",
        )

    every = [*alone, *readers, *(name for name, _ in others)]

    if twice := next((name for name in every if every.count(name) > 1), None):
        raise click.BadParameter(f"there are two readers {twice!r}", param_hint="--reader")

    return ({alone[0]: card} if asked else {}) | dict(readers) | dict(others)


def _reader(text: str) -> tuple[str, CardRequest | str | None]:
    """Return a reader's name and what is in it: a card in words, a card's or a model's name, or None."""
    name, _, words = text.partition("=")

    if words == "empty":
        return name, None

    is_name = words and not set(words) & set("= ")
    return name, words if is_name else card_of_words(words, "--reader")


def _check_numbers(answers: Mapping[str, str]) -> None:
    for number in answers:
        if not number.isdecimal():
            raise click.BadParameter(f"{number!r} is no dialog's number", param_hint="--answer")
