"""The control information that SELECT tells (ISO/IEC 7816-4:2020, 7.4.3), as the card systems give it."""

from __future__ import annotations

from typing import Final

from cardtwin.card.chip.authentic import file_conditions
from cardtwin.card.chip.awp import conditions
from cardtwin.card.chip.gids import ADMIN_REFERENCE, EITHER, KeyOperation, key_position
from cardtwin.card.chip.iasecc import bare_file_rules, file_rules
from cardtwin.card.memory import CardImage, Df, Ef, File, FileKind, parent
from cardtwin.card.memory.access import ALWAYS, NEVER, DfOperation, EfOperation
from cardtwin.card.memory.objects import TEST_CLASS
from cardtwin.card.memory.rules import EXPANDED, USAGE_KEY, USAGE_PIN, expanded
from cardtwin.iso7816 import FileControl, Tlv

__all__ = ["authentic", "awp", "cardos_4", "cardos_5", "gids", "ias_classic", "iasecc_7", "iasecc_8"]

_DF: Final = 0x38
_FCI, _FCP = 0x6F, 0x62
_GIDS_ABILITIES: Final = b"\xc0"
"""Cryptographic mechanisms, as an applet of the kind tells them."""


def cardos_4(_image: CardImage, path: bytes, file: File, template: int) -> bytes:
    """Return the control information as CardOS M4 gives it."""
    head = Tlv(0x81 if isinstance(file, Df) else 0x80, file.size.to_bytes(2))
    objects = [head, Tlv(0x82, _descriptor(file)), Tlv(0x83, path[-2:])]

    if isinstance(file, Df) and file.name:
        objects.append(Tlv(0x84, file.name))

    objects += [Tlv(0x85, file.options), Tlv(0x86, file.access)]
    return FileControl(template, tuple(objects)).encode()


def cardos_5(image: CardImage, path: bytes, file: File, template: int) -> bytes:
    """Return the control information as CardOS 5 gives it.

    Its length is in long form; its conditions are in AB, or 8B says where they are.
    """
    is_df = isinstance(file, Df)
    objects = [
        Tlv(0x83, path[-2:]),
        Tlv(0x82, _descriptor(file)),
        Tlv(0x81 if is_df else 0x80, file.size.to_bytes(2)),
        Tlv(0x88),
    ]

    if isinstance(file, Df) and file.name:
        objects.append(Tlv(0x84, file.name))

    objects += [
        Tlv(0x85, file.options),
        Tlv(0x8A, b"\x05" if file.active else b"\x04"),
        _security(image, path, file),
    ]
    return FileControl(template, tuple(objects)).encode(long_form=True)


def _security(image: CardImage, path: bytes, file: File) -> Tlv:
    rules = expanded(file.rules)

    if rules is None and file.rules:
        return Tlv(0x8B, file.rules)

    return Tlv(EXPANDED, _rules(image, path, file) if rules is None else rules)


def iasecc_7(_image: CardImage, path: bytes, file: File, template: int) -> bytes:
    """Return the control information as IAS-ECC on Cosmo V7 gives it: the access rules before the state."""
    return FileControl(template, (*_iasecc(path, file), file_rules(file), _state(file))).encode()


def iasecc_8(_image: CardImage, path: bytes, file: File, template: int) -> bytes:
    """Return the control information as IAS-ECC on Cosmo V8 gives it: the state before the access rules."""
    return FileControl(template, (*_iasecc(path, file), _state(file), file_rules(file))).encode()


def _iasecc(path: bytes, file: File) -> tuple[Tlv, ...]:
    if not isinstance(file, Df):
        size = Tlv(0x80, file.size.to_bytes(2))
        return size, Tlv(0x82, _descriptor(file)), Tlv(0x83, path[-2:]), Tlv(0x88)

    name = (Tlv(0x84, file.name),) if file.name else ()
    return Tlv(0x82, _descriptor(file)), Tlv(0x83, path[-2:]), *name


def gids(image: CardImage, path: bytes, file: File, template: int) -> bytes:
    """Return what GIDS tells: of the application name and abilities (FCI), or conditions (FCP)."""
    if isinstance(file, Df):
        if template == _FCI:
            name, abilities = Tlv(0x4F, file.name), Tlv.constructed(0x73, (Tlv(0x40, _GIDS_ABILITIES),))
            return Tlv.constructed(0x61, (name, abilities)).encode()

        conditions = Tlv(0x8C, bytes((0x03, EITHER, EITHER)))
        return FileControl(_FCP, (Tlv(0x82, _descriptor(file)), conditions)).encode()

    head = Tlv(0x82, _descriptor(file)), Tlv(0x83, path[-2:])

    if file.kind is not FileKind.KEY:
        access = file.access
        conditions = Tlv(0x8C, bytes((0x03, access[EfOperation.UPDATE], access[EfOperation.READ])))
        return FileControl(_FCP, (*head, conditions)).encode()

    return FileControl(_FCP, (*head, _gids_key_conditions(image, path[-1]), Tlv(0xA5, file.content))).encode()


def _gids_key_conditions(image: CardImage, reference: int) -> Tlv:
    key = key_position(image, reference)
    access = image.objects[key].access if key else bytes((NEVER,)) * (max(KeyOperation) + 1)
    operations = (KeyOperation.USE, KeyOperation.PUT, KeyOperation.GET_PUBLIC)

    if reference == ADMIN_REFERENCE:
        return Tlv(0x8C, bytes((0x87, *(access[at] for at in operations))))

    return Tlv(0x8C, bytes((0x8F, access[KeyOperation.GENERATE], *(access[at] for at in operations))))


def authentic(_image: CardImage, path: bytes, file: File, template: int) -> bytes:
    """Return the control information as AuthentIC gives it: pairs of condition bytes in 86."""
    head = (Tlv(0x80, file.size.to_bytes(2)), Tlv(0x82, _descriptor(file)), Tlv(0x83, path[-2:]))
    name = (Tlv(0x84, file.name),) if isinstance(file, Df) and file.name else ()
    return FileControl(template, (*head, *name, Tlv(0x86, file_conditions(file)))).encode()


def awp(_image: CardImage, path: bytes, file: File, template: int) -> bytes:
    """Return the control information as AuthentIC V2 gives it: eight condition bytes in 86.

    A file of records tells how long its longest one is, and how many there are.
    """
    descriptor = bytes((_DF, 0)) if isinstance(file, Df) else file.descriptor

    if isinstance(file, Ef) and file.kind.has_records:
        longest = max(map(len, file.records), default=0)
        descriptor += longest.to_bytes(2) + bytes((len(file.records),))

    plain = isinstance(file, Ef) and file.kind is FileKind.TRANSPARENT
    size = Tlv(0x80, file.size.to_bytes(2)) if plain else Tlv(0x85, file.options)
    head = (Tlv(0x82, descriptor), Tlv(0x83, path[-2:]), size)
    return FileControl(template, (*head, Tlv(0x86, conditions(file)))).encode()


def ias_classic(_image: CardImage, path: bytes, file: File, template: int) -> bytes:
    """Return the control information as IAS Classic gives it: a DF has no file descriptor."""
    if isinstance(file, Df):
        name = (Tlv(0x84, file.name),) if file.name else ()
        objects = (Tlv(0x83, path[-2:]), *name)
    else:
        objects = (Tlv(0x80, file.size.to_bytes(2)), Tlv(0x82, _descriptor(file)), Tlv(0x83, path[-2:]))

    return FileControl(template, (*objects, _state(file), bare_file_rules(file))).encode()


def _state(file: File) -> Tlv:
    return Tlv(0x8A, b"\x05" if file.active else b"\x04")


def _descriptor(file: File) -> bytes:
    return bytes((_DF,)) if isinstance(file, Df) else file.descriptor


def _rules(image: CardImage, path: bytes, file: File) -> bytes:
    """Return access rules in expanded format (ISO/IEC 7816-4, 9.3.3): access mode and condition, by turns."""
    if isinstance(file, Df):
        df, modes = path, ((0x40, DfOperation.DELETE), (0x06, DfOperation.CREATE))
        rows = [(mode, file.access[operation]) for mode, operation in modes]
    else:
        df = parent(path)
        rows = [(0x01, file.access[EfOperation.READ]), (0x06, file.access[EfOperation.UPDATE])]

    return b"".join(Tlv(0x80, bytes((mode,))).encode() + _condition(image, df, at) for mode, at in rows)


def _condition(image: CardImage, df: bytes, condition: int) -> bytes:
    if condition in {ALWAYS, NEVER}:
        return Tlv(0x90 if condition == ALWAYS else 0x97).encode()

    key = image.find_object(df, TEST_CLASS, condition)
    is_key = key is not None and not image.objects[key].is_pin
    usage = USAGE_KEY if is_key else USAGE_PIN
    return Tlv.constructed(0xA4, (Tlv(0x83, bytes((condition,))), Tlv(0x95, bytes((usage,))))).encode()
