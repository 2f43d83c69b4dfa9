"""The table of card models by name; each family's module gives what it has."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cardtwin.card.errors import UnknownModelError
from cardtwin.card.models.cardos import (
    CARDOS_43B_MODEL,
    CARDOS_44_MODEL,
    CARDOS_50_MODEL,
    CARDOS_53_DI_MODEL,
    CARDOS_53_MODEL,
    CARDOS_54_MODEL,
)
from cardtwin.card.models.cosmo import (
    AUTHENTIC_2_MODEL,
    AUTHENTIC_3_MODEL,
    COSMO_7_MODEL,
    COSMO_8_MODEL,
    COSMO_EID_MODEL,
)
from cardtwin.card.models.gemalto import IDCLASSIC_340_MODEL, IDPRIME_940_MODEL
from cardtwin.card.models.microsoft import VIRTUAL_SMART_CARD_MODEL

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


for _model in (
    CARDOS_43B_MODEL,
    CARDOS_44_MODEL,
    CARDOS_50_MODEL,
    CARDOS_53_MODEL,
    CARDOS_53_DI_MODEL,
    CARDOS_54_MODEL,
    COSMO_7_MODEL,
    COSMO_8_MODEL,
    VIRTUAL_SMART_CARD_MODEL,
    COSMO_EID_MODEL,
    AUTHENTIC_2_MODEL,
    AUTHENTIC_3_MODEL,
    IDCLASSIC_340_MODEL,
    IDPRIME_940_MODEL,
):
    register(_model)
