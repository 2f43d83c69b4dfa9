"""SELECT in all its forms (ISO/IEC 7816-4:2020, 11.2.2). A failed SELECT leaves the current file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cardtwin.card.chip.quirks import DROP_PIN_ON_SELECT, UNKNOWN_AID_RESETS
from cardtwin.card.commands.environment import enter
from cardtwin.card.errors import Refusal
from cardtwin.card.memory import MF, Df, Ef, parent
from cardtwin.iso7816 import StatusWord
from cardtwin.provenance.card import IASECC_APPLICATION

if TYPE_CHECKING:
    from cardtwin.card.chip import Chip
    from cardtwin.card.commands.form import Outcome
    from cardtwin.iso7816 import CommandApdu

__all__ = [
    "application",
    "application_forgetting",
    "by_aid",
    "by_identifier",
    "by_path_from_df",
    "by_path_from_mf",
    "child_df",
    "child_ef",
    "child_file",
    "parent_df",
]

_FCP: Final = 0x04
_NOTHING: Final = 0x0C
_TEMPLATE_FCI: Final = 0x6F
_TEMPLATE_FCP: Final = 0x62
_NEXT: Final = 0x02


def by_identifier(chip: Chip, apdu: CommandApdu) -> Outcome:
    """Select by identifier: among the current DF's files, then the DF itself, its parent, the MF.

    Without data, and with 3F00, the MF.
    """
    file_id = apdu.data

    if file_id in {b"", MF}:
        return _select(chip, apdu, MF)

    _expect(len(file_id) == 2)
    df = chip.session.df
    found = chip.child(df, file_id) or next((at for at in (df, parent(df)) if at[-2:] == file_id), None)
    return _select(chip, apdu, found)


def child_df(chip: Chip, apdu: CommandApdu) -> Outcome:
    """Select a DF in the current DF."""
    _expect(len(apdu.data) == 2)
    return _select(chip, apdu, chip.child(chip.session.df, apdu.data), kind=Df)


def child_ef(chip: Chip, apdu: CommandApdu) -> Outcome:
    """Select an EF in the current DF."""
    _expect(len(apdu.data) == 2)
    return _select(chip, apdu, chip.child(chip.session.df, apdu.data), kind=Ef)


def parent_df(chip: Chip, apdu: CommandApdu) -> Outcome:
    """Select the parent of the current DF; the MF is its own."""
    _expect(not apdu.data)
    return _select(chip, apdu, parent(chip.session.df))


def by_aid(chip: Chip, apdu: CommandApdu) -> Outcome:
    """Select the first DF, or the next one, whose name begins with the data."""
    _expect(1 <= len(apdu.data) <= 16)
    found = [
        path
        for path, file in chip.image.files.items()
        if isinstance(file, Df) and file.name and file.name.startswith(apdu.data)
    ]

    if apdu.p2 & 0x03 == _NEXT:
        found = _behind(found, chip.session.df)

    if not found and UNKNOWN_AID_RESETS in chip.model.quirks:
        _leave_application(chip)

    return _select(chip, apdu, found[0] if found else None)


def application(chip: Chip, apdu: CommandApdu) -> Outcome:
    """Select by AID as by_aid() does, and forget PINs (rule ``card.iasecc-application``)."""
    outcome = by_aid(chip, apdu)
    every = chip.switches[IASECC_APPLICATION] == "all"
    chip.session.passed = (
        {} if every else {at: uses for at, uses in chip.session.passed.items() if at.df == MF}
    )

    return outcome


def application_forgetting(chip: Chip, apdu: CommandApdu) -> Outcome:
    """Select by AID as by_aid() does, and forget every PIN: clients log out by it."""
    outcome = by_aid(chip, apdu)
    chip.session.passed.clear()
    return outcome


def child_file(chip: Chip, apdu: CommandApdu) -> Outcome:
    """Select a file in the current DF, of whatever kind."""
    _expect(len(apdu.data) == 2)
    return _select(chip, apdu, chip.child(chip.session.df, apdu.data))


def _leave_application(chip: Chip) -> None:
    chip.tell_master_file()
    _make_current(chip, MF, None)
    chip.session.passed.clear()


def _behind(paths: list[bytes], current: bytes) -> list[bytes]:
    return paths[paths.index(current) + 1 :] if current in paths else paths


def by_path_from_mf(chip: Chip, apdu: CommandApdu) -> Outcome:
    """Select by path from the MF, whose own identifier may begin the path."""
    path = apdu.data
    _expect(len(path) >= 2 and not len(path) % 2)
    return _select(chip, apdu, _follow(chip, MF, path[2:] if path[:2] == MF else path))


def by_path_from_df(chip: Chip, apdu: CommandApdu) -> Outcome:
    """Select by path from the current DF."""
    _expect(len(apdu.data) >= 2 and not len(apdu.data) % 2)
    return _select(chip, apdu, _follow(chip, chip.session.df, apdu.data))


def _follow(chip: Chip, start: bytes, steps: bytes) -> bytes | None:
    path = start + steps
    return path if path in chip.image.files else None


def _expect(condition: bool) -> None:  # noqa: FBT001  # reads as what it states
    if not condition:
        raise Refusal(StatusWord.LC_INCONSISTENT_WITH_P1_P2)


def _select(chip: Chip, apdu: CommandApdu, path: bytes | None, *, kind: type = object) -> Outcome:
    """Make a file the current one and give what P2 asks to know of it."""
    file = chip.image.files.get(path) if path else None

    if path is None or file is None or not isinstance(file, kind):
        raise Refusal(StatusWord.FILE_NOT_FOUND)

    if isinstance(file, Ef):
        _make_current(chip, parent(path), path)
    else:
        _make_current(chip, path, None)

        if DROP_PIN_ON_SELECT in chip.model.quirks:
            chip.session.passed.clear()

    asked = apdu.p2 & _NOTHING
    data = b""

    if asked != _NOTHING:
        template = _TEMPLATE_FCP if asked == _FCP else _TEMPLATE_FCI
        data = chip.dialect.control_information(chip.image, path, file, template)

    return data, StatusWord.SUCCESS if chip.is_active(path) else StatusWord.FILE_DEACTIVATED, ()


def _make_current(chip: Chip, df: bytes, ef: bytes | None) -> None:
    chip.session.record = 0
    chip.session.ef = ef
    enter(chip, df)
