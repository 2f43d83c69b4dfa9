"""The catalogue of card systems: what a card model's `system` names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cardtwin.card.cos.authentic import AUTHENTIC_3
from cardtwin.card.cos.awp import AUTHENTIC_2
from cardtwin.card.cos.cardos5 import CARDOS_50, CARDOS_53, CARDOS_54
from cardtwin.card.cos.cardos43b import CARDOS_43B
from cardtwin.card.cos.cardos44 import CARDOS_44
from cardtwin.card.cos.cosmo import COSMO_7, COSMO_8
from cardtwin.card.cos.cosmo_eid import COSMO_EID
from cardtwin.card.cos.gids import GIDS_2
from cardtwin.card.cos.ias_classic import IAS_CLASSIC, IDPRIME
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


for _system in (
    CARDOS_43B,
    CARDOS_44,
    CARDOS_50,
    CARDOS_53,
    CARDOS_54,
    COSMO_7,
    COSMO_8,
    COSMO_EID,
    AUTHENTIC_2,
    AUTHENTIC_3,
    GIDS_2,
    IAS_CLASSIC,
    IDPRIME,
):
    register(_system)
