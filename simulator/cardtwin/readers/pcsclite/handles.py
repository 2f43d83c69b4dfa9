"""What all clients of a server share: the numbers of contexts and cards, the length of the states' array."""

from __future__ import annotations

import itertools
import threading
from typing import TYPE_CHECKING

from cardtwin.readers.pcsclite.messages import READERS

if TYPE_CHECKING:
    from cardtwin.readers.pcsclite.session import Session

__all__ = ["Handles"]


class Handles:
    """Gives out numbers, each once, and finds the session that has a context.

    A wait is cancelled through a connection of its own: so contexts are found across clients.
    """

    def __init__(self) -> None:
        self._numbers = itertools.count(1)
        self._array_size = READERS
        self._sessions: dict[int, Session] = {}
        self._lock = threading.Lock()

    def new(self) -> int:
        """Return a number that was not given out before."""
        return next(self._numbers)

    def enter(self, session: Session) -> int:
        """Return the number of a new context of that session."""
        handle = self.new()

        with self._lock:
            self._sessions[handle] = session

        return handle

    def leave(self, handle: int) -> None:
        """Forget a context."""
        with self._lock:
            self._sessions.pop(handle, None)

    def array_size(self, readers: int) -> int:
        """Return how many reader states an array holds: room for all readers that ever were at a time."""
        with self._lock:
            self._array_size = max(self._array_size, readers)
            return self._array_size

    def find(self, handle: int) -> Session | None:
        """Return the session of a context."""
        with self._lock:
            return self._sessions.get(handle)
