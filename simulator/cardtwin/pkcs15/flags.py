"""The named bit lists and enumerations of ISO/IEC 7816-15. Bit n of the standard is the value 1 << n here."""

from __future__ import annotations

from enum import Enum, Flag, auto
from typing import TypeVar

__all__ = [
    "CommonFlags",
    "KeyAccess",
    "KeyUsage",
    "PinFlags",
    "PinType",
    "TokenFlags",
    "flags_of",
    "named_bits",
]


class CommonFlags(Flag):
    """CommonObjectFlags (8.2.2)."""

    PRIVATE = auto()
    MODIFIABLE = auto()


class PinFlags(Flag):
    """PasswordFlags (8.9.2), which PKCS#15 calls PinFlags."""

    CASE_SENSITIVE = auto()
    LOCAL = auto()
    CHANGE_DISABLED = auto()
    UNBLOCK_DISABLED = auto()
    INITIALIZED = auto()
    NEEDS_PADDING = auto()
    UNBLOCKING_PIN = auto()
    SO_PIN = auto()
    DISABLE_ALLOWED = auto()
    INTEGRITY_PROTECTED = auto()
    CONFIDENTIALITY_PROTECTED = auto()
    EXCHANGE_REF_DATA = auto()


class PinType(Enum):
    """PasswordType (8.9.2): how the characters are stored."""

    BCD = 0
    ASCII_NUMERIC = 1
    UTF8 = 2
    HALF_NIBBLE_BCD = 3
    ISO9564_1 = 4


class KeyUsage(Flag):
    """KeyUsageFlags (8.2.4)."""

    ENCRYPT = auto()
    DECRYPT = auto()
    SIGN = auto()
    SIGN_RECOVER = auto()
    WRAP = auto()
    UNWRAP = auto()
    VERIFY = auto()
    VERIFY_RECOVER = auto()
    DERIVE = auto()
    NON_REPUDIATION = auto()


class KeyAccess(Flag):
    """KeyAccessFlags (8.2.4)."""

    SENSITIVE = auto()
    EXTRACTABLE = auto()
    ALWAYS_SENSITIVE = auto()
    NEVER_EXTRACTABLE = auto()
    LOCAL = auto()


class TokenFlags(Flag):
    """TokenFlags of TokenInfo (8.10), which 7816-15 calls CardFlags."""

    READONLY = auto()
    LOGIN_REQUIRED = auto()
    PRN_GENERATION = auto()
    EID_COMPLIANT = auto()


_F = TypeVar("_F", bound=Flag)


def named_bits(flags: Flag) -> tuple[int, ...]:
    """Return the bits in the standard's order, without the zeros at the end (X.690, 11.2.2)."""
    return tuple(flags.value >> place & 1 for place in range(flags.value.bit_length()))


def flags_of(kind: type[_F], bits: tuple[int, ...]) -> _F:
    """Return the flags of a bit list; bits that the list doesn't name are left out."""
    value = sum(bit << place for place, bit in enumerate(bits))
    return kind(value & sum(member.value for member in kind))
