"""Where the traces of a log go."""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Self

from cardtwin.trace.file import TraceWriter
from cardtwin.trace.masking import Masker
from cardtwin.trace.recorder import Trace

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import TracebackType
    from typing import TextIO

    from cardtwin.events import Event
    from cardtwin.trace.imports.draft import Sink

__all__ = ["Kept", "Survey", "Written"]


class Survey:
    """Notes what has to be known before a trace is written; all goes on to another sink, where there is one.

    Args:
        sink: That one.

    Attributes:
        timed: Of each trace, whether the log tells times.
        events: How many there are in all.
    """

    def __init__(self, sink: Sink | None = None) -> None:
        self._sink = sink
        self.timed: list[bool] = []
        self.events = 0

    def begin(self, title: str) -> None:
        """Count a trace."""
        self.timed.append(False)

        if self._sink is not None:
            self._sink.begin(title)

    def take(self, event: Event, at: float | None) -> None:
        """Count an event."""
        self.timed[-1] |= at is not None
        self.events += 1

        if self._sink is not None:
            self._sink.take(event, at)


class Kept:
    """Keeps the traces in memory, masked as they come."""

    def __init__(self) -> None:
        self._parts: list[tuple[str, list[Event], list[float]]] = []
        self._masker = Masker()

    def begin(self, title: str) -> None:
        """Begin a trace."""
        self._masker = Masker()
        self._parts.append((title, [], []))

    def take(self, event: Event, at: float | None) -> None:
        """Keep an event."""
        _, events, times = self._parts[-1]
        events.append(self._masker.masked(event))
        times.append(at or 0.0)

    def traces(self, timed: Iterable[bool]) -> tuple[Trace, ...]:
        """Return all that has come; whether each has times, the survey knows."""
        return tuple(
            Trace(title, tuple(events), tuple(times) if has_times else ())
            for (title, events, times), has_times in zip(self._parts, timed, strict=True)
        )


class Written:
    """Writes the traces into a file, which is there as a whole after the block, or as it was before.

    What is no file, such as a pipe, gets them as they come.

    Args:
        path: The file.
        timed: Of each trace, whether it has times.

    Raises:
        OSError: It cannot be written.
    """

    def __init__(self, path: Path, timed: Iterable[bool]) -> None:
        self._path = Path(path).resolve()
        self._timed = iter(timed)
        self._scratch = self._path
        self._at = 0.0
        self._writer: TraceWriter | None = None
        mode = self._path.stat().st_mode if self._path.exists() else None

        if mode is None or stat.S_ISREG(mode):
            self._scratch = self._path.with_name(f".{self._path.name}.{os.getpid()}")

        self._stream: TextIO = self._scratch.open("w", encoding="utf-8")

        if mode is not None and self._scratch != self._path:
            self._scratch.chmod(stat.S_IMODE(mode))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._stream.close()

            if kind is None and self._scratch != self._path:
                self._scratch.replace(self._path)
        finally:
            if self._scratch != self._path:
                with suppress(OSError):
                    self._scratch.unlink(missing_ok=True)

    def begin(self, title: str) -> None:
        """Write a trace's first line."""
        self._at = 0.0
        self._writer = TraceWriter(self._stream, title, self._now if next(self._timed, False) else None)

    def take(self, event: Event, at: float | None) -> None:
        """Write an event, masked."""
        if self._writer is None:
            return

        self._at = at or 0.0
        self._writer(event)

        if self._writer.problem is not None:
            raise self._writer.problem

    def _now(self) -> float:
        return self._at
