"""The environment variables of the PINs and PUKs on the cards that a command gets."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from cardtwin.hosting import CardRefusedError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["check_names", "pin_variables"]

_FIRST: Final = "CARDTWIN_{}"
"""What the variables of the first card's PINs and PUKs are called."""

_EACH: Final = "CARDTWIN_{}_{}"
"""What they are called with the card's name, where there are several cards."""


def check_names(cards: Iterable[str]) -> None:
    """See that the variables of no two cards' PINs are called the same.

    Raises:
        CardRefusedError: They are.
    """
    found: dict[str, str] = {}

    for card in cards:
        if (other := found.setdefault(_capitals(card), card)) != card:
            raise CardRefusedError(
                f"the PINs of {other!r} and {card!r} would be in the same variables: rename one of them"
            )


def pin_variables(pins: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    """Return the variables of the first card's PINs and PUKs, and with several cards those of each.

    Args:
        pins: By card and name.
    """
    first = next(iter(pins.values()), {})
    found = {_FIRST.format(name): value for name, value in first.items()}

    if len(pins) > 1:
        for card, values in pins.items():
            found |= {_EACH.format(_capitals(card), name): value for name, value in values.items()}

    return found


def _capitals(name: str) -> str:
    return re.sub(r"[^0-9A-Z]", "_", name.upper())
