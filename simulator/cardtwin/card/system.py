"""A card operating system: the command forms that it has, and what it does its own way."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cardtwin.card.commands import CommandForm, Routes, build_routes

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from cardtwin.card.chip import Chip
    from cardtwin.card.lifecycle import LifeCycle
    from cardtwin.card.memory import File
    from cardtwin.iso7816 import StatusWord
    from cardtwin.provenance import Basis

__all__ = ["CardSystem", "DataObject"]


@dataclass(frozen=True, slots=True)
class DataObject:
    """What GET DATA tells under one tag, and how well that is known."""

    name: str
    read: Callable[[Chip], bytes]
    basis: Basis
    source: str


@dataclass(frozen=True, slots=True)
class CardSystem:
    """A card operating system.

    Attributes:
        name: Its name, such as ``CardOS V4.4``.
        forms: The command forms, each with its provenance.
        data_objects: What GET DATA tells, by P2.
        control_information: Makes the FCI or FCP of a file; arguments are chip, path, file, template tag.
        wrong_pin: Gives the status word of a failed verification from the tries left.
        tells_pin_status: Whether VERIFY without data tells the tries left.
        chooses_algorithm: Whether the security environment chooses the algorithm, and not the key alone.
        drops_leading_zero: Whether a deciphered block comes without a zero at its beginning.
    """

    name: str
    forms: tuple[CommandForm, ...]
    data_objects: Mapping[int, DataObject]
    control_information: Callable[[Chip, bytes, File, int], bytes]
    wrong_pin: Callable[[int], StatusWord]
    tells_pin_status: bool = False
    chooses_algorithm: bool = False
    drops_leading_zero: bool = False
    _routes: dict[LifeCycle, Routes] = field(default_factory=dict, init=False, compare=False, repr=False)

    def routes(self, phase: LifeCycle) -> Routes:
        """Return the table by which commands find their forms in a phase; made once."""
        routes = self._routes.get(phase)

        if routes is None:
            routes = self._routes[phase] = build_routes(self.forms, phase)

        return routes
