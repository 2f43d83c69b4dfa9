"""Access rules in expanded format (ISO/IEC 7816-4:2020, 9.3.3), which records of an EF.ARR hold."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cardtwin.card.memory.access import ALWAYS, NEVER, DfOperation, EfOperation
from cardtwin.card.memory.files import Df, Ef, climb, parent
from cardtwin.iso7816 import Tlv, TlvFormatError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from cardtwin.card.memory.files import File
    from cardtwin.card.memory.image import CardImage

__all__ = ["condition_of"]

_MODE, _ALWAYS, _NEVER, _USER = 0x80, 0x90, 0x97, 0xA4
_REFERENCE: Final = 0x83
_RULES_LENGTH: Final = 3

_EF_MODES: Final[Mapping[int, int]] = {
    EfOperation.READ: 0x01,
    EfOperation.UPDATE: 0x02,
    EfOperation.APPEND: 0x04,
    EfOperation.DEACTIVATE: 0x08,
    EfOperation.ACTIVATE: 0x10,
    EfOperation.DELETE: 0x40,
}
_DF_MODES: Final[Mapping[int, int]] = {
    DfOperation.CREATE: 0x02,
    DfOperation.DEACTIVATE: 0x08,
    DfOperation.ACTIVATE: 0x10,
    DfOperation.DELETE: 0x40,
}
"""The bits of the access mode byte (Tables 30 and 31); an operation that has none is never allowed."""


def condition_of(image: CardImage, path: bytes, operation: int) -> int:
    """Return the condition byte of a file's operation, from the file itself or from its EF of access rules.

    A reference that leads nowhere, and a rule of another kind than always, never and one test object, allow
    nothing.
    """
    file = image.files[path]
    return _referenced(image, path, file, operation) if file.rules else file.access[operation]


def _referenced(image: CardImage, path: bytes, file: File, operation: int) -> int:
    modes = _DF_MODES if isinstance(file, Df) else _EF_MODES
    record = _record(image, path if isinstance(file, Df) else parent(path), file.rules)
    return _condition(record, modes.get(operation, 0))


def _record(image: CardImage, df: bytes, rules: bytes) -> bytes:
    """Return a record of the nearest EF of that identifier, from a DF up to the MF; empty without one."""
    if len(rules) != _RULES_LENGTH:
        return b""

    number = rules[2]

    for at in climb(df):
        found = image.files.get(at + rules[:2])

        if isinstance(found, Ef):
            return found.records[number - 1] if 0 < number <= len(found.records) else b""

    return b""


def _condition(record: bytes, mode: int) -> int:
    """Return the condition of the first rule for a mode."""
    try:
        return next((_byte(rule) for modes, rule in _pairs(record) if modes & mode), NEVER)
    except TlvFormatError:
        return NEVER


def _pairs(record: bytes) -> Iterator[tuple[int, Tlv]]:
    """Yield each rule with the modes that it is for."""
    modes = 0

    for found in Tlv.parse_all(record):
        if found.tag == _MODE:
            modes = found.value[0] if found.value else 0
        else:
            yield modes, found


def _byte(condition: Tlv) -> int:
    if condition.tag == _ALWAYS:
        return ALWAYS

    reference = condition.find(_REFERENCE) if condition.tag == _USER else None
    return reference.value[0] if reference is not None and len(reference.value) == 1 else NEVER
