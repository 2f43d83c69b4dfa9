"""The block of one transaction, whatever the connection is made of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from cardtwin.pcsc import PcscError

if TYPE_CHECKING:
    from types import TracebackType

    from cardtwin.pcsc import Disposition

__all__ = ["Transaction"]


class _Connection(Protocol):
    """What a transaction is held by."""

    @property
    def closed(self) -> bool:
        """Whether the connection is closed."""

    def begin_transaction(self) -> None:
        """Begin a transaction."""

    def end_transaction(self, disposition: Disposition = ...) -> None:
        """End a transaction."""


class Transaction:
    """A transaction for the length of a block. An error of the block is not hidden by one of its end."""

    __slots__ = ("_connection", "_disposition")

    def __init__(self, connection: _Connection, disposition: Disposition) -> None:
        self._connection = connection
        self._disposition = disposition

    def __enter__(self) -> None:
        self._connection.begin_transaction()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._connection.closed:
            return

        try:
            self._connection.end_transaction(self._disposition)
        except PcscError:
            if kind is None:
                raise
