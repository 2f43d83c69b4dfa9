"""What a form of logs is, and how it says what is wrong with a log."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from cardtwin.source import Diagnostics, SourceText

if TYPE_CHECKING:
    import re
    from collections.abc import Callable

    from cardtwin.trace.imports.draft import Sink
    from cardtwin.trace.imports.log import Log

__all__ = ["Form", "Problems"]

_TOLD: Final = 20
"""How many errors are told by themselves."""


class Problems:
    """What is wrong with a log: the place, and none of the log's own text, which may be a PIN.

    Of a log that is wrong all over, the first places are told, and how many more there are.

    Args:
        name: What messages call the log.
    """

    def __init__(self, name: str) -> None:
        self._place = SourceText(name, "")
        self._found = Diagnostics()
        self._more = self._last = 0

    def __bool__(self) -> bool:
        return bool(self._found.errors)

    def add(self, code: str, message: str, line: int = 1, *, expected: str = "", remedy: str = "") -> None:
        """Add an error; lines count from 1."""
        if len(self._found) == _TOLD:
            self._more, self._last = self._more + 1, line
            return

        self._found.error(code, message, self._place.span(line, 1), expected=expected, remedy=remedy)

    def unreadable(self, line: int) -> None:
        """Add that a line ought to have bytes, and hasn't."""
        message = "the bytes of this line cannot be read"
        remedy = "if the log was cut in this line, leave the line out"
        self.add("bad-bytes", message, line, expected="pairs of hexadecimal digits", remedy=remedy)

    def time(self, text: str, line: int) -> float | None:
        """Return a time in seconds since whenever; None, and an error, where there is no such time."""
        try:
            return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()  # the zone doesn't count
        except ValueError:
            self.add("bad-time", "there is no such time", line, expected="a date and a time of day")
            return None

    def raise_all(self) -> None:
        """Raise what was added.

        Raises:
            SourceError: There is something.
        """
        if self._more:
            message = f"{self._more} more such errors, the last one here"
            self._found.error("more-errors", message, self._place.span(self._last, 1))

        self._found.raise_errors()


@dataclass(frozen=True, slots=True)
class Form:
    """One form of logs.

    Attributes:
        name: What the command line calls it.
        about: Who writes it, in a few words.
        mark: A line that no other form has, or two; the pattern is searched for in the whole log.
        read: Puts the traces of a log into the sink, while it reads; what is wrong goes to the problems.
    """

    name: str
    about: str
    mark: re.Pattern[str] = field(repr=False)
    read: Callable[[Log, Problems, Sink], None] = field(repr=False)
