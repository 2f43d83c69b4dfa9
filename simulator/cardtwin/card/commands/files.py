"""CREATE FILE, DELETE FILE, ACTIVATE, DEACTIVATE, DIRECTORY, and the change of conditions (PUT DATA FCI)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from cardtwin.card.chip.plain_tlv import parse_plain
from cardtwin.card.commands.creation import parse_creation
from cardtwin.card.commands.environment import enter
from cardtwin.card.errors import Refusal
from cardtwin.card.memory import MF, Df, parent
from cardtwin.card.memory.access import DfOperation, FileOperation, complete
from cardtwin.card.memory.writes import DropFile, PutFile
from cardtwin.events import CardChange
from cardtwin.iso7816 import StatusWord, Tlv

if TYPE_CHECKING:
    from collections.abc import Callable

    from cardtwin.card.chip import Chip
    from cardtwin.card.commands.form import Outcome
    from cardtwin.card.memory import File
    from cardtwin.iso7816 import CommandApdu

__all__ = [
    "activate",
    "change_conditions",
    "create",
    "created",
    "deactivate",
    "delete",
    "deleted",
    "directory",
    "removed",
]

_ENTRIES_PER_PAGE: Final = 40  # with the pointer to the next page they stay below 256 bytes


def create(chip: Chip, apdu: CommandApdu) -> Outcome:
    """Create a file in the current DF; it becomes the current one."""
    return created(chip, apdu.data, lambda data: parse_creation(data, chip.dialect))


def created(chip: Chip, data: bytes, parse: Callable[[bytes], tuple[bytes, File]]) -> Outcome:
    """Create the file that data stand for in the form of a card system."""
    df = chip.session.df
    chip.current_df()
    chip.require_of_file(df, DfOperation.CREATE)
    file_id, file = parse(data)
    path = df + file_id

    if path in chip.image.files:
        raise Refusal(StatusWord.FILE_ALREADY_EXISTS)

    if isinstance(file, Df) and file.name and file.name in _names(chip):
        raise Refusal(StatusWord.DF_NAME_ALREADY_EXISTS)

    chip.require_room(file.footprint)
    session = chip.session
    session.record = 0

    if isinstance(file, Df):
        enter(chip, path)
        session.ef = None
    else:
        session.ef = path

    return b"", StatusWord.SUCCESS, (PutFile(path, file, CardChange.FILE_CREATED),)


def _names(chip: Chip) -> set[bytes]:
    return {file.name for file in chip.image.files.values() if isinstance(file, Df)}


def delete(chip: Chip, apdu: CommandApdu) -> Outcome:
    """Delete a file of the current DF, by identifier; with a DF, all that is in it."""
    if len(apdu.data) != 2:
        raise Refusal(StatusWord.WRONG_LENGTH)

    path = chip.child(chip.session.df, apdu.data)

    if path is None:
        raise Refusal(StatusWord.FILE_NOT_FOUND)

    return deleted(chip, path)


def deleted(chip: Chip, path: bytes) -> Outcome:
    """Delete a file, where its condition DELETE is met."""
    chip.require_of_file(path, FileOperation.DELETE)
    return removed(chip, path)


def removed(chip: Chip, path: bytes) -> Outcome:
    """Delete a file. Where the current DF goes with it, its parent becomes current."""
    session = chip.session

    if session.df.startswith(path):
        session.ef = None
        enter(chip, parent(path))

    if session.ef == path:
        session.ef = None
        session.record = 0

    for key in [key for key in session.passed if key.df.startswith(path)]:
        del session.passed[key]

    return b"", StatusWord.SUCCESS, (DropFile(path),)


def activate(chip: Chip, apdu: CommandApdu) -> Outcome:
    """Activate the current file, or one of the current DF."""
    return _set_active(chip, apdu, FileOperation.ACTIVATE, active=True)


def deactivate(chip: Chip, apdu: CommandApdu) -> Outcome:
    """Deactivate the current file, or one of the current DF: from then on it's refused with 6283."""
    return _set_active(chip, apdu, FileOperation.DEACTIVATE, active=False)


def _set_active(chip: Chip, apdu: CommandApdu, operation: FileOperation, *, active: bool) -> Outcome:
    path = _meant(chip, apdu.data)
    chip.require_of_file(path, operation)
    file = chip.image.files[path]
    return b"", StatusWord.SUCCESS, (PutFile(path, replace(file, active=active), CardChange.FILE_UPDATED),)


def _meant(chip: Chip, file_id: bytes) -> bytes:
    """Return the path of the file that an optional identifier means."""
    if not file_id:
        return chip.session.ef or chip.session.df

    if len(file_id) != 2:
        raise Refusal(StatusWord.WRONG_LENGTH)

    path = chip.child(chip.session.df, file_id)

    if path is None:
        raise Refusal(StatusWord.FILE_NOT_FOUND)

    return path


def directory(chip: Chip, apdu: CommandApdu) -> Outcome:
    """List the current DF's files in pages of 40; P2 is the page's number."""
    children = [path[-2:] for path in chip.image.children(chip.session.df)]
    start = apdu.p2 * _ENTRIES_PER_PAGE
    page = children[start : start + _ENTRIES_PER_PAGE]

    if not page and apdu.p2:
        raise Refusal(StatusWord.INCORRECT_P1_P2)

    entries = [[Tlv(0x86, file_id)] for file_id in page]

    if len(children) > start + _ENTRIES_PER_PAGE:
        entries[-1].append(Tlv(0x8A, bytes((apdu.p2 + 1,))))

    listing = b"".join(Tlv.constructed(0x6F, entry).encode() for entry in entries)
    return listing or Tlv(0x6F).encode(), StatusWord.SUCCESS, ()


def change_conditions(chip: Chip, apdu: CommandApdu) -> Outcome:
    """Replace the conditions of the current file, wherever they are: ``86 n conditions``."""
    values = parse_plain(apdu.data, known={0x86})
    path = chip.session.ef or chip.session.df
    chip.require_of_file(path, FileOperation.ADMIN)
    file = chip.image.files[path]
    access = complete(values.get(0x86, b""), df=isinstance(file, Df), mf=path == MF)
    changed = replace(file, access=access, rules=b"")
    return b"", StatusWord.SUCCESS, (PutFile(path, changed, CardChange.ACCESS_CHANGED),)
