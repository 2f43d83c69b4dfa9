"""The log of pcscd with --apdu: the APDUs of all programs that used a reader.

A line tells how many microseconds have gone by since the one before. APDUs name no reader: they are taken as
those of the reader to which a program has connected last.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

from cardtwin.events import PowerChange
from cardtwin.trace.imports.draft import Draft, Exchanges
from cardtwin.trace.imports.form import Form

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cardtwin.source import SourceText
    from cardtwin.trace.imports.form import Problems
    from cardtwin.trace.recorder import Trace

__all__ = ["FORM"]

_COLOUR: Final = re.compile(r"\x1b\[[0-9;]*m")
_LINE: Final = re.compile(r"(?P<after>\d{8}) (?:\[\w+\] )?(?P<text>.*)")
_BYTES: Final = re.compile(r"(APDU|SW):((?: [0-9A-F]{2})*)\s*")
_ATR: Final = re.compile(r"Card ATR:((?: [0-9A-F]{2})+)\s*")
_CONNECT: Final = re.compile(r".*SCardConnect\(\) Attempting Connect to (.+) using protocol: \d+")
_CHANGES: Final = (
    (re.compile(r".*\(\) Card inserted into (?P<reader>.+)"), PowerChange.INSERTED),
    (re.compile(r".*\(\) Card Removed From (?P<reader>.+)"), PowerChange.REMOVED),
    (re.compile(r".*\(\) Reset complete\."), PowerChange.RESET),
)
_MARK: Final = re.compile(r"^(?:\x1b\[[0-9;]*m)*\d{8} (?:\x1b\[[0-9;]*m|\[\w+\] )*(?:APDU|SW):", re.MULTILINE)


def _read(source: SourceText, problems: Problems) -> Iterator[Trace]:
    log = _Log(Path(source.name).name, problems)

    for number, line in enumerate(source.lines, start=1):
        if match := _LINE.fullmatch(_COLOUR.sub("", line)):
            log.take(number, int(match["after"]) / 1e6, match["text"])

    if not (draft := log.end()).empty:
        yield draft.trace()


FORM: Final = Form("pcscd", "pcscd --apdu", _MARK, _read)


class _Log:
    """A log, as far as it is read."""

    def __init__(self, title: str, problems: Problems) -> None:
        self._problems = problems
        self._draft = Draft(title)
        self._exchanges = Exchanges(self._draft, "reader")
        self._connected = self._exchanges.reader
        self._change: tuple[str, PowerChange] | None = None
        self._at = 0.0

    def take(self, number: int, after: float, text: str) -> None:
        """Read a line that came `after` seconds."""
        self._at += after

        if match := _CONNECT.fullmatch(text):
            self._exchanges.unanswered()
            self._connected = match[1]
        elif match := _BYTES.fullmatch(text):
            self._bytes(match[1], bytes.fromhex(match[2]))
        elif text.startswith(("APDU:", "SW:")):
            message = "the bytes of this line cannot be read"
            self._problems.add("bad-bytes", message, number, expected="pairs of hexadecimal digits")
        elif match := _ATR.fullmatch(text):
            self._changed(bytes.fromhex(match[1]))
        else:
            self._power(text)

    def end(self) -> Draft:
        """Return what was read."""
        self._changed()
        self._exchanges.unanswered()
        return self._draft

    def _bytes(self, what: str, data: bytes) -> None:
        self._changed()
        self._exchanges.reader = self._connected

        if what == "APDU":
            self._exchanges.command(data, self._at)
        else:
            self._exchanges.response(data)

    def _power(self, text: str) -> None:
        for pattern, change in _CHANGES:
            if match := pattern.fullmatch(text):
                self._changed()
                self._change = (match.groupdict().get("reader", self._connected), change)

    def _changed(self, atr: bytes = b"") -> None:
        """Tell of a change; the ATR is on a line that comes later."""
        if self._change is not None:
            self._exchanges.unanswered()
            self._exchanges.reader, change = self._change
            self._change = None
            self._exchanges.power(change, atr, self._at)
