"""A client's registration for one change of the readers' states."""

from __future__ import annotations

import threading
from enum import Enum, auto
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Waiter"]


class _Phase(Enum):
    IDLE = auto()
    ANSWERING = auto()
    WAITING = auto()


class Waiter:
    """Tells a client once: of a change, or that its wait was cancelled, or that it stopped it itself.

    The client gets the readers' states first and the notice after them. A change in between is kept until the
    states are out, so that whoever changes something never waits for a client that doesn't read.

    Args:
        notify: Sends the notice with that result; must not block.
    """

    def __init__(self, notify: Callable[[int], None]) -> None:
        self._notify = notify
        self._lock = threading.Lock()
        self._phase = _Phase.IDLE
        self._kept: int | None = None

    def begin(self) -> None:
        """Register: from now on, changes count."""
        with self._lock:
            self._phase = _Phase.ANSWERING
            self._kept = None

    def answered(self) -> None:
        """The states are out: notices may follow, if the client has registered before."""
        with self._lock:
            if self._phase is not _Phase.ANSWERING:
                return

            self._phase = _Phase.WAITING
            kept = self._kept

        if kept is not None:
            self.tell(kept)

    def tell(self, result: int) -> bool:
        """Tell the client if it is registered, and return whether it was."""
        with self._lock:
            phase = self._phase

            if phase is _Phase.ANSWERING and self._kept is None:
                self._kept = result
                return True

            if phase is not _Phase.WAITING:
                return False

            self._phase = _Phase.IDLE

        self._notify(result)
        return True
