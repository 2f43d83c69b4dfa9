"""PHASE CONTROL, and what stands under the StartKey: ERASE FILES, FORMAT, the change of the StartKey."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from cardtwin.card.crypto import SecureMessagingError, startkey
from cardtwin.card.errors import Refusal
from cardtwin.card.memory import MF, Df, StartKey
from cardtwin.card.memory.access import DfOperation, complete
from cardtwin.card.memory.lifecycle import TRANSITIONS, LifeCycle, LifeCycleEvent
from cardtwin.card.memory.writes import DropFiles, PutFile, SetLifeCycle, SetPackages, SetStartKey
from cardtwin.events import CardChange
from cardtwin.iso7816 import FileControl, StatusWord, TlvFormatError

if TYPE_CHECKING:
    from cardtwin.card.chip import Chip
    from cardtwin.card.commands.form import Outcome
    from cardtwin.iso7816 import CommandApdu

__all__ = ["change_start_key", "erase_files", "format_card", "phase_control"]

_TRIES: Final = 10
_DEFAULT_VERSION: Final = 0xFF
_KEY_LENGTH: Final = 16
_MF_ACCESS_LENGTH: Final = 10
_FORMAT_TAGS: Final = {0x81, 0x85, 0x86, 0xCB}


def phase_control(chip: Chip, apdu: CommandApdu) -> Outcome:
    """Go to the next phase of life, where the MF's condition LCYCLE is met."""
    if apdu.data:
        raise Refusal(StatusWord.WRONG_LENGTH)

    target = _advance(chip.image.life_cycle, LifeCycleEvent.PHASE_CONTROL)
    chip.require_of_file(MF, DfOperation.LCYCLE)
    return b"", StatusWord.SUCCESS, (SetLifeCycle(target),)


def erase_files(chip: Chip, apdu: CommandApdu) -> Outcome:
    """Delete every file and object, the MF too: back to manufacturing."""
    started = _advance(chip.image.life_cycle, LifeCycleEvent.ERASE_BEGINS)
    data = _unwrap(chip, apdu)

    if data:
        raise Refusal(StatusWord.WRONG_DATA)

    chip.forget()
    ended = _advance(started, LifeCycleEvent.ERASE_ENDS)
    return b"", StatusWord.SUCCESS, (SetLifeCycle(started), DropFiles(), SetLifeCycle(ended))


def format_card(chip: Chip, apdu: CommandApdu) -> Outcome:
    """Make an empty MF and go to administration; the packages are gone.

    The data are ``62 { 81 02 size, 85 01 options, 86 0A conditions, CB 00 }``.
    """
    target = _advance(chip.image.life_cycle, LifeCycleEvent.FORMAT)
    master = _master_file(_unwrap(chip, apdu))
    chip.forget()
    return (
        b"",
        StatusWord.SUCCESS,
        (SetPackages(()), PutFile(MF, master, CardChange.FILE_CREATED), SetLifeCycle(target)),
    )


def _master_file(data: bytes) -> Df:
    try:
        control = FileControl.parse(data)
    except TlvFormatError:
        raise Refusal(StatusWord.LC_INCONSISTENT_WITH_TLV) from None

    size, options, access = control.get(0x81), control.get(0x85), control.get(0x86)

    if (
        not _FORMAT_TAGS.issuperset(found.tag for found in control.objects)
        or size is None
        or len(size) != 2
        or not options
        or access is None
        or len(access) > _MF_ACCESS_LENGTH
        or control.get(0xCB)
    ):
        raise Refusal(StatusWord.WRONG_DATA)

    return Df(int.from_bytes(size), complete(access, mf=True), options=options)


def change_start_key(chip: Chip, apdu: CommandApdu) -> Outcome:
    """Put a new StartKey of 16 bytes in the place of the old one; its version is FF from then on."""
    data = _unwrap(chip, apdu)

    if len(data) != _KEY_LENGTH:
        raise Refusal(StatusWord.WRONG_DATA)

    return b"", StatusWord.SUCCESS, (SetStartKey(StartKey(data, _DEFAULT_VERSION, _TRIES)),)


def _unwrap(chip: Chip, apdu: CommandApdu) -> bytes:
    """Return the plain data. That costs a try, which the right StartKey gives back, whatever the data say.

    Refuses with 6983 where no try is left, with 6984 where the StartKey isn't known, with 6988 where the
    message wasn't made with it.
    """
    start_key = chip.image.start_key

    if not start_key.tries_left:
        raise Refusal(StatusWord.AUTHENTICATION_METHOD_BLOCKED)

    if not start_key.key:
        raise Refusal(StatusWord.REFERENCE_DATA_NOT_USABLE)

    chip.commit(SetStartKey(replace(start_key, tries_left=start_key.tries_left - 1)))

    try:
        data = startkey.unwrap(start_key.key, apdu.ins, apdu.p1, apdu.p2, apdu.data)
    except SecureMessagingError:
        raise Refusal(StatusWord.SM_OBJECTS_INCORRECT) from None

    chip.commit(SetStartKey(replace(start_key, tries_left=_TRIES)))
    return data


def _advance(phase: LifeCycle, event: LifeCycleEvent) -> LifeCycle:
    transition = TRANSITIONS.get((phase, event))

    if transition is None:
        raise Refusal(StatusWord.CONDITIONS_OF_USE_NOT_SATISFIED)

    return transition.target
