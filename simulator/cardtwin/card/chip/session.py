"""What the card forgets at reset: one object, thrown away as a whole."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple

from cardtwin.card.memory import MF

if TYPE_CHECKING:
    from cardtwin.card.memory import ObjectKey

__all__ = ["UNLIMITED", "Chain", "KeyChoice", "Session"]

UNLIMITED: Final = -1
"""The number of uses left of a verification that doesn't wear out."""


class KeyChoice(NamedTuple):
    """What MANAGE SECURITY ENVIRONMENT chose for one kind of operation.

    Attributes:
        reference: The key's id.
        algorithm: The algorithm reference; None where none was given.
    """

    reference: int
    algorithm: int | None = None


@dataclass(slots=True)
class Chain:
    """A command that isn't complete: its header without the chaining bit, and the data so far."""

    header: bytes
    data: bytearray = field(repr=False)


@dataclass(slots=True)
class Session:
    """The volatile state.

    Attributes:
        df: The current DF's path.
        ef: The current EF's path, or None.
        record: The number of the current record; 0 is none.
        passed: The test objects passed, each with the number of uses left or `UNLIMITED`.
        environment: The keys chosen, by template (A4, AA, B6, B8).
        challenge: The last challenge given out; empty once used.
        digest: What PSO HASH has come to; empty once signed.
        component: The beginning of a key's component whose end is still to come.
        chain: The command in progress, or None.
        rest: What of the last response GET RESPONSE has still to bring.
    """

    df: bytes = MF
    ef: bytes | None = None
    record: int = 0
    passed: dict[ObjectKey, int] = field(default_factory=dict)
    environment: dict[int, KeyChoice] = field(default_factory=dict)
    challenge: bytes = b""
    digest: bytes = b""
    component: bytes = field(default=b"", repr=False)
    chain: Chain | None = None
    rest: bytes = field(default=b"", repr=False)
