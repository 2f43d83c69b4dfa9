"""Files as AuthentIC has them: creation by pairs of condition bytes, deletion of an EF or of a DF."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cardtwin.card.chip.authentic import file_access
from cardtwin.card.commands.files import created, deleted
from cardtwin.card.errors import Refusal
from cardtwin.card.memory import MF, Df, Ef, FileKind
from cardtwin.iso7816 import FileControl, StatusWord, TlvFormatError

if TYPE_CHECKING:
    from cardtwin.card.chip import Chip
    from cardtwin.card.commands.form import Outcome
    from cardtwin.card.memory import File
    from cardtwin.iso7816 import CommandApdu

__all__ = ["create", "delete_df", "delete_ef"]

_TEMPLATE: Final = 0x62
_SIZE, _DESCRIPTOR, _IDENTIFIER, _CONDITIONS = 0x80, 0x82, 0x83, 0x86
_TAGS: Final = [_SIZE, _DESCRIPTOR, _IDENTIFIER, _CONDITIONS]
_DF, _EF = b"\x38", b"\x01"
_RESERVED: Final = {MF, b"\0\0", b"\x3f\xff", b"\xff\xff"}


def create(chip: Chip, apdu: CommandApdu) -> Outcome:
    """Create a file in the current DF; it becomes the current one: ``62`` with 80, 82, 83, 86."""
    return created(chip, apdu.data, _parse)


def _parse(data: bytes) -> tuple[bytes, File]:
    try:
        control = FileControl.parse(data)
    except TlvFormatError:
        raise Refusal(StatusWord.LC_INCONSISTENT_WITH_TLV) from None

    given = {found.tag: found.value for found in control.objects}

    if control.template != _TEMPLATE or sorted(found.tag for found in control.objects) != _TAGS:
        raise Refusal(StatusWord.WRONG_DATA)

    file_id, size, descriptor = given[_IDENTIFIER], given[_SIZE], given[_DESCRIPTOR]

    if len(file_id) != 2 or file_id in _RESERVED or len(size) != 2 or descriptor not in {_DF, _EF}:
        raise Refusal(StatusWord.WRONG_DATA)

    length, access = int.from_bytes(size), file_access(given[_CONDITIONS], df=descriptor == _DF)

    if descriptor == _DF:
        return file_id, Df(length, access)

    if not length:
        raise Refusal(StatusWord.WRONG_DATA)

    return file_id, Ef(FileKind.TRANSPARENT, length, access, _EF, bytes(length))


def delete_ef(chip: Chip, apdu: CommandApdu) -> Outcome:
    """Delete an EF of the current DF."""
    return _deleted(chip, apdu, Ef)


def delete_df(chip: Chip, apdu: CommandApdu) -> Outcome:
    """Delete a DF of the current DF with all that is in it."""
    return _deleted(chip, apdu, Df)


def _deleted(chip: Chip, apdu: CommandApdu, kind: type) -> Outcome:
    if len(apdu.data) != 2:
        raise Refusal(StatusWord.WRONG_LENGTH)

    path = chip.child(chip.session.df, apdu.data)

    if path is None or not isinstance(chip.image.files[path], kind):
        raise Refusal(StatusWord.FILE_NOT_FOUND)

    return deleted(chip, path)
