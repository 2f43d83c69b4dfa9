"""AuthentIC V2's access conditions, one byte for each operation, and its PINs.

A condition is 00 (always), FF (never), 21 (the user's PIN), 22 (the one for single use), 24 (the security
officer's PIN; for the reset of a PIN, the DF's PUK). What asks for one of two PINs (25), or for secure
messaging (60 to 7F), can't be kept here and is refused.

References of PINs have the bit 80 where the PIN is a DF's own. The PUK and the security officer's PIN are
both 4, and so the PUK has an id of ours in the memory.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cardtwin.card.errors import Refusal
from cardtwin.card.memory import Df
from cardtwin.card.memory.access import ALWAYS, NEVER, DfOperation, EfOperation
from cardtwin.iso7816 import StatusWord

if TYPE_CHECKING:
    from cardtwin.card.memory import File

__all__ = [
    "OFFICER",
    "ONCE",
    "PIN_CHANGE",
    "PIN_DEFINE",
    "PIN_RESET",
    "PUK",
    "RESET_CODE",
    "USER",
    "access_of",
    "conditions",
]

USER, ONCE, OFFICER = 0x01, 0x02, 0x04
PUK: Final = 0x14
"""The id of a DF's PUK."""

RESET_CODE: Final = 0x24
"""The id of what RESET RETRY COUNTER compares, beside the PIN that it gives another value."""

LIST, PIN_DEFINE, PIN_CHANGE, PIN_RESET = 0, 1, 3, 4
"""Positions in a DF's condition bytes that CardOS has for other operations."""

_DF: Final = (
    DfOperation.CREATE,
    DfOperation.APPEND,
    LIST,
    DfOperation.DELETE,
    PIN_DEFINE,
    PIN_CHANGE,
    PIN_RESET,
    DfOperation.ADMIN,
)
_EF: Final = (EfOperation.APPEND, EfOperation.UPDATE, EfOperation.READ, EfOperation.DELETE, 3, 4, 6, 7)
"""For each byte of tag 86, its position in the memory: of a DF create, make keys, list, delete, and define,
change and reset PINs; of an EF write, update, read, erase; the others have no meaning."""

_BYTES: Final = {ALWAYS: 0x00, NEVER: 0xFF, USER: 0x21, ONCE: 0x22, OFFICER: 0x24, PUK: 0x24}
_IDS: Final = {0x00: ALWAYS, 0xFF: NEVER, 0x21: USER, 0x22: ONCE, 0x24: OFFICER}


def conditions(file: File) -> bytes:
    """Return a file's conditions as its control parameters tell them: eight bytes.

    Those of a key's file are in the memory as they are told.
    """
    if isinstance(file, Df):
        positions: tuple[int, ...] = _DF
    else:
        positions = tuple(range(8)) if file.kind.is_rsa_key else _EF

    return bytes(_BYTES[file.access[at]] for at in positions)


def access_of(told: bytes, *, df: bool = False, key: bool = False) -> bytes:
    """Return the condition bytes of a DF, a key's file or another EF; 6A80 where they can't be followed."""
    if len(told) != len(_DF) or any(byte not in _IDS for byte in told):
        raise Refusal(StatusWord.WRONG_DATA)

    ids = [_IDS[byte] for byte in told]

    if key:
        return bytes((*ids, NEVER))

    access = bytearray([NEVER] * (8 if df else 9))

    for at, condition in zip(_DF if df else _EF, ids, strict=True):
        access[at] = condition

    if df and access[PIN_RESET] == OFFICER:
        access[PIN_RESET] = PUK

    return bytes(access)
