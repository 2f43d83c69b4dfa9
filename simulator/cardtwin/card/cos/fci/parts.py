"""What control information is made of in more than one family."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cardtwin.card.memory import Df
from cardtwin.iso7816 import Tlv

if TYPE_CHECKING:
    from cardtwin.card.memory import File

__all__ = ["DF_DESCRIPTOR", "descriptor", "state"]

DF_DESCRIPTOR: Final = 0x38
"""The file descriptor byte of a DF."""


def descriptor(file: File) -> bytes:
    """Return the file descriptor: an EF's as it was given."""
    return bytes((DF_DESCRIPTOR,)) if isinstance(file, Df) else file.descriptor


def state(file: File) -> Tlv:
    """Return the life cycle status byte (8A) that says whether the file is active."""
    return Tlv(0x8A, b"\x05" if file.active else b"\x04")
