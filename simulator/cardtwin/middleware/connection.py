"""A program's lasting connection to the card in one reader: what is verified stays verified between calls."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Final

from cardtwin.middleware.channel import Channel, lost
from cardtwin.middleware.drivers import driver_for
from cardtwin.pcsc import CardResetError, Disposition, PcscError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cardtwin.middleware.drivers import CardDriver
    from cardtwin.pcsc import Context

__all__ = ["TokenConnection"]

_RESETS_BORNE: Final = 10


class TokenConnection:
    """One connection to one card, until that is removed. A reset by others is told by :attr:`resets`."""

    def __init__(
        self, context: Context, reader: str, *, after_transaction: Disposition = Disposition.LEAVE
    ) -> None:
        """Connect.

        Args:
            context: The program's PC/SC context.
            reader: Where the card is.
            after_transaction: What becomes of the card at the end of each transaction.

        Raises:
            CardLostError: There is no card, or it cannot be spoken to.
        """
        try:
            self._connection = context.connect(reader)
        except PcscError as error:
            raise lost(error) from error

        self._after_transaction = after_transaction
        self._driver: CardDriver | None = None
        self.resets = 0
        """How often the card has been found reset: what was verified before is forgotten."""

    @contextmanager
    def card(self) -> Iterator[CardDriver]:
        """Hold the card for the block, in one transaction.

        Raises:
            CardNotRecognisedError: No driver knows the card.
            CardLostError: CKR_DEVICE_REMOVED: the card is gone, and this connection with it. Anything else:
                the card could not be spoken to.
        """
        try:
            with ExitStack() as stack:
                self._begin(stack)
                self._driver = self._driver or driver_for(Channel(self._connection))
                yield self._driver
        except PcscError as error:
            raise lost(error) from error

    def close(self) -> None:
        """Close the connection. The card keeps what is verified, until somebody resets it or logs out."""
        try:
            self._connection.disconnect()
        except PcscError as error:
            raise lost(error) from error

    def _begin(self, stack: ExitStack) -> None:
        """Begin a transaction; others may reset the card again while its turn is waited for."""
        for _ in range(_RESETS_BORNE):
            try:
                stack.enter_context(self._connection.transaction(self._after_transaction))
            except CardResetError:
                self._connection.reconnect()
                self.resets += 1
            else:
                return

        stack.enter_context(self._connection.transaction(self._after_transaction))
