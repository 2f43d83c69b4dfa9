"""Challenge and response with a symmetric key, as in INTERNAL and EXTERNAL AUTHENTICATE (7816-4, 11.5)."""

from __future__ import annotations

import hmac
from enum import Enum
from typing import TYPE_CHECKING

from cardtwin.card.crypto.des import cbc_mac, encrypt_cbc, pad_zero, retail_mac

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Method", "is_response", "respond"]


class Method(Enum):
    """How the response is made of the challenge, filled up with 00 to whole blocks."""

    ENCRYPTION = "CBC encryption"
    CBC_MAC = "CBC-MAC"
    RETAIL_MAC = "retail MAC"


_METHODS: dict[Method, Callable[[bytes, bytes], bytes]] = {
    Method.ENCRYPTION: encrypt_cbc,
    Method.CBC_MAC: cbc_mac,
    Method.RETAIL_MAC: retail_mac,
}


def respond(key: bytes, challenge: bytes, method: Method = Method.CBC_MAC) -> bytes:
    """Return the response to a challenge.

    Args:
        key: A key of 8 bytes (DES), 16 or 24 bytes (triple DES).
        challenge: Usually 8 bytes.
        method: A MAC has 8 bytes, an encryption as many as the challenge, rounded up to blocks.

    Raises:
        KeyFormatError: The key has no length that DES knows.
    """
    return _METHODS[method](key, pad_zero(challenge))


def is_response(key: bytes, challenge: bytes, response: bytes, method: Method = Method.CBC_MAC) -> bool:
    """Tell, in a time that doesn't depend on it, whether a response is right. Arguments as in respond()."""
    return hmac.compare_digest(respond(key, challenge, method), response)
