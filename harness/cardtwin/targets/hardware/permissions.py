"""What may be done to a physical card."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["ExpectedCard", "Permissions"]


@dataclass(frozen=True, slots=True)
class ExpectedCard:
    """The card that is to be in a reader.

    Attributes:
        model: The name in the catalogue of card models: what is known of its commands hangs on that.
        atr: Its answer to reset.
        serial: Its chip's serial number, as the middleware tells it. None takes the card that is there at
            the first command, and no other after that.
    """

    model: str
    atr: bytes
    serial: bytes | None = None


@dataclass(frozen=True, slots=True)
class Permissions:
    """What may be done to a card, beside what reads. A step has to have declared it as well.

    Attributes:
        destructive: Whether contents may be taken away.
        irreversible: The commands by name that no command leads back from, as far as they may be sent.
        unverified: Whether command forms may be sent that no public source records for such a card.
        known_tries: How many tries are left, where the card doesn't tell: of every PIN and key, or by name as
            refusals have them (``PIN 1``, ``PUK of PIN 1``, ``key 14``, ``StartKey``). None: not known.
    """

    destructive: bool = False
    irreversible: frozenset[str] = frozenset()
    unverified: bool = False
    known_tries: Mapping[str, int] | int | None = None

    def tries_of(self, credential: str) -> int | None:
        """Return how many tries a credential is known to have left; None if nobody has said."""
        if isinstance(self.known_tries, Mapping):
            return self.known_tries.get(credential)

        return self.known_tries
