"""READ, UPDATE and APPEND RECORD (ISO/IEC 7816-4:2020, 11.4). The current EF only."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from cardtwin.card.errors import Refusal
from cardtwin.card.memory import FileKind
from cardtwin.card.memory.access import EfOperation
from cardtwin.card.memory.writes import PutFile
from cardtwin.iso7816 import StatusWord

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cardtwin.card.chip import Chip
    from cardtwin.card.commands.form import Outcome
    from cardtwin.card.memory import Ef
    from cardtwin.iso7816 import CommandApdu

__all__ = ["append", "appended", "read", "update"]

_BY_NUMBER: Final = 0x04
_LONG_LENGTH: Final = 0xFF
_DELETED: Final = b"\0\0"


def read(chip: Chip, apdu: CommandApdu) -> Outcome:
    """Read one record, whole: in a linear TLV file, tag and length come with it."""
    if apdu.data:
        raise Refusal(StatusWord.WRONG_LENGTH)

    file = _with_records(chip, EfOperation.READ)
    number = _locate(chip, file, apdu)
    chip.session.record = number
    return file.records[number - 1][: apdu.le or 0], StatusWord.SUCCESS, ()


def update(chip: Chip, apdu: CommandApdu) -> Outcome:
    """Put other content into a record. In a cyclic file "previous" begins a new one."""
    file = _with_records(chip, EfOperation.UPDATE)

    if file.kind is FileKind.CYCLIC and (apdu.p1, apdu.p2) == (0, 3):
        return _written(chip, appended(file, apdu.data))

    number = _locate(chip, file, apdu)
    _check(file, apdu.data)
    room = file.room + len(file.records[number - 1])

    if len(apdu.data) > room:
        raise Refusal(StatusWord.NOT_ENOUGH_MEMORY)

    records = (*file.records[: number - 1], apdu.data, *file.records[number:])
    chip.session.record = number
    return _written(chip, replace(file, records=records))


def append(chip: Chip, apdu: CommandApdu) -> Outcome:
    """Add a record at the end; in a cyclic file at the beginning, over the oldest one."""
    return _written(chip, appended(_with_records(chip, EfOperation.APPEND), apdu.data))


def appended(file: Ef, record: bytes) -> Ef:
    """Return a file with one more record.

    Refuses with 6700 or 6A80 a record of the wrong form, with 6A84 one that doesn't fit.
    """
    _check(file, record)

    if file.kind is FileKind.CYCLIC:
        return replace(file, records=(record, *file.records)[: file.record_count])

    if not file.fits(record) or (file.record_count and len(file.records) >= file.record_count):
        raise Refusal(StatusWord.NOT_ENOUGH_MEMORY)

    return replace(file, records=(*file.records, record))


def _written(chip: Chip, file: Ef) -> Outcome:
    return b"", StatusWord.SUCCESS, (PutFile(chip.session.ef or b"", file),)


def _with_records(chip: Chip, operation: EfOperation) -> Ef:
    file = chip.current_ef()

    if not file.kind.has_records:
        raise Refusal(StatusWord.COMMAND_INCOMPATIBLE_WITH_FILE_STRUCTURE)

    chip.require_of_file(chip.session.ef or b"", operation)
    return file


def _check(file: Ef, record: bytes) -> None:
    if file.kind.has_fixed_records:
        if len(record) != file.record_length:
            raise Refusal(StatusWord.WRONG_LENGTH)
    elif not record:
        raise Refusal(StatusWord.WRONG_LENGTH)
    elif file.kind is FileKind.LINEAR_TLV and not _is_simple_tlv(record):
        raise Refusal(StatusWord.LC_INCONSISTENT_WITH_TLV)


def _is_simple_tlv(record: bytes) -> bool:
    """Tell whether bytes are one SIMPLE-TLV object: tag, length (FF: two more bytes), value."""
    if len(record) < 2:
        return False

    if record[1] == _LONG_LENGTH:
        return len(record) >= 4 and int.from_bytes(record[2:4]) == len(record) - 4

    return record[1] == len(record) - 2


def _locate(chip: Chip, file: Ef, apdu: CommandApdu) -> int:
    """Return the number of the record that P1 and P2 mean, from 1."""
    count = len(file.records)

    if apdu.p2 == _BY_NUMBER:
        number = apdu.p1 or chip.session.record
    else:
        number = _search(file, apdu.p1, _candidates(count, chip.session.record, apdu.p2))

    if not 1 <= number <= count:
        raise Refusal(StatusWord.RECORD_NOT_FOUND)

    return number


def _candidates(count: int, current: int, how: int) -> Iterable[int]:
    """Return the numbers in the order of search: 0 first, 1 last, 2 next, 3 previous occurrence."""
    orders = {
        0: range(1, count + 1),
        1: range(count, 0, -1),
        2: range(current + 1, count + 1),
        3: range((current or count + 1) - 1, 0, -1),
    }
    return orders[how]


def _search(file: Ef, tag: int, numbers: Iterable[int]) -> int:
    """Return the first of the numbers whose record has the tag; tag 0 takes any. 0 where there is none."""
    for number in numbers:
        record = file.records[number - 1]

        if not tag or (record[:1] == bytes((tag,)) and record != _DELETED):
            return number

    return 0
