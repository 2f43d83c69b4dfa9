"""Keys on elliptic curves: ECDSA (FIPS 186-5, 6) and Diffie-Hellman (SP 800-56A), on raw bytes."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from typing import TYPE_CHECKING, Final, Self

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from cardtwin.card.crypto.errors import KeyFormatError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cardtwin.entropy import Entropy

__all__ = ["Curve", "EcPrivateKey"]

# RFC 6979 takes the hash that made the digest; the digest's length says which. Other lengths: SHA-256.
_HASH_BY_LENGTH: Final = {20: "sha1", 28: "sha224", 32: "sha256", 48: "sha384", 64: "sha512"}


class Curve(Enum):
    """The curves, by their names in FIPS 186-5 and RFC 5639."""

    P256 = "P-256"
    P384 = "P-384"
    P521 = "P-521"
    BRAINPOOL_P256R1 = "brainpoolP256r1"
    BRAINPOOL_P384R1 = "brainpoolP384r1"
    BRAINPOOL_P512R1 = "brainpoolP512r1"

    @property
    def order(self) -> int:
        """The order of the group; the length in bits of its members is `order.bit_length()`."""
        return self.to_cryptography().group_order

    @property
    def size(self) -> int:
        """The length of a coordinate and of half a signature, in bytes."""
        return (self.order.bit_length() + 7) // 8

    def to_cryptography(self) -> ec.EllipticCurve:
        """Return the curve as an object of `cryptography`."""
        return _NATIVE[self]


_NATIVE: Final[dict[Curve, ec.EllipticCurve]] = {
    Curve.P256: ec.SECP256R1(),
    Curve.P384: ec.SECP384R1(),
    Curve.P521: ec.SECP521R1(),
    Curve.BRAINPOOL_P256R1: ec.BrainpoolP256R1(),
    Curve.BRAINPOOL_P384R1: ec.BrainpoolP384R1(),
    Curve.BRAINPOOL_P512R1: ec.BrainpoolP512R1(),
}


@dataclass(frozen=True, slots=True, repr=False)
class EcPrivateKey:
    """A private key: a curve and a number from 1 to its order - 1.

    Raises:
        KeyFormatError: The number is out of range.
    """

    curve: Curve
    d: int

    def __post_init__(self) -> None:
        if not 0 < self.d < self.curve.order:
            raise KeyFormatError(f"a private key on {self.curve.value} is out of range")

    @classmethod
    def generate(cls, entropy: Entropy, curve: Curve) -> Self:
        """Return a new key; it follows from the entropy's bytes alone."""
        return cls(curve, 1 + entropy.below(curve.order - 1))

    @property
    def public_point(self) -> bytes:
        """The public key as an uncompressed point, 04 || X || Y (SEC 1, 2.3.3)."""
        public = self.to_cryptography().public_key()
        return public.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)

    def spki(self) -> bytes:
        """Return the SubjectPublicKeyInfo in DER (RFC 5480, 2)."""
        return (
            self.to_cryptography().public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        )

    def to_cryptography(self) -> ec.EllipticCurvePrivateKey:
        """Return the key as an object of `cryptography`; the same object for equal keys."""
        return _native(self)

    def sign(self, digest: bytes, entropy: Entropy | None = None) -> bytes:
        """Return the ECDSA signature r || s, each as long as the order.

        Args:
            digest: The hash value, of any length from one byte; of a long one the leftmost bits count.
            entropy: Where the nonce comes from. Without one, or from a deterministic one, it's that of
                RFC 6979: the same digest gives the same signature.

        Raises:
            ValueError: The digest is empty.
        """
        if not digest:
            raise ValueError("an empty digest can't be signed")

        order, size = self.curve.order, self.curve.size
        message = _bits_to_number(digest, order)
        nonces = (
            _random_nonces(entropy, order) if entropy and not entropy.deterministic else self._nonces(digest)
        )

        for nonce in nonces:
            point = ec.derive_private_key(nonce, self.curve.to_cryptography()).public_key().public_numbers()
            r = point.x % order
            s = pow(nonce, -1, order) * (message + r * self.d) % order

            if r and s:
                return r.to_bytes(size) + s.to_bytes(size)

        raise AssertionError("the nonces don't end")

    def agree(self, peer: bytes) -> bytes:
        """Return the X coordinate of the point shared with a peer: ECDH, without a derivation.

        Args:
            peer: The peer's point, X || Y, with or without the byte 04 before it.

        Raises:
            KeyFormatError: The bytes are no point on the curve.
        """
        point = peer if len(peer) == 2 * self.curve.size + 1 else b"\x04" + peer

        try:
            public = ec.EllipticCurvePublicKey.from_encoded_point(self.curve.to_cryptography(), point)
        except ValueError:
            raise KeyFormatError(f"the peer's key is no point on {self.curve.value}") from None

        return self.to_cryptography().exchange(ec.ECDH(), public)

    def _nonces(self, digest: bytes) -> Iterator[int]:
        """Yield the nonces of RFC 6979, 3.2, one after the other."""
        order, size = self.curve.order, self.curve.size
        name = _HASH_BY_LENGTH.get(len(digest), "sha256")
        seed = self.d.to_bytes(size) + (_bits_to_number(digest, order) % order).to_bytes(size)
        value = b"\x01" * hashlib.new(name, usedforsecurity=False).digest_size
        key = bytes(len(value))

        for mark in (b"\x00", b"\x01"):
            key = hmac.digest(key, value + mark + seed, name)
            value = hmac.digest(key, value, name)

        while True:
            stream = b""

            while len(stream) < size:
                value = hmac.digest(key, value, name)
                stream += value

            if 0 < (nonce := _bits_to_number(stream[:size], order)) < order:
                yield nonce

            key = hmac.digest(key, value + b"\x00", name)
            value = hmac.digest(key, value, name)

    def __repr__(self) -> str:
        return f"EcPrivateKey({self.curve.value}, ***)"


@lru_cache(maxsize=64)
def _native(key: EcPrivateKey) -> ec.EllipticCurvePrivateKey:
    return ec.derive_private_key(key.d, key.curve.to_cryptography())


def _bits_to_number(data: bytes, order: int) -> int:
    """Return the leftmost bits, as many as the order has (RFC 6979, 2.3.2)."""
    return int.from_bytes(data) >> max(0, 8 * len(data) - order.bit_length())


def _random_nonces(entropy: Entropy, order: int) -> Iterator[int]:
    while True:
        yield 1 + entropy.below(order - 1)
