"""A program's view of the manager's readers."""

from __future__ import annotations

import threading
import time
import typing
from typing import TYPE_CHECKING

from cardtwin.pcsc import (
    CancelledError,
    Context,
    InvalidHandleError,
    Protocol,
    ReaderState,
    ShareMode,
    TimeoutExpiredError,
)
from cardtwin.readers.connection import ManagedConnection
from cardtwin.readers.turns import Seat

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from cardtwin.events import Hub
    from cardtwin.readers.slot import Slot

__all__ = ["ManagedContext"]


class Readers(typing.Protocol):
    """What a context uses of the manager."""

    @property
    def hub(self) -> Hub | None:
        """Told of every APDU."""

    @property
    def changed(self) -> threading.Condition:
        """Told of every change of a state or of the list of readers."""

    def readers(self) -> tuple[str, ...]:
        """Return the readers' names."""

    def state(self, name: str) -> ReaderState:
        """Return the state of one reader."""

    def slot(self, name: str) -> Slot:
        """Return the reader itself."""


class ManagedContext(Context):
    """A context. May be used by several threads at once."""

    def __init__(
        self, manager: Readers, patience: float | None, check: Callable[[], object] | None = None
    ) -> None:
        self._manager = manager
        self._patience = patience
        self._check = check or self._check_open
        self._connections: list[ManagedConnection] = []
        self._lock = threading.Lock()
        self._cancellations = 0
        self._released = False

    def readers(self) -> tuple[str, ...]:
        """Return the readers' names, in the order in which they were added."""
        self._check_open()
        return self._manager.readers()

    def state(self, reader: str) -> ReaderState:
        """Return the state of one reader."""
        self._check_open()
        return self._manager.state(reader)

    def wait(self, states: Sequence[ReaderState], timeout: float | None) -> tuple[ReaderState, ...]:
        """Wait until the state of a reader differs from the one given, and return the states then.

        Raises:
            UnknownReaderError: A reader is not there, or is taken away meanwhile.
            TimeoutExpiredError: Nothing changed in time.
            CancelledError: cancel() was called meanwhile, or the context released.
        """
        believed = tuple(states)
        deadline = None if timeout is None else time.monotonic() + timeout

        with self._manager.changed:
            self._check_open()  # here, or a release might cancel before there is a wait
            before = self._cancellations

            while (now := tuple(self._manager.state(state.name) for state in believed)) == believed:
                left = None if deadline is None else deadline - time.monotonic()

                if left is not None and left <= 0:
                    raise TimeoutExpiredError

                self._manager.changed.wait(left)

                if self._cancellations != before:
                    raise CancelledError

        return now

    def cancel(self) -> None:
        """End the waits of this context that are under way, from any thread."""
        with self._manager.changed:
            self._cancellations += 1
            self._manager.changed.notify_all()

    def connect(
        self,
        reader: str,
        *,
        share: ShareMode = ShareMode.SHARED,
        protocol: Protocol = Protocol.ANY,
    ) -> ManagedConnection:
        """Connect to the card in a reader. DIRECT needs no card and settles no protocol."""
        self._check_open()
        slot = self._manager.slot(reader)
        seat = Seat(self._patience)
        slot.join(seat, share, protocol)
        connection = ManagedConnection(slot, seat, self._manager.hub, self._check)
        self._keep(connection)
        return connection

    def release(self) -> None:
        """Close the context, its connections and its waits; a card held for itself is reset."""
        with self._lock:
            self._released = True
            connections, self._connections = self._connections, []

        self.cancel()

        for connection in connections:
            connection.abandon()

    def _keep(self, connection: ManagedConnection) -> None:
        with self._lock:
            if not self._released:
                self._connections = [one for one in self._connections if not one.closed]
                self._connections.append(connection)
                return

        connection.abandon()
        raise InvalidHandleError(connection.reader, "the context was released meanwhile")

    def _check_open(self) -> None:
        if self._released:
            raise InvalidHandleError
