"""What all clients of a server share: the numbers of contexts and cards, the length of the states' array."""

from __future__ import annotations

import itertools
import threading
from typing import TYPE_CHECKING

from cardtwin.readers.pcsclite.messages import READERS

if TYPE_CHECKING:
    from cardtwin.readers.pcsclite.waiter import Waiter

__all__ = ["Handles"]


class Handles:
    """Gives out numbers, each once, and finds who waits in a context.

    A wait is cancelled through a connection of its own: so contexts are found across clients.
    """

    def __init__(self) -> None:
        self._numbers = itertools.count(1)
        self._array_size = READERS
        self._waiters: dict[int, Waiter] = {}
        self._lock = threading.Lock()

    def new(self) -> int:
        """Return a number that was not given out before."""
        return next(self._numbers)

    def enter(self, waiter: Waiter) -> int:
        """Return the number of a new context, of the client with that registration for a change."""
        handle = self.new()

        with self._lock:
            self._waiters[handle] = waiter

        return handle

    def leave(self, handle: int) -> None:
        """Forget a context."""
        with self._lock:
            self._waiters.pop(handle, None)

    def array_size(self, readers: int) -> int:
        """Return how many reader states an array holds: room for all readers that ever were at a time."""
        with self._lock:
            self._array_size = max(self._array_size, readers)
            return self._array_size

    def find(self, handle: int) -> Waiter | None:
        """Return the registration of the client that has a context."""
        with self._lock:
            return self._waiters.get(handle)
