"""AuthentIC V3."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cardtwin.card.chip.authentic import file_conditions
from cardtwin.card.cos.fci.parts import descriptor
from cardtwin.card.memory import Df
from cardtwin.iso7816 import FileControl, Tlv

if TYPE_CHECKING:
    from cardtwin.card.memory import CardImage, File

__all__ = ["authentic"]


def authentic(_image: CardImage, path: bytes, file: File, template: int) -> bytes:
    """Return the control information as AuthentIC gives it: pairs of condition bytes in 86."""
    head = (Tlv(0x80, file.size.to_bytes(2)), Tlv(0x82, descriptor(file)), Tlv(0x83, path[-2:]))
    name = (Tlv(0x84, file.name),) if isinstance(file, Df) and file.name else ()
    return FileControl(template, (*head, *name, Tlv(0x86, file_conditions(file)))).encode()
