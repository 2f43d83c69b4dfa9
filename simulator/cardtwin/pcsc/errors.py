"""The errors of PC/SC, one class per code.

::

    PcscError                       any other code
    ├── CancelledError              SCARD_E_CANCELLED
    ├── CardMuteError               SCARD_W_UNRESPONSIVE_CARD
    ├── CardRemovedError            SCARD_W_REMOVED_CARD
    ├── CardResetError              SCARD_W_RESET_CARD
    ├── InvalidHandleError          SCARD_E_INVALID_HANDLE
    ├── InvalidParameterError       SCARD_E_INVALID_PARAMETER
    ├── NoReadersError              SCARD_E_NO_READERS_AVAILABLE
    ├── NoServiceError              SCARD_E_NO_SERVICE
    ├── NoSmartCardError            SCARD_E_NO_SMARTCARD
    ├── NotTransactedError          SCARD_E_NOT_TRANSACTED
    ├── ProtocolMismatchError       SCARD_E_PROTO_MISMATCH
    ├── SharingViolationError       SCARD_E_SHARING_VIOLATION
    ├── TimeoutExpiredError         SCARD_E_TIMEOUT
    ├── UnknownReaderError          SCARD_E_UNKNOWN_READER
    └── UnsupportedFeatureError     SCARD_E_UNSUPPORTED_FEATURE
"""

from __future__ import annotations

from typing import ClassVar

__all__ = [
    "CancelledError",
    "CardMuteError",
    "CardRemovedError",
    "CardResetError",
    "InvalidHandleError",
    "InvalidParameterError",
    "NoReadersError",
    "NoServiceError",
    "NoSmartCardError",
    "NotTransactedError",
    "PcscError",
    "ProtocolMismatchError",
    "SharingViolationError",
    "TimeoutExpiredError",
    "UnknownReaderError",
    "UnsupportedFeatureError",
]


class PcscError(Exception):
    """A PC/SC function failed. `code` is the SCARD_* value, as PC/SC part 5 numbers it.

    Attributes:
        reader: The reader's name, as far as one is concerned.
        detail: What more there is to say; may be empty.
    """

    code: int = 0x80100001
    name: ClassVar[str] = "SCARD_F_INTERNAL_ERROR"

    def __init__(self, reader: str = "", detail: str = "") -> None:
        self.reader = reader
        self.detail = detail
        text = self.name + (f" at {reader!r}" if reader else "") + (f": {detail}" if detail else "")
        super().__init__(text)


class CancelledError(PcscError):
    """The wait was cancelled."""

    code, name = 0x80100002, "SCARD_E_CANCELLED"


class InvalidHandleError(PcscError):
    """The context or connection is closed, or never was."""

    code, name = 0x80100003, "SCARD_E_INVALID_HANDLE"


class InvalidParameterError(PcscError):
    """What was handed over is not what the function takes."""

    code, name = 0x80100004, "SCARD_E_INVALID_PARAMETER"


class UnknownReaderError(PcscError):
    """There is no reader of that name."""

    code, name = 0x80100009, "SCARD_E_UNKNOWN_READER"


class TimeoutExpiredError(PcscError):
    """Nothing happened in the time given."""

    code, name = 0x8010000A, "SCARD_E_TIMEOUT"


class SharingViolationError(PcscError):
    """Another connection holds the card in a way that excludes this one."""

    code, name = 0x8010000B, "SCARD_E_SHARING_VIOLATION"


class NoSmartCardError(PcscError):
    """The reader is empty."""

    code, name = 0x8010000C, "SCARD_E_NO_SMARTCARD"


class ProtocolMismatchError(PcscError):
    """The card speaks none of the protocols asked for."""

    code, name = 0x8010000F, "SCARD_E_PROTO_MISMATCH"


class NotTransactedError(PcscError):
    """A transaction was to be ended that this connection had not begun."""

    code, name = 0x80100016, "SCARD_E_NOT_TRANSACTED"


class NoServiceError(PcscError):
    """There is no resource manager to speak to."""

    code, name = 0x8010001D, "SCARD_E_NO_SERVICE"


class UnsupportedFeatureError(PcscError):
    """The reader doesn't have that feature."""

    code, name = 0x8010001F, "SCARD_E_UNSUPPORTED_FEATURE"


class NoReadersError(PcscError):
    """There is no reader at all."""

    code, name = 0x8010002E, "SCARD_E_NO_READERS_AVAILABLE"


class CardMuteError(PcscError):
    """The card does not answer."""

    code, name = 0x80100066, "SCARD_W_UNRESPONSIVE_CARD"


class CardResetError(PcscError):
    """Somebody else has reset the card; reconnect() goes on."""

    code, name = 0x80100068, "SCARD_W_RESET_CARD"


class CardRemovedError(PcscError):
    """The card has been removed; reconnect() goes on once there is one again."""

    code, name = 0x80100069, "SCARD_W_REMOVED_CARD"
