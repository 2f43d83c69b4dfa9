"""IAS-ECC's security conditions, and how its security data objects (SDO) lie in the card's memory.

IAS Classic writes conditions alike. There, in the rules of a DF, the bits 04 and 02 are creation of DFs and
of EFs; the memory has one condition for both.

An access rule is an access mode byte and a security condition byte (SCB) for each of its bits that is set. An
SCB is 00 (always), FF (never) or ``1n``: user authentication by security environment n. What it asks for
can't be read from the cards; here it is the PIN of the same number (rule ``card.iasecc-conditions``), so that
an SCB and a condition byte of the memory say the same.

A PIN is one object of the memory, an RSA private key five, its public half one more. Their condition bytes
stand in an order that the memory's own names fit: USE, CHANGE, UNBLOCK come first.
"""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING, Final

from cardtwin.card.chip.algorithms import KEY_CLASS, TEST_CLASS
from cardtwin.card.errors import Refusal
from cardtwin.card.memory import Df, ObjectKey
from cardtwin.card.memory.access import ALWAYS, NEVER, DfOperation, EfOperation, MfOperation
from cardtwin.iso7816 import StatusWord, Tlv

if TYPE_CHECKING:
    from cardtwin.card.memory import File

__all__ = [
    "BARE_RULES",
    "COMPONENTS",
    "PUBLIC_CLASS",
    "RULES",
    "KeyOperation",
    "SdoClass",
    "bare_file_rules",
    "file_access",
    "file_rules",
    "memory_class",
    "sdo_access",
    "sdo_rules",
]

PUBLIC_CLASS: Final = 0x30
"""The memory's class of public keys. Theirs and the classes of keys on CardOS don't meet."""

COMPONENTS: Final = (0x92, 0x93, 0x95, 0x96, 0x94)
"""The tags of a private key's components, in the order of the memory's classes: p, q, dp, dq, 1/q mod p."""

RULES: Final = 0xA1
"""The tag of access rules, in which those for the contacts have the next one."""

BARE_RULES: Final = 0x8C
_USER: Final = 0x10
_METHODS: Final = 0x70
_ENVIRONMENT: Final = 0x0F
_BITS: Final = (0x40, 0x20, 0x10, 0x08, 0x04, 0x02, 0x01)


class SdoClass(IntEnum):
    """The classes of SDOs that the card has; in tags their bit 80 is set."""

    PIN = 0x01
    PRIVATE_KEY = 0x10
    PUBLIC_KEY = 0x20
    ENVIRONMENT = 0x7B


class KeyOperation(IntEnum):
    """The positions in a key's condition bytes beyond those that every object has."""

    SIGN = 3
    AUTHENTICATE = 4
    DECIPHER = 5
    GENERATE = 6
    GET = 7


_EF_POSITIONS: Final = (
    EfOperation.DELETE,
    None,
    EfOperation.ACTIVATE,
    EfOperation.DEACTIVATE,
    None,
    EfOperation.UPDATE,
    EfOperation.READ,
)
_DF_POSITIONS: Final = (
    DfOperation.DELETE,
    None,
    DfOperation.ACTIVATE,
    DfOperation.DEACTIVATE,
    DfOperation.CREATE,
    DfOperation.CREATE,
    None,
)
_PIN_POSITIONS: Final = (1, 0, 2, None, None, 3, 4)
_KEY_POSITIONS: Final = (
    KeyOperation.SIGN,
    KeyOperation.AUTHENTICATE,
    KeyOperation.DECIPHER,
    KeyOperation.GENERATE,
    None,
    1,
    KeyOperation.GET,
)
"""For each bit of the access mode byte, from 40 down, the position of its condition in the memory."""

_EF_TOLD: Final = 0x7B
_DF_TOLD: Final = 0x7B
_EF_TOLD_BARE: Final = 0x5B
_DF_TOLD_BARE: Final = 0x5E
_SDO_TOLD: Final = 0x7F


def memory_class(class_: SdoClass) -> int:
    """Return the memory's class of a PIN, of a private key's first component, or of a public key."""
    return {
        SdoClass.PIN: TEST_CLASS,
        SdoClass.PRIVATE_KEY: KEY_CLASS,
        SdoClass.PUBLIC_KEY: PUBLIC_CLASS,
    }[class_]


def file_rules(file: File) -> Tlv:
    """Return a file's access rules as its control parameters tell them (A1, in it 8C for the contacts)."""
    is_df = isinstance(file, Df)
    positions = _DF_POSITIONS if is_df else _EF_POSITIONS
    return _wrapped(_rules(_DF_TOLD if is_df else _EF_TOLD, positions, file.access))


def bare_file_rules(file: File) -> Tlv:
    """Return a file's access rules as IAS Classic's control parameters tell them: 8C by itself."""
    is_df = isinstance(file, Df)
    positions = _DF_POSITIONS if is_df else _EF_POSITIONS
    return _rules(_DF_TOLD_BARE if is_df else _EF_TOLD_BARE, positions, file.access)


def sdo_rules(key: ObjectKey, access: bytes) -> Tlv:
    """Return an SDO's access rules as its control parameters tell them."""
    positions = _PIN_POSITIONS if key.class_ == TEST_CLASS else _KEY_POSITIONS
    return _wrapped(_rules(_SDO_TOLD, positions, access))


def _wrapped(contact: Tlv) -> Tlv:
    return Tlv.constructed(RULES, (contact,))


def _rules(mode: int, positions: tuple[int | None, ...], access: bytes) -> Tlv:
    conditions = [
        NEVER if at is None or at >= len(access) else _security_condition(access[at])
        for bit, at in zip(_BITS, positions, strict=True)
        if mode & bit
    ]
    return Tlv(BARE_RULES, bytes((mode, *conditions)))


def _security_condition(condition: int) -> int:
    if condition in {ALWAYS, NEVER}:
        return condition

    return _USER | condition if condition <= _ENVIRONMENT else NEVER


def file_access(rules: Tlv, *, df: bool, mf: bool = False) -> bytes:
    """Return a file's condition bytes from its access rules, A1 or 8C. What they don't name is never allowed.

    Who may delete the file may change its rules, and who may create files in a DF may create objects: these
    operations have no bit of their own. Refuses with 6A80 what are no rules.
    """
    access = bytearray([NEVER] * (10 if mf else 8 if df else 9))
    _fill(access, rules, _DF_POSITIONS if df else _EF_POSITIONS)
    access[EfOperation.ADMIN] = access[EfOperation.DELETE]

    for at in MfOperation if mf else ():
        access[at] = access[DfOperation.DELETE]

    if df:
        access[DfOperation.LCYCLE] = access[DfOperation.DELETE]
        access[DfOperation.UPDATE] = access[DfOperation.APPEND] = access[DfOperation.CREATE]

    return bytes(access)


def sdo_access(class_: SdoClass, rules: Tlv) -> bytes:
    """Return an SDO's condition bytes from its access rules.

    A key's USE is the first of its uses that isn't never. Refuses with 6A80 what are no rules.
    """
    if class_ is SdoClass.PIN:
        pin = bytearray([NEVER] * 5)
        _fill(pin, rules, _PIN_POSITIONS)
        return bytes(pin)

    access = bytearray([NEVER] * len((0, 1, 2, *KeyOperation)))
    _fill(access, rules, _KEY_POSITIONS)
    uses = access[KeyOperation.SIGN : KeyOperation.GENERATE]
    access[0] = next((condition for condition in uses if condition != NEVER), NEVER)
    return bytes(access)


def _fill(access: bytearray, rules: Tlv, positions: tuple[int | None, ...]) -> None:
    contact = next((found.value for found in _children(rules) if found.tag == BARE_RULES), b"")
    bits = [at for bit, at in zip(_BITS, positions, strict=True) if contact and contact[0] & bit]

    if not contact or contact[0] & ~0x7F or len(contact) != 1 + len(bits):
        raise Refusal(StatusWord.WRONG_DATA)

    for at, condition in zip(bits, contact[1:], strict=True):
        if at is not None:
            access[at] = _condition(condition)


def _children(rules: Tlv) -> tuple[Tlv, ...]:
    return rules.children() if rules.tag == RULES else (rules,)


def _condition(security_condition: int) -> int:
    """Return the condition byte of an SCB; what isn't a PIN's verification can't be met here."""
    if security_condition in {ALWAYS, NEVER}:
        return security_condition

    environment = security_condition & _ENVIRONMENT
    return environment if security_condition & _METHODS == _USER and environment else NEVER
