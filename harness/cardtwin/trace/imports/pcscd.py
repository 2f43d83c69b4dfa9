"""The log of pcscd with --apdu: the APDUs of all programs that used a reader.

A line tells how many microseconds have gone by since the one before, and which of pcscd's threads has written
it: each serves one context of a program. APDUs name no reader: they are taken as those of the reader to which
the same thread has connected last, or any, where that isn't known.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from cardtwin.events import PowerChange
from cardtwin.trace.imports.draft import Draft, Exchanges
from cardtwin.trace.imports.form import Form

if TYPE_CHECKING:
    from cardtwin.trace.imports.draft import Sink
    from cardtwin.trace.imports.form import Problems
    from cardtwin.trace.imports.log import Log

__all__ = ["FORM"]

_COLOUR: Final = re.compile(r"\x1b\[[0-9;]*m")
_LINE: Final = re.compile(r"(?P<after>\d{8}) (?:\[(?P<thread>\w+)\] )?(?P<text>.*)")
_BYTES: Final = re.compile(r"(APDU|SW):((?: [0-9A-F]{2})*)\s*")
_ATR: Final = re.compile(r"Card ATR:((?: [0-9A-F]{2})+)\s*")
_CONNECT: Final = re.compile(r".*SCardConnect\(\) Attempting Connect to (.+) using protocol: \d+")
_CHANGES: Final = (
    (re.compile(r".*\(\) Card inserted into (?P<reader>.+)"), PowerChange.INSERTED),
    (re.compile(r".*\(\) Card Removed From (?P<reader>.+)"), PowerChange.REMOVED),
    (re.compile(r".*\(\) Reset complete\."), PowerChange.RESET),
)
_MARK: Final = re.compile(r"^(?:\x1b\[[0-9;]*m)*\d{8} (?:\x1b\[[0-9;]*m|\[\w+\] )*(?:APDU|SW):", re.MULTILINE)


def _read(log: Log, problems: Problems, sink: Sink) -> None:
    reading = _Reading(log.title, problems, sink)

    for number, line in log.lines():
        if match := _LINE.fullmatch(_COLOUR.sub("", line)):
            reading.take(number, int(match["after"]) / 1e6, match["thread"] or "", match["text"])

    reading.end()


FORM: Final = Form("pcscd", "pcscd --apdu", _MARK, _read)


class _Reading:
    """A log, as far as it is read."""

    def __init__(self, title: str, problems: Problems, sink: Sink) -> None:
        self._problems = problems
        self._draft = Draft(title, sink)
        self._threads: dict[str, Exchanges] = {}
        self._connected = "reader"
        self._change: tuple[Exchanges, PowerChange] | None = None
        self._at = 0.0

    def take(self, number: int, after: float, thread: str, text: str) -> None:
        """Read a line that came `after` seconds."""
        self._at += after

        if match := _CONNECT.fullmatch(text):
            exchanges = self._of(thread)
            exchanges.unanswered()
            exchanges.reader = self._connected = match[1]
        elif match := _BYTES.fullmatch(text):
            self._bytes(self._of(thread), match[1], bytes.fromhex(match[2]))
        elif text.startswith(("APDU:", "SW:")):
            self._problems.unreadable(number)
        elif match := _ATR.fullmatch(text):
            self._changed(bytes.fromhex(match[1]))
        else:
            self._power(thread, text)

    def end(self) -> None:
        """Take note that there are no more lines."""
        self._changed()

        for exchanges in self._threads.values():
            exchanges.unanswered()

    def _of(self, thread: str) -> Exchanges:
        if thread not in self._threads:
            self._threads[thread] = Exchanges(self._draft, self._connected)

        return self._threads[thread]

    def _bytes(self, exchanges: Exchanges, what: str, data: bytes) -> None:
        self._changed()

        if what == "APDU":
            exchanges.command(data, self._at)
        else:
            exchanges.response(data)

    def _power(self, thread: str, text: str) -> None:
        for pattern, change in _CHANGES:
            if match := pattern.fullmatch(text):
                self._changed()
                reader = match.groupdict().get("reader")
                told = self._of(thread) if reader is None else Exchanges(self._draft, reader)
                self._change = (told, change)

    def _changed(self, atr: bytes = b"") -> None:
        """Tell of a change; the ATR is on a line that comes later."""
        if self._change is not None:
            (exchanges, change), self._change = self._change, None

            for each in self._threads.values():
                if each.reader == exchanges.reader:
                    each.unanswered()

            exchanges.power(change, atr, self._at)
