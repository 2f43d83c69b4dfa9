"""The flags, CKF_*, by the structure or function they belong to: elsewhere a bit means something else."""

from __future__ import annotations

from enum import IntFlag, unique

__all__ = ["InitializeFlag", "MechanismFlag", "SessionFlag", "SlotFlag", "TokenFlag", "WaitFlag"]


@unique
class SlotFlag(IntFlag):
    """The flags of CK_SLOT_INFO."""

    CKF_TOKEN_PRESENT = 0x1
    CKF_REMOVABLE_DEVICE = 0x2
    CKF_HW_SLOT = 0x4


@unique
class TokenFlag(IntFlag):
    """The flags of CK_TOKEN_INFO."""

    CKF_RNG = 0x1
    CKF_WRITE_PROTECTED = 0x2
    CKF_LOGIN_REQUIRED = 0x4
    CKF_USER_PIN_INITIALIZED = 0x8
    CKF_RESTORE_KEY_NOT_NEEDED = 0x20
    CKF_CLOCK_ON_TOKEN = 0x40
    CKF_PROTECTED_AUTHENTICATION_PATH = 0x100
    CKF_DUAL_CRYPTO_OPERATIONS = 0x200
    CKF_TOKEN_INITIALIZED = 0x400
    CKF_SECONDARY_AUTHENTICATION = 0x800
    CKF_USER_PIN_COUNT_LOW = 0x10000
    CKF_USER_PIN_FINAL_TRY = 0x20000
    CKF_USER_PIN_LOCKED = 0x40000
    CKF_USER_PIN_TO_BE_CHANGED = 0x80000
    CKF_SO_PIN_COUNT_LOW = 0x100000
    CKF_SO_PIN_FINAL_TRY = 0x200000
    CKF_SO_PIN_LOCKED = 0x400000
    CKF_SO_PIN_TO_BE_CHANGED = 0x800000
    CKF_ERROR_STATE = 0x1000000


@unique
class SessionFlag(IntFlag):
    """The flags of C_OpenSession and CK_SESSION_INFO."""

    CKF_RW_SESSION = 0x2
    CKF_SERIAL_SESSION = 0x4


@unique
class MechanismFlag(IntFlag):
    """The flags of CK_MECHANISM_INFO."""

    CKF_HW = 0x1
    CKF_ENCRYPT = 0x100
    CKF_DECRYPT = 0x200
    CKF_DIGEST = 0x400
    CKF_SIGN = 0x800
    CKF_SIGN_RECOVER = 0x1000
    CKF_VERIFY = 0x2000
    CKF_VERIFY_RECOVER = 0x4000
    CKF_GENERATE = 0x8000
    CKF_GENERATE_KEY_PAIR = 0x10000
    CKF_WRAP = 0x20000
    CKF_UNWRAP = 0x40000
    CKF_DERIVE = 0x80000
    CKF_EC_F_P = 0x100000
    CKF_EC_F_2M = 0x200000
    CKF_EC_ECPARAMETERS = 0x400000
    CKF_EC_NAMEDCURVE = 0x800000
    CKF_EC_UNCOMPRESS = 0x1000000
    CKF_EC_COMPRESS = 0x2000000
    CKF_EXTENSION = 0x80000000


@unique
class InitializeFlag(IntFlag):
    """The flags of CK_C_INITIALIZE_ARGS."""

    CKF_LIBRARY_CANT_CREATE_OS_THREADS = 0x1
    CKF_OS_LOCKING_OK = 0x2


@unique
class WaitFlag(IntFlag):
    """The flags of C_WaitForSlotEvent."""

    CKF_DONT_BLOCK = 0x1
