"""The guard of a card that programs find in a reader of ours: other libraries, with a PC/SC of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from cardtwin.pcsc import Card, CardMuteError, PcscError
from cardtwin.targets.hardware.refusal import CommandRefusedError

if TYPE_CHECKING:
    from cardtwin import pcsc
    from cardtwin.targets.hardware.guard import Guard

__all__ = ["GuardedCard", "HeldCard"]


class HeldCard(Card, Protocol):
    """A card that nobody else gets at: :class:`cardtwin.readers.physical.PassedCard` is one."""

    @property
    def connection(self) -> pcsc.CardConnection:
        """The connection to the card, which has power.

        Raises:
            CardMuteError: It has none.
        """


class GuardedCard:
    """A card of the system whose guard sees every command first: a :class:`cardtwin.pcsc.Card`.

    The card is nobody else's meanwhile, so that the guard need not think of others: what a transaction keeps
    together for it, stays together.

    Args:
        card: The card.
        guard: Its guard.
        reader: The reader's name, for errors.
    """

    def __init__(self, card: HeldCard, guard: Guard, reader: str) -> None:
        self._card = card
        self._guard = guard
        self._reader = reader

    @property
    def protocol(self) -> pcsc.Protocol:
        """The protocol that is spoken since the last power_on."""
        return self._card.protocol

    def power_on(self, protocol: pcsc.Protocol) -> bytes:
        """Reset the card, see that it is the right one, and return its ATR.

        Raises:
            CardMuteError: It does not answer, somebody else has it, or the guard lets nothing pass.
            ProtocolMismatchError: It speaks none of the protocols.
        """
        self._card.power_on(protocol)
        self._forget()

        try:
            self._guard.check_card(self._card.connection)
        except PcscError as error:
            self.power_off()
            raise CardMuteError(self._reader, error.detail or error.name) from None

        # Who asks for a reset finds the card as a reset leaves it, whatever file the guard has read.
        atr = self._card.power_on(protocol)
        self._forget()
        return atr

    def process(self, command: bytes) -> bytes:
        """Take one command APDU and return one response APDU.

        Raises:
            CommandRefusedError: The guard refuses it.
            CardMuteError: There is no answer: the card is mute, or gone.
        """
        try:
            return self._guard.carry(self._card.connection, command, lambda: self._card.process(command))
        except (CardMuteError, CommandRefusedError):
            raise
        except PcscError as error:
            raise CardMuteError(self._reader, error.detail or error.name) from None

    def power_off(self) -> None:
        """Take the power away."""
        self._card.power_off()
        self._forget()

    def _forget(self) -> None:
        """Let the guard know that the card has forgotten everything."""
        self._guard.was_reset()
        self._guard.forgot()
