"""The clock of a bench."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable

    Sleep = Callable[[float, threading.Event], object]
    """Lets seconds pass; fewer where the event comes."""

__all__ = ["Clock", "pass_time"]

_SEEDED_TIME: Final = datetime(2026, 1, 1, tzinfo=UTC)
"""When a scenario with a seed takes place."""


def pass_time(seconds: float, over: threading.Event) -> None:
    """Wait for so many seconds, or for the event."""
    over.wait(seconds)


class Clock:
    """The system's time, or one that stands still; either can be set forward."""

    def __init__(self, *, fixed: bool) -> None:
        self._fixed = fixed
        self._ahead = timedelta(0)

    def now(self) -> datetime:
        """Return the time."""
        return (_SEEDED_TIME if self._fixed else datetime.now(UTC)) + self._ahead

    def forward(self, seconds: float) -> None:
        """Set the clock forward."""
        self._ahead += timedelta(seconds=seconds)
