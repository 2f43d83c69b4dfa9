"""Primes: a test, a search, and the offsets from which the seeded key pool is rebuilt.

The pool exists so that a seeded run is fast and the same everywhere. Its keys are no secrets: each prime is
the first one, at or after a starting point that SHAKE-256 makes from a public label (see `starting_point`),
that suits the exponent 65537. Only the distances are kept, so that anybody can check where they come from.
"""

from __future__ import annotations

import hashlib
import math
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["POOL", "POOL_EXPONENT", "is_probable_prime", "modular_power", "next_prime", "starting_point"]

POOL_EXPONENT: Final = 65537

# The extra [fast]; without it, Python's own pow() does, at an eighth of the speed.
_powmod: Final[Any] = import_module("gmpy2").powmod if find_spec("gmpy2") else None

# Offsets (p, q) of each key of the pool, by modulus size in bits; made and checked by next_prime().
POOL: Final[Mapping[int, tuple[tuple[int, int], ...]]] = {
    1024: ((392, 156), (1094, 690), (508, 520), (1948, 244)),
    2048: ((372, 556), (616, 512), (1122, 838), (282, 1840), (0, 154), (578, 1118), (682, 474), (58, 948)),
    3072: ((868, 2284), (2478, 4350)),
    4096: ((4366, 5264), (1368, 248)),
}


def modular_power(base: int, exponent: int, modulus: int) -> int:
    """Return base**exponent % modulus, by gmpy2 where that is installed."""
    return int(_powmod(base, exponent, modulus)) if _powmod else pow(base, exponent, modulus)


@cache
def _small_primes() -> tuple[int, ...]:
    limit = 2000
    return tuple(n for n in range(3, limit, 2) if all(n % d for d in range(3, math.isqrt(n) + 1, 2)))


@cache
def _small_product() -> int:
    return math.prod(_small_primes())


def is_probable_prime(number: int) -> bool:
    """Tell whether a number is prime: trial division, then Miller-Rabin with the 20 smallest odd bases.

    Fixed bases are enough for numbers that nobody chose with the bases in mind, which holds here.
    """
    if number < 3 or not number & 1:
        return number == 2

    if math.gcd(number, _small_product()) != 1:
        return number in _small_primes()

    odd = number - 1
    twos = (odd & -odd).bit_length() - 1
    odd >>= twos
    return all(_passes(number, base, odd, twos) for base in _small_primes()[:20])


def _passes(number: int, base: int, odd: int, twos: int) -> bool:
    power = modular_power(base, odd, number)

    if power in {1, number - 1}:
        return True

    for _ in range(twos - 1):
        power = power * power % number

        if power == number - 1:
            return True

    return False


def starting_point(bits: int, index: int, prime: str) -> int:
    """Return where the search for a prime of the pool begins.

    SHAKE-256 of the ASCII label ``cardtwin public RSA key pool: BITS bits, key INDEX, prime PRIME``, BITS/2
    bits of it, big-endian, with the two highest bits and the lowest one set.

    Args:
        bits: The size of the modulus, a multiple of 16.
        index: The number of the key, from 0.
        prime: ``p`` or ``q``.
    """
    label = f"cardtwin public RSA key pool: {bits} bits, key {index}, prime {prime}"
    return shaped(hashlib.shake_256(label.encode()).digest(bits // 16))


def shaped(random: bytes) -> int:
    """Return the bytes as an odd number whose product with another such has twice the length."""
    return int.from_bytes(random) | 0b11 << 8 * len(random) - 2 | 1


def next_prime(start: int, exponent: int) -> int:
    """Return the first prime p at or after an odd number for which `exponent` is invertible modulo p - 1."""
    number = start

    while math.gcd(number - 1, exponent) != 1 or not is_probable_prime(number):
        number += 2

    return number
