"""Logs of OpenSC's pkcs11-spy: which functions a program has called, and what these returned.

The log says when a call began, not when it ended. Where calls of several threads overlap, what follows is
taken as the latest call's that has not returned: the log doesn't say whose it is.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from cardtwin.cryptoki.constants import name_of
from cardtwin.cryptoki.describe import INTERFACE
from cardtwin.events import CallBegan, CallEnded
from cardtwin.middleware import Ckr
from cardtwin.trace.imports.draft import Draft
from cardtwin.trace.imports.form import Form
from cardtwin.trace.imports.spycall import SpyCall

if TYPE_CHECKING:
    from cardtwin.trace.imports.draft import Sink
    from cardtwin.trace.imports.form import Problems
    from cardtwin.trace.imports.log import Log

__all__ = ["FORM"]

_START: Final = re.compile(r"\*+ OpenSC PKCS#11 spy \*+")
_CALL: Final = re.compile(r"(\d{1,20}): ((?:C_)?[A-Z][A-Za-z]+)\s*")
_WHEN: Final = re.compile(
    r"(?:P:(?P<process>\d+); T:(?:0x)?\w+ )?(?P<when>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3})\s*"
)
_RETURN: Final = re.compile(r"Returned: +(-?\d{1,20})(?: (CKR_\w+))?.*")
_MARK: Final = re.compile(rf"^{_START.pattern}|^\d+: C_[A-Z]\w+\n(?:P:\d+; T:.*|\d{{4}}-.*\n)", re.MULTILINE)
_ULONG: Final = (1 << 32) - 1
"""The mask of a CK_ULONG where it is shown as a negative number: on Windows it has 32 bits."""


def _read(log: Log, problems: Problems, sink: Sink) -> None:
    reading = _Reading(log.title, problems, sink)

    for number, line in log.lines():
        if _START.fullmatch(line.strip()) and not reading.empty:
            reading.end_program()

        reading.take(number, line)

    if not reading.empty:
        reading.end_program()


FORM: Final = Form("pkcs11-spy", "OpenSC's pkcs11-spy", _MARK, _read)


class _Reading:
    """What one program has called, as far as it is read."""

    def __init__(self, title: str, problems: Problems, sink: Sink) -> None:
        self._title = title
        self._problems = problems
        self._sink = sink
        self._programs = 0
        self._begin()

    @property
    def empty(self) -> bool:
        """Whether the program has called nothing so far."""
        return self._draft.empty and not self._open

    def take(self, number: int, line: str) -> None:
        """Read a line."""
        if match := _CALL.fullmatch(line):
            self._begin_call(int(match[1]), match[2], number)
        elif match := _RETURN.fullmatch(line):
            self._end_call(int(match[1]), match[2], number)
        elif not self._open:
            return  # between calls, the program itself may write into the same file
        elif match := _WHEN.fullmatch(line):
            self._open[-1].began(match["process"] or "", self._problems.time(match["when"], number))
        else:
            self._open[-1].lines.append(line)

    def end_program(self) -> None:
        """Take note that what follows is another program's. A call may have had no end."""
        for call in self._open:
            self._tell(call)

        self._begin()

    def _begin(self) -> None:
        self._programs += 1
        number = f", program {self._programs}" if self._programs > 1 else ""
        self._draft = Draft(f"{self._title}{number}", self._sink)
        self._open: list[SpyCall] = []
        self._last = -1

    def _begin_call(self, count: int, name: str, number: int) -> None:
        if count <= self._last:
            self._problems.add(
                "mixed-programs",
                f"call {count} stands behind call {self._last}: several programs have written at once",
                number,
                remedy="give each program a log of its own (PKCS11SPY_OUTPUT)",
            )

        for call in self._open:
            self._tell(call)  # it has told its arguments before another thread's call could begin

        self._last = count
        self._open.append(SpyCall(name if name.startswith("C_") else f"C_{name}"))

    def _end_call(self, value: int, name: str | None, number: int) -> None:
        if not self._open:
            self._problems.add(
                "lone-return",
                "a function returns that was not called",
                number,
                remedy="a part of a log begins where a call does",
            )
            return

        call = self._open.pop()
        self._tell(call)
        rv = value if value >= 0 else value & _ULONG
        result = name or name_of(Ckr, rv)
        self._draft.add(CallEnded(cause=None, call=call.cause, result=result, results=call.results(result)))

    def _tell(self, call: SpyCall) -> None:
        if call.told:
            return

        call.told = True
        event = CallBegan(
            cause=None, call=call.cause, interface=INTERFACE, program=call.program, arguments=call.arguments()
        )
        self._draft.add(event, call.when)
