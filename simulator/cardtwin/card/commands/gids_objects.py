"""GET DATA and PUT DATA of the Generic Identity Device Specification: data objects in files, states, keys."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from cardtwin.card.chip.gids import MAX_TRIES, USER_PIN
from cardtwin.card.commands import gids_keys
from cardtwin.card.errors import Refusal
from cardtwin.card.memory import MF, Ef, FileKind
from cardtwin.card.memory.access import EfOperation
from cardtwin.card.memory.writes import PutFile
from cardtwin.iso7816 import StatusWord, Tlv, TlvFormatError

if TYPE_CHECKING:
    from cardtwin.card.chip import Chip
    from cardtwin.card.commands.form import Outcome
    from cardtwin.iso7816 import CommandApdu

__all__ = ["get_data", "get_of_application", "get_of_card", "put_data", "put_to_application"]

_TAGS: Final = 0x5C
_ALL: Final = {b"", b"\x5c"}
_KEY: Final = 0x70
_PIN_STATES: Final = {0x7F71, 0x7F72}
_PUK_STATE: Final = 0x7F73
_TRIES_LEFT, _TRIES = 0x97, 0x93
_LARGEST: Final = 0xFFFF
_RECORD_HEADER: Final = 2
_CARD: Final = (Tlv(0x43, b"\xf4"), Tlv(0x47, bytes.fromhex("080180")), Tlv(0x46, b"cardtwin"))
"""EF.ATR: services and capabilities as an applet of the kind tells them, and a name of ours."""


def get_of_card(_chip: Chip, apdu: CommandApdu) -> Outcome:
    """Tell the card's services and capabilities (EF.ATR)."""
    if _asked(apdu.data) != b"":
        raise Refusal(StatusWord.REFERENCE_DATA_NOT_USABLE)

    return b"".join(found.encode() for found in _CARD), StatusWord.SUCCESS, ()


def get_of_application(chip: Chip, apdu: CommandApdu) -> Outcome:
    """Tell the state of the PIN (``5C 02 7F71``), or a public key (``70 {84, A5 {7F49 80}}``)."""
    if apdu.data[:1] == bytes((_KEY,)):
        return gids_keys.public_key(chip, apdu.data)

    tag = int.from_bytes(_asked(apdu.data))

    # A PUK is what version 1 has.
    if tag == _PUK_STATE:
        raise Refusal(StatusWord.REFERENCED_DATA_NOT_FOUND)

    if tag not in _PIN_STATES:
        raise Refusal(StatusWord.REFERENCE_DATA_NOT_USABLE)

    pin = chip.image.objects.get(USER_PIN)
    tries = MAX_TRIES if pin is None else pin.tries_left
    told = Tlv.constructed(tag, (Tlv(_TRIES_LEFT, bytes((tries,))), Tlv(_TRIES, bytes((MAX_TRIES,)))))
    return told.encode(), StatusWord.SUCCESS, ()


def get_data(chip: Chip, apdu: CommandApdu) -> Outcome:
    """Tell a data object of a file by its tag, or with an empty tag list all of them."""
    path, file = _file(chip, apdu)
    chip.require_of_file(path, EfOperation.READ)
    chip.session.ef = path
    wanted = _asked(apdu.data)

    if wanted in _ALL:
        return b"".join(file.records), StatusWord.SUCCESS, ()

    found = _find(file, int.from_bytes(wanted))

    if found is None:
        raise Refusal(StatusWord.REFERENCED_DATA_NOT_FOUND)

    return file.records[found], StatusWord.SUCCESS, ()


def _asked(data: bytes) -> bytes:
    """Return the value of the one tag list (5C)."""
    try:
        found = Tlv.parse(data)
    except TlvFormatError:
        raise Refusal(StatusWord.REFERENCE_DATA_NOT_USABLE) from None

    if found.tag != _TAGS:
        raise Refusal(StatusWord.REFERENCE_DATA_NOT_USABLE)

    return found.value


def _file(chip: Chip, apdu: CommandApdu) -> tuple[bytes, Ef]:
    """Return the file of data objects that P1-P2 names, or with 0000 the current one."""
    named = bytes((apdu.p1, apdu.p2))
    path = chip.session.ef if named == b"\0\0" else chip.child(MF, named)

    if path is None:
        raise Refusal(StatusWord.NO_CURRENT_EF if named == b"\0\0" else StatusWord.FILE_NOT_FOUND)

    file = chip.image.files[path]

    if not isinstance(file, Ef) or file.kind is not FileKind.DATA_OBJECTS:
        raise Refusal(StatusWord.COMMAND_INCOMPATIBLE_WITH_FILE_STRUCTURE)

    if not file.active:
        raise Refusal(StatusWord.CONDITIONS_OF_USE_NOT_SATISFIED)

    return path, file


def _find(file: Ef, tag: int) -> int | None:
    return next((place for place, record in enumerate(file.records) if Tlv.parse(record).tag == tag), None)


def put_data(chip: Chip, apdu: CommandApdu) -> Outcome:
    """Store a data object in a file, in place of one with its tag; empty in place of empty deletes it."""
    path, file = _file(chip, apdu)
    chip.require_of_file(path, EfOperation.UPDATE)

    try:
        new = Tlv.parse(apdu.data)
    except TlvFormatError:
        raise Refusal(StatusWord.REFERENCE_DATA_NOT_USABLE) from None

    records, place = list(file.records), _find(file, new.tag)

    if place is None:
        records.append(apdu.data)
    elif new.value or Tlv.parse(records[place]).value:
        records[place] = apdu.data
    else:
        del records[place]

    size = sum(len(record) + _RECORD_HEADER for record in records)

    if size > _LARGEST:
        raise Refusal(StatusWord.NOT_ENOUGH_MEMORY)

    chip.require_room(size - file.size)
    chip.session.ef = path
    return b"", StatusWord.SUCCESS, (PutFile(path, replace(file, records=tuple(records), size=size)),)


def put_to_application(chip: Chip, apdu: CommandApdu) -> Outcome:
    """Give a key its value: ``70 {84 reference, A5 {...}}``."""
    return gids_keys.put_key(chip, apdu.data)
