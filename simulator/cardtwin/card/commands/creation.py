"""The control information that CREATE FILE takes (ISO/IEC 7816-4:2020, 7.4.3)."""

from __future__ import annotations

from typing import Final

from cardtwin.card.errors import Refusal
from cardtwin.card.memory import Df, Ef, File, FileKind
from cardtwin.card.memory.access import complete
from cardtwin.card.memory.files import SHAREABLE
from cardtwin.iso7816 import FileControl, StatusWord, TlvFormatError

__all__ = ["parse_creation"]

_DF: Final = 0x38
_KNOWN_TAGS: Final = {0x80, 0x81, 0x82, 0x83, 0x84, 0x85, 0x86, 0x88, 0x8A, 0x8B, 0xCB}
_SM_TAGS: Final = {0x8B, 0xCB}
_RESERVED_IDS: Final = {b"\x3f\x00", b"\x3f\xff", b"\xff\xff", b"\x00\x00"}
_TEMPLATES: Final = {0x62, 0x6F}
_AID_LENGTH: Final = range(1, 17)


def parse_creation(data: bytes) -> tuple[bytes, File]:
    """Return the identifier and the empty file that CREATE FILE describes.

    Refuses with 6A85 what is no template, with 6A80 what the file system doesn't know or do: other tags,
    reserved identifiers, conditions of secure messaging other than none.
    """
    try:
        control = FileControl.parse(data)
    except TlvFormatError:
        raise Refusal(StatusWord.LC_INCONSISTENT_WITH_TLV) from None

    tags = [found.tag for found in control.objects]
    file_id = control.get(0x83)

    if (
        control.template not in _TEMPLATES
        or len(set(tags)) < len(tags)
        or not _KNOWN_TAGS.issuperset(tags)
        or any(found.tag in _SM_TAGS and found.value.strip(b"\xff") for found in control.objects)
        or file_id is None
        or len(file_id) != 2
        or file_id in _RESERVED_IDS
    ):
        raise Refusal(StatusWord.WRONG_DATA)

    descriptor = control.get(0x82) or b""
    is_df = descriptor[:1] and descriptor[0] & ~SHAREABLE == _DF
    return file_id, _df(control) if is_df else _ef(control, descriptor)


def _df(control: FileControl) -> Df:
    name = control.get(0x84)

    if name is not None and len(name) not in _AID_LENGTH:
        raise Refusal(StatusWord.WRONG_DATA)

    return Df(
        size=_number(control.get(0x81)),
        access=complete(control.get(0x86) or b"", df=True),
        name=name or b"",
        options=control.get(0x85) or b"\x00",
    )


def _ef(control: FileControl, descriptor: bytes) -> Ef:
    try:
        kind = FileKind(descriptor[0] & ~SHAREABLE)
    except (IndexError, ValueError):
        raise Refusal(StatusWord.WRONG_DATA) from None

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
