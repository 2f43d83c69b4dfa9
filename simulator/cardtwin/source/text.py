"""Source text and positions in it."""

from __future__ import annotations

import codecs
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["SourceText", "Span", "decode_text"]

_UTF_16_MARKS: Final = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_SHOWN_BEFORE: Final = 60
_SHOWN: Final = 200


def decode_text(data: bytes) -> str:
    """Decode a text file: UTF-8, with or without a byte order mark, UTF-16 with one; else Windows-1252.

    The vendor's tools run on Windows, and their files come in any of these. Never fails.
    """
    if data.startswith(_UTF_16_MARKS):
        text = data.decode("utf-16", errors="replace")
    else:
        try:
            text = data.decode("utf-8-sig")
        except UnicodeDecodeError:
            text = data.decode("cp1252", errors="replace")

    return text.replace("\r\n", "\n").replace("\r", "\n")


@dataclass(frozen=True, slots=True)
class SourceText:
    """A named text.

    Attributes:
        name: What messages call it: a path as the user gave it, or a name in angle brackets.
        text: The whole text, lines ended by a line feed.
        lines: The same, line by line, without their ends.
    """

    name: str
    text: str = field(repr=False)
    lines: tuple[str, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "lines", tuple(self.text.split("\n")))

    @classmethod
    def read(cls, path: Path) -> SourceText:
        """Read a file.

        Raises:
            OSError: The file cannot be read.
        """
        return cls(str(path), decode_text(path.read_bytes()))

    def line(self, number: int) -> str:
        """Return the line of that number, counted from 1, without its end; empty if there is none."""
        return self.lines[number - 1] if 0 < number <= len(self.lines) else ""

    def span(self, line: int, column: int, length: int = 1) -> Span:
        """Return the span of `length` characters that starts there (both counted from 1)."""
        return Span(self, line, column, line, column + max(length, 1))

    @property
    def start(self) -> Span:
        """The span of the first character: where an error goes that concerns the whole file."""
        return self.span(1, 1)


@dataclass(frozen=True, slots=True)
class Span:
    """A piece of a source text: lines and columns are counted from 1, the end column is exclusive."""

    source: SourceText
    line: int
    column: int
    end_line: int
    end_column: int

    def __str__(self) -> str:
        return f"{self.source.name}:{self.line}:{self.column}"

    def to(self, end: Span) -> Span:
        """Return the span from the start of this one to the end of the other."""
        return Span(self.source, self.line, self.column, end.end_line, end.end_column)

    def caret(self) -> str:
        """Return the first line of the span, and a line below it with carets under the span.

        Of a very long line, the part around the span is shown; what can't be printed is a question mark.
        """
        line = self.source.line(self.line)
        skipped = max(0, self.column - 1 - _SHOWN_BEFORE) if len(line) > _SHOWN else 0
        text = "".join(map(_shown, line[skipped : skipped + _SHOWN]))
        first = self.column - skipped
        last = self.end_column - skipped if self.end_line == self.line else len(text) + 1
        width = max(1, min(last, len(text) + 1) - first)
        return f"    {text}\n    {' ' * (first - 1)}{'^' * width}"


def _shown(sign: str) -> str:
    """Return the sign, or one as wide for what a terminal would take as a command."""
    return sign if sign.isprintable() else " " if sign.isspace() else "?"
