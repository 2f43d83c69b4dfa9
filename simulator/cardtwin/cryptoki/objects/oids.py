"""CKA_OBJECT_ID: object identifiers in DER (X.690, 8.19)."""

from __future__ import annotations

from cardtwin.cryptoki.errors import CryptokiError
from cardtwin.iso7816 import Tlv, TlvFormatError
from cardtwin.middleware import Ckr

__all__ = ["dotted", "encoded"]


def encoded(dotted: str) -> bytes:
    """Return the DER of an object identifier in dots."""
    first, second, *rest = map(int, dotted.split("."))
    body = b"".join(map(_base128, (40 * first + second, *rest)))
    return Tlv(0x06, body).encode()


def dotted(der: bytes) -> str:
    """Return an object identifier in dots.

    Raises:
        CryptokiError: CKR_ATTRIBUTE_VALUE_INVALID: it is none.
    """
    try:
        found = Tlv.parse(der)
    except TlvFormatError:
        found = Tlv(0)

    arcs = _arcs(found.value)

    if found.tag != 0x06 or not arcs or encoded(arcs) != der:
        raise CryptokiError(Ckr.CKR_ATTRIBUTE_VALUE_INVALID, "CKA_OBJECT_ID is no object identifier in DER")

    return arcs


def _base128(number: int) -> bytes:
    digits = [number & 0x7F]

    while number := number >> 7:
        digits.append(0x80 | number & 0x7F)

    return bytes(reversed(digits))


def _arcs(body: bytes) -> str:
    """Return the numbers of an identifier's body; empty where it has no end."""
    if not body or body[-1] & 0x80:
        return ""

    numbers, number = [], 0

    for byte in body:
        number = number << 7 | byte & 0x7F

        if not byte & 0x80:
            numbers.append(number)
            number = 0

    first = min(numbers[0] // 40, 2)
    return ".".join(map(str, (first, numbers[0] - 40 * first, *numbers[1:])))
