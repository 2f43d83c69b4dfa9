"""The token's serial number: how a card keeps it."""

from __future__ import annotations

import re
from typing import Final

from cardtwin.middleware.ckr import Ckr
from cardtwin.middleware.errors import MiddlewareError

__all__ = ["LONGEST_SERIAL", "card_number", "serial_bytes", "serial_text"]

LONGEST_SERIAL: Final = 32
"""The most characters of a serial number (rule ``middleware.token-serial``)."""

_PAIRS: Final = re.compile(r"(?:[0-9A-F]{2})+")
_PRINTABLE: Final = re.compile(r"[!-~]+(?: [!-~]+)*")


def serial_bytes(text: str) -> bytes:
    """Return how a token keeps a serial number: hexadecimal digits packed, any other text as it is.

    Raises:
        MiddlewareError: CKR_ARGUMENTS_BAD: it is empty, too long, or not printable ASCII.
    """
    if not _PRINTABLE.fullmatch(text) or len(text) > LONGEST_SERIAL:
        raise MiddlewareError(
            Ckr.CKR_ARGUMENTS_BAD,
            f"a serial number is a text of 1 to {LONGEST_SERIAL} printable ASCII characters",
        )

    packed = bytes.fromhex(text) if _PAIRS.fullmatch(text) else text.encode()
    return packed if serial_text(packed) == text else text.encode()


def serial_text(serial: bytes) -> str:
    """Return a token's serial number as text: what is printable as it is, else upper-case hexadecimal."""
    try:
        text = serial.decode("ascii")
    except UnicodeDecodeError:
        return serial.hex().upper()

    return text if _PRINTABLE.fullmatch(text) else serial.hex().upper()


def card_number(serial: bytes, chip_serial: bytes) -> str:
    """Return the number that a card goes by: the chip's in hexadecimal, unless the token overrides it."""
    return chip_serial.hex().upper() if serial in {b"", chip_serial} else serial_text(serial)
