"""A trace that is put together from a log."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cardtwin.trace.masking import Masker
from cardtwin.trace.recorder import Trace

if TYPE_CHECKING:
    from datetime import datetime

    from cardtwin.events import Event

__all__ = ["Draft"]


class Draft:
    """Takes events in the order of a log; each is masked as it comes.

    A log that tells no time of an event leaves it with that of the one before.

    Args:
        title: Of the trace.
    """

    def __init__(self, title: str) -> None:
        self._title = title
        self._masker = Masker()
        self._events: list[Event] = []
        self._times: list[float] = []
        self._began: datetime | None = None
        self._latest = 0.0

    @property
    def empty(self) -> bool:
        """Whether nothing has come so far."""
        return not self._events

    def add(self, event: Event, when: datetime | None = None) -> None:
        """Take the next event."""
        if when is not None:
            self._began = self._began or when
            self._latest = (when - self._began).total_seconds()

        self._events.append(self._masker.masked(event))
        self._times.append(round(self._latest, 6))

    def trace(self) -> Trace:
        """Return what has come; times are in it where the log has any."""
        return Trace(self._title, tuple(self._events), tuple(self._times) if self._began else ())
