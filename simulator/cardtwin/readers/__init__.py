"""Readers: the resource manager in this process, and ways for other programs to reach it."""

from cardtwin.readers.connection import ManagedConnection
from cardtwin.readers.context import ManagedContext
from cardtwin.readers.errors import (
    CardLostError,
    CommandTooLongError,
    EntryError,
    NoPinPadError,
    PyscardMissingError,
    ReaderError,
    ReaderInUseError,
    ReaderNameError,
    ReaderOccupiedError,
    ReaderUnavailableError,
    TransactionPendingError,
    UnpoweredCardError,
    UntearableCardError,
)
from cardtwin.readers.manager import ReaderManager
from cardtwin.readers.pinpad import PinEntry, PinPad
from cardtwin.readers.vpcd import VpcdSlot

__all__ = [
    "CardLostError",
    "CommandTooLongError",
    "EntryError",
    "ManagedConnection",
    "ManagedContext",
    "NoPinPadError",
    "PinEntry",
    "PinPad",
    "PyscardMissingError",
    "ReaderError",
    "ReaderInUseError",
    "ReaderManager",
    "ReaderNameError",
    "ReaderOccupiedError",
    "ReaderUnavailableError",
    "TransactionPendingError",
    "UnpoweredCardError",
    "UntearableCardError",
    "VpcdSlot",
]
