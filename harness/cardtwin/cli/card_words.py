"""A card in words: ``cardos-5.3 profile=full secret.PIN1=env:MY_PIN``."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any, Final

import click

from cardtwin.cli.pairs import hidden_value, parameter
from cardtwin.hosting import CardRequest
from cardtwin.source import closest

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["card_of_words"]


def card_of_words(text: str, option: str) -> CardRequest:
    """Return the card that words stand for: its model, and ``KEY=VALUE`` for what else is to say of it.

    Words are parted as a shell does it, so a value with blanks in it is quoted.

    Args:
        text: The words.
        option: Where they stand on the command line, for messages.

    Raises:
        click.BadParameter: They are none.
    """
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise click.BadParameter(f"{error} in {text!r}", param_hint=option) from None

    given: dict[str, Any] = {}

    for place, word in enumerate(words):
        key, equals, value = word.partition("=")

        if equals:
            _take(given, key, value, option)
        elif place == 0:
            given["model"] = word
        else:
            raise click.BadParameter(f"{word!r} is no KEY=VALUE; the model stands first", param_hint=option)

    return CardRequest(**given)


def _take(given: dict[str, Any], key: str, value: str, option: str) -> None:
    """Put one word to the others."""
    kind, dot, name = key.partition(".")

    if dot and kind in _NAMED:
        attribute, read = _NAMED[kind]
        _set(given.setdefault(attribute, {}), name, read(key, value, option), option)
    elif key in _SEVERAL:
        given[_SEVERAL[key]] = (*given.get(_SEVERAL[key], ()), value)
    elif key == "state":
        _set(given, "factory", _state(value, option), option)
    elif key in _SINGLE:
        _set(given, key, value, option)
    else:
        known = (*_SINGLE, "state", *_SEVERAL, *(f"{each}.NAME" for each in _NAMED))
        hint = closest(key, known)
        raise click.BadParameter(
            f"{key!r} is no key of a card; keys are {', '.join(known)}" + (f"; {hint}" if hint else ""),
            param_hint=option,
        )


def _set(given: dict[str, Any], key: str, value: object, option: str) -> None:
    if key in given:
        raise click.BadParameter(f"{_CALLED.get(key, key)!r} is given twice", param_hint=option)

    given[key] = value


def _state(value: str, option: str) -> bool:
    if value not in {"blank", "factory"}:
        raise click.BadParameter(f"'state' is blank or factory, not {value!r}", param_hint=option)

    return value == "factory"


def _answer(key: str, value: str, option: str) -> str:
    if not key.partition(".")[2].isdecimal():
        raise click.BadParameter(f"{key!r} has no dialog's number behind the dot", param_hint=option)

    return _hidden(key, value, option)


def _hidden(key: str, value: str, option: str) -> str:
    return hidden_value(value, option, key)


def _parameter(key: str, value: str, option: str) -> str:
    return parameter(value, option, key).hex()


_SINGLE: Final = (
    "image",
    "serial",
    "keep",
    "profile",
    "label",
    "encoding",
    "key_descriptors",
    "key_properties",
    "speed",
)
_SEVERAL: Final = {"attach": "attached", "quirk": "quirks", "fault": "faults"}
"""Keys that may be given several times, and what they are called in a request."""

_CALLED: Final = {"factory": "state"}
"""How a key is written that a request has another name for."""

_NAMED: Final[dict[str, tuple[str, Callable[[str, str, str], str]]]] = {
    "secret": ("secrets", _hidden),
    "param": ("parameters", _parameter),
    "field": ("fields", _hidden),
    "answer": ("answers", _answer),
}
"""Keys with a name behind a dot, what they are called in a request, and how their values are read."""
