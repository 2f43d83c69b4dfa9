"""A program's connection to a card in one of the manager's readers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cardtwin.events import Exchange
from cardtwin.pcsc import (
    CardConnection,
    CardMuteError,
    CardRemovedError,
    Disposition,
    Protocol,
    ShareMode,
)
from cardtwin.readers.controls import PinEntryTurn, features_of, told
from cardtwin.readers.errors import CardLostError, CommandTooLongError
from cardtwin.readers.transaction import Transaction

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from cardtwin.events import Hub
    from cardtwin.pcsc import Feature
    from cardtwin.readers.slot import Slot
    from cardtwin.readers.turns import Seat

__all__ = ["ManagedConnection"]

_GONE: Final = {True: "the card was taken out", False: "the card was reset"}
"""Why an answer doesn't come that was on its way, by whether the reader is empty."""


class ManagedConnection(CardConnection):
    """A connection. What it needs from the reader while others are in a transaction, it waits for.

    That is what programs see of pcsc-lite 1.9.9: its daemon refuses with SCARD_E_SHARING_VIOLATION, and its
    client library asks again until the transaction is over. How long, the context's patience says; a wait
    that cannot end, because this very thread is in the transaction, is refused at once.
    """

    def __init__(self, slot: Slot, seat: Seat, hub: Hub | None, check: Callable[[], object]) -> None:
        self._slot = slot
        self._seat = seat
        self._hub = hub
        self._check_program = check
        self._closed = False

    @property
    def reader(self) -> str:
        """The reader's name."""
        return self._slot.name

    @property
    def atr(self) -> bytes:
        """The card's ATR at connect or the last reconnect."""
        return self._seat.atr

    @property
    def protocol(self) -> Protocol:
        """The protocol in use; UNDEFINED while none is settled."""
        return self._slot.state.protocol

    @property
    def max_command_data(self) -> int:
        """How many bytes of data a command may hold: 255, or up to 65535, as the reader carries."""
        return self._slot.max_command_data

    @property
    def max_command(self) -> int:
        """How many bytes the longest command has that the reader carries."""
        return self._slot.longest

    @property
    def closed(self) -> bool:
        """Whether the connection is closed, by itself or with its context."""
        return self._closed

    def transmit(self, command: bytes) -> bytes:
        """Send a command APDU and return the response APDU, status word included."""
        slot, seat = self._slot, self._seat

        with slot.lock:
            if seat.trouble is not None or not slot.turns.free_for(seat):
                slot.admit(seat)

            card = slot.live

            if card is None:
                raise slot.unready()

            if len(command) > slot.longest:
                raise CommandTooLongError(slot.name, f"this reader carries {slot.longest} bytes at most")

            try:
                response = card.process(command)
            except CardMuteError as error:
                self._tell_unanswered(command, error.detail or "the card is mute")
                raise

            if slot.live is not card:
                trouble = CardLostError if slot.card is None else seat.trouble or CardRemovedError
                self._tell_unanswered(command, _GONE[slot.card is None])
                raise trouble(slot.name, "during the command")

            hub = self._hub

            if hub is not None and not hub.silent:
                hub.emit(Exchange(reader=slot.name, command=command, response=response))

            return response

    def features(self) -> Mapping[Feature, int]:
        """Return what the reader can do beside carrying commands, each with its control code."""
        return features_of(self._slot)

    def control(self, code: int, data: bytes = b"") -> bytes:
        """Send a control code to the reader: it tells of itself, or lets PINs be entered at its PIN pad.

        While a person enters something, this connection is in a transaction. A reset or a removal ends that.
        """
        answer = told(self._slot, code)

        if answer is not None:
            return answer

        turn = PinEntryTurn(self._slot, self._seat, self._hub, self._check_program)
        return turn.run(code, data, self.transmit)

    def _tell_unanswered(self, command: bytes, why: str) -> None:
        if self._hub is not None:
            self._hub.emit(Exchange(reader=self._slot.name, command=command, unanswered=why))

    def check(self) -> None:
        """Raise what the next use would bring, without a command: a reset or a removal by others.

        Raises:
            CardResetError: Somebody has reset the card since connect or reconnect.
            CardRemovedError: The card is gone.
            InvalidHandleError: The connection is closed.
            TransactionPendingError: Another connection is in a transaction, and patience is at its end.
        """
        with self._slot.lock:
            self._slot.admit(self._seat)

    def begin_transaction(self) -> None:
        """Begin a transaction, after those of others. They nest: as many ends as begins."""
        self._slot.begin(self._seat)

    def end_transaction(self, disposition: Disposition = Disposition.LEAVE) -> None:
        """End a transaction.

        After a reset or a removal, that error is raised, and the transaction is over all the same.

        Raises:
            NotTransactedError: There is none.
            SharingViolationError: It is another connection's.
            CardResetError: Somebody else has reset the card.
            CardRemovedError: The card is gone.
        """
        self._slot.end(self._seat, disposition)

    def transaction(self, disposition: Disposition = Disposition.LEAVE) -> Transaction:
        """Hold the card exclusively for the block.

        With RESET or UNPOWER, this connection too hears of the reset afterwards (CardResetError), until it
        reconnects: pcsc-lite makes no difference between its own resets and others'.
        """
        return Transaction(self, disposition)

    def reconnect(
        self,
        disposition: Disposition = Disposition.LEAVE,
        *,
        share: ShareMode = ShareMode.SHARED,
        protocol: Protocol = Protocol.ANY,
    ) -> None:
        """Take the connection up again, with the card that is in the reader now.

        After a removal that may be another card; as long as there is none, CardRemovedError is raised.
        """
        self._slot.rejoin(self._seat, disposition, share, protocol)

    def disconnect(self, disposition: Disposition = Disposition.LEAVE) -> None:
        """Close the connection; what is to happen to the card waits for the transactions of others."""
        self._slot.leave(self._seat, disposition)
        self._closed = True

    def abandon(self) -> None:
        """Close the connection of a program that died or forgot it; a card it held for itself is reset."""
        self._slot.abandon(self._seat)
        self._closed = True
