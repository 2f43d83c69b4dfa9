"""Whose turn it is at a reader: transactions, and the queue of those who wait for one to end."""

from __future__ import annotations

import threading
from collections import deque
from typing import TYPE_CHECKING

from cardtwin.pcsc import InvalidHandleError, NotTransactedError, PcscError, SharingViolationError
from cardtwin.readers.errors import ReaderUnavailableError, TransactionPendingError

if TYPE_CHECKING:
    from threading import RLock

__all__ = ["Seat", "Turns"]


class Seat:
    """What a reader knows of one connection.

    Attributes:
        trouble: The error that the connection's next use brings, or None: reset or removed by others, closed.
        atr: The card's ATR at connect or the last reconnect.
        patience: Seconds to wait for the transactions of others; None waits for ever.
        exclusive: Whether it shares the card with nobody.
    """

    __slots__ = ("atr", "exclusive", "patience", "trouble")

    def __init__(self, patience: float | None) -> None:
        self.trouble: type[PcscError] | None = None
        self.atr = b""
        self.patience = patience
        self.exclusive = False

    @property
    def closed(self) -> bool:
        """Whether the connection is closed, for good."""
        return self.trouble is InvalidHandleError


class Turns:
    """The transactions at one reader. All methods are called with the reader's lock held.

    Attributes:
        holder: The seat that is in a transaction.
        closed: Whether the reader was taken away.
    """

    def __init__(self, reader: str, lock: RLock) -> None:
        self.holder: Seat | None = None
        self.closed = False
        self._reader = reader
        self._thread = 0
        self._depth = 0
        self._queue: deque[object] = deque()
        self._over = threading.Condition(lock)

    def free_for(self, seat: Seat) -> bool:
        """Tell whether the seat needs not wait."""
        return self.holder is seat or (self.holder is None and not self._queue)

    def claim(self, seat: Seat) -> None:
        """Wait until no transaction of another is under way. Who waits longest goes first.

        It also returns when the seat is closed meanwhile, which the caller is to look for.

        Raises:
            TransactionPendingError: The seat's patience is at its end.
            SharingViolationError: This thread would wait for itself.
            ReaderUnavailableError: The reader was taken away meanwhile.
        """
        if not self.free_for(seat):
            self._wait(seat)

        if self.closed:
            raise ReaderUnavailableError(self._reader)

    def begin(self, seat: Seat) -> None:
        """Enter the transaction that the seat has claimed, or one level deeper into its own."""
        self.holder = seat
        self._depth += 1
        self._thread = threading.get_ident()

    def check_end(self, seat: Seat) -> None:
        """Raise if the seat has no transaction to end."""
        if self.holder is None:
            raise NotTransactedError(self._reader)

        if self.holder is not seat:
            raise SharingViolationError(self._reader, "the transaction is another connection's")

    def end(self, seat: Seat, *, all_levels: bool = False) -> None:
        """Leave the seat's transaction, if it is in one."""
        if self.holder is not seat:
            return

        self._depth -= 1

        if all_levels or not self._depth:
            self.free()

    def free(self) -> None:
        """End any transaction, whoever is in it."""
        self.holder = None
        self._depth = 0
        self._over.notify_all()

    def wake(self) -> None:
        """Let those who wait look again whether they still have a seat."""
        self._over.notify_all()

    def close(self) -> None:
        """Send all home."""
        self.closed = True
        self.free()

    def _wait(self, seat: Seat) -> None:
        if self.holder is not None and self._thread == threading.get_ident():
            raise SharingViolationError(self._reader, "this thread is in a transaction on another connection")

        ticket = object()
        self._queue.append(ticket)

        try:
            over = self._over.wait_for(
                lambda: self.closed or seat.closed or self._first(ticket), seat.patience
            )
        finally:
            self._queue.remove(ticket)
            self._over.notify_all()

        if not over:
            raise TransactionPendingError(self._reader, "another connection is in a transaction")

    def _first(self, ticket: object) -> bool:
        return self.holder is None and self._queue[0] is ticket
