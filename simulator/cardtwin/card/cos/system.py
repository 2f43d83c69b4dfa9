"""A card operating system: the command forms that it has, and what these do its own way."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cardtwin.card.commands import CommandForm, Routes, build_routes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cardtwin.card.chip.dialect import Dialect
    from cardtwin.card.commands.dataobjects import DataObject
    from cardtwin.card.memory.lifecycle import LifeCycle

__all__ = ["CardSystem"]


@dataclass(frozen=True, slots=True)
class CardSystem:
    """A card operating system.

    Attributes:
        name: Its name, such as ``CardOS V4.4``; card models name it so.
        forms: The command forms, each with its provenance.
        data_objects: What its GET DATA tells, by P2.
        dialect: What the commands do its own way.
    """

    name: str
    forms: tuple[CommandForm, ...]
    data_objects: Mapping[int, DataObject]
    dialect: Dialect
    _routes: dict[LifeCycle, Routes] = field(default_factory=dict, init=False, compare=False, repr=False)

    def routes(self, phase: LifeCycle) -> Routes:
        """Return the table by which commands find their forms in a phase; made once."""
        routes = self._routes.get(phase)

        if routes is None:
            routes = self._routes[phase] = build_routes(self.forms, phase)

        return routes
