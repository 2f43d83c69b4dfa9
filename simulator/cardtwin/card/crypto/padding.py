"""PKCS#1 v1.5 block formats (RFC 8017, 7.2 and 9.2)."""

from __future__ import annotations

from cardtwin.card.crypto.errors import PaddingError

__all__ = ["pad_signature", "unpad_encryption", "unpad_signature"]

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
