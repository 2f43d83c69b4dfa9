"""Traces in files: JSON Lines, written as things happen, and read again."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass, field, fields
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any, Final

from pydantic import ValidationError

from cardtwin.events import Cause, Event, LoginEnded
from cardtwin.source import Diagnostics, SourceText
from cardtwin.trace.lines import EVENT_LINES, LINE, VERSION, CauseLine, EventLine, LoginEndedLine, TraceLine
from cardtwin.trace.masking import Masker
from cardtwin.trace.recorder import Trace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path
    from typing import TextIO

    from pydantic import BaseModel

__all__ = ["TraceWriter", "read_traces", "write_traces"]

_LINES: Final[Mapping[type[Event], type[EventLine]]] = {line.event: line for line in EVENT_LINES}


class TraceWriter:
    """An observer that writes what it is told at once, masked, from any thread.

    Who emits an event is no reason for a full disk: after an error nothing more is written, and
    :attr:`problem` has it.

    Args:
        stream: Where to; it is flushed after each event, so that what happened is there after a crash.
        title: Of the trace that begins with this.
        clock: Tells seconds, for the events' times; without it there are none, and equal runs are equal.

    Raises:
        OSError: Not even the first line can be written.
    """

    def __init__(self, stream: TextIO, title: str, clock: Callable[[], float] | None = None) -> None:
        self._stream = stream
        self._clock = clock
        self._began = clock() if clock is not None else 0.0
        self._masker = Masker()
        self._numbers: dict[int, int] = {}
        self._lock = threading.Lock()
        self.problem: OSError | None = None
        self._put(TraceLine(title=title, recorder=_recorder(), times=clock is not None))
        stream.flush()

    def __call__(self, event: Event) -> None:
        """Mask an event and write it."""
        with self._lock:
            if self.problem is not None:
                return

            at = round(self._clock() - self._began, 6) if self._clock is not None else None

            try:
                self._write(self._masker.masked(event), at)
                self._stream.flush()
            except OSError as error:
                self.problem = error

    def _write(self, event: Event, at: float | None) -> None:
        model = _LINES.get(type(event))

        if model is not None:  # else an event of others' making, which no trace knows
            self._put(model(**self._values(event), at=at))

    def _values(self, event: Event) -> dict[str, Any]:
        values = {field.name: getattr(event, field.name) for field in fields(event)}

        for name, value in values.items():
            match value:
                case Cause():
                    values[name] = self._number(value)
                case bytes():
                    values[name] = value.hex(" ").upper()
                case LoginEnded():
                    values[name] = LoginEndedLine(**self._values(value))
                case _:
                    pass

        return values

    def _number(self, cause: Cause) -> int:
        """Return a cause's number, and tell of the cause where it is new."""
        if cause.number not in self._numbers:
            parent = None if cause.parent is None else self._number(cause.parent)
            self._numbers[cause.number] = len(self._numbers) + 1
            self._put(CauseLine(number=self._numbers[cause.number], what=cause.what, parent=parent))

        return self._numbers[cause.number]

    def _put(self, line: BaseModel) -> None:
        kind = {"kind": getattr(line, "kind", "")}
        values = line.model_dump(mode="json", exclude_defaults=True)
        self._stream.write(json.dumps({**kind, **_versioned(line), **values}, ensure_ascii=False) + "\n")


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

            if writer.problem is not None:
                raise writer.problem


def read_traces(path: Path) -> tuple[Trace, ...]:
    """Return the traces that a file holds.

    Raises:
        SourceError: The file is no trace, or of a newer version; it names the line.
        OSError: The file cannot be read.
    """
    source = SourceText.read(path)
    found = Diagnostics()
    reader = _Reader()

    for number, text in enumerate(source.text.splitlines(), start=1):
        problem = reader.add(text) if text.strip() else ""

        if problem:
            span = source.span(number, 1)
            found.error("bad-trace-line", problem, span, expected="a line of docs/trace.schema.json")
            break

    found.raise_errors()
    return reader.traces()


@dataclass(slots=True)
class _Part:
    """A trace that is being read."""

    line: TraceLine
    events: list[Event] = field(default_factory=list)
    times: list[float] = field(default_factory=list)
    causes: dict[int, Cause] = field(default_factory=dict)


class _Reader:
    """Puts events together from lines."""

    def __init__(self) -> None:
        self._parts: list[_Part] = []

    def add(self, text: str) -> str:
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

        try:
            self._take(line, self._parts[-1])
        except KeyError as error:
            return f"no line before tells of cause {error.args[0]}"

        return ""

    def traces(self) -> tuple[Trace, ...]:
        """Return all that was read."""
        return tuple(Trace(part.line.title, tuple(part.events), tuple(part.times)) for part in self._parts)

    def _take(self, line: CauseLine | EventLine, part: _Part) -> None:
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

    if "atr" in values:
        values["atr"] = bytes.fromhex(values["atr"])

    if values.get("login") is not None:
        values["login"] = _event(values["login"], causes)

    return line.event(**values)


def _first_problem(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_input=False)[0]
    place = ".".join(str(part) for part in first["loc"])
    return f"{place}: {first['msg']}" if place else str(first["msg"])


def _versioned(line: BaseModel) -> dict[str, int]:
    return {"version": VERSION} if isinstance(line, TraceLine) else {}


def _recorder() -> str:
    try:
        return f"cardtwin {version('cardtwin')}"
    except PackageNotFoundError:
        return "cardtwin"
