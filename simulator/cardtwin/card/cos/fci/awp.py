"""AuthentIC V2, whose files are those of Oberthur's AWP."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cardtwin.card.chip.awp import conditions
from cardtwin.card.cos.fci.parts import DF_DESCRIPTOR
from cardtwin.card.memory import Df, Ef, FileKind
from cardtwin.iso7816 import FileControl, Tlv

if TYPE_CHECKING:
    from cardtwin.card.memory import CardImage, File

__all__ = ["awp"]


def awp(_image: CardImage, path: bytes, file: File, template: int) -> bytes:
    """Return the control information as AuthentIC V2 gives it: eight condition bytes in 86.

    A file of records tells how long its longest one is, and how many there are.
    """
    told = bytes((DF_DESCRIPTOR, 0)) if isinstance(file, Df) else file.descriptor

    if isinstance(file, Ef) and file.kind.has_records:
        longest = max(map(len, file.records), default=0)
        told += longest.to_bytes(2) + bytes((len(file.records),))

    plain = isinstance(file, Ef) and file.kind is FileKind.TRANSPARENT
    size = Tlv(0x80, file.size.to_bytes(2)) if plain else Tlv(0x85, file.options)
    head = (Tlv(0x82, told), Tlv(0x83, path[-2:]), size)
    return FileControl(template, (*head, Tlv(0x86, conditions(file)))).encode()
