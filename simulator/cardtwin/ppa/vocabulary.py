"""Statements and functions by name.

The language is open: a module registers what it adds with :func:`statement`, :func:`function` and
:func:`procedure`, and a distribution names such modules in the entry point group ``cardtwin.ppa``.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from enum import Enum
from importlib import import_module
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Final, Generic, TypeVar

from cardtwin.ppa.errors import RegistrationError

if TYPE_CHECKING:
    from collections.abc import Callable

    from cardtwin.ppa.line import Arguments, Line
    from cardtwin.ppa.run import Run
    from cardtwin.ppa.values import Value

__all__ = [
    "ENTRY_POINTS",
    "FUNCTIONS",
    "STATEMENTS",
    "Function",
    "Place",
    "StatementForm",
    "function",
    "load_vocabulary",
    "procedure",
    "statement",
]

ENTRY_POINTS: Final = "cardtwin.ppa"
"""The entry point group: each entry is a module that registers statements and functions when imported."""


class Place(Enum):
    """Where a statement may stand."""

    PROFILE = "outside all blocks"
    DIRECTORY = "between MasterFile and its Endfile"


@dataclass(frozen=True, slots=True)
class StatementForm:
    """A statement that begins with a keyword.

    Attributes:
        name: The keyword.
        run: What it does.
        operands: What stands behind the keyword, in words for messages, one for each operand.
        attributes: The attributes that it takes.
        place: Where it may stand.
    """

    name: str
    run: Callable[[Run, Line], None]
    operands: tuple[str, ...] = ()
    attributes: tuple[str, ...] = ()
    place: Place = Place.PROFILE


@dataclass(frozen=True, slots=True)
class Function:
    """A function: one that gives a value, or a procedure, which is called for what it does.

    Attributes:
        name: Its name.
        run: What it does; a procedure returns None.
        parameters: What it takes, in words for messages.
        optional: How many of the parameters, counted from the last, may be left out.
        gives: Whether it gives a value.
    """

    name: str
    run: Callable[[Run, Arguments], Value | None]
    parameters: tuple[str, ...] = ()
    optional: int = 0
    gives: bool = True

    @property
    def usage(self) -> str:
        """How it is called, such as ``SECRANDOM(length[, alphabet])``."""
        needed = len(self.parameters) - self.optional
        text = ", ".join(self.parameters[:needed])

        for parameter in self.parameters[needed:]:
            text += f"[, {parameter}]" if text else f"[{parameter}]"

        return f"{self.name}({text})"


_Entry = TypeVar("_Entry", StatementForm, Function)


@dataclass(slots=True)
class _Table(Generic[_Entry]):
    """Entries by name, compared without regard to case."""

    kind: str
    _entries: dict[str, _Entry] = field(default_factory=dict)

    def add(self, entry: _Entry) -> None:
        if entry.name.casefold() in self._entries:
            raise RegistrationError(f"{self.kind} {entry.name} is registered already")

        self._entries[entry.name.casefold()] = entry

    def get(self, name: str) -> _Entry | None:
        return self._entries.get(name.casefold())

    def names(self) -> tuple[str, ...]:
        return tuple(entry.name for entry in self._entries.values())


STATEMENTS: Final = _Table[StatementForm]("statement")
FUNCTIONS: Final = _Table[Function]("function")

_StatementBody = TypeVar("_StatementBody", bound="Callable[[Run, Line], None]")
_FunctionBody = TypeVar("_FunctionBody", bound="Callable[[Run, Arguments], Value]")
_ProcedureBody = TypeVar("_ProcedureBody", bound="Callable[[Run, Arguments], None]")


def statement(
    name: str,
    *,
    operands: tuple[str, ...] = (),
    attributes: tuple[str, ...] = (),
    place: Place = Place.PROFILE,
) -> Callable[[_StatementBody], _StatementBody]:
    """Register the decorated function as a statement; arguments as in :class:`StatementForm`.

    Raises:
        RegistrationError: The name is taken.
    """

    def register(run: _StatementBody) -> _StatementBody:
        STATEMENTS.add(StatementForm(name, run, operands, attributes, place))
        return run

    return register


def function(name: str, *parameters: str, optional: int = 0) -> Callable[[_FunctionBody], _FunctionBody]:
    """Register the decorated function as one that gives a value; arguments as in :class:`Function`.

    Raises:
        RegistrationError: The name is taken.
    """

    def register(run: _FunctionBody) -> _FunctionBody:
        FUNCTIONS.add(Function(name, run, parameters, optional))
        return run

    return register


def procedure(name: str, *parameters: str, optional: int = 0) -> Callable[[_ProcedureBody], _ProcedureBody]:
    """Register the decorated function as one that is called for what it does.

    Raises:
        RegistrationError: The name is taken.
    """

    def register(run: _ProcedureBody) -> _ProcedureBody:
        FUNCTIONS.add(Function(name, run, parameters, optional, gives=False))
        return run

    return register


_loaded: set[str] = set()
_searched: set[tuple[str, ...]] = set()
"""The search paths whose distributions have been looked at: that takes as long as a profile does."""


def load_vocabulary() -> None:
    """Import the built-in vocabulary, and what the installed distributions add to it. Done once for each.

    Raises:
        RegistrationError: An entry point cannot be loaded, or takes a name that is taken.
    """
    import_module("cardtwin.ppa.builtin")
    path = tuple(sys.path)

    if path in _searched:
        return

    for entry in entry_points(group=ENTRY_POINTS):
        if entry.value in _loaded:
            continue

        try:
            entry.load()
        except (ImportError, AttributeError, RegistrationError) as error:
            raise RegistrationError(f"entry point {entry.name!r} of {ENTRY_POINTS}: {error}") from error

        _loaded.add(entry.value)

    _searched.add(path)
