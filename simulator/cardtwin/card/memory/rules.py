"""Access rules in expanded format (ISO/IEC 7816-4:2020, 9.3.3), of a file itself or of records in an EF.ARR.

A file's `rules` are either the value of tag 8B, three bytes long, or tag AB as a whole.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cardtwin.card.memory.access import ALWAYS, NEVER, DfOperation, EfOperation
from cardtwin.card.memory.files import Df, Ef, climb, parent
from cardtwin.card.memory.objects import TEST_CLASS
from cardtwin.iso7816 import Tlv, TlvFormatError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from cardtwin.card.memory.files import File
    from cardtwin.card.memory.image import CardImage

__all__ = ["EXPANDED", "USAGE_KEY", "USAGE_PIN", "condition_of", "expanded", "is_reference", "is_rules"]

EXPANDED: Final = 0xAB
"""The tag of access rules in expanded format."""

USAGE_PIN: Final = 0x08
USAGE_KEY: Final = 0x80
"""Usage qualifiers: a PIN, a key that somebody outside proves to have."""

_MODE, _ALWAYS, _NEVER, _USER = 0x80, 0x90, 0x97, 0xA4
_REFERENCE, _USAGE = 0x83, 0x95
_REFERENCE_LENGTH: Final = 3

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


def is_reference(value: bytes) -> bool:
    """Tell whether the value of a tag 8B names a record: an identifier, and a number other than 0."""
    return len(value) == _REFERENCE_LENGTH and value[-1] > 0


def is_rules(value: bytes) -> bool:
    """Tell whether a value is rules that can be followed: modes, each with conditions."""
    try:
        pairs = list(_pairs(value))
        return bool(pairs) and all(modes and _is_condition(rule) for modes, rule in pairs)
    except TlvFormatError:
        return False


def _is_condition(rule: Tlv) -> bool:
    if rule.tag in {_ALWAYS, _NEVER}:
        return not rule.value

    return rule.tag == _USER and rule.find(_REFERENCE) is not None


def expanded(rules: bytes) -> bytes | None:
    """Return a file's own rules without tag and length; None where they are elsewhere or not given."""
    if len(rules) <= _REFERENCE_LENGTH:
        return None

    try:
        found = Tlv.parse_all(rules)
    except TlvFormatError:
        return None

    return found[0].value if [one.tag for one in found] == [EXPANDED] else None


def condition_of(image: CardImage, path: bytes, operation: int) -> int:
    """Return the condition byte of a file's operation, from its condition bytes or its access rules.

    A reference that leads nowhere, and a rule of another kind than always, never and one test object, allow
    nothing; neither does a rule that says "PIN" of a key, or the other way round.
    """
    file = image.files[path]
    return _ruled(image, path, file, operation) if file.rules else file.access[operation]


def _ruled(image: CardImage, path: bytes, file: File, operation: int) -> int:
    df, modes = (path, _DF_MODES) if isinstance(file, Df) else (parent(path), _EF_MODES)
    rules = expanded(file.rules)
    mode = modes.get(operation, 0)

    try:
        pairs = _pairs(_record(image, df, file.rules) if rules is None else rules)
        rule = next((rule for modes_, rule in pairs if modes_ & mode), None)
        return NEVER if rule is None else _byte(image, df, rule)
    except TlvFormatError:
        return NEVER


def _record(image: CardImage, df: bytes, reference: bytes) -> bytes:
    """Return a record of the nearest EF of that identifier, from a DF up to the MF; empty without one."""
    if not is_reference(reference):
        return b""

    for at in climb(df):
        found = image.files.get(at + reference[:2])

        if isinstance(found, Ef):
            number = reference[2]
            return found.records[number - 1] if number <= len(found.records) else b""

    return b""


def _pairs(record: bytes) -> Iterator[tuple[int, Tlv]]:
    """Yield each rule with the modes that it is for."""
    modes = 0

    for found in Tlv.parse_all(record):
        if found.tag == _MODE:
            modes = found.value[0] if found.value else 0
        else:
            yield modes, found


def _byte(image: CardImage, df: bytes, rule: Tlv) -> int:
    if rule.tag == _ALWAYS:
        return ALWAYS

    reference = rule.find(_REFERENCE) if rule.tag == _USER else None

    if reference is None or len(reference.value) != 1:
        return NEVER

    condition, usage = reference.value[0], rule.find(_USAGE)
    key = image.find_object(df, TEST_CLASS, condition)

    if key is None or usage is None:
        return condition

    needed = USAGE_PIN if image.objects[key].is_pin else USAGE_KEY
    return condition if int.from_bytes(usage.value) & needed else NEVER
