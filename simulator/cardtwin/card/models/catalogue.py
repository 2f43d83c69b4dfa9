"""The table of card models by name; each family's module gives what it has."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cardtwin.card.errors import UnknownModelError

if TYPE_CHECKING:
    from cardtwin.card.chip.model import CardModel

__all__ = ["get", "names", "register"]

_table: Final[dict[str, CardModel]] = {}


def register(model: CardModel) -> CardModel:
    """Add a model to the catalogue and return it.

    Raises:
        ValueError: The name is taken.
    """
    if model.name in _table:
        raise ValueError(f"the catalogue has a card model {model.name!r} already")

    _table[model.name] = model
    return model


def get(name: str) -> CardModel:
    """Return a model by name.

    Raises:
        UnknownModelError: The catalogue has none of that name.
    """
    try:
        return _table[name]
    except KeyError:
        raise UnknownModelError(name, _table) from None


def names() -> tuple[str, ...]:
    """Return the names in the catalogue, in the order of entry."""
    return tuple(_table)
