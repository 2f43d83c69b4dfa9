"""Quirks: deviations of single cards from what their system does, as data. None is on by default."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cardtwin.card.errors import UnknownQuirkError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = [
    "DROP_PIN_ON_SELECT",
    "ONE_SIGNATURE_PER_VERIFY",
    "UNKNOWN_AID_RESETS",
    "check_quirks",
    "quirks",
    "register_quirk",
]

_table: dict[str, str] = {}


def register_quirk(name: str, text: str) -> str:
    """Enter a quirk in the table and return its name; code asks for the name in the model's `quirks`.

    Args:
        name: The name, in lower case with underscores.
        text: What a card with it does, in a sentence.

    Raises:
        ValueError: The name is taken.
    """
    if name in _table:
        raise ValueError(f"quirk {name!r} stands in the table already")

    _table[name] = text
    return name


def quirks() -> Mapping[str, str]:
    """Return the table: what each quirk does, by name."""
    return dict(_table)


def check_quirks(names: Iterable[str]) -> None:
    """Make sure that the table has all these names.

    Raises:
        UnknownQuirkError: It hasn't.
    """
    for name in names:
        if name not in _table:
            raise UnknownQuirkError(name, _table)


DROP_PIN_ON_SELECT: Final = register_quirk(
    "drop_pin_on_select",
    "Selecting a DF, by whatever form of SELECT, forgets which PINs and keys were verified.",
)
"""The name of the quirk."""

ONE_SIGNATURE_PER_VERIFY: Final = register_quirk(
    "one_signature_per_verify",
    "A signature, and any other use of a private key, forgets the PIN that guards the key.",
)
"""The name of the quirk."""

UNKNOWN_AID_RESETS: Final = register_quirk(
    "unknown_aid_resets",
    "A SELECT by an AID that the card hasn't is refused, and leaves the MF selected and nothing verified.",
)
"""The name of the quirk."""
