"""The control information that CREATE FILE takes (ISO/IEC 7816-4:2020, 7.4.3)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cardtwin.card.errors import Refusal
from cardtwin.card.memory import Df, Ef, File, FileKind
from cardtwin.card.memory.access import complete
from cardtwin.card.memory.files import SHAREABLE
from cardtwin.card.memory.rules import EXPANDED, is_reference, is_rules
from cardtwin.iso7816 import FileControl, StatusWord, Tlv, TlvFormatError

if TYPE_CHECKING:
    from cardtwin.card.chip.dialect import Dialect

__all__ = ["parse_creation"]

_DF: Final = 0x38
_KNOWN_TAGS: Final = {0x80, 0x81, 0x82, 0x83, 0x84, 0x85, 0x86, 0x88, 0x8A, 0x8B, 0xCB}
_SM_TAGS: Final = {0x8B, 0xCB}
_CONDITIONS, _REFERENCE = 0x86, 0x8B
_RESERVED_IDS: Final = {b"\x3f\x00", b"\x3f\xff", b"\xff\xff", b"\x00\x00"}
_TEMPLATES: Final = {0x62, 0x6F}
_AID_LENGTH: Final = range(1, 17)


def parse_creation(data: bytes, dialect: Dialect) -> tuple[bytes, File]:
    """Return the identifier and the empty file that CREATE FILE describes.

    Refuses with 6A85 what is no template, with 6A80 what the file system doesn't know or do: other tags,
    reserved identifiers, conditions of secure messaging other than none, access rules that aren't any.
    """
    try:
        control = FileControl.parse(data)
    except TlvFormatError:
        raise Refusal(StatusWord.LC_INCONSISTENT_WITH_TLV) from None

    rules = _rules(control) if dialect.takes_access_rules else b""
    meant = {_REFERENCE, EXPANDED} if rules else set()
    tags = [found.tag for found in control.objects]
    file_id = control.get(0x83)

    if (
        control.template not in _TEMPLATES
        or len(set(tags)) < len(tags)
        or not (_KNOWN_TAGS | meant).issuperset(tags)
        or any((control.get(tag) or b"").strip(b"\xff") for tag in _SM_TAGS - meant)
        or file_id is None
        or len(file_id) != 2
        or file_id in _RESERVED_IDS
    ):
        raise Refusal(StatusWord.WRONG_DATA)

    descriptor = control.get(0x82) or b""
    is_df = descriptor[:1] and descriptor[0] & ~SHAREABLE == _DF
    return file_id, _df(control, rules) if is_df else _ef(control, descriptor, rules)


def _rules(control: FileControl) -> bytes:
    """Return a template's access rules as files keep them; empty where it has condition bytes or none."""
    conditions, reference, expanded = (control.get(tag) for tag in (_CONDITIONS, _REFERENCE, EXPANDED))

    if expanded is None and not (reference or b"").strip(b"\xff"):
        return b""

    rules = Tlv(EXPANDED, expanded).encode() if expanded is not None else reference or b""

    if conditions is not None or not (is_reference(rules) if expanded is None else is_rules(expanded)):
        raise Refusal(StatusWord.WRONG_DATA)

    if expanded is not None and reference is not None:
        raise Refusal(StatusWord.WRONG_DATA)

    return rules


def _df(control: FileControl, rules: bytes) -> Df:
    name = control.get(0x84)

    if name is not None and len(name) not in _AID_LENGTH:
        raise Refusal(StatusWord.WRONG_DATA)

    return Df(
        size=_number(control.get(0x81)),
        access=complete(control.get(0x86) or b"", df=True),
        name=name or b"",
        options=control.get(0x85) or b"\x00",
        rules=rules,
    )


def _ef(control: FileControl, descriptor: bytes, rules: bytes) -> Ef:
    try:
        kind = FileKind(descriptor[0] & ~SHAREABLE)
    except (IndexError, ValueError):
        raise Refusal(StatusWord.WRONG_DATA) from None

    if not kind.is_plain:
        raise Refusal(StatusWord.WRONG_DATA)

    length, count = _records(descriptor) if kind.has_fixed_records else (0, 0)
    size = length * count or _number(_size_of_ef(control))

    if not size:
        raise Refusal(StatusWord.WRONG_DATA)

    return Ef(
        kind=kind,
        size=size,
        access=complete(control.get(0x86) or b""),
        descriptor=descriptor,
        content=b"" if kind.has_records else bytes(size),
        record_length=length,
        record_count=count,
        options=control.get(0x85) or b"\x00",
        rules=rules,
    )


def _size_of_ef(control: FileControl) -> bytes | None:
    """Some clients give an EF's size under 81."""
    size = control.get(0x80)
    return control.get(0x81) if size is None else size


def _records(descriptor: bytes) -> tuple[int, int]:
    """Return length and number of records: kind, 21, length in two bytes, number in one or two."""
    if not 5 <= len(descriptor) <= 6:
        raise Refusal(StatusWord.WRONG_DATA)

    length, count = int.from_bytes(descriptor[2:4]), int.from_bytes(descriptor[4:])

    if not (1 <= length <= 255 and 1 <= count <= 254):
        raise Refusal(StatusWord.WRONG_DATA)

    return length, count


def _number(value: bytes | None) -> int:
    if value is None or not 1 <= len(value) <= 2:
        raise Refusal(StatusWord.WRONG_DATA)

    return int.from_bytes(value)
