"""Pairs of a name and a value on the command line, and values that don't stand there themselves."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = ["hidden_pairs", "hidden_value", "pairs", "parameter"]


def pairs(texts: Iterable[str], option: str) -> list[tuple[str, str]]:
    """Return the names and values of texts such as ``NAME=VALUE``.

    Raises:
        click.BadParameter: One is no such text.
    """
    parted = [text.partition("=") for text in texts]

    for name, equals, _ in parted:
        if not name or not equals:
            raise click.BadParameter("NAME=VALUE is expected", param_hint=option)

    return [(name, value) for name, _, value in parted]


def hidden_pairs(texts: Iterable[str], option: str) -> dict[str, str]:
    """Return names with values that may be secrets: others see a command line, so they may be elsewhere.

    A value is written ``env:VARIABLE``, ``file:PATH`` (the first line of that file), ``text:TEXT``, or as it
    is. No message repeats one.

    Raises:
        click.BadParameter: One is no such text, or there is no such variable or file.
    """
    found: dict[str, str] = {}

    for name, value in pairs(texts, option):
        if name in found:
            raise click.BadParameter(f"{name} is given twice", param_hint=option)

        found[name] = hidden_value(value, option, name)

    return found


def parameter(text: str, option: str = "--param", name: str = "") -> bytes:
    """Return the bytes of a profile's parameter: hex behind ``0x``, else a text in UTF-8.

    It may be a secret, and stand where hidden_value() takes one from.

    Raises:
        click.BadParameter: It is no hex, or isn't there.
    """
    value = hidden_value(text, option, name)

    if not value.startswith(("0x", "0X")):
        return value.encode()

    try:
        return bytes.fromhex(value[2:])
    except ValueError:
        reason = "behind 0x stand hex digits, two for each byte"
        raise click.BadParameter(f"{name}: {reason}" if name else reason, param_hint=option) from None


def hidden_value(value: str, option: str, name: str = "") -> str:
    """Return a value that may be a secret, from where hidden_pairs() takes one.

    Raises:
        click.BadParameter: There is no such variable or file, or what is there is no text; the message begins
            with the name, if any.
    """
    kind, colon, rest = value.partition(":")
    found, reason = value, ""

    try:
        found = _KINDS[kind](rest) if colon and kind in _KINDS else value
        found.encode()
    except KeyError:
        reason = f"the environment has no variable {rest!r}"
    except OSError as error:
        reason = f"{rest!r}: {error.strerror}"
    except UnicodeDecodeError:
        reason = f"{rest!r} is no text in UTF-8"
    except UnicodeEncodeError:
        reason = "the value is no text in UTF-8"

    if reason:
        raise click.BadParameter(f"{name}: {reason}" if name else reason, param_hint=option)

    return found


def _first_line(path: str) -> str:
    return Path(path).read_text(encoding="utf-8").partition("\n")[0].removesuffix("\r")


_KINDS: Final[dict[str, Callable[[str], str]]] = {
    "env": os.environ.__getitem__,
    "file": _first_line,
    "text": str,
}
