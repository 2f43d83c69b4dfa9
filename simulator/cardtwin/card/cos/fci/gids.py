"""The Generic Identity Device Specification."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cardtwin.card.chip.gids import ADMIN_REFERENCE, EITHER, KeyOperation, key_position
from cardtwin.card.cos.fci.parts import descriptor
from cardtwin.card.memory import Df, FileKind
from cardtwin.card.memory.access import NEVER, EfOperation
from cardtwin.iso7816 import FileControl, Tlv

if TYPE_CHECKING:
    from cardtwin.card.memory import CardImage, File

__all__ = ["gids"]

_FCI, _FCP = 0x6F, 0x62
_ABILITIES: Final = b"\xc0"
"""Cryptographic mechanisms, as an applet of the kind tells them."""


def gids(image: CardImage, path: bytes, file: File, template: int) -> bytes:
    """Return what GIDS tells: of the application name and abilities (FCI), or conditions (FCP)."""
    if isinstance(file, Df):
        if template == _FCI:
            name, abilities = Tlv(0x4F, file.name), Tlv.constructed(0x73, (Tlv(0x40, _ABILITIES),))
            return Tlv.constructed(0x61, (name, abilities)).encode()

        conditions = Tlv(0x8C, bytes((0x03, EITHER, EITHER)))
        return FileControl(_FCP, (Tlv(0x82, descriptor(file)), conditions)).encode()

    head = Tlv(0x82, descriptor(file)), Tlv(0x83, path[-2:])

    if file.kind is not FileKind.KEY:
        access = file.access
        conditions = Tlv(0x8C, bytes((0x03, access[EfOperation.UPDATE], access[EfOperation.READ])))
        return FileControl(_FCP, (*head, conditions)).encode()

    return FileControl(_FCP, (*head, _key_conditions(image, path[-1]), Tlv(0xA5, file.content))).encode()


def _key_conditions(image: CardImage, reference: int) -> Tlv:
    key = key_position(image, reference)
    access = image.objects[key].access if key else bytes((NEVER,)) * (max(KeyOperation) + 1)
    operations = (KeyOperation.USE, KeyOperation.PUT, KeyOperation.GET_PUBLIC)

    if reference == ADMIN_REFERENCE:
        return Tlv(0x8C, bytes((0x87, *(access[at] for at in operations))))

    return Tlv(0x8C, bytes((0x8F, access[KeyOperation.GENERATE], *(access[at] for at in operations))))
