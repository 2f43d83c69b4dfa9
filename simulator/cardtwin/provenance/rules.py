"""Rules, the table of them, and a choice of values for their switches."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from enum import Enum
from importlib import import_module
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["AREAS", "Basis", "Rule", "Switches", "UnknownSwitchError", "all_rules", "rule"]

AREAS: Final[Mapping[str, str]] = {
    "card": "The card",
    "gids": "The virtual smart card",
    "reader": "Readers",
    "profile": "The card profile language",
    "middleware": "The middleware",
    "cryptoki": "PKCS#11",
    "encoding": "Encoding descriptions",
    "blob": "The encrypted PINs",
    "ordering": "The ordering of virtual smart cards",
    "login": "Digital Access",
    "issuance": "Certificate Manager",
    "keygeneration": "The key generation system",
    "hardware": "Physical cards",
}
"""The areas in the order of the table, with their titles; an id begins with its area."""

_MODULES: Final = (*AREAS, "card_cosmo", "card_gemalto", "middleware_gemalto")
"""The modules of this package that enter rules; an area that grows has several."""


class Basis(Enum):
    """How well founded a behaviour or a command form is."""

    RECORDED = "recorded from a card"
    CLIENT = "client code"
    STATED = "stated"
    INFERRED = "inferred"
    OURS = "ours"


@dataclass(frozen=True, slots=True)
class Rule:
    """One decision.

    Attributes:
        id: A stable name, ``area.what``; also the name of the switch where there is one.
        basis: How well founded it is.
        source: Where it comes from: a requirement's id, a standard's clause, a client's name.
        text: What holds, in a sentence or two.
        choices: The values that the switch takes; empty where there is no switch.
        default: The value that holds unless told otherwise.
    """

    id: str
    basis: Basis
    source: str
    text: str
    choices: tuple[str, ...] = ()
    default: str = ""

    def __post_init__(self) -> None:
        if self.choices and self.default not in self.choices:
            raise ValueError(f"{self.id}: default {self.default!r} is none of {self.choices}")


_table: dict[str, Rule] = {}


def rule(
    id: str,  # noqa: A002  # the table's own column
    basis: Basis,
    source: str,
    text: str,
    *,
    choices: tuple[str, ...] = (),
    default: str = "",
) -> Rule:
    """Make a rule and enter it in the table.

    Raises:
        ValueError: The id is taken, or the default is none of the choices.
    """
    if id in _table:
        raise ValueError(f"rule {id!r} stands in the table already")

    _table[id] = Rule(id, basis, source, text, choices, default)
    return _table[id]


def all_rules() -> tuple[Rule, ...]:
    """Return the whole table, ordered by area and entry."""
    for module in _MODULES:
        import_module(f"cardtwin.provenance.{module}")

    order = {area: place for place, area in enumerate(AREAS)}
    return tuple(sorted(_table.values(), key=lambda entry: order[entry.id.partition(".")[0]]))


class UnknownSwitchError(ValueError):
    """A switch, or a value for it, that the table doesn't know."""


class Switches:
    """Values chosen for switches. What is not chosen has the table's default."""

    def __init__(self, chosen: Mapping[str, str] | None = None) -> None:
        """Take values by rule id.

        Raises:
            UnknownSwitchError: There is no such switch, or it doesn't take that value.
        """
        self._chosen = dict(chosen or {})

        for name, value in self._chosen.items():
            _check(name, value)

    def __getitem__(self, entry: Rule) -> str:
        """Return the value in force for a rule."""
        return self._chosen.get(entry.id, entry.default)


def _check(name: str, value: str) -> None:
    known = {entry.id: entry for entry in all_rules() if entry.choices}

    if name not in known:
        near = difflib.get_close_matches(name, known, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise UnknownSwitchError(f"there is no switch {name!r}{hint}")

    if value not in known[name].choices:
        raise UnknownSwitchError(f"{name} takes {', '.join(known[name].choices)}, not {value!r}")
