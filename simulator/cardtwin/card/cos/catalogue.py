"""The catalogue of card systems: what a card model's `system` names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cardtwin.card.errors import UnknownSystemError

if TYPE_CHECKING:
    from cardtwin.card.cos.system import CardSystem

__all__ = ["get", "register"]

_table: dict[str, CardSystem] = {}


def register(system: CardSystem) -> CardSystem:
    """Add a card system to the catalogue and return it.

    Raises:
        ValueError: The name is taken.
    """
    if system.name in _table:
        raise ValueError(f"the catalogue has a card system {system.name!r} already")

    _table[system.name] = system
    return system


def get(name: str) -> CardSystem:
    """Return a card system by name.

    Raises:
        UnknownSystemError: The catalogue has none of that name.
    """
    try:
        return _table[name]
    except KeyError:
        raise UnknownSystemError(name, _table) from None
