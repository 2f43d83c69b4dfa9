"""Where a new RSA key's primes come from."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from cryptography.hazmat.primitives.asymmetric import rsa

from cardtwin.card.crypto.errors import UnsupportedKeyError
from cardtwin.card.crypto.primes import POOL, POOL_EXPONENT, next_prime, shaped, starting_point

if TYPE_CHECKING:
    from cardtwin.entropy import Entropy

__all__ = ["primes"]

_OPENSSL_AT_LEAST = 1024
_OPENSSL_EXPONENTS = frozenset({3, 65537})

# Which keys of the pool a deterministic source has been given, by size of the modulus: a card with two equal
# keys would be no twin of any card.
_given: WeakKeyDictionary[Entropy, dict[int, set[int]]] = WeakKeyDictionary()


def primes(entropy: Entropy, bits: int, e: int, *, fresh: bool) -> tuple[int, int]:
    """Return the primes p and q of a new key, the larger one first.

    Args:
        entropy: Where randomness comes from.
        bits: The length of the modulus, 512 to 8192, a multiple of 16.
        e: The public exponent, odd, 3 or more.
        fresh: Whether the pool stays out of it.

    Raises:
        UnsupportedKeyError: The size or the exponent is out of range.
    """
    if not 512 <= bits <= 8192 or bits % 16:
        raise UnsupportedKeyError(f"an RSA key has 512 to 8192 bits, a multiple of 16, not {bits}")

    if e < 3 or not e & 1 or e.bit_length() > bits // 2:
        raise UnsupportedKeyError(
            "a public exponent is odd, 3 or more, and half as long as the modulus at most"
        )

    if entropy.deterministic and not fresh and e == POOL_EXPONENT:
        return _ordered(*_from_pool(entropy, bits))

    if not entropy.deterministic and bits >= _OPENSSL_AT_LEAST and e in _OPENSSL_EXPONENTS:
        numbers = rsa.generate_private_key(e, bits).private_numbers()
        return _ordered(numbers.p, numbers.q)

    return _ordered(*_searched(entropy, bits, e))


def _ordered(first: int, second: int) -> tuple[int, int]:
    return max(first, second), min(first, second)


def _from_pool(entropy: Entropy, bits: int) -> tuple[int, int]:
    table = POOL.get(bits, ())
    given = _given.setdefault(entropy, {}).setdefault(bits, set())
    left = [index for index in range(len(table)) if index not in given]

    # Beyond the table the pool goes on, with a search instead of an offset.
    index = left[entropy.below(len(left))] if left else next(n for n in count(len(table)) if n not in given)
    given.add(index)

    starts = (starting_point(bits, index, "p"), starting_point(bits, index, "q"))

    if index < len(table):
        offsets = table[index]
        return starts[0] + offsets[0], starts[1] + offsets[1]

    return next_prime(starts[0], POOL_EXPONENT), next_prime(starts[1], POOL_EXPONENT)


def _searched(entropy: Entropy, bits: int, e: int) -> tuple[int, int]:
    p = next_prime(shaped(entropy.bytes(bits // 16)), e)

    while (q := next_prime(shaped(entropy.bytes(bits // 16)), e)) == p:
        pass

    return p, q
