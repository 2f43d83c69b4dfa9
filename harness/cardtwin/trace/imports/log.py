"""Another program's log, read line by line as often as needed: it may be longer than memory is large."""

from __future__ import annotations

import codecs
from io import BytesIO, TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING, Final

from cardtwin.source import Diagnostic, SourceError, SourceText

if TYPE_CHECKING:
    import re
    from collections.abc import Collection, Iterator
    from typing import BinaryIO

__all__ = ["Log"]

_LONGEST: Final = 1 << 20
"""Characters of a line: the longest APDU there is, in hexadecimal digits, takes a fifth of it."""

_TOO_LONG: Final = f"this line has more than {_LONGEST} characters, and no log of a known form has such"
_BLOCK: Final = 1 << 14
_UTF_16: Final = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


class Log:
    """A log: UTF-8, with or without a byte order mark, UTF-16 with one; else Windows-1252.

    What can be read once only, such as a pipe, is kept in memory.

    Args:
        path: Where it is.

    Attributes:
        name: What messages call it.
        title: The file's name.

    Raises:
        OSError: It cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self.name = str(path)
        self.title = Path(path).name
        self._path = path

        with path.open("rb") as stream:
            self._content = None if stream.seekable() else stream.read()

        self._encoding = self._found_encoding()

    def lines(self) -> Iterator[tuple[int, str]]:
        """Yield the lines without their ends, with their numbers, counted from 1.

        Raises:
            SourceError: One is too long for a log.
            OSError: The log cannot be read.
        """
        number = 0

        with TextIOWrapper(self._open(), self._encoding, errors="replace") as stream:
            while line := stream.readline(_LONGEST + 1):
                number += 1

                if len(line) > _LONGEST:
                    raise self.wrong("long-line", _TOO_LONG, number)

                yield number, line.removesuffix("\n")

    def matching(self, patterns: Collection[re.Pattern[str]]) -> frozenset[re.Pattern[str]]:
        """Return which of the patterns, for two lines at most, match somewhere.

        Raises:
            SourceError: A line is too long for a log.
            OSError: The log cannot be read.
        """
        missing = set(patterns)

        for block in self._blocks():
            missing = {pattern for pattern in missing if pattern.search(block) is None}

            if not missing:
                break

        return frozenset(patterns) - missing

    def wrong(
        self, code: str, message: str, line: int = 1, *, expected: str = "", remedy: str = ""
    ) -> SourceError:
        """Return an error; it shows none of the log, which may have PINs. Lines count from 1."""
        span = SourceText(self.name, "").span(line, 1)
        return SourceError([Diagnostic(code, message, span, expected, remedy)])

    def _blocks(self) -> Iterator[str]:
        """Yield some lines at a time, each time with the last one of those before."""
        block: list[str] = []
        length = 0

        for _, line in self.lines():
            block.append(f"{line}\n")
            length += len(block[-1])

            if length >= _BLOCK:
                yield "".join(block)
                block = block[-1:]
                length = 0

        yield "".join(block)

    def _open(self) -> BinaryIO:
        return self._path.open("rb") if self._content is None else BytesIO(self._content)

    def _found_encoding(self) -> str:
        decoder = codecs.getincrementaldecoder("utf-8")()

        with self._open() as stream:
            block = stream.read(_BLOCK)

            if block.startswith(_UTF_16):
                return "utf-16"

            try:
                while block:
                    decoder.decode(block)
                    block = stream.read(_BLOCK)

                decoder.decode(b"", final=True)
            except UnicodeDecodeError:
                return "cp1252"

        return "utf-8-sig"
