"""IAS-ECC on Cosmo, and IAS Classic."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cardtwin.card.chip.iasecc import bare_file_rules, file_rules
from cardtwin.card.cos.fci.parts import descriptor, state
from cardtwin.card.memory import Df
from cardtwin.iso7816 import FileControl, Tlv

if TYPE_CHECKING:
    from cardtwin.card.memory import CardImage, File

__all__ = ["ias_classic", "iasecc_7", "iasecc_8"]


def iasecc_7(_image: CardImage, path: bytes, file: File, template: int) -> bytes:
    """Return the control information as IAS-ECC on Cosmo V7 gives it: the access rules before the state."""
    return FileControl(template, (*_iasecc(path, file), file_rules(file), state(file))).encode()


def iasecc_8(_image: CardImage, path: bytes, file: File, template: int) -> bytes:
    """Return the control information as IAS-ECC on Cosmo V8 gives it: the state before the access rules."""
    return FileControl(template, (*_iasecc(path, file), state(file), file_rules(file))).encode()


def _iasecc(path: bytes, file: File) -> tuple[Tlv, ...]:
    if not isinstance(file, Df):
        size = Tlv(0x80, file.size.to_bytes(2))
        return size, Tlv(0x82, descriptor(file)), Tlv(0x83, path[-2:]), Tlv(0x88)

    name = (Tlv(0x84, file.name),) if file.name else ()
    return Tlv(0x82, descriptor(file)), Tlv(0x83, path[-2:]), *name


def ias_classic(_image: CardImage, path: bytes, file: File, template: int) -> bytes:
    """Return the control information as IAS Classic gives it: a DF has no file descriptor."""
    if isinstance(file, Df):
        name = (Tlv(0x84, file.name),) if file.name else ()
        objects = (Tlv(0x83, path[-2:]), *name)
    else:
        objects = (Tlv(0x80, file.size.to_bytes(2)), Tlv(0x82, descriptor(file)), Tlv(0x83, path[-2:]))

    return FileControl(template, (*objects, state(file), bare_file_rules(file))).encode()
