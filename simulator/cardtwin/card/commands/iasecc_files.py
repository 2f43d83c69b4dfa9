"""Files as IAS-ECC has them: short identifiers, creation by access rules, deletion of the current file.

IAS Classic creates files alike, with the rules in 8C by themselves.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from cardtwin.card.chip.iasecc import BARE_RULES, RULES, file_access
from cardtwin.card.commands import binary
from cardtwin.card.commands.environment import enter
from cardtwin.card.commands.files import created, deleted
from cardtwin.card.errors import Refusal
from cardtwin.card.memory import MF, Df, Ef, FileKind
from cardtwin.card.memory.access import FileOperation
from cardtwin.card.memory.writes import PutFile
from cardtwin.events import CardChange
from cardtwin.iso7816 import FileControl, StatusWord, Tlv, TlvFormatError

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

    from cardtwin.card.chip import Chip
    from cardtwin.card.commands.form import Outcome
    from cardtwin.card.memory import File
    from cardtwin.iso7816 import CommandApdu

__all__ = ["change_rules", "create", "delete_current", "read", "update"]

_LONGEST_READ: Final = 0xE7
_SHORT: Final = 0x80
_SERIAL: Final = 0x1C
_FILES: Final = {0x1D: b"\x2f\x01", 0x1E: b"\x2f\x00"}
"""The files of the MF whose short identifiers clients use.

The serial number is no file here: what identifier its file has beside the short one isn't public."""

_TEMPLATE: Final = 0x62
_SIZE, _DESCRIPTOR, _IDENTIFIER, _NAME, _SHORT_NAME = 0x80, 0x82, 0x83, 0x84, 0x88
_DF_SIZE: Final = 0x81
_KNOWN: Final = {_SIZE, _DF_SIZE, _DESCRIPTOR, _IDENTIFIER, _NAME, _SHORT_NAME, 0x8A}
_DF, _EF = b"\x38", b"\x01"
_PAN: Final = 0x5A


def read(chip: Chip, apdu: CommandApdu) -> Outcome:
    """Read from an offset, or a file by its short identifier; 231 bytes at most."""
    if apdu.p1 == _SHORT | _SERIAL:
        return _serial(chip, apdu)

    plain = _by_offset(chip, apdu)
    return binary.read(chip, replace(plain, le=min(plain.le or 0, _LONGEST_READ) or None))


def update(chip: Chip, apdu: CommandApdu) -> Outcome:
    """Write at an offset, or into a file by its short identifier."""
    return binary.update(chip, _by_offset(chip, apdu))


def _by_offset(chip: Chip, apdu: CommandApdu) -> CommandApdu:
    """Make the file of a short identifier the current one; return the command with the offset alone."""
    if not apdu.p1 & _SHORT:
        return apdu

    file_id = _FILES.get(apdu.p1 & ~_SHORT)
    path = chip.child(MF, file_id) if file_id else None

    if path is None:
        raise Refusal(StatusWord.FILE_NOT_FOUND)

    enter(chip, MF)
    chip.session.ef = path
    return replace(apdu, p1=0)


def _serial(chip: Chip, apdu: CommandApdu) -> Outcome:
    if apdu.data:
        raise Refusal(StatusWord.WRONG_LENGTH)

    told = Tlv(_PAN, chip.image.serial).encode()

    if apdu.p2 >= len(told):
        raise Refusal(StatusWord.WRONG_OFFSET)

    return told[apdu.p2 :][: apdu.le or 0], StatusWord.SUCCESS, ()


def create(chip: Chip, apdu: CommandApdu) -> Outcome:
    """Create a file in the current DF; it becomes the current one: ``62`` with 80, 82, 83, 88, A1; 84."""
    return created(chip, apdu.data, lambda data: _parse(data, _rules_tag(chip)))


def _rules_tag(chip: Chip) -> int:
    return BARE_RULES if chip.dialect.bare_rules else RULES


def _parse(data: bytes, rules_tag: int) -> tuple[bytes, File]:
    try:
        control = FileControl.parse(data)
        rules = next((found for found in control.objects if found.tag == rules_tag), Tlv(rules_tag))
        is_df = control.get(_DESCRIPTOR) == _DF
        access = file_access(rules, df=is_df)
    except TlvFormatError:
        raise Refusal(StatusWord.LC_INCONSISTENT_WITH_TLV) from None

    file_id = _file_id(control, _KNOWN | {rules_tag})
    return file_id, _df(control, access) if is_df else _ef(control, access)


def _file_id(control: FileControl, known: AbstractSet[int]) -> bytes:
    file_id = control.get(_IDENTIFIER) or b""
    tags = [found.tag for found in control.objects]

    if len(set(tags)) < len(tags) or set(tags) - known or control.template != _TEMPLATE:
        raise Refusal(StatusWord.WRONG_DATA)

    if len(file_id) != 2 or file_id in {MF, b"\0\0", b"\x3f\xff", b"\xff\xff"}:
        raise Refusal(StatusWord.WRONG_DATA)

    return file_id


def _df(control: FileControl, access: bytes) -> Df:
    name = control.get(_NAME) or b""

    if len(name) > 16:
        raise Refusal(StatusWord.WRONG_DATA)

    tag = _SIZE if control.get(_DF_SIZE) is None else _DF_SIZE
    return Df(_size(control, tag, default=0), access, name)


def _ef(control: FileControl, access: bytes) -> Ef:
    size, df_size = _size(control), control.get(_DF_SIZE)

    if control.get(_DESCRIPTOR) != _EF or control.get(_NAME) is not None or not size or df_size is not None:
        raise Refusal(StatusWord.WRONG_DATA)

    return Ef(FileKind.TRANSPARENT, size, access, _EF, bytes(size))


def _size(control: FileControl, tag: int = _SIZE, default: int | None = None) -> int:
    size = control.get(tag)

    if size is None and default is not None:
        return default

    if size is None or len(size) != 2:
        raise Refusal(StatusWord.WRONG_DATA)

    return int.from_bytes(size)


def delete_current(chip: Chip, apdu: CommandApdu) -> Outcome:
    """Delete the current EF, or the current DF with all that is in it; the MF can't be deleted."""
    path = chip.session.ef or chip.session.df

    if apdu.data:
        raise Refusal(StatusWord.WRONG_LENGTH)

    if path == MF:
        raise Refusal(StatusWord.CONDITIONS_OF_USE_NOT_SATISFIED)

    return deleted(chip, path)


def change_rules(chip: Chip, template: Tlv) -> Outcome:
    """Give the current file other access rules: ``62 {A1 {8C}}`` (rule ``card.iasecc-change-of-rules``).

    On IAS Classic it is ``62 {8C}``.
    """
    path = chip.session.ef or chip.session.df
    file = chip.image.files[path]
    objects = template.children()

    if [found.tag for found in objects] != [_rules_tag(chip)]:
        raise Refusal(StatusWord.WRONG_DATA)

    access = file_access(objects[0], df=isinstance(file, Df), mf=path == MF)
    chip.require_of_file(path, FileOperation.ADMIN)
    return b"", StatusWord.SUCCESS, (PutFile(path, replace(file, access=access), CardChange.ACCESS_CHANGED),)
