"""Status words (ISO/IEC 7816-4:2020, 5.6)."""

from __future__ import annotations

from enum import IntEnum, unique
from typing import Self

__all__ = ["StatusWord"]


@unique
class StatusWord(IntEnum):
    """SW1-SW2 by name. A value without a name here is kept as ``UNKNOWN_xxxx`` and never raises.

    Three families carry a number: ``BYTES_AVAILABLE_xx`` (61xx), ``COUNTER_x`` (63Cx) and
    ``CORRECT_LENGTH_xx`` (6Cxx).
    """

    SUCCESS = 0x9000
    SUCCESS_EEPROM_WEAK = 0x9001

    WARNING_UNCHANGED = 0x6200
    RETURNED_DATA_CORRUPTED = 0x6281
    END_OF_FILE_REACHED = 0x6282
    FILE_DEACTIVATED = 0x6283
    FCI_FORMAT_WRONG = 0x6284
    FILE_TERMINATED = 0x6285
    AUTHENTICATION_FAILED = 0x6300
    FILE_FILLED = 0x6381

    EXECUTION_ERROR_UNCHANGED = 0x6400
    EXECUTION_ERROR = 0x6500
    MEMORY_FAILURE = 0x6581
    SECURITY_ISSUE = 0x6600

    WRONG_LENGTH = 0x6700
    CLA_FUNCTION_NOT_SUPPORTED = 0x6800
    LOGICAL_CHANNEL_NOT_SUPPORTED = 0x6881
    SECURE_MESSAGING_NOT_SUPPORTED = 0x6882
    LAST_COMMAND_OF_CHAIN_EXPECTED = 0x6883
    COMMAND_CHAINING_NOT_SUPPORTED = 0x6884

    COMMAND_NOT_ALLOWED = 0x6900
    COMMAND_INCOMPATIBLE_WITH_FILE_STRUCTURE = 0x6981
    SECURITY_STATUS_NOT_SATISFIED = 0x6982
    AUTHENTICATION_METHOD_BLOCKED = 0x6983
    REFERENCE_DATA_NOT_USABLE = 0x6984
    CONDITIONS_OF_USE_NOT_SATISFIED = 0x6985
    NO_CURRENT_EF = 0x6986
    SM_OBJECTS_MISSING = 0x6987
    SM_OBJECTS_INCORRECT = 0x6988

    WRONG_PARAMETERS = 0x6A00
    WRONG_DATA = 0x6A80
    FUNCTION_NOT_SUPPORTED = 0x6A81
    FILE_NOT_FOUND = 0x6A82
    RECORD_NOT_FOUND = 0x6A83
    NOT_ENOUGH_MEMORY = 0x6A84
    LC_INCONSISTENT_WITH_TLV = 0x6A85
    INCORRECT_P1_P2 = 0x6A86
    LC_INCONSISTENT_WITH_P1_P2 = 0x6A87
    REFERENCED_DATA_NOT_FOUND = 0x6A88
    FILE_ALREADY_EXISTS = 0x6A89
    DF_NAME_ALREADY_EXISTS = 0x6A8A
    WRONG_OFFSET = 0x6B00
    INSTRUCTION_NOT_SUPPORTED = 0x6D00
    CLASS_NOT_SUPPORTED = 0x6E00
    NO_PRECISE_DIAGNOSIS = 0x6F00

    # What OpenSC's table for CardOS names beyond the standard.
    FILE_INVALID = 0x6F81
    NO_XRAM = 0x6F82
    TRANSACTION_ERROR = 0x6F83
    PROTECTION_FAULT = 0x6F84
    KEY_OBJECT_ERROR = 0x6F86
    ASSERTION_FAILED = 0x6FFF
    COUNTER_OVERFLOW = 0x9850

    @classmethod
    def _missing_(cls, value: object) -> Self | None:
        if not isinstance(value, int) or not 0 <= value <= 0xFFFF:
            return None

        member = int.__new__(cls, value)
        member._name_ = _family_name(value)
        member._value_ = value
        cls._value2member_map_[value] = member
        return member

    @classmethod
    def counter(cls, tries: int) -> StatusWord:
        """Return 63Cx: verification failed, `tries` left; at most 15 fit (ISO/IEC 7816-4, 5.6)."""
        return cls(0x63C0 | min(tries, 15))

    @property
    def is_success(self) -> bool:
        """Whether the command was carried out without a warning (90xx, 61xx)."""
        return self >> 8 in {0x90, 0x61}

    @property
    def is_warning(self) -> bool:
        """Whether the command was carried out with a warning (62xx, 63xx)."""
        return self >> 8 in {0x62, 0x63}

    @property
    def tries_left(self) -> int | None:
        """The number of tries in 63Cx, else None."""
        return self & 0x0F if self & 0xFFF0 == 0x63C0 else None

    def __str__(self) -> str:
        return f"{self.value:04X} ({self.name.replace('_', ' ').lower()})"


def _family_name(value: int) -> str:
    if value & 0xFFF0 == 0x63C0:
        return f"COUNTER_{value & 0x0F}"

    families = {0x61: "BYTES_AVAILABLE", 0x6C: "CORRECT_LENGTH"}
    family = families.get(value >> 8)
    return f"{family}_{value & 0xFF}" if family else f"UNKNOWN_{value:04X}"
