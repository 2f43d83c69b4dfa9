"""READ BINARY and UPDATE BINARY (ISO/IEC 7816-4:2020, 11.3). Offsets only: no short EF identifiers."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from cardtwin.card.errors import Refusal
from cardtwin.card.memory import FileKind
from cardtwin.card.memory.access import EfOperation
from cardtwin.card.memory.writes import PutFile
from cardtwin.iso7816 import StatusWord

if TYPE_CHECKING:
    from cardtwin.card.chip import Chip
    from cardtwin.card.commands.form import Outcome
    from cardtwin.card.memory import Ef
    from cardtwin.iso7816 import CommandApdu

__all__ = ["read", "update"]

_READ: Final = int(EfOperation.READ)
_UPDATE: Final = int(EfOperation.UPDATE)
_NO_WRITES: Final = ()


def read(chip: Chip, apdu: CommandApdu) -> Outcome:
    """Read from an offset; at the end of the file fewer bytes than asked come, behind it 6B00."""
    if apdu.data:
        raise Refusal(StatusWord.WRONG_LENGTH)

    file = _transparent(chip, _READ)
    offset = _offset(apdu, file)
    count = min(apdu.le or 0, chip.model.max_data)
    return file.content[offset : offset + count], StatusWord.SUCCESS, _NO_WRITES


def update(chip: Chip, apdu: CommandApdu) -> Outcome:
    """Write at an offset, within the file."""
    file = _transparent(chip, _UPDATE)
    offset = _offset(apdu, file)
    data = apdu.data

    if not data:
        raise Refusal(StatusWord.WRONG_LENGTH)

    if offset + len(data) > file.size:
        raise Refusal(StatusWord.NOT_ENOUGH_MEMORY)

    content = file.content[:offset] + data + file.content[offset + len(data) :]
    return b"", StatusWord.SUCCESS, (PutFile(chip.session.ef or b"", replace(file, content=content)),)


def _transparent(chip: Chip, operation: int) -> Ef:
    file = chip.current_ef()
    kind = file.kind

    if kind is not FileKind.TRANSPARENT and kind is not FileKind.EXECUTABLE:
        raise Refusal(StatusWord.COMMAND_INCOMPATIBLE_WITH_FILE_STRUCTURE)

    if file.access[operation] or file.rules:
        chip.require_of_file(chip.session.ef or b"", operation)

    return file


def _offset(apdu: CommandApdu, file: Ef) -> int:
    if apdu.p1 & 0x80:
        raise Refusal(StatusWord.INCORRECT_P1_P2)

    offset = apdu.p1 << 8 | apdu.p2

    if offset >= file.size:
        raise Refusal(StatusWord.WRONG_OFFSET)

    return offset
