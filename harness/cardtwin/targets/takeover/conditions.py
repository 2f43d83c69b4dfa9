"""Access conditions as a card tells them.

That is bytes of tag 86, rules of AB and of an EF of access rules, or IAS-ECC's rules of A1 and 8C.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from cardtwin.card.chip.authentic import file_access as pairs_access
from cardtwin.card.chip.iasecc import BARE_RULES, RULES, file_access
from cardtwin.card.errors import Refusal
from cardtwin.card.memory import MF
from cardtwin.card.memory.access import (
    ALWAYS,
    NEVER,
    DfOperation,
    EfOperation,
    MfOperation,
    complete,
    condition_text,
)
from cardtwin.iso7816 import Tlv, TlvFormatError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from cardtwin.iso7816 import FileControl
    from cardtwin.targets.takeover.files import FileFound

__all__ = ["Rule", "access_of", "conditions_told", "referenced", "rules_reference", "rules_told"]

_BYTES, _EXPANDED = 0x86, 0xAB
_TELLING: Final = {_BYTES, _EXPANDED, RULES, BARE_RULES}
_DF: Final = 0x38
"""The bits of a file descriptor that are all set in a DF's (ISO/IEC 7816-4:2020, Table 14)."""

_MODE, _ALWAYS, _USER = 0x80, 0x90, 0xA4
_REFERENCE, _USAGE = 0x83, 0x95
_KEY_USAGE: Final = 0x80
_RULES_LENGTH: Final = 3
_LARGEST: Final = 0x7F

_EF_MODES: Final[Mapping[int, int]] = {
    0x01: EfOperation.READ,
    0x02: EfOperation.UPDATE,
    0x04: EfOperation.APPEND,
    0x08: EfOperation.DEACTIVATE,
    0x10: EfOperation.ACTIVATE,
    0x40: EfOperation.DELETE,
}
_DF_MODES: Final[Mapping[int, int]] = {
    0x02: DfOperation.CREATE,
    0x04: DfOperation.CREATE,
    0x08: DfOperation.DEACTIVATE,
    0x10: DfOperation.ACTIVATE,
    0x40: DfOperation.DELETE,
}
"""The operations by the bits of the access mode byte (ISO/IEC 7816-4:2020, Tables 30 and 31)."""


class Rule(NamedTuple):
    """The condition of some operations: `is_key` says that the object named is a key and no PIN."""

    modes: int
    condition: int
    is_key: bool


def access_of(found: FileFound) -> bytes:
    """Return a file's condition bytes. What the card doesn't tell is never allowed."""
    return _access(found.control, df=found.is_df, mf=found.path == MF)


def conditions_told(control: FileControl) -> dict[str, str]:
    """Return who may do what to a file, in words by operation; empty where its parameters don't tell.

    They don't where 86 may hold AuthentIC's pairs of bytes as well as CardOS's bytes.
    """
    if not any(each.tag in _TELLING for each in control.objects) or _may_be_pairs(control):
        return {}

    df, mf = (control.descriptor or 0) & _DF == _DF, control.file_id == int.from_bytes(MF)
    access = _access(control, df=df or mf, mf=mf)
    of_dfs = (*DfOperation, *MfOperation) if mf else tuple(DfOperation)
    operations: tuple[DfOperation | EfOperation | MfOperation, ...] = (
        of_dfs if df or mf else tuple(EfOperation)
    )
    return {each.name: condition_text(access[each]) for each in operations if each < len(access)}


def _may_be_pairs(control: FileControl) -> bool:
    """Whether condition bytes may as well be AuthentIC's pairs, which are as many for each kind of file."""
    told = control.get(_BYTES)

    try:
        return told is not None and bool(pairs_access(told, df=(control.descriptor or 0) & _DF == _DF))
    except Refusal:
        return False


def _access(control: FileControl, *, df: bool, mf: bool) -> bytes:
    if (told := control.get(_BYTES)) is not None:
        return complete(told, df=df, mf=mf)

    if (compact := _compact_rules(control)) is not None:
        return _compact_access(compact, df=df, mf=mf)

    access = bytearray(complete(b"", df=df, mf=mf))
    operations = _DF_MODES if df else _EF_MODES

    # Reversed, so that of several rules for an operation the first one counts.
    for rule in reversed(rules_told(control.get(_EXPANDED) or b"")):
        for bit, operation in operations.items():
            if rule.modes & bit:
                access[operation] = rule.condition

    return bytes(access)


def _compact_rules(control: FileControl) -> Tlv | None:
    return next((each for each in control.objects if each.tag in {RULES, BARE_RULES}), None)


def _compact_access(rules: Tlv, *, df: bool, mf: bool) -> bytes:
    """Return the condition bytes of rules in compact format; of broken ones, that nothing is allowed."""
    try:
        return file_access(rules, df=df, mf=mf)
    except (Refusal, TlvFormatError):
        return complete(b"", df=df, mf=mf)


def rules_reference(found: FileFound) -> bytes:
    """Return where a file's rules are: an identifier and a record's number; empty where they aren't."""
    told = found.control.get(0x8B) or b""
    return told if len(told) == _RULES_LENGTH and found.control.get(0x86) is None else b""


def rules_told(data: bytes) -> tuple[Rule, ...]:
    """Return rules in expanded format (ISO/IEC 7816-4:2020, 9.3.3); what is broken ends them."""
    try:
        return tuple(_rules(data))
    except TlvFormatError:
        return ()


def _rules(data: bytes) -> Iterator[Rule]:
    modes = 0

    for found in Tlv.parse_all(data):
        if found.tag == _MODE:
            modes = found.value[0] if found.value else 0
        else:
            yield Rule(modes, *_condition(found))


def _condition(found: Tlv) -> tuple[int, bool]:
    if found.tag == _ALWAYS:
        return ALWAYS, False

    reference = found.find(_REFERENCE) if found.tag == _USER else None

    if reference is None or len(reference.value) != 1:
        return NEVER, False

    usage = found.find(_USAGE)
    return reference.value[0], usage is not None and bool(usage.value) and bool(usage.value[0] & _KEY_USAGE)


def referenced(files: Collection[FileFound]) -> Iterator[tuple[int, bool]]:
    """Yield the test objects that files' conditions name, and whether each is a key.

    An EF of access rules names those of the rules in it. Condition bytes say of no object what it is.
    """
    arrs = {rules_reference(found)[:2] for found in files} - {b""}

    for found in files:
        rules = [*rules_told(found.control.get(0xAB) or b"")]

        for record in found.records if found.path[-2:] in arrs else ():
            rules += rules_told(record)

        pairs = [(rule.condition, rule.is_key) for rule in rules]
        pairs += [(byte, False) for byte in found.control.get(0x86) or b""]
        pairs += [(byte, False) for byte in access_of(found) if _compact_rules(found.control) is not None]
        yield from ((reference, is_key) for reference, is_key in pairs if 0 < reference <= _LARGEST)
