"""The protection of CardOS M4's ERASE FILES, FORMAT and their like: secure messaging "4h" under the StartKey.

For a command INS P1 P2 with data, and a StartKey A || B of 16 bytes::

    MAC     = retail MAC with A, B of  INS P1 P2 (length of data + 8) || data, filled up with 00
    payload = 3DES-CBC with A, B, A of  data || MAC || 80 00..          all initial vectors zero, no challenge

Known from a vendor's erase script and from OpenSC's source. The script's payloads were made with the key
FF*16, and FF*8 is a weak key: encryption and decryption are the same, and A and B are equal. So they prove
lengths, MAC input and padding, but not where A and B stand nor which steps decrypt: for that there is OpenSC.
"""

from __future__ import annotations

import hmac

from cardtwin.card.crypto.des import (
    BLOCK,
    decrypt_cbc,
    encrypt_cbc,
    pad_mark,
    pad_zero,
    retail_mac,
    unpad_mark,
)
from cardtwin.card.crypto.errors import KeyFormatError, SecureMessagingError

__all__ = ["unwrap", "wrap"]

_KEY_SIZE = 16
_MAX_DATA = 239  # with MAC and padding mark 248 bytes: the most whole blocks that a short command holds


def wrap(key: bytes, ins: int, p1: int, p2: int, data: bytes) -> bytes:
    """Return the payload that protects a command.

    Args:
        key: The StartKey, 16 bytes.
        ins: The instruction byte.
        p1: The first parameter.
        p2: The second parameter.
        data: The plain data, at most 239 bytes.

    Raises:
        KeyFormatError: The key hasn't 16 bytes.
        SecureMessagingError: The data are too long.
    """
    _check(key)

    if len(data) > _MAX_DATA:
        raise SecureMessagingError(f"{len(data)} bytes of data don't fit into a protected command")

    return encrypt_cbc(key, pad_mark(data + _mac(key, ins, p1, p2, data)))


def unwrap(key: bytes, ins: int, p1: int, p2: int, payload: bytes) -> bytes:
    """Return the plain data of a protected command. Arguments as in wrap().

    Raises:
        KeyFormatError: The key hasn't 16 bytes.
        SecureMessagingError: The payload wasn't made for this key and this command.
    """
    _check(key)

    if not payload or len(payload) % BLOCK:
        raise SecureMessagingError("the payload of a protected command is no whole number of blocks")

    plain = unpad_mark(decrypt_cbc(key, payload))

    if plain is None or len(plain) < BLOCK:
        raise SecureMessagingError("the payload of a protected command has no padding or no MAC")

    data, mac = plain[:-BLOCK], plain[-BLOCK:]

    if not hmac.compare_digest(mac, _mac(key, ins, p1, p2, data)):
        raise SecureMessagingError("the MAC of a protected command is wrong")

    return data


def _mac(key: bytes, ins: int, p1: int, p2: int, data: bytes) -> bytes:
    return retail_mac(key, pad_zero(bytes((ins, p1, p2, len(data) + BLOCK & 0xFF)) + data))


def _check(key: bytes) -> None:
    if len(key) != _KEY_SIZE:
        raise KeyFormatError(f"a StartKey has {_KEY_SIZE} bytes, not {len(key)}")
