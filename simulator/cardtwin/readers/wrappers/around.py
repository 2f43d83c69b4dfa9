"""What all cards around cards have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cardtwin.pcsc import Card, Protocol

__all__ = ["CardAround"]


class CardAround:
    """A card that hands everything to another one. Subclasses get in between."""

    def __init__(self, card: Card) -> None:
        self.card = card

    @property
    def protocol(self) -> Protocol:
        """The protocol that is spoken since the last power_on."""
        return self.card.protocol

    def power_on(self, protocol: Protocol) -> bytes:
        """Power or reset the card and return its ATR."""
        return self.card.power_on(protocol)

    def process(self, command: bytes) -> bytes:
        """Take one command APDU and return one response APDU."""
        return self.card.process(command)

    def power_off(self) -> None:
        """Take the power away."""
        self.card.power_off()
