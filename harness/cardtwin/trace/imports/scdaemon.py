"""The log of GnuPG's scdaemon with `debug cardio`: the APDUs that it has sent through PC/SC.

Up to GnuPG 2.2, bytes stand on one line, with blanks between them. From 2.3 on there are none, a line has
32 bytes at most, and one that goes on ends with a backslash; of a VERIFY, the header and the length alone are
told.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from cardtwin.events import PowerChange
from cardtwin.trace.imports.draft import Draft, Exchanges
from cardtwin.trace.imports.form import Form

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from cardtwin.trace.imports.draft import Sink
    from cardtwin.trace.imports.form import Problems
    from cardtwin.trace.imports.log import Log

__all__ = ["FORM"]

_LINE: Final = re.compile(
    r"(?:(?P<when>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) )?scdaemon\[\d+\]:? (?:DBG: )? *(?P<text>.*)"
)
_COMMAND: Final = re.compile(r"(?:PCSC_data|raw apdu): ?(.*)")
_RESPONSE: Final = re.compile(r"(?:response|more): sw=([0-9A-F]{4}) +datalen=(\d{1,9}).*")
_DUMP: Final = re.compile(r"dump: ?(.*)")
_READER: Final = re.compile(r"detected reader '(.+)'")
_ATR: Final = re.compile(r"slot \d+: ATR=((?:[0-9A-F]{2} ?)+)")
_HEX: Final = re.compile(r"(?:[0-9A-Fa-f]{2} ?)*")
_HIDDEN: Final = re.compile(r"((?:[0-9A-Fa-f]{2} ?){4}([0-9A-Fa-f]{2})) ?\[hidden\]")
_GOES_ON: Final = "\\"
_ZERO: Final = "[all zero]"
_MARK: Final = re.compile(r"^.*scdaemon\[\d+\]:? DBG: +(?:PCSC_data|raw apdu): ", re.MULTILINE)


def _read(log: Log, problems: Problems, sink: Sink) -> None:
    reading = _Reading(log.title, problems, sink)

    for number, when, text in _whole(log.lines()):
        reading.take(number, when, text)

    reading.end()


def _whole(lines: Iterable[tuple[int, str]]) -> Iterator[tuple[int, str | None, str]]:
    """Yield what lines say, by the number of the first one, with the time where it has one.

    Where something else comes in the place of what a backslash promises, the backslash stays.
    """
    begun: tuple[int, str | None, str] | None = None

    for number, line in lines:
        if (match := _LINE.fullmatch(line.rstrip())) is None:
            continue

        text = match["text"]

        if begun is not None and _HEX.fullmatch(text.removesuffix(_GOES_ON)):
            begun = (*begun[:2], begun[2].removesuffix(_GOES_ON) + text)
        else:
            if begun is not None:
                yield begun

            begun = (number, match["when"], text)

        if not text.endswith(_GOES_ON):
            yield begun
            begun = None

    if begun is not None:
        yield begun


FORM: Final = Form("scdaemon", "GnuPG's scdaemon with `debug cardio`", _MARK, _read)


class _Reading:
    """A log, as far as it is read."""

    def __init__(self, title: str, problems: Problems, sink: Sink) -> None:
        self._problems = problems
        self._exchanges = Exchanges(Draft(title, sink), "reader")
        self._status: tuple[bytes, int] | None = None
        self._at: float | None = None

    def take(self, number: int, when: str | None, text: str) -> None:
        """Read a line."""
        if when is not None:
            self._at = self._problems.time(when, number)

        if match := _COMMAND.fullmatch(text):
            self._command(number, match[1])
        elif match := _RESPONSE.fullmatch(text):
            self._respond()
            self._status = (bytes.fromhex(match[1]), int(match[2]))
        elif match := _DUMP.fullmatch(text):
            self._dump(number, match[1])
        elif match := _READER.fullmatch(text):
            self._exchanges.reader = match[1]
        elif match := _ATR.fullmatch(text):
            self._respond()
            self._exchanges.power(PowerChange.POWERED_ON, bytes.fromhex(match[1]), self._at)

    def end(self) -> None:
        """Take note that there are no more lines."""
        self._respond()
        self._exchanges.unanswered()

    def _command(self, number: int, text: str) -> None:
        self._respond()

        if match := _HIDDEN.fullmatch(text):  # as many bytes as there were: a trace masks them
            self._exchanges.command(bytes.fromhex(match[1]) + bytes(int(match[2], 16)), self._at)
        elif (data := self._bytes(number, text)) is not None:
            self._exchanges.command(data, self._at)

    def _dump(self, number: int, text: str) -> None:
        if self._status is None:
            return

        status, length = self._status
        data = bytes(length) if text == _ZERO else self._bytes(number, text)

        if data is not None and len(data) == length:
            self._exchanges.response(data + status)
            self._status = None

    def _respond(self) -> None:
        """End the exchange whose data the log doesn't show, or that has none."""
        status, self._status = self._status, None

        if status is None:
            return

        if status[1]:
            self._exchanges.unanswered(
                f"the log does not show the {status[1]} bytes before {status[0].hex().upper()}"
            )
        else:
            self._exchanges.response(status[0])

    def _bytes(self, number: int, text: str) -> bytes | None:
        if _HEX.fullmatch(text):
            return bytes.fromhex(text)

        self._problems.unreadable(number)
        return None
