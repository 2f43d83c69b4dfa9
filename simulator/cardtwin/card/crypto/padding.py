"""Block formats of PKCS#1: v1.5 (RFC 8017, 7.2 and 9.2) and PSS (9.1)."""

from __future__ import annotations

import hashlib
from math import ceil
from typing import TYPE_CHECKING

from cardtwin.card.crypto.errors import PaddingError

if TYPE_CHECKING:
    from cardtwin.entropy import Entropy

__all__ = ["pad_pss", "pad_signature", "unpad_encryption", "unpad_signature"]

_OVERHEAD = 11  # 00, the type, eight bytes of padding at least, 00
_DATA_AT_LEAST = 10  # the separating 00 of a block of type 2 comes here or later


def pad_signature(data: bytes, size: int) -> bytes:
    """Return a block of type 1 with the data, which usually are a DigestInfo.

    Args:
        data: At most `size` - 11 bytes.
        size: The length of the modulus in bytes.

    Raises:
        PaddingError: The data are too long.
    """
    if len(data) > size - _OVERHEAD:
        raise PaddingError(f"a key of {size} bytes pads at most {size - _OVERHEAD} bytes, not {len(data)}")

    return b"\x00\x01" + b"\xff" * (size - 3 - len(data)) + b"\x00" + data


def unpad_signature(block: bytes) -> bytes:
    """Return the data in a block of type 1.

    Raises:
        PaddingError: The block doesn't have the form 00 01 FF..FF 00 data, with eight FF at least.
    """
    data = block[2:].lstrip(b"\xff")
    filling = len(block) - 2 - len(data)

    if block[:2] != b"\x00\x01" or filling < 8 or data[:1] != b"\x00":
        raise PaddingError("the block is no PKCS#1 block of type 1")

    return data[1:]


def unpad_encryption(block: bytes) -> bytes:
    """Return the data in a block of type 2.

    Raises:
        PaddingError: The block doesn't have the form 00 02, eight or more bytes that aren't 00, 00, data. The
            message doesn't tell which part was wrong.
    """
    separator = block.find(b"\x00", 2)

    if block[:2] != b"\x00\x02" or separator < _DATA_AT_LEAST:
        raise PaddingError("the block is no PKCS#1 block of type 2")

    return block[separator + 1 :]


def pad_pss(digest: bytes, algorithm: str, bits: int, entropy: Entropy) -> bytes:
    """Return the block of EMSA-PSS, with a salt as long as the digest and MGF1 of the same algorithm.

    Args:
        digest: The message's digest.
        algorithm: The digest's algorithm, as `hashlib` names it.
        bits: The length of the modulus.
        entropy: Where the salt comes from.

    Raises:
        PaddingError: The digest isn't one of that algorithm, or the key is too short for it.
    """
    length = hashlib.new(algorithm).digest_size
    size = ceil((bits - 1) / 8)

    if len(digest) != length or size < 2 * length + 2:
        raise PaddingError(f"{len(digest)} bytes are no digest of {algorithm} that {bits} bits can sign")

    salt = entropy.bytes(length)
    hashed = hashlib.new(algorithm, bytes(8) + digest + salt).digest()
    data = (b"\x01" + salt).rjust(size - length - 1, b"\x00")
    mask = _mgf1(hashed, len(data), algorithm)
    masked = bytes(one ^ other for one, other in zip(data, mask, strict=True))
    first = masked[0] & 0xFF >> 8 * size - bits + 1
    block = bytes((first,)) + masked[1:] + hashed + b"\xbc"
    return block.rjust((bits + 7) // 8, b"\x00")


def _mgf1(seed: bytes, length: int, algorithm: str) -> bytes:
    rounds = range(ceil(length / hashlib.new(algorithm).digest_size))
    return b"".join(hashlib.new(algorithm, seed + count.to_bytes(4)).digest() for count in rounds)[:length]
