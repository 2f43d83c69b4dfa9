"""SHA-1 and SHA-256 from an intermediate state on (FIPS 180-4): a card hashes the last round itself."""

from __future__ import annotations

import hashlib
from typing import Final

from cardtwin.card.crypto.errors import CryptoError

__all__ = ["finished"]

_BLOCK: Final = 64
_COUNTER: Final = 8
_MASK: Final = 0xFFFFFFFF
_SHA1: Final = 20


def _primes(count: int) -> list[int]:
    found: list[int] = []
    number = 2

    while len(found) < count:
        if all(number % prime for prime in found):
            found.append(number)

        number += 1

    return found


def _cube_root_fraction(prime: int) -> int:
    """Return the first 32 bits of the fraction of a prime's cube root."""
    scaled, low, high = prime << 96, 0, 1 << 40

    while low + 1 < high:
        middle = (low + high) // 2
        low, high = (middle, high) if middle**3 <= scaled else (low, middle)

    return low & _MASK


_SHA256_CONSTANTS: Final = tuple(_cube_root_fraction(prime) for prime in _primes(64))
_SHA1_CONSTANTS: Final = (0x5A827999, 0x6ED9EBA1, 0x8F1BBCDC, 0xCA62C1D6)


def finished(algorithm: str, intermediate: bytes, rest: bytes) -> bytes:
    """Return the digest of a message of which only the end is here.

    Args:
        algorithm: ``sha1`` or ``sha256``.
        intermediate: State and number of bits so far (8 bytes), after whole blocks; empty at the beginning.
        rest: The rest of the message.

    Raises:
        CryptoError: The intermediate value can't be one.
    """
    if not intermediate:
        return hashlib.new(algorithm, rest, usedforsecurity=False).digest()

    size = hashlib.new(algorithm, usedforsecurity=False).digest_size
    state, bits = intermediate[:-_COUNTER], int.from_bytes(intermediate[-_COUNTER:])

    if len(state) != size or bits % (8 * _BLOCK):
        raise CryptoError("no intermediate state of that digest")

    words = [int.from_bytes(state[at : at + 4]) for at in range(0, size, 4)]
    total = bits + 8 * len(rest)
    padded = rest + b"\x80" + bytes(-(len(rest) + 1 + _COUNTER) % _BLOCK) + (total % (1 << 64)).to_bytes(8)
    rounds = _sha1_block if size == _SHA1 else _sha256_block

    for at in range(0, len(padded), _BLOCK):
        after = rounds(words, padded[at : at + _BLOCK])
        words = [(one + other) & _MASK for one, other in zip(words, after, strict=True)]

    return b"".join(word.to_bytes(4) for word in words)


def _left(word: int, count: int) -> int:
    return (word << count | word >> 32 - count) & _MASK


def _words(block: bytes) -> list[int]:
    return [int.from_bytes(block[at : at + 4]) for at in range(0, _BLOCK, 4)]


def _sha1_block(state: list[int], block: bytes) -> tuple[int, ...]:
    schedule = _words(block)

    for at in range(16, 80):
        schedule.append(_left(schedule[at - 3] ^ schedule[at - 8] ^ schedule[at - 14] ^ schedule[at - 16], 1))

    a, b, c, d, e = state

    for at, word in enumerate(schedule):
        mixed = (b & c | ~b & d, b ^ c ^ d, b & c | b & d | c & d, b ^ c ^ d)[at // 20]
        a, b, c, d, e = (
            (_left(a, 5) + mixed + e + _SHA1_CONSTANTS[at // 20] + word) & _MASK,
            a,
            _left(b, 30),
            c,
            d,
        )

    return a, b, c, d, e


def _sha256_block(state: list[int], block: bytes) -> tuple[int, ...]:
    schedule = _words(block)

    for at in range(16, 64):
        early, late = schedule[at - 15], schedule[at - 2]
        one = _left(early, 25) ^ _left(early, 14) ^ early >> 3
        other = _left(late, 15) ^ _left(late, 13) ^ late >> 10
        schedule.append((schedule[at - 16] + one + schedule[at - 7] + other) & _MASK)

    a, b, c, d, e, f, g, h = state

    for constant, word in zip(_SHA256_CONSTANTS, schedule, strict=True):
        chosen = (_left(e, 26) ^ _left(e, 21) ^ _left(e, 7)) + (e & f ^ ~e & g)
        first = (h + chosen + constant + word) & _MASK
        second = (_left(a, 30) ^ _left(a, 19) ^ _left(a, 10)) + (a & b ^ a & c ^ b & c)
        a, b, c, d, e, f, g, h = (first + second) & _MASK, a, b, c, (d + first) & _MASK, e, f, g

    return a, b, c, d, e, f, g, h
