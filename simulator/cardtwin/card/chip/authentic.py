"""AuthentIC's access conditions, two bytes for each operation, and how its objects lie in the memory.

A condition is 0000 (always), FFnn (never), or 00 and a byte with a bit for each of the PINs 1 to 7. What
several bits ask for together isn't public; bits of secure messaging (60) ask for what the card hasn't: either
is refused where it is to be stored.

A PIN is one object of the memory, an RSA private key five. Their condition bytes stand in an order that the
memory's own names fit: USE, CHANGE, UNBLOCK come first.
"""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING, Final

from cardtwin.card.errors import Refusal
from cardtwin.card.memory import Df
from cardtwin.card.memory.access import ALWAYS, NEVER, DfOperation, EfOperation
from cardtwin.iso7816 import StatusWord

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cardtwin.card.memory import File

__all__ = ["KeyOperation", "file_access", "file_conditions", "key_access", "pin_conditions"]

_PINS: Final = range(1, 8)
_NEVER: Final = b"\xff\xff"


class KeyOperation(IntEnum):
    """The positions in a key's condition bytes."""

    USE = 0
    UPDATE = 1
    SIGN = 3
    AUTHENTICATE = 4
    DECIPHER = 5
    GENERATE = 6
    DELETE = 7


_EF: Final = (EfOperation.READ, EfOperation.DELETE, EfOperation.UPDATE, EfOperation.APPEND)
_DF: Final = (DfOperation.CREATE, DfOperation.DELETE, DfOperation.APPEND)
_PIN: Final = (0, 2, 1, 3, 4)
_KEY: Final = (
    KeyOperation.UPDATE,
    KeyOperation.DELETE,
    KeyOperation.DECIPHER,
    KeyOperation.SIGN,
    KeyOperation.AUTHENTICATE,
    KeyOperation.GENERATE,
)
"""For each of the conditions that the card tells or is told, its position in the memory. APPEND is the change
of an EF's size, and in a DF the making of objects; a PIN's are verify, reset, change, modify, delete."""


def file_conditions(file: File) -> bytes:
    """Return a file's conditions as its control parameters tell them."""
    return _told(file.access, _DF if isinstance(file, Df) else _EF)


def pin_conditions(access: bytes) -> bytes:
    """Return a PIN's conditions as GET DATA tells them."""
    return _told(access, _PIN)


def _told(access: bytes, positions: Sequence[int]) -> bytes:
    return b"".join(_condition(access[at]) for at in positions)


def _condition(condition: int) -> bytes:
    if condition == ALWAYS:
        return bytes(2)

    return (1 << condition - 1).to_bytes(2) if condition in _PINS else _NEVER


def file_access(told: bytes, *, df: bool) -> bytes:
    """Return a file's condition bytes from what CREATE FILE says; 6A80 where that can't be followed."""
    return _access(told, _DF if df else _EF, 8 if df else 9)


def key_access(told: bytes) -> bytes:
    """Return a key's condition bytes from what PUT DATA says; 6A80 where that can't be followed."""
    return _access(told, _KEY, len(KeyOperation) + 1)


def _access(told: bytes, positions: Sequence[int], length: int) -> bytes:
    if len(told) != 2 * len(positions):
        raise Refusal(StatusWord.WRONG_DATA)

    access = bytearray([NEVER] * length)

    for place, at in enumerate(positions):
        access[at] = _byte(told[2 * place], told[2 * place + 1])

    return bytes(access)


def _byte(method: int, pins: int) -> int:
    if method == NEVER:
        return NEVER

    if method or pins.bit_count() > 1 or pins.bit_length() not in {0, *_PINS}:
        raise Refusal(StatusWord.WRONG_DATA)

    return pins.bit_length()
