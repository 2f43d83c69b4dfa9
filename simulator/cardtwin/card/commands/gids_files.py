"""Files as the Generic Identity Device Specification has them: all in the application, which is the MF."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from cardtwin.card.chip.gids import (
    APPLICATION,
    EITHER,
    KEY_FILES,
    file_access,
    is_initialising,
    key_access,
    key_object,
)
from cardtwin.card.commands import selection
from cardtwin.card.commands.files import deleted
from cardtwin.card.commands.gids_credentials import forget
from cardtwin.card.errors import Refusal
from cardtwin.card.memory import MF, Df, Ef, FileKind
from cardtwin.card.memory.access import DfOperation, FileOperation
from cardtwin.card.memory.lifecycle import LifeCycle
from cardtwin.card.memory.objects import TEST_CLASS
from cardtwin.card.memory.writes import DropObject, PutFile, PutObject, SetLifeCycle
from cardtwin.events import CardChange
from cardtwin.iso7816 import FileControl, StatusWord, Tlv, TlvFormatError

if TYPE_CHECKING:
    from cardtwin.card.chip import Chip
    from cardtwin.card.commands.form import Outcome
    from cardtwin.card.memory.writes import Write
    from cardtwin.iso7816 import CommandApdu

__all__ = ["activate", "by_identifier", "by_name", "create", "delete_current", "management_data"]

_CURRENT_APPLICATION: Final = b"\x3f\xff"
_RESERVED: Final = {MF, _CURRENT_APPLICATION, b"\0\0", b"\xff\xff"}
_FCI, _FMD = 0x00, 0x08
_TEMPLATES: Final = {0x62, 0x6F}
_DESCRIPTOR, _IDENTIFIER, _ATTRIBUTES, _USES = 0x82, 0x83, 0x8C, 0xA5
_MANAGEMENT_DATA: Final = Tlv.constructed(0x64, (Tlv(0x5F2F, b"\x60"), Tlv(0x7F65, b"\x80\x00"))).encode()
"""That there is a local PIN to be used, and the discovery data of an applet of the kind, as it tells them."""


def by_name(chip: Chip, apdu: CommandApdu) -> Outcome:
    """Select the application by its name or the beginning of it, which forgets PIN and admin key."""
    outcome = selection.by_aid(chip, apdu)
    forget(chip)
    return outcome


def by_identifier(chip: Chip, apdu: CommandApdu) -> Outcome:
    """Select a file by its identifier; 3FFF is the application, of which alone there is an FCI."""
    whole = apdu.data in {b"", MF, _CURRENT_APPLICATION}

    if apdu.p2 == _FCI and not whole:
        raise Refusal(StatusWord.INCORRECT_P1_P2)

    return selection.by_identifier(chip, replace(apdu, data=MF) if whole else apdu)


def management_data(chip: Chip, apdu: CommandApdu) -> Outcome:
    """Select the application by its name and tell its management data (FMD)."""
    if not apdu.data or not APPLICATION.startswith(apdu.data):
        raise Refusal(StatusWord.FILE_NOT_FOUND)

    forget(chip)
    chip.session.ef = None
    return _MANAGEMENT_DATA, StatusWord.SUCCESS, ()


def create(chip: Chip, apdu: CommandApdu) -> Outcome:
    """Create a file of data objects, or one of a key, which gets its value later; it becomes the current one.

    It has to be activated before it is used.
    """
    chip.require_of_file(MF, DfOperation.CREATE)
    file_id, control = _control(apdu.data)
    path, made = MF + file_id, _file(file_id, control)

    if path in chip.image.files:
        raise Refusal(StatusWord.REFERENCE_DATA_NOT_USABLE)

    writes: list[Write] = [PutFile(path, made, CardChange.FILE_CREATED)]
    room = made.footprint

    if made.kind is FileKind.KEY:
        at, key = key_object(file_id, made.content, key_access(control.get(_ATTRIBUTES)))

        # The key first: where the power goes in between there is no file, and creation can be repeated.
        writes = [*_dropped(chip, file_id), PutObject(at, key, detail="without value"), *writes]
        room += key.footprint

    chip.require_room(room)
    chip.session.ef = path
    return b"", StatusWord.SUCCESS, tuple(writes)


def _control(data: bytes) -> tuple[bytes, FileControl]:
    try:
        control = FileControl.parse(data)
    except TlvFormatError:
        raise Refusal(StatusWord.REFERENCE_DATA_NOT_USABLE) from None

    file_id = control.get(_IDENTIFIER) or b""

    if control.template not in _TEMPLATES or len(file_id) != 2 or file_id in _RESERVED:
        raise Refusal(StatusWord.REFERENCE_DATA_NOT_USABLE)

    return file_id, control


def _file(file_id: bytes, control: FileControl) -> Ef:
    descriptor = control.get(_DESCRIPTOR) or b""
    attributes = control.get(_ATTRIBUTES)

    if descriptor == bytes((FileKind.DATA_OBJECTS,)):
        return Ef(FileKind.DATA_OBJECTS, 0, file_access(attributes), descriptor, active=False)

    if descriptor != bytes((FileKind.KEY,)):
        raise Refusal(StatusWord.REFERENCE_DATA_NOT_USABLE)

    content = control.get(_USES) or b""
    access = file_access(attributes, key=file_id[1])
    return Ef(FileKind.KEY, len(content), access, descriptor, content, active=False)


def activate(chip: Chip, apdu: CommandApdu) -> Outcome:
    """Activate the current file, or with none the application: its initialisation is over then."""
    path = chip.session.ef

    if apdu.data:
        raise Refusal(StatusWord.WRONG_LENGTH)

    if path is not None:
        file = chip.image.files[path]
        chip.require_of_file(path, FileOperation.ACTIVATE)
        active = replace(file, active=True)
        return b"", StatusWord.SUCCESS, (PutFile(path, active, CardChange.FILE_UPDATED),)

    forget(chip)
    return b"", StatusWord.SUCCESS, _activation(chip) if is_initialising(chip.image) else ()


def _activation(chip: Chip) -> tuple[PutFile | SetLifeCycle, ...]:
    """Close the application: from now on files are created, deleted with the PIN or the admin key."""
    master = chip.image.files[MF]
    assert isinstance(master, Df)
    access = bytearray([0xFF] * len(master.access))
    access[DfOperation.CREATE] = access[DfOperation.DELETE] = EITHER
    closed = replace(master, access=bytes(access))
    return PutFile(MF, closed, CardChange.ACCESS_CHANGED), SetLifeCycle(LifeCycle.OPERATIONAL)


def delete_current(chip: Chip, apdu: CommandApdu) -> Outcome:
    """Delete the current file; with a key's file the key. The application can't be deleted."""
    path = chip.session.ef

    if apdu.data:
        raise Refusal(StatusWord.WRONG_LENGTH)

    if path is None:
        raise Refusal(StatusWord.NO_CURRENT_EF)

    dropped = _dropped(chip, path[-2:])
    data, status, writes = deleted(chip, path)
    chip.session.environment.clear()
    return data, status, (*writes, *dropped)


def _dropped(chip: Chip, file_id: bytes) -> list[DropObject]:
    """Return the writes that drop the RSA key of a key's file."""
    if file_id[0] != KEY_FILES:
        return []

    keys = [key for key in chip.image.objects if key.class_ != TEST_CLASS and key.id == file_id[1]]
    return [DropObject(key) for key in keys]
