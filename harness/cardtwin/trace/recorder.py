"""The recorder: keeps events, and writes them without times or anything else that differs between runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cardtwin.trace.text import lines

if TYPE_CHECKING:
    from cardtwin.events import Event

__all__ = ["Recorder"]


class Recorder:
    """An observer that keeps events and writes them as a trace; see :func:`cardtwin.trace.text.lines`."""

    def __init__(self) -> None:
        self._events: list[Event] = []

    def __call__(self, event: Event) -> None:
        """Keep an event."""
        self._events.append(event)

    def text(self, title: str) -> str:
        """Return the trace under a title."""
        return "".join(f"{line}\n" for line in (f"## {title}", *lines(self._events)))
