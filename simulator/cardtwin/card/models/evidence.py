"""How well founded a model's facts are: rows of basis, source and names, as the catalogue writes them."""

from __future__ import annotations

from typing import Final

from cardtwin.card.chip.model import CardModel, Evidence
from cardtwin.provenance import Basis

__all__ = ["evidence"]

_CONSTANT: Final = "no public source"


def evidence(*rows: tuple[Basis, str, str]) -> dict[str, Evidence]:
    """Return evidence by fact, from rows of basis, source and the facts' names; the other facts are ours."""
    told = {name: Evidence(basis, source) for basis, source, facts in rows for name in facts.split()}
    return {name: told.get(name, Evidence(Basis.OURS, _CONSTANT)) for name in CardModel.facts()}
