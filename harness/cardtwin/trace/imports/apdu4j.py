"""Dumps and logs of apdu4j and of programs that are made with it, such as GlobalPlatformPro.

A dump has a command and its response on lines of their own, and remarks on lines with ``#``, as a rule with
one between the two that tells how long it took; a log has them behind ``A>>`` and ``A<<``, among whatever
else its program says. Neither tells when it was.
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

_ATR: Final = re.compile(r"# ATR: ?((?:[0-9A-Fa-f]{2} ?)+)")
_CONNECT: Final = re.compile(
    r'(?:# )?SCardConnect\("(?P<reader>.+)", .*\) -> T=\w+(?:, (?P<atr>(?:[0-9A-Fa-f]{2})+))?'
)
_USING: Final = re.compile(r"# Using (.+)")
_TOOK: Final = re.compile(r"# \d+ms(?P<failed> .+)?")
_LOGGED: Final = re.compile(r"\w?(?:#\d+)?(?P<way>>>|<<) (?P<text>.*)")
_STATUS: Final = 2
_FIRST_DIGITS: Final = {6, 9}
"""Of a status word (ISO/IEC 7816-4:2020, 5.6)."""

_BESIDE: Final = re.compile(r"\([^)]*\)|T=\S+|\[malformed\]")
_HEX: Final = re.compile(r"(?:[0-9A-Fa-f]{2})+")
_TIMED: Final = re.compile(r"^# \d+ms", re.MULTILINE)
_LOG: Final = re.compile(r"^\w?(?:#\d+)?>> ", re.MULTILINE)
_MARK: Final = re.compile(
    r"^# (?:ATR: [0-9A-Fa-f]|PROTOCOL: |Received in \d|\d+ms)|^[AB](?:#\d+)?>> |^(?:# )?SCardConnect\(\"",
    re.MULTILINE,
)


def _read(log: Log, problems: Problems, sink: Sink) -> None:
    reading = _Reading(log, problems, sink)

    for number, line in log.lines():
        reading.take(number, line.strip())

    reading.end()


FORM: Final = Form("apdu4j", "a dump or a log of apdu4j", _MARK, _read)


class _Reading:
    """A dump or a log, as far as it is read."""

    def __init__(self, log: Log, problems: Problems, sink: Sink) -> None:
        found = log.matching((_LOG, _TIMED))
        self._problems = problems
        self._exchanges = Exchanges(Draft(log.title, sink), "reader")
        self._is_log = _LOG in found
        self._is_timed = _TIMED in found
        self._took = False

    def take(self, number: int, line: str) -> None:
        """Read a line."""
        if match := _LOGGED.fullmatch(line):
            self._logged(number, match["way"], _BESIDE.sub("", match["text"]).replace(" ", ""))
        elif match := _CONNECT.fullmatch(line):
            self._connected(number, match["reader"], match["atr"] or "")
        elif match := _ATR.fullmatch(line):
            self._exchanges.power(PowerChange.POWERED_ON, bytes.fromhex(match[1]))
        elif match := _USING.fullmatch(line):
            self._exchanges.reader = match[1]
        elif match := _TOOK.fullmatch(line):
            self._take_time(failed=match["failed"] is not None)
        elif line and not line.startswith("#") and not self._is_log:
            self._dumped(number, line)

    def end(self) -> None:
        """Take note that there are no more lines."""
        self._exchanges.unanswered()

    def _connected(self, number: int, reader: str, atr: str) -> None:
        if (power := self._bytes(number, atr) if atr else b"") is not None:
            self._exchanges.reader = reader
            self._exchanges.power(PowerChange.POWERED_ON, power)

    def _logged(self, number: int, way: str, text: str) -> None:
        if way == "<<" and not _HEX.fullmatch(text):
            self._exchanges.unanswered("the reader gave none")
        elif (data := self._bytes(number, text)) is None:
            return
        elif way == ">>":
            self._exchanges.command(data)
        else:
            self._exchanges.response(data)

    def _take_time(self, *, failed: bool) -> None:
        if failed:
            self._exchanges.unanswered("the reader gave none")
        else:
            self._took = True

    def _dumped(self, number: int, line: str) -> None:
        if (data := self._bytes(number, line.replace(" ", ""))) is None:
            return

        took, self._took = self._took, False
        answers = took if self._is_timed else self._exchanges.waiting

        if not answers:
            self._exchanges.command(data)
        elif len(data) >= _STATUS and data[-_STATUS] >> 4 in _FIRST_DIGITS:
            self._exchanges.response(data)
        else:
            message = "this line stands in the place of a response, and has no status word"
            remedy = "a line before is missing: take out the command that has lost its response"
            self._problems.add("no-response", message, number, remedy=remedy)

    def _bytes(self, number: int, text: str) -> bytes | None:
        if _HEX.fullmatch(text):
            return bytes.fromhex(text)

        message = "this line is neither a remark nor bytes"
        self._problems.add("bad-bytes", message, number, expected="pairs of hexadecimal digits")
        return None
