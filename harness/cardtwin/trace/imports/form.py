"""What a form of logs is, and how it says what is wrong with a log."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cardtwin.source import Diagnostics, SourceText

if TYPE_CHECKING:
    import re
    from collections.abc import Callable, Iterable

    from cardtwin.trace.recorder import Trace

__all__ = ["Form", "Problems"]


class Problems:
    """What is wrong with a log: the place, and none of the log's own text, which may be a PIN.

    Args:
        source: The log.
    """

    def __init__(self, source: SourceText) -> None:
        self._place = SourceText(source.name, "")
        self._found = Diagnostics()

    def __bool__(self) -> bool:
        return bool(self._found.errors)

    def add(self, code: str, message: str, line: int = 1, *, expected: str = "", remedy: str = "") -> None:
        """Add an error; lines count from 1."""
        self._found.error(code, message, self._place.span(line, 1), expected=expected, remedy=remedy)

    def raise_all(self) -> None:
        """Raise what was added.

        Raises:
            SourceError: There is something.
        """
        self._found.raise_errors()


@dataclass(frozen=True, slots=True)
class Form:
    """One form of logs.

    Attributes:
        name: What the command line calls it.
        about: Who writes it, in a few words.
        mark: A line that no other form has; the pattern is searched for in the whole log.
        read: Yields the traces of a log; what is wrong goes to the problems.
    """

    name: str
    about: str
    mark: re.Pattern[str] = field(repr=False)
    read: Callable[[SourceText, Problems], Iterable[Trace]] = field(repr=False)
