"""RSAES-OAEP encryption with randomness from outside (RFC 8017, 7.1.1), and the key's identifier.

OpenSSL draws the seed of the padding itself, so the padding is made here, and the public operation is
one ``pow``: nothing in it is secret but the message, which lives for one call.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

    from cardtwin.entropy import Entropy

__all__ = ["OAEP_HASH", "encrypt", "key_identifier"]

OAEP_HASH: Final = "sha256"
"""The hash of the label and of MGF1."""

_EMPTY_LABEL: Final = hashlib.sha256(b"").digest()
_HASH_LENGTH: Final = len(_EMPTY_LABEL)


def key_identifier(key: RSAPublicKey) -> bytes:
    """Return SHA-1 of the subjectPublicKey (RFC 5280, 4.2.1.2, method 1), 20 bytes."""
    return hashlib.sha1(key.public_bytes(Encoding.DER, PublicFormat.PKCS1), usedforsecurity=False).digest()


def encrypt(key: RSAPublicKey, message: bytes, entropy: Entropy) -> bytes:
    """Encrypt a short message with SHA-256, MGF1 with SHA-256, and an empty label.

    Raises:
        ValueError: The message is too long for the key.
    """
    numbers = key.public_numbers()
    size = (numbers.n.bit_length() + 7) // 8
    padded = int.from_bytes(_encode(message, size, entropy.bytes(_HASH_LENGTH)))
    return pow(padded, numbers.e, numbers.n).to_bytes(size)


def _encode(message: bytes, size: int, seed: bytes) -> bytes:
    """EME-OAEP encoding (RFC 8017, 7.1.1, step 2)."""
    room = size - 2 * _HASH_LENGTH - 2

    if len(message) > room:
        raise ValueError(f"a key of {size * 8} bits takes {room} bytes, not {len(message)}")

    block = _EMPTY_LABEL + bytes(room - len(message)) + b"\x01" + message
    masked_block = _xor(block, _mgf1(seed, len(block)))
    masked_seed = _xor(seed, _mgf1(masked_block, _HASH_LENGTH))
    return b"\x00" + masked_seed + masked_block


def _mgf1(seed: bytes, length: int) -> bytes:
    """MGF1 (RFC 8017, B.2.1)."""
    blocks = (hashlib.sha256(seed + at.to_bytes(4)).digest() for at in range(-(-length // _HASH_LENGTH)))
    return b"".join(blocks)[:length]


def _xor(left: bytes, right: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(left, right, strict=True))
