"""What a trace tells, in its order: calls from beginning to end, and what happened outside of them."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, TypeAlias

from cardtwin.events import CallBegan, CallEnded, PinPadUsed, ReaderChanged
from cardtwin.trace import MaskedExchange

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from cardtwin.events import Cause
    from cardtwin.trace import Trace

__all__ = ["CLIENT", "Happening", "RecordedCall", "happenings"]


@dataclass(frozen=True, slots=True)
class RecordedCall:
    """A call of a function.

    Attributes:
        name: The function's.
        program: Who calls; empty where the trace doesn't say. Of several programs of one name, those that
            come later have a number behind it.
        arguments: As texts, by the names of the parameters in C.
        result: The return value's name; empty where the trace ends before.
        results: As texts, by the names of the parameters.
        asked: What a PIN pad has asked a person for meanwhile.
        process: Who calls, as the causes of what it does beside its calls name it; empty where the trace
            doesn't say.
    """

    name: str
    program: str
    arguments: Mapping[str, str]
    result: str = ""
    results: Mapping[str, str] = field(default_factory=dict)
    asked: tuple[PinPadUsed, ...] = ()
    process: str = ""


_OK: Final = "CKR_OK"
CLIENT: Final = re.compile(r"^client \d+ ")
"""What stands before the name of a process that a socket serves."""

Happening: TypeAlias = RecordedCall | MaskedExchange | ReaderChanged


def happenings(trace: Trace) -> Iterator[Happening]:
    """Yield calls in the order of their beginnings; between them, APDUs and what became of cards in readers.

    What a call has caused is the call's, and does not come by itself.
    """
    programs = _Programs()
    ended = {event.call.number: event for event in trace.events if isinstance(event, CallEnded)}
    calls = {event.call.number for event in trace.events if isinstance(event, CallBegan)}
    asked = [event for event in trace.events if isinstance(event, PinPadUsed)]

    for event in trace.events:
        match event:
            case CallBegan() if not _is_within(event.cause, calls):
                pads = tuple(each for each in asked if _is_within(each.cause, {event.call.number}))
                yield _call(event, ended.get(event.call.number), programs, pads)
            case MaskedExchange() | ReaderChanged() if not _is_within(event.cause, calls):
                yield event
            case _:
                pass


def _is_within(cause: Cause | None, calls: set[int]) -> bool:
    return cause is not None and any(each.number in calls for each in cause.path())


def _call(
    began: CallBegan, ended: CallEnded | None, programs: _Programs, asked: tuple[PinPadUsed, ...]
) -> RecordedCall:
    results = () if ended is None else ended.results
    result = "" if ended is None else ended.result
    return RecordedCall(
        began.call.what,
        programs.name(began, result),
        dict(began.arguments),
        result,
        {name.removeprefix("*"): text for name, text in results},
        asked,
        _process(began.cause),
    )


class _Programs:
    """Tells programs of one name apart: whose handles are its own.

    They are different processes, as far as the trace tells of these. Else a program that calls C_Initialize
    with success, and has not called C_Finalize since the last time, is another one.
    """

    def __init__(self) -> None:
        self._names: dict[tuple[str, str, int], str] = {}
        self._generations: Counter[tuple[str, str]] = Counter()
        self._initialized: set[tuple[str, str]] = set()
        self._numbers: Counter[str] = Counter()

    def name(self, call: CallBegan, result: str) -> str:
        """Return what the program of the next call is called."""
        key = call.program, _process(call.cause)

        if call.call.what == "C_Initialize" and result == _OK:
            self._generations[key] += key in self._initialized
            self._initialized.add(key)
        elif call.call.what == "C_Finalize" and result == _OK:
            self._initialized.discard(key)

        return self._numbered(call.program, (*key, self._generations[key]))

    def _numbered(self, program: str, which: tuple[str, str, int]) -> str:
        if which not in self._names:
            self._numbers[program] += 1
            number = self._numbers[program]
            self._names[which] = program if number == 1 else f"{program} {number}".lstrip()

        return self._names[which]


def _process(cause: Cause | None) -> str:
    """Return the process that a cause is due to, where it names one."""
    first = "" if cause is None else cause.path()[0].what
    return first if CLIENT.match(first) else ""
