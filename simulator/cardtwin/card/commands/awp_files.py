"""Files as AuthentIC V2 has them: EFs, files of records, files of keys, and DFs."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from cardtwin.card.chip.algorithms import KEY_CLASS
from cardtwin.card.chip.authentic import KeyOperation
from cardtwin.card.chip.awp import LIST, access_of
from cardtwin.card.chip.iasecc import COMPONENTS, PUBLIC_CLASS
from cardtwin.card.commands import selection
from cardtwin.card.commands.files import created, removed
from cardtwin.card.commands.form import DONE, Outcome
from cardtwin.card.commands.sdo_writes import private_parts, public_part
from cardtwin.card.errors import Refusal
from cardtwin.card.memory import MF, Df, Ef, FileKind, ObjectKey
from cardtwin.card.memory.access import DfOperation, EfOperation
from cardtwin.card.memory.writes import DropObject, PutFile, PutObject
from cardtwin.iso7816 import FileControl, StatusWord, TlvFormatError

if TYPE_CHECKING:
    from cardtwin.card.chip import Chip
    from cardtwin.card.memory import File, SecurityObject
    from cardtwin.iso7816 import CommandApdu

__all__ = ["create", "delete_df", "delete_ef", "delete_record", "list_files", "select_by_aid"]

_CARD_MANAGER: Final = bytes.fromhex("A0000000030000")
_TEMPLATE: Final = 0x62
_DESCRIPTOR, _IDENTIFIER, _SIZE, _CONDITIONS = 0x82, 0x83, 0x85, 0x86
_TAGS: Final = [_DESCRIPTOR, _IDENTIFIER, _SIZE, _CONDITIONS]
_DF: Final = 0x38
_RESERVED: Final = {MF, b"\0\0", b"\x3f\xff", b"\xff\xff"}
_BITS: Final = frozenset({512, 1024, 2048})
_LONGEST_RECORD: Final = 0xFF
_RECORD_HEADER: Final = 2
_SIGNS: Final = 0x8A
_UPDATE, _DECIPHER, _SIGN, _AUTHENTICATE = 0, 1, 3, 5


def select_by_aid(chip: Chip, apdu: CommandApdu) -> Outcome:
    """Select by AID, and forget every PIN. The card manager is there to leave the application by."""
    if apdu.data == _CARD_MANAGER:
        chip.session.passed.clear()
        return DONE

    return selection.application_forgetting(chip, apdu)


def create(chip: Chip, apdu: CommandApdu) -> Outcome:
    """Create a file in the current DF; it becomes the current one: ``62`` with 82, 83, 85 the size, 86.

    The size of a key's file is its modulus's in bits, that of a file of records the greatest number of
    these. A key's file comes with its key, which has no value yet.
    """
    made: dict[ObjectKey, SecurityObject] = {}

    def parse(data: bytes) -> tuple[bytes, File]:
        file_id, file = _parse(data)

        if isinstance(file, Ef) and file.kind.is_rsa_key:
            made.update(_key_objects(chip.session.df + file_id, file))
            chip.require_of_file(chip.session.df, DfOperation.APPEND)
            chip.require_room(file.footprint + sum(part.footprint for part in made.values()))

        return file_id, file

    data, status, writes = created(chip, apdu.data, parse)

    # The key first: where the power goes in between there is no file, and creation can be repeated.
    return data, status, (*(PutObject(key, part) for key, part in made.items()), *writes)


def _parse(data: bytes) -> tuple[bytes, File]:
    try:
        control = FileControl.parse(data)
    except TlvFormatError:
        raise Refusal(StatusWord.LC_INCONSISTENT_WITH_TLV) from None

    given = {found.tag: found.value for found in control.objects}

    if control.template != _TEMPLATE or [found.tag for found in control.objects] != _TAGS:
        raise Refusal(StatusWord.WRONG_DATA)

    file_id, descriptor, size = given[_IDENTIFIER], given[_DESCRIPTOR], given[_SIZE]

    if len(file_id) != 2 or file_id in _RESERVED or len(size) != 2 or len(descriptor) != 2:
        raise Refusal(StatusWord.WRONG_DATA)

    if descriptor[0] == _DF:
        return file_id, Df(int.from_bytes(size), access_of(given[_CONDITIONS], df=True), options=size)

    return file_id, _ef(descriptor, size, given[_CONDITIONS])


def _ef(descriptor: bytes, size: bytes, told: bytes) -> Ef:
    try:
        kind = FileKind(descriptor[0])
    except ValueError:
        raise Refusal(StatusWord.WRONG_DATA) from None

    access, number = access_of(told, key=kind.is_rsa_key), int.from_bytes(size)

    if kind.is_rsa_key and number in _BITS:
        return Ef(kind, 0, access, descriptor, options=size)

    if kind is FileKind.TRANSPARENT and number:
        return Ef(kind, number, access, descriptor, bytes(number), options=size)

    if kind is FileKind.LINEAR_VARIABLE and 0 < number < 0xFF:
        room = number * (_LONGEST_RECORD + _RECORD_HEADER)
        return Ef(kind, room, access, descriptor, record_count=number, options=size)

    raise Refusal(StatusWord.WRONG_DATA)


def _key_objects(path: bytes, file: Ef) -> dict[ObjectKey, SecurityObject]:
    """Return the objects of a key's file, with the conditions that the file has, and without value."""
    df, number = path[:-2], int.from_bytes(path[-2:])

    if file.kind is FileKind.RSA_PUBLIC:
        return {ObjectKey(df, PUBLIC_CLASS, number): public_part(file.access)}

    access = bytearray(file.access[_UPDATE : _UPDATE + 1] * (KeyOperation.DELETE + 1))

    for operation, at in (
        (KeyOperation.USE, _SIGN),
        (KeyOperation.SIGN, _SIGN),
        (KeyOperation.DECIPHER, _DECIPHER),
        (KeyOperation.AUTHENTICATE, _AUTHENTICATE),
    ):
        access[operation] = file.access[at]

    key = ObjectKey(df, KEY_CLASS, number)
    return private_parts(key, int.from_bytes(file.options) // 16, bytes(access), _SIGNS)


def delete_ef(chip: Chip, apdu: CommandApdu) -> Outcome:
    """Delete an EF of the current DF, where the DF's condition DELETE is met; with a key's file, the key."""
    path = _child(chip, apdu, Ef)
    chip.require_of_file(chip.session.df, DfOperation.DELETE)
    number = int.from_bytes(path[-2:])
    classes = (PUBLIC_CLASS, *range(KEY_CLASS, KEY_CLASS + len(COMPONENTS)))
    keys = (ObjectKey(path[:-2], class_, number) for class_ in classes)
    dropped = tuple(DropObject(key) for key in keys if key in chip.image.objects)
    data, status, writes = removed(chip, path)
    return data, status, (*writes, *dropped)


def delete_df(chip: Chip, apdu: CommandApdu) -> Outcome:
    """Delete an empty DF of the current DF, where the condition DELETE of both is met."""
    path = _child(chip, apdu, Df)
    chip.require_of_file(chip.session.df, DfOperation.DELETE)
    chip.require_of_file(path, DfOperation.DELETE)

    if any(chip.image.children(path)):
        raise Refusal(StatusWord.CONDITIONS_OF_USE_NOT_SATISFIED)

    return removed(chip, path)


def _child(chip: Chip, apdu: CommandApdu, kind: type) -> bytes:
    if len(apdu.data) != 2:
        raise Refusal(StatusWord.WRONG_LENGTH)

    path = chip.child(chip.session.df, apdu.data)

    if path is None or not isinstance(chip.image.files[path], kind):
        raise Refusal(StatusWord.FILE_NOT_FOUND)

    return path


def list_files(chip: Chip, apdu: CommandApdu) -> Outcome:
    """List the identifiers of the files in the current DF, as many as Le has room for."""
    if apdu.data:
        raise Refusal(StatusWord.WRONG_LENGTH)

    chip.require_of_file(chip.session.df, LIST)
    found = b"".join(path[-2:] for path in chip.image.children(chip.session.df))
    return found[: (apdu.le or 0) & ~1], StatusWord.SUCCESS, ()


def delete_record(chip: Chip, apdu: CommandApdu) -> Outcome:
    """Delete a record by its number; those behind it move up."""
    file = chip.current_ef()

    if apdu.data:
        raise Refusal(StatusWord.WRONG_LENGTH)

    if not file.kind.has_records:
        raise Refusal(StatusWord.COMMAND_INCOMPATIBLE_WITH_FILE_STRUCTURE)

    chip.require_of_file(chip.session.ef or b"", EfOperation.DELETE)

    if not 1 <= apdu.p1 <= len(file.records):
        raise Refusal(StatusWord.RECORD_NOT_FOUND)

    records = (*file.records[: apdu.p1 - 1], *file.records[apdu.p1 :])
    return b"", StatusWord.SUCCESS, (PutFile(chip.session.ef or b"", replace(file, records=records)),)
