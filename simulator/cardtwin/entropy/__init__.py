"""Randomness, injected: the system's, or a stream that a seed fixes.

Whoever needs random bytes takes an :class:`Entropy`; nothing below the harness asks the system itself.
"""

from __future__ import annotations

import hashlib
import secrets
from typing import Protocol

__all__ = ["Entropy", "SeededEntropy", "SystemEntropy"]


class Entropy(Protocol):
    """A source of random bytes."""

    @property
    def deterministic(self) -> bool:
        """Whether the same run gives the same bytes again."""

    def bytes(self, count: int) -> bytes:
        """Return that many random bytes."""

    def below(self, limit: int) -> int:
        """Return a number from 0 to `limit` - 1, each as likely as the others."""


class SystemEntropy:
    """The operating system's random numbers."""

    deterministic = False

    def bytes(self, count: int) -> bytes:
        """Return that many random bytes."""
        return secrets.token_bytes(count)

    def below(self, limit: int) -> int:
        """Return a number from 0 to `limit` - 1."""
        return secrets.randbelow(limit)


class SeededEntropy:
    """A stream of bytes that depends on a seed and a label alone: SHAKE-256 in counter mode.

    Two users of one seed take a label each, so that what one draws does not shift what the other gets.
    """

    deterministic = True

    def __init__(self, seed: str, label: str = "") -> None:
        self._key = f"cardtwin entropy\0{seed}\0{label}\0".encode()
        self._block = 0
        self._buffer = b""

    def bytes(self, count: int) -> bytes:
        """Return the next `count` bytes of the stream."""
        while len(self._buffer) < count:
            self._buffer += hashlib.shake_256(self._key + self._block.to_bytes(8)).digest(256)
            self._block += 1

        taken, self._buffer = self._buffer[:count], self._buffer[count:]
        return taken

    def below(self, limit: int) -> int:
        """Return a number from 0 to `limit` - 1, by rejection, so that none is favoured."""
        if limit < 1:
            raise ValueError(f"limit must be at least 1, not {limit}")

        size = (limit.bit_length() + 7) // 8
        usable = 256**size - 256**size % limit

        while (number := int.from_bytes(self.bytes(size))) >= usable:
            pass

        return number % limit
