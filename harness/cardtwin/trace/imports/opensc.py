"""OpenSC's debug log: the APDUs that its tools and libraries have sent (OPENSC_DEBUG=3 and above).

Several processes may write into one log; the APDUs of each are put together by the process that a line names.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from cardtwin.events import Cause, PowerChange
from cardtwin.trace.imports.draft import Draft, Exchanges
from cardtwin.trace.imports.form import Form

if TYPE_CHECKING:
    from cardtwin.trace.imports.draft import Sink
    from cardtwin.trace.imports.form import Problems
    from cardtwin.trace.imports.log import Log

__all__ = ["FORM"]

_HEAD: Final = (
    r"P:(?P<process>\d+); T:(?:0x)?\d+ (?:\d{4}-\d\d-\d\d )?"
    r"(?P<hour>\d\d):(?P<minute>\d\d):(?P<second>\d\d\.\d{3}) \[(?P<program>[^\]]*)\] (?P<text>.*)"
)
_LINE: Final = re.compile(_HEAD)
_APDU: Final = re.compile(
    r"(?P<way>Outgoing|Incoming) APDU"
    r"(?: \((?P<new>\d{1,9}) bytes?\):| data \[ *(?P<old>\d{1,9}) bytes\] =+)\s*"
)
_READER: Final = re.compile(r".*:refresh_attributes: (.+) check")
_USED: Final = re.compile(r".*:pcsc_transmit: reader '(.+)'")
_ATR: Final = re.compile(r".*:match_atr_table: ATR +: ([0-9A-Fa-f]{2}(?::[0-9A-Fa-f]{2})*)")
_CONNECT: Final = ":pcsc_connect: called"
_ROW: Final = 16
_DAY: Final = 24 * 60 * 60
_MARK: Final = re.compile(
    r"^P:\d+; T:(?:0x)?\d+ [\d :.-]+\[[^\]]*\] |^(?:Outgoing|Incoming) APDU", re.MULTILINE
)


def _read(log: Log, problems: Problems, sink: Sink) -> None:
    reading = _Reading(log.title, problems, sink)

    for number, line in log.lines():
        reading.take(number, line)

    reading.end()


FORM: Final = Form("opensc", "OpenSC's debug log", _MARK, _read)


class _Process:
    """What is known of one process: its APDUs, and what it is about to do."""

    def __init__(self, draft: Draft, program: str) -> None:
        self.exchanges = Exchanges(draft, "reader", Cause(program) if program else None)
        self.connecting = False
        self.powered: bytes | None = None

    def take(self, text: str, at: float) -> None:
        """Read what a line says of reader and card."""
        if text.endswith(_CONNECT):
            self.connecting, self.powered = True, None
        elif self.connecting and (match := _READER.fullmatch(text)):
            self.connecting, self.exchanges.reader = False, match[1]
        elif match := _USED.fullmatch(text):
            self.exchanges.reader = match[1]
        elif match := _ATR.fullmatch(text):
            atr = bytes.fromhex(match[1].replace(":", ""))

            if atr != self.powered:  # it is told again for each card driver that is tried
                self.powered = atr
                self.exchanges.power(PowerChange.POWERED_ON, atr, at)


@dataclass(slots=True)
class _Dump:
    """An APDU whose bytes stand on the lines below."""

    way: str
    length: int
    number: int
    data: bytearray = field(default_factory=bytearray, repr=False)

    @property
    def whole(self) -> bool:
        """Whether nothing is missing."""
        return len(self.data) >= self.length

    def take(self, row: str) -> bool:
        """Take the next row, if it is one: 16 bytes, and beside them what they are as text."""
        here = min(_ROW, self.length - len(self.data))

        try:
            found = bytes.fromhex(row[: 3 * here])
        except ValueError:
            return False

        if len(found) != here:
            return False

        self.data += found
        return True


class _Reading:
    """A log, as far as it is read."""

    def __init__(self, title: str, problems: Problems, sink: Sink) -> None:
        self._problems = problems
        self._draft = Draft(title, sink)
        self._processes: dict[str, _Process] = {}
        self._process = ""
        self._dump: _Dump | None = None
        self._at: float | None = None

    def take(self, number: int, line: str) -> None:
        """Read a line."""
        if self._dump is not None:
            if self._dump.take(line):
                self._end_dump()
                return

            self._refuse_dump()

        if match := _LINE.fullmatch(line):
            self._process = match["process"]
            self._at = self._time(match)
            self._of(match["program"]).take(match["text"].rstrip(), self._at)
        elif match := _APDU.fullmatch(line):
            self._dump = _Dump(match["way"], int(match["new"] or match["old"]), number)
            self._end_dump()

    def end(self) -> None:
        """Take note that there are no more lines."""
        if self._dump is not None:
            self._refuse_dump()

        for process in self._processes.values():
            process.exchanges.unanswered()

    def _of(self, program: str = "") -> _Process:
        if self._process not in self._processes:
            self._processes[self._process] = _Process(self._draft, program)

        return self._processes[self._process]

    def _time(self, match: re.Match[str]) -> float:
        """Return the time; the log has no date, and what goes back by half a day is the next one."""
        at = int(match["hour"]) * 3600 + int(match["minute"]) * 60 + float(match["second"])
        days = 0.0 if self._at is None else self._at // _DAY
        at += days * _DAY
        return at + _DAY if self._at is not None and at < self._at - _DAY / 2 else at

    def _end_dump(self) -> None:
        """Take the APDU, if its dump is whole."""
        if self._dump is None or not self._dump.whole:
            return

        dump, self._dump = self._dump, None
        exchanges = self._of().exchanges

        if dump.way == "Outgoing":
            exchanges.command(bytes(dump.data), self._at)
        elif exchanges.waiting:
            exchanges.response(bytes(dump.data))

    def _refuse_dump(self) -> None:
        dump, self._dump = self._dump, None

        if dump is not None:
            self._problems.add(
                "bad-dump",
                f"an APDU of {dump.length} bytes is announced here, and not as many follow",
                dump.number,
                remedy="the log was cut or changed; take it out together with what follows",
            )
