"""Readers of names that have been declared: files, directories, keys."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from cardtwin.ppa import readers
from cardtwin.ppa.errors import RejectedError
from cardtwin.ppa.layout import Directory, File
from cardtwin.source import closest

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cardtwin.ppa.objects import Key
    from cardtwin.ppa.run import Run
    from cardtwin.ppa.syntax import Expression, Name

__all__ = ["directory", "file", "key"]


def file(run: Run, expression: Expression) -> File:
    """Read the name of an EF."""
    name = readers.name(run, expression)
    found = run.layout.find(name.key)

    if not isinstance(found, File):
        known = [each.name.text for each in run.layout.files()]
        _undeclared(run, name, "file", "CreateEf", known)

    return found


def directory(run: Run, expression: Expression) -> Directory:
    """Read the name of a DF."""
    name = readers.name(run, expression)
    directories = {each.name.key: each for each in run.layout.directories() if each is not run.layout.root}

    if name.key not in directories:
        known = [each.name.text for each in directories.values()]
        _undeclared(run, name, "directory", "CreateDf", known)

    return directories[name.key]


def key(run: Run, expression: Expression) -> Key:
    """Read the name of a key."""
    name = readers.name(run, expression)

    if name.key not in run.objects.keys:
        known = [each.plan.name for each in run.objects.keys.values()]
        _undeclared(run, name, "key", "X_Key", known)

    return run.objects.keys[name.key]


def _undeclared(run: Run, name: Name, what: str, statement: str, known: Iterable[str]) -> NoReturn:
    if name.key in run.broken:
        raise RejectedError

    run.reject(
        f"undeclared-{what}",
        f"there is no {what} {name.text}",
        name.span,
        expected=f"a name that {statement} has declared before this line",
        remedy=closest(name.text, known),
    )
