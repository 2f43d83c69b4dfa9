"""Private keys of a session: made and used here, and never on the card (rule ``cryptoki.session-keys``)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from cardtwin.cryptoki.errors import CryptokiError
from cardtwin.cryptoki.keys.private import PrivateEcKey, PrivateRsaKey
from cardtwin.cryptoki.keys.public import CURVES, prehashed
from cardtwin.middleware import Ckr

if TYPE_CHECKING:
    from cardtwin.cryptoki.keys.private import PrivateValue
    from cardtwin.entropy import Entropy

__all__ = ["EXPONENT", "SessionKey", "generated"]

EXPONENT: Final = 65537
"""The public exponent of all RSA keys that are made here: cards take no other."""

_SIEVE: Final = math.prod(n for n in range(3, 2000, 2) if all(n % d for d in range(3, math.isqrt(n) + 1, 2)))


class SessionKey:
    """A private key at work without a card; the methods are those of :class:`CardKey`."""

    def __init__(self, value: PrivateValue) -> None:
        self._value = value

    def raw_sign(self, block: bytes) -> bytes:
        """Return the RSA private operation on a padded block as long as the modulus."""
        return self._apply(block, Ckr.CKR_DATA_INVALID)

    def decipher(self, cryptogram: bytes) -> bytes:
        """Return the plain block of an RSA cryptogram, padding included."""
        return self._apply(cryptogram, Ckr.CKR_ENCRYPTED_DATA_INVALID)

    def _apply(self, block: bytes, invalid: Ckr) -> bytes:
        assert isinstance(self._value, PrivateRsaKey)
        numbers, number = self._value.numbers, int.from_bytes(block)

        if number >= numbers.public_numbers.n:
            raise CryptokiError(invalid, "the block is no smaller number than the modulus")

        first, second = pow(number, numbers.dmp1, numbers.p), pow(number, numbers.dmq1, numbers.q)
        result = second + numbers.q * ((first - second) * numbers.iqmp % numbers.p)
        return result.to_bytes((self._value.bits + 7) // 8)

    def sign_digest(self, digest: bytes) -> bytes:
        """Return the ECDSA signature r || s of a digest; the same one each time (RFC 6979)."""
        assert isinstance(self._value, PrivateEcKey)
        digest, algorithm = prehashed(digest)
        der = self._value.key.sign(digest, ec.ECDSA(algorithm, deterministic_signing=True))
        size = (self._value.bits + 7) // 8
        return b"".join(half.to_bytes(size) for half in decode_dss_signature(der))

    def agree(self, point: bytes) -> bytes:
        """Return the X coordinate shared with a peer, whose point is X || Y."""
        assert isinstance(self._value, PrivateEcKey)
        peer = ec.EllipticCurvePublicKey.from_encoded_point(self._value.key.curve, b"\x04" + point)
        return self._value.key.exchange(ec.ECDH(), peer)


def generated(size: int, params: bytes, entropy: Entropy) -> PrivateValue:
    """Return a new key.

    Args:
        size: The modulus in bits.
        params: CKA_EC_PARAMS of the curve; empty for RSA.
        entropy: Where its secret numbers come from.
    """
    if not params:
        return PrivateRsaKey(_rsa(size, entropy))

    curve = CURVES[params]
    number = 1 + entropy.below(curve.group_order - 1)
    return PrivateEcKey(ec.derive_private_key(number, curve), params)


def _rsa(bits: int, entropy: Entropy) -> rsa.RSAPrivateNumbers:
    """Return a key whose primes come from the program's own source of random bytes."""
    p, q = (_prime(bits // 2, entropy) for _ in range(2))

    while p == q:
        q = _prime(bits // 2, entropy)

    d = pow(EXPONENT, -1, math.lcm(p - 1, q - 1))
    public = rsa.RSAPublicNumbers(EXPONENT, p * q)
    return rsa.RSAPrivateNumbers(p, q, d, d % (p - 1), d % (q - 1), pow(q, -1, p), public)


def _prime(bits: int, entropy: Entropy) -> int:
    """Return a prime whose two highest bits are set, and that suits the exponent.

    Numbers that pass Fermat's test to the base 2 by chance are rarer here than faults of the machine.
    """
    while True:
        number = entropy.below(1 << bits) | 0b11 << bits - 2 | 1

        if math.gcd(number, _SIEVE) == 1 and number % EXPONENT != 1 and pow(2, number - 1, number) == 1:
            return number
