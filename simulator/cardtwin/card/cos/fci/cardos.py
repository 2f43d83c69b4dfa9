"""CardOS: M4 tells condition bytes, V5 access rules in expanded format."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cardtwin.card.cos.fci.parts import descriptor, state
from cardtwin.card.memory import Df, parent
from cardtwin.card.memory.access import ALWAYS, NEVER, DfOperation, EfOperation
from cardtwin.card.memory.objects import TEST_CLASS
from cardtwin.card.memory.rules import EXPANDED, USAGE_KEY, USAGE_PIN, expanded
from cardtwin.iso7816 import FileControl, Tlv

if TYPE_CHECKING:
    from cardtwin.card.memory import CardImage, File

__all__ = ["cardos_4", "cardos_5"]


def cardos_4(_image: CardImage, path: bytes, file: File, template: int) -> bytes:
    """Return the control information as CardOS M4 gives it."""
    head = Tlv(0x81 if isinstance(file, Df) else 0x80, file.size.to_bytes(2))
    objects = [head, Tlv(0x82, descriptor(file)), Tlv(0x83, path[-2:])]

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
        Tlv(0x82, descriptor(file)),
        Tlv(0x81 if is_df else 0x80, file.size.to_bytes(2)),
        Tlv(0x88),
    ]

    if isinstance(file, Df) and file.name:
        objects.append(Tlv(0x84, file.name))

    objects += [
        Tlv(0x85, file.options),
        state(file),
        _security(image, path, file),
    ]
    return FileControl(template, tuple(objects)).encode(long_form=True)


def _security(image: CardImage, path: bytes, file: File) -> Tlv:
    rules = expanded(file.rules)

    if rules is None and file.rules:
        return Tlv(0x8B, file.rules)

    return Tlv(EXPANDED, _rules(image, path, file) if rules is None else rules)


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
