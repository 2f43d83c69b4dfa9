"""The errors of the readers, beside those of PC/SC.

::

    ReaderError                     the readers were set up wrongly
    ├── EntryError                  nothing that can be entered at a PIN pad
    ├── NoPinPadError               the reader has no PIN pad
    ├── ReaderNameError             no name for a reader, or taken
    ├── ReaderOccupiedError         there is a card in it already
    ├── PyscardMissingError         the system's readers cannot be used
    ├── ReaderInUseError            another program uses the card of a reader that is to be passed on
    └── UntearableCardError         a fault that only an emulated card can have
    MalformedMessageError           a client doesn't speak the socket's protocol; ends its session
    PinFormatError                  a program asks a PIN pad for what cannot be done
    PinRefusedError                 a PIN pad has no PIN to give
    PcscError (cardtwin.pcsc)
    ├── CardLostError               SCARD_W_REMOVED_CARD: gone before it has answered
    ├── CommandTooLongError         SCARD_E_NOT_TRANSACTED: this reader takes shorter commands only
    ├── ReaderUnavailableError      SCARD_E_READER_UNAVAILABLE: the reader was taken away
    ├── UnpoweredCardError          SCARD_W_UNPOWERED_CARD
    └── SharingViolationError
        └── TransactionPendingError waiting for the transaction of another was given up, or would never end
"""

from __future__ import annotations

from cardtwin.pcsc import CardRemovedError, PcscError, SharingViolationError

__all__ = [
    "CardLostError",
    "CommandTooLongError",
    "EntryError",
    "MalformedMessageError",
    "NoPinPadError",
    "PinFormatError",
    "PinRefusedError",
    "PyscardMissingError",
    "ReaderError",
    "ReaderInUseError",
    "ReaderNameError",
    "ReaderOccupiedError",
    "ReaderUnavailableError",
    "TransactionPendingError",
    "UnpoweredCardError",
    "UntearableCardError",
]


class ReaderError(Exception):
    """The readers were set up wrongly."""


class ReaderNameError(ReaderError, ValueError):
    """The text is no name for a reader, or another reader has it."""


class ReaderOccupiedError(ReaderError):
    """There is a card in the reader already."""


class EntryError(ReaderError, ValueError):
    """The text says nothing that can be entered at a PIN pad. The message doesn't repeat it."""


class NoPinPadError(ReaderError):
    """The reader has no PIN pad."""


class PyscardMissingError(ReaderError, ImportError):
    """pyscard, through which the system's readers are used, is not installed."""


class ReaderInUseError(ReaderError):
    """Another program uses the card in one of the system's readers."""


class UntearableCardError(ReaderError, TypeError):
    """Only the power of an emulated card can be cut between two of its writes."""


class MalformedMessageError(Exception):
    """A client sent what is no message of the protocol; its session ends, and nobody else's."""


class PinFormatError(Exception):
    """A program asks a PIN pad for what cannot be done: the reader answers 6B80."""


class PinRefusedError(Exception):
    """A PIN pad has no PIN to give; `status` is the status word of the reader that says why."""

    def __init__(self, status: bytes) -> None:
        self.status = status
        super().__init__(f"the PIN pad answers {status.hex().upper()}")


class CardLostError(CardRemovedError):
    """The card was taken out before it has answered a command."""


class CommandTooLongError(PcscError):
    """The command is longer than the reader can carry."""

    code, name = 0x80100016, "SCARD_E_NOT_TRANSACTED"


class ReaderUnavailableError(PcscError):
    """The reader was taken away."""

    code, name = 0x80100017, "SCARD_E_READER_UNAVAILABLE"


class UnpoweredCardError(PcscError):
    """The card has no power."""

    code, name = 0x80100067, "SCARD_W_UNPOWERED_CARD"


class TransactionPendingError(SharingViolationError):
    """Another connection is in a transaction, and its end was not waited for any longer."""
