"""The paddings of RSA: what the card's private operation is given, and what it gives (RFC 8017)."""

from __future__ import annotations

import hashlib
import hmac
from typing import TYPE_CHECKING, Final

from cardtwin.cryptoki.errors import CryptokiError
from cardtwin.middleware import Ckr

if TYPE_CHECKING:
    from cardtwin.entropy import Entropy

__all__ = [
    "DIGEST_INFO",
    "pad_oaep",
    "pad_pkcs1",
    "pad_pkcs1_encryption",
    "pad_pss",
    "pss_matches",
    "unpad_oaep",
    "unpad_pkcs1_encryption",
]

_OVERHEAD: Final = 11

DIGEST_INFO: Final = {
    "sha1": bytes.fromhex("3021300906052B0E03021A05000414"),
    "sha224": bytes.fromhex("302D300D06096086480165030402040500041C"),
    "sha256": bytes.fromhex("3031300D060960864801650304020105000420"),
    "sha384": bytes.fromhex("3041300D060960864801650304020205000430"),
    "sha512": bytes.fromhex("3051300D060960864801650304020305000440"),
}
"""What stands before the digest in a DigestInfo (RFC 8017, 9.2, note 1)."""


def pad_pkcs1(data: bytes, size: int) -> bytes:
    """Return EMSA-PKCS1-v1_5 without its own digest: ``00 01 FF.. 00 data``.

    Raises:
        CryptokiError: CKR_DATA_LEN_RANGE, the key is too short for the data.
    """
    return b"\x00\x01" + b"\xff" * (_room(data, size) + 8) + b"\x00" + data


def pad_pkcs1_encryption(data: bytes, size: int, entropy: Entropy) -> bytes:
    """Return EME-PKCS1-v1_5: ``00 02 random 00 data``; errors as pad_pkcs1()."""
    filling = bytes(1 + entropy.below(255) for _ in range(_room(data, size) + 8))
    return b"\x00\x02" + filling + b"\x00" + data


def _room(data: bytes, size: int) -> int:
    room = size - _OVERHEAD - len(data)

    if room < 0:
        raise CryptokiError(
            Ckr.CKR_DATA_LEN_RANGE,
            f"a key of {size * 8} bits takes {size - _OVERHEAD} bytes, not {len(data)}",
        )

    return room


def unpad_pkcs1_encryption(block: bytes) -> bytes:
    """Return the message in an EME-PKCS1-v1_5 block.

    Raises:
        CryptokiError: CKR_ENCRYPTED_DATA_INVALID, it is none.
    """
    head, mark, message = block[2:].partition(b"\x00")

    if block[:2] != b"\x00\x02" or not mark or len(head) < 8:
        raise CryptokiError(Ckr.CKR_ENCRYPTED_DATA_INVALID, "the padding is wrong")

    return message


def _mgf1(name: str, seed: bytes, length: int) -> bytes:
    step = hashlib.new(name).digest_size
    blocks = (hashlib.new(name, seed + at.to_bytes(4)).digest() for at in range(-(-length // step)))
    return b"".join(blocks)[:length]


def _xor(left: bytes, right: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(left, right, strict=True))


def pad_pss(digest: bytes, bits: int, salt: bytes, *, name: str, mgf: str) -> bytes:
    """Return EMSA-PSS (RFC 8017, 9.1.1) as long as the modulus.

    Args:
        digest: The hash value of the message.
        bits: The modulus in bits.
        salt: The salt.
        name: The hash.
        mgf: The hash of MGF1.

    Raises:
        CryptokiError: CKR_MECHANISM_PARAM_INVALID, the key is too short for hash and salt.
    """
    size = (bits + 6) // 8
    room = size - len(digest) - len(salt) - 2

    if room < 0:
        raise CryptokiError(Ckr.CKR_MECHANISM_PARAM_INVALID, "the key is too short for this hash and salt")

    hashed = hashlib.new(name, bytes(8) + digest + salt).digest()
    block = bytes(room) + b"\x01" + salt
    masked = bytearray(_xor(block, _mgf1(mgf, hashed, len(block))))
    masked[0] &= 0xFF >> (8 * size - (bits - 1))
    return (bytes(masked) + hashed + b"\xbc").rjust((bits + 7) // 8, b"\x00")


def pss_matches(encoded: bytes, digest: bytes, bits: int, salt_length: int, *, name: str, mgf: str) -> bool:
    """Whether an encoded message is EMSA-PSS of a digest (RFC 8017, 9.1.2); arguments as in pad_pss()."""
    size = (bits + 6) // 8
    leading, encoded = encoded[:-size], encoded[-size:]
    body, hashed = encoded[: size - len(digest) - 1], encoded[size - len(digest) - 1 : -1]

    if any(leading) or encoded[-1:] != b"\xbc" or len(body) < salt_length + 1:
        return False

    block = bytearray(_xor(body, _mgf1(mgf, hashed, len(body))))
    block[0] &= 0xFF >> (8 * size - (bits - 1))
    filling, salt = bytes(block[: len(block) - salt_length]), bytes(block[len(block) - salt_length :])
    expected = hashlib.new(name, bytes(8) + digest + salt).digest()
    return filling == b"\x01".rjust(len(filling), b"\x00") and hmac.compare_digest(hashed, expected)


def pad_oaep(message: bytes, size: int, label: bytes, seed: bytes, *, name: str, mgf: str) -> bytes:
    """Return EME-OAEP (RFC 8017, 7.1.1, step 2).

    Raises:
        CryptokiError: CKR_DATA_LEN_RANGE, the key is too short for the message.
    """
    room = size - 2 * len(seed) - 2 - len(message)

    if room < 0:
        raise CryptokiError(Ckr.CKR_DATA_LEN_RANGE, "the key is too short for the data")

    block = hashlib.new(name, label).digest() + bytes(room) + b"\x01" + message
    masked_block = _xor(block, _mgf1(mgf, seed, len(block)))
    masked_seed = _xor(seed, _mgf1(mgf, masked_block, len(seed)))
    return b"\x00" + masked_seed + masked_block


def unpad_oaep(block: bytes, label: bytes, *, name: str, mgf: str) -> bytes:
    """Return the message in an EME-OAEP block (RFC 8017, 7.1.2, step 3).

    Raises:
        CryptokiError: CKR_ENCRYPTED_DATA_INVALID, it is none, or one with other parameters.
    """
    length = hashlib.new(name).digest_size
    masked_seed, masked_block = block[1 : 1 + length], block[1 + length :]
    seed = _xor(masked_seed, _mgf1(mgf, masked_block, len(masked_seed)))
    plain = _xor(masked_block, _mgf1(mgf, seed, len(masked_block)))
    filling, mark, message = plain[length:].partition(b"\x01")

    if (
        block[:1] != b"\x00"
        or plain[:length] != hashlib.new(name, label).digest()
        or any(filling)
        or not mark
    ):
        raise CryptokiError(Ckr.CKR_ENCRYPTED_DATA_INVALID, "the padding is wrong")

    return message
