"""Traces in files: JSON Lines, written as things happen, and read again."""

from __future__ import annotations

import json
import sys
import threading
from codecs import BOM_UTF8
from collections import OrderedDict
from dataclasses import dataclass, field, fields
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any, Final

from pydantic import ValidationError

from cardtwin.events import Cause, Event, LoginEnded
from cardtwin.source import Diagnostic, SourceError, SourceText
from cardtwin.trace.lines import (
    EVENT_LINES,
    LINE,
    VERSION,
    CauseLine,
    CutLine,
    EventLine,
    LoginEndedLine,
    TraceLine,
)
from cardtwin.trace.masking import Masker
from cardtwin.trace.recorder import Trace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path
    from typing import TextIO

    from pydantic import BaseModel

__all__ = ["TraceWriter", "read_traces", "write_traces"]

_LINES: Final[Mapping[type[Event], type[EventLine]]] = {line.event: line for line in EVENT_LINES}
_KNOWN_CAUSES: Final = 1 << 14
"""How many causes a writer remembers; an older one that comes again is told again, under a new number."""

_REMEDY: Final = "`cardtwin trace import` makes a trace of another program's log"


class TraceWriter:
    """An observer that writes what it is told at once, masked, from any thread.

    Who emits an event is no reason for a full disk: after an error nothing more is written, and
    :attr:`problem` has it.

    Args:
        stream: Where to; it is flushed after each event, so that what happened is there after a crash.
        title: Of the trace that begins with this.
        clock: Tells seconds, for the events' times; without it there are none, and equal runs are equal.
        limit: How many bytes are written at most. An event that would go beyond is not written, nor is what
            comes after it: the last line says so. None sets no limit.

    Attributes:
        problem: Why nothing more is written, where that is an error.
        cut: Whether the limit was reached.

    Raises:
        OSError: Not even the first line can be written.
        ValueError: The limit leaves no room for the first line and the last one.
    """

    def __init__(
        self,
        stream: TextIO,
        title: str,
        clock: Callable[[], float] | None = None,
        *,
        limit: int | None = None,
    ) -> None:
        self._stream = stream
        self._clock = clock
        self._began = clock() if clock is not None else 0.0
        self._masker = Masker()
        self._numbers: OrderedDict[int, int] = OrderedDict()
        self._causes = 0
        self._lock = threading.Lock()
        self._end = "" if limit is None else _text(CutLine(limit=limit))
        self._room = None if limit is None else limit - len(self._end)
        self.problem: OSError | None = None
        self.cut = False
        first = _text(TraceLine(title=title, recorder=_recorder(), times=clock is not None))

        if self._room is not None and len(first.encode()) > self._room:
            raise ValueError(f"{limit} bytes leave no room for a trace")

        self._put([first])

    def __call__(self, event: Event) -> None:
        """Mask an event and write it."""
        with self._lock:
            if self.problem is not None or self.cut:
                return

            at = round(self._clock() - self._began, 6) if self._clock is not None else None

            try:
                self._put(self._lines(self._masker.masked(event), at))
            except OSError as error:
                self.problem = error

    def _lines(self, event: Event, at: float | None) -> list[str]:
        """Return an event's line, after those of its causes that are new."""
        model = _LINES.get(type(event))

        if model is None:  # an event of others' making, which no trace knows
            return []

        lines: list[str] = []
        values = self._values(event, lines)
        return [*lines, _text(model(**values, at=at))]

    def _values(self, event: Event, lines: list[str]) -> dict[str, Any]:
        values = {field.name: getattr(event, field.name) for field in fields(event)}

        for name, value in values.items():
            match value:
                case Cause():
                    values[name] = self._number(value, lines)
                case bytes():
                    values[name] = value.hex(" ").upper()
                case LoginEnded():
                    values[name] = LoginEndedLine(**self._values(value, lines))
                case _:
                    pass

        return values

    def _number(self, cause: Cause, lines: list[str]) -> int:
        """Return a cause's number, and tell of the cause where it is new."""
        if cause.number in self._numbers:
            self._numbers.move_to_end(cause.number)
            return self._numbers[cause.number]

        parent = None if cause.parent is None else self._number(cause.parent, lines)
        self._causes += 1
        number = self._numbers[cause.number] = self._causes
        lines.append(_text(CauseLine(number=number, what=cause.what, parent=parent)))

        if len(self._numbers) > _KNOWN_CAUSES:
            self._numbers.popitem(last=False)

        return number

    def _put(self, lines: list[str]) -> None:
        """Write lines, all of them or, where the limit is reached, none but the last one of the trace."""
        if self._room is not None:
            self._room -= sum(len(line.encode()) for line in lines)
            self.cut = self._room < 0

        self._stream.write(self._end if self.cut else "".join(lines))
        self._stream.flush()


def write_traces(traces: Iterable[Trace], path: Path) -> None:
    """Write traces into a file, one after the other.

    Raises:
        OSError: The file cannot be written.
    """
    with path.open("w", encoding="utf-8") as stream:
        for trace in traces:
            ticks = iter((0.0, *trace.times))
            writer = TraceWriter(stream, trace.title, ticks.__next__ if trace.times else None)

            for event in trace.events:
                writer(event)

            if trace.cut_at is not None and writer.problem is None:
                stream.write(_text(CutLine(limit=trace.cut_at)))

            if writer.problem is not None:
                raise writer.problem


def read_traces(path: Path) -> tuple[Trace, ...]:
    """Return the traces that a file holds.

    Raises:
        SourceError: The file is no trace, or of a newer version; it names the line.
        OSError: The file cannot be read.
    """
    reader = _Reader()

    with path.open("rb") as stream:  # line by line: a trace may be long
        for number, line in enumerate(stream, start=1):
            text = line.removeprefix(BOM_UTF8) if number == 1 else line

            if text.strip() and (problem := reader.add(text)):
                raise _bad_line(path, number, problem)

    return reader.traces()


def _bad_line(path: Path, number: int, problem: str) -> SourceError:
    """Return the error; it shows nothing of the file, which may be a log with PINs, given by mistake."""
    span = SourceText(str(path), "").span(number, 1)
    return SourceError(
        [Diagnostic("bad-trace-line", problem, span, "a line of docs/trace.schema.json", _REMEDY)]
    )


@dataclass(slots=True)
class _Part:
    """A trace that is being read."""

    line: TraceLine
    events: list[Event] = field(default_factory=list)
    times: list[float] = field(default_factory=list)
    causes: dict[int, Cause] = field(default_factory=dict)
    cut_at: int | None = None


class _Reader:
    """Puts events together from lines."""

    def __init__(self) -> None:
        self._parts: list[_Part] = []

    def add(self, text: bytes) -> str:
        """Take the next line; return what is wrong with it."""
        try:
            line = LINE.validate_json(text)
        except ValidationError as error:
            return _first_problem(error)

        if isinstance(line, TraceLine):
            self._parts.append(_Part(line))
            return ""

        if not self._parts:
            return "a trace begins with a line of the kind 'trace'"

        if self._parts[-1].cut_at is not None:
            return "nothing but another trace follows a line of the kind 'cut'"

        try:
            self._take(line, self._parts[-1])
        except KeyError as error:
            return f"no line before tells of cause {error.args[0]}"

        return ""

    def traces(self) -> tuple[Trace, ...]:
        """Return all that was read."""
        return tuple(
            Trace(part.line.title, tuple(part.events), tuple(part.times), part.cut_at) for part in self._parts
        )

    def _take(self, line: CauseLine | CutLine | EventLine, part: _Part) -> None:
        if isinstance(line, CutLine):
            part.cut_at = line.limit
            return

        if isinstance(line, CauseLine):
            parent = None if line.parent is None else part.causes[line.parent]
            part.causes[line.number] = Cause(line.what, parent)
            return

        part.events.append(_event(line, part.causes))

        if part.line.times:
            part.times.append(line.at or 0.0)


def _event(line: EventLine, causes: Mapping[int, Cause]) -> Event:
    values = {name: getattr(line, name) for name in type(line).model_fields if name not in {"kind", "at"}}

    for name in ("cause", "call"):
        if values.get(name) is not None:
            values[name] = causes[values[name]]

    for name, value in values.items():
        if isinstance(value, str):  # most of a long trace's texts come again and again
            values[name] = sys.intern(value)

    if "atr" in values:
        values["atr"] = bytes.fromhex(values["atr"])

    if values.get("login") is not None:
        values["login"] = _event(values["login"], causes)

    return line.event(**values)


def _first_problem(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_input=False)[0]
    place = ".".join(str(part) for part in first["loc"])
    return f"{place}: {first['msg']}" if place else str(first["msg"])


def _text(line: BaseModel) -> str:
    kind = {"kind": getattr(line, "kind", "")}
    values = line.model_dump(mode="json", exclude_defaults=True)
    text = json.dumps({**kind, **_versioned(line), **values}, ensure_ascii=False) + "\n"
    return text.encode(errors="replace").decode()  # the names of files and programs need not be UTF-8


def _versioned(line: BaseModel) -> dict[str, int]:
    return {"version": VERSION} if isinstance(line, TraceLine) else {}


def _recorder() -> str:
    try:
        return f"cardtwin {version('cardtwin')}"
    except PackageNotFoundError:
        return "cardtwin"
