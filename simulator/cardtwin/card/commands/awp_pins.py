"""PINs as AuthentIC V2 has them: the user's and the PUK in a DF, the security officer's in the MF."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from cardtwin.card.chip.algorithms import PIN, TEST_CLASS
from cardtwin.card.chip.awp import OFFICER, ONCE, PIN_CHANGE, PIN_DEFINE, PIN_RESET, PUK, RESET_CODE, USER
from cardtwin.card.commands import credentials
from cardtwin.card.commands.form import DONE, Outcome
from cardtwin.card.errors import Refusal
from cardtwin.card.memory import ObjectKey, SecurityObject
from cardtwin.card.memory.access import ALWAYS, NEVER
from cardtwin.card.memory.writes import PutObject
from cardtwin.iso7816 import StatusWord

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cardtwin.card.chip import Chip
    from cardtwin.iso7816 import CommandApdu

__all__ = ["change", "define", "log_out", "reset", "verify"]

_OWN: Final = 0x80
_PIN_LENGTH: Final = 64
_CODE_LENGTH: Final = 16
_FORGET: Final = 0x20
_MOST_TRIES: Final = 15
_UNLIMITED: Final = 0xFF

_VERIFIED: Final = {0x81: USER, 0x82: ONCE, 0x84: PUK, 0x04: OFFICER}
_WITHOUT_PUK: Final = {**_VERIFIED, 0x84: OFFICER}
_CHANGED: Final = {0x01: USER, 0x02: ONCE, 0x04: OFFICER}
_DEFINED: Final = {0x01: USER, 0x04: PUK}
_RESET: Final = {0x01: USER}
"""Which PIN a reference means, by command: VERIFY tells a DF's own ones apart, the others don't."""


def _translated(apdu: CommandApdu, references: Mapping[int, int]) -> CommandApdu:
    """Return a command with the id that the PIN has in the memory. Refuses with 6A88 other references."""
    if apdu.p2 not in references:
        raise Refusal(StatusWord.REFERENCED_DATA_NOT_FOUND)

    id_ = references[apdu.p2]
    return replace(apdu, p2=id_ if id_ == OFFICER else _OWN | id_)


def verify(chip: Chip, apdu: CommandApdu) -> Outcome:
    """Compare a PIN of 64 bytes, filled up with FF; without data, tell the tries left.

    Where a DF has no PUK of its own, the security officer's PIN is it.
    """
    own = chip.image.find_object(chip.session.df, TEST_CLASS, PUK) is not None
    return credentials.verify(chip, _translated(apdu, _VERIFIED if own else _WITHOUT_PUK))


def change(chip: Chip, apdu: CommandApdu) -> Outcome:
    """Compare the old PIN and store the new one, 64 bytes each."""
    return credentials.change(chip, _translated(apdu, _CHANGED))


def reset(chip: Chip, apdu: CommandApdu) -> Outcome:
    """Give the user's PIN another value: the reset code of 16 bytes, the PIN of 64.

    The code alone isn't enough: the DF's condition for it, usually the PUK, has to be met.
    """
    return credentials.unblock(chip, _translated(apdu, _RESET))


def define(chip: Chip, apdu: CommandApdu) -> Outcome:
    """Make the current DF's PIN or PUK, anew where it is there: ``tries 40 PIN(64)``, ``tries 01 code(16)``.

    The second half, which only the user's PIN has, is the reset code.
    """
    chip.current_df()
    df, data = chip.session.df, apdu.data
    id_ = _DEFINED.get(apdu.p2)

    if id_ is None:
        raise Refusal(StatusWord.REFERENCED_DATA_NOT_FOUND)

    pin, code = data[: 2 + _PIN_LENGTH], data[2 + _PIN_LENGTH :]

    if len(pin) != 2 + _PIN_LENGTH or pin[1] != _PIN_LENGTH or not 1 <= pin[0] <= _MOST_TRIES:
        raise Refusal(StatusWord.WRONG_DATA)

    if code and id_ != USER:
        raise Refusal(StatusWord.WRONG_DATA)

    chip.require_of_file(df, PIN_DEFINE)
    own = ObjectKey(df, TEST_CLASS, RESET_CODE)
    access = chip.image.files[df].access
    changed = access[PIN_CHANGE] if id_ == USER else ALWAYS
    made = {id_: _pin(pin[0], pin[2:], bytes((ALWAYS, changed, RESET_CODE if code else NEVER)))}

    if code:
        puk = ObjectKey(df, TEST_CLASS, PUK) in chip.image.objects
        made[RESET_CODE] = _code(code, _for_reset(access[PIN_RESET], puk=puk))
    elif id_ == PUK and own in chip.image.objects:
        condition = _for_reset(access[PIN_RESET], puk=True)
        made[RESET_CODE] = replace(chip.object(own), access=bytes((condition, NEVER, NEVER)))

    writes = tuple(PutObject(ObjectKey(df, TEST_CLASS, at), found) for at, found in made.items())
    freed = sum(chip.object(write.key).footprint for write in writes if write.key in chip.image.objects)
    chip.require_room(sum(found.footprint for found in made.values()) - freed)
    chip.fail_test(ObjectKey(df, TEST_CLASS, id_))
    return b"", StatusWord.SUCCESS, writes


def _for_reset(condition: int, *, puk: bool) -> int:
    """Return the condition of a PIN's reset: without a PUK, what asks for it asks for the officer."""
    return OFFICER if condition == PUK and not puk else condition


def _code(given: bytes, condition: int) -> SecurityObject:
    """Return the reset code of what stands behind a PIN: tries, the number of codes, here 1, the code."""
    if len(given) != 2 + _CODE_LENGTH or given[1] != 1 or not 1 <= given[0] <= _MOST_TRIES:
        raise Refusal(StatusWord.WRONG_DATA)

    return _pin(given[0], given[2:], bytes((condition, NEVER, NEVER)))


def _pin(tries: int, body: bytes, access: bytes) -> SecurityObject:
    return SecurityObject(
        option=0x02,
        flags=tries,
        algorithm=PIN,
        tries_left=tries,
        uses_left=_UNLIMITED,
        dek=_UNLIMITED,
        consent=0,
        min_length=0,
        access=access,
        body=body,
    )


def log_out(chip: Chip, apdu: CommandApdu) -> Outcome:
    """Forget that a PIN was verified; P2 is its reference and the bit 20."""
    id_ = _CHANGED.get(apdu.p2 & ~_FORGET)

    if apdu.data:
        raise Refusal(StatusWord.WRONG_LENGTH)

    if id_ is None or not apdu.p2 & _FORGET:
        raise Refusal(StatusWord.REFERENCED_DATA_NOT_FOUND)

    for key in [key for key in chip.session.passed if key.id in {id_, *({PUK} if id_ == OFFICER else ())}]:
        chip.fail_test(key)

    return DONE
