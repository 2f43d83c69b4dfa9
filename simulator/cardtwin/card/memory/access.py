"""Access conditions: one byte per operation, by position.

00 is always, FF never, 01 to 7F the id of a test object (PIN, key) that must have been passed.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Final

__all__ = [
    "ALWAYS",
    "NEVER",
    "DfOperation",
    "EfOperation",
    "FileOperation",
    "MfOperation",
    "ObjectOperation",
    "complete",
    "condition_text",
]

ALWAYS: Final = 0x00
NEVER: Final = 0xFF


class FileOperation(IntEnum):
    """The positions that are the same in the condition bytes of every kind of file."""

    DEACTIVATE = 3
    ACTIVATE = 4
    DELETE = 5
    ADMIN = 6


class EfOperation(IntEnum):
    """The positions in the condition bytes of an EF."""

    READ = 0
    UPDATE = 1
    APPEND = 2
    DEACTIVATE = FileOperation.DEACTIVATE
    ACTIVATE = FileOperation.ACTIVATE
    DELETE = FileOperation.DELETE
    ADMIN = FileOperation.ADMIN
    INCREASE = 7
    DECREASE = 8


class DfOperation(IntEnum):
    """The positions in the condition bytes of a DF; UPDATE and APPEND are about the objects in it."""

    LCYCLE = 0
    UPDATE = 1
    APPEND = 2
    DEACTIVATE = FileOperation.DEACTIVATE
    ACTIVATE = FileOperation.ACTIVATE
    DELETE = FileOperation.DELETE
    ADMIN = FileOperation.ADMIN
    CREATE = 7


class MfOperation(IntEnum):
    """The positions that only the MF's condition bytes have beyond a DF's."""

    EXECUTE = 8
    ALLOCATE = 9


class ObjectOperation(IntEnum):
    """The positions in the condition bytes of a PIN or key."""

    USE = 0
    CHANGE = 1
    UNBLOCK = 2


_LENGTH_EF: Final = len(EfOperation)
_LENGTH_DF: Final = len(DfOperation)
_LENGTH_MF: Final = len(DfOperation) + len(MfOperation)


def complete(access: bytes, *, df: bool = False, mf: bool = False) -> bytes:
    """Return condition bytes filled up with FF to the length that the kind of file has.

    Args:
        access: The bytes given; some clients leave out the last ones. More than needed are kept.
        df: They are a DF's.
        mf: They are the MF's.
    """
    length = _LENGTH_MF if mf else _LENGTH_DF if df else _LENGTH_EF
    return access.ljust(length, bytes((NEVER,)))


def condition_text(condition: int) -> str:
    """Return a condition byte for people: ``always``, ``never`` or ``object 03``."""
    return {ALWAYS: "always", NEVER: "never"}.get(condition, f"object {condition:02X}")
