"""What is said about a command: its name, its effect, and where in it secrets lie."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Flag, auto
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from cardtwin.provenance import Basis

__all__ = ["HARMLESS", "Decoded", "Effect", "in_words"]


class Effect(Flag):
    """What a command does to a card if the card carries it out."""

    READS = auto()
    """Tells something, and changes nothing."""

    SELECTS = auto()
    """Changes what a reset clears: the current file, the security environment, a login's end."""

    WRITES = auto()
    """Changes what the card keeps."""

    SPENDS_TRIES = auto()
    """Costs a try of a PIN or key if what it carries is wrong."""

    DESTROYS = auto()
    """Takes contents, files or objects away."""

    IRREVERSIBLE = auto()
    """May leave the card in a state from which no command leads back."""

    UNKNOWN = auto()
    """Not known: anything may happen."""


HARMLESS: Final = Effect.READS | Effect.SELECTS
"""Nothing that a reset doesn't undo."""

_WORDS: Final = {
    Effect.WRITES: "writes",
    Effect.SPENDS_TRIES: "may cost a try",
    Effect.DESTROYS: "destroys",
    Effect.IRREVERSIBLE: "irreversible",
    Effect.UNKNOWN: "unknown",
}


def in_words(effect: Effect) -> tuple[str, ...]:
    """Return what is more than reading and selecting, in words; nothing if it is no more."""
    return tuple(word for one, word in _WORDS.items() if effect & one)


@dataclass(frozen=True, slots=True)
class Decoded:
    """One command, read.

    Attributes:
        name: The standard's or the card system's name in capitals, ``unknown`` or ``malformed``.
        parameters: What the parameters say, for people; holds no secret.
        effect: What it does; for a piece of a chained command, what the whole does at worst.
        basis: How well founded this reading is.
        secrets: Where in the command's bytes secrets lie, or may lie.
        secret_response: Whether the data of the response are a secret.
    """

    name: str
    parameters: str
    effect: Effect
    basis: Basis
    secrets: tuple[slice, ...] = ()
    secret_response: bool = False
