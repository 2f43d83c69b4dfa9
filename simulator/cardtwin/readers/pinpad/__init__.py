"""The virtual PIN pad of a reader (PC/SC part 10): who enters what, and how it gets into a command."""

from cardtwin.readers.pinpad.entries import EntryError, PinEntry
from cardtwin.readers.pinpad.pad import PinPad

__all__ = ["EntryError", "PinEntry", "PinPad"]
