"""PINs and PUKs: VERIFY, CHANGE REFERENCE DATA, RESET RETRY COUNTER, and logging out."""

from __future__ import annotations

import hmac
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from cardtwin.card.chip.algorithms import PIN
from cardtwin.card.commands.form import DONE, Outcome
from cardtwin.card.errors import Refusal
from cardtwin.card.memory import MF, ObjectKey
from cardtwin.card.memory.access import NEVER, ObjectOperation
from cardtwin.card.memory.writes import PutObject, Write
from cardtwin.events import CardChange
from cardtwin.iso7816 import StatusWord
from cardtwin.provenance.card import BLOCKING_TRY, VERIFIED_STATUS

if TYPE_CHECKING:
    from cardtwin.card.chip import Chip
    from cardtwin.card.memory import SecurityObject
    from cardtwin.iso7816 import CommandApdu

__all__ = [
    "change",
    "change_authorised",
    "failed",
    "forget",
    "log_out",
    "spend_try",
    "unblock",
    "unblock_authorised",
    "unblock_by_value",
    "verify",
    "with_tries",
]

_BACKTRACK: Final = 0x80
_FILLINGS: Final = b"\x00\xff"
_UNLIMITED_USE: Final = 0xFF
_UNCOUNTED: Final = 15  # what 63Cx says at most


def verify(chip: Chip, apdu: CommandApdu) -> Outcome:
    """Compare a PIN, filled up as it is stored; without data, tell the tries left where the system does."""
    key = _find(chip, apdu.p2)
    pin = chip.object(key)

    if not apdu.data:
        raise Refusal(_status(chip, key, pin))

    _require_usable(pin)
    _require_known(pin)
    chip.require(key.df, pin.condition(ObjectOperation.USE))
    restored = _compare(chip, key, apdu.data)
    chip.pass_test(key)
    return b"", StatusWord.SUCCESS, restored


def change(chip: Chip, apdu: CommandApdu) -> Outcome:
    """Compare the old PIN and store the new one: ``old || new``, each as long as it is stored."""
    key = _find(chip, apdu.p2)
    pin = chip.object(key)
    _require_known(pin)
    length = len(pin.body)

    if len(apdu.data) != 2 * length:
        raise Refusal(StatusWord.WRONG_LENGTH)

    _require_usable(pin)
    condition = pin.condition(ObjectOperation.CHANGE)

    # Knowing the old PIN is as good as having verified it.
    if condition != key.id:
        chip.require(key.df, condition)

    new = _acceptable(pin, apdu.data[length:])
    _compare(chip, key, apdu.data[:length])
    return b"", StatusWord.SUCCESS, (_stored(chip, key, new),)


def change_authorised(chip: Chip, apdu: CommandApdu) -> Outcome:
    """Store a new PIN without the old one, where the condition CHANGE is met."""
    key = _find(chip, apdu.p2)
    pin = chip.object(key)
    _require_known(pin)
    new = _acceptable(pin, apdu.data)
    _require_usable(pin)
    chip.require(key.df, pin.condition(ObjectOperation.CHANGE))
    return b"", StatusWord.SUCCESS, (_stored(chip, key, new),)


def unblock(chip: Chip, apdu: CommandApdu) -> Outcome:
    """Compare the PUK, then store a new PIN with all its tries: ``puk || new``.

    The PUK is the test object that the PIN's condition UNBLOCK names.
    """
    key = _find(chip, apdu.p2)
    pin = chip.object(key)
    condition = pin.condition(ObjectOperation.UNBLOCK)

    if condition == NEVER:
        raise Refusal(StatusWord.SECURITY_STATUS_NOT_SATISFIED)

    puk_key = chip.image.find_object(key.df, 0x00, condition) if condition else None

    if puk_key is None:
        raise Refusal(StatusWord.REFERENCED_DATA_NOT_FOUND)

    puk = chip.object(puk_key)

    if puk.algorithm != PIN:
        raise Refusal(StatusWord.REFERENCE_DATA_NOT_USABLE)

    _require_known(pin)
    _require_known(puk)

    if len(apdu.data) != len(puk.body) + len(pin.body):
        raise Refusal(StatusWord.WRONG_LENGTH)

    _require_usable(puk)
    new = _acceptable(pin, apdu.data[len(puk.body) :])
    chip.require(puk_key.df, puk.condition(ObjectOperation.USE))
    restored = _compare(chip, puk_key, apdu.data[: len(puk.body)])
    chip.fail_test(key)
    return b"", StatusWord.SUCCESS, (*restored, _stored(chip, key, new))


def unblock_authorised(chip: Chip, apdu: CommandApdu) -> Outcome:
    """Give a PIN all its tries again, where the condition UNBLOCK is met."""
    if apdu.data:
        raise Refusal(StatusWord.LC_INCONSISTENT_WITH_P1_P2)

    key = _find(chip, apdu.p2)
    pin = chip.object(key)
    chip.require(key.df, pin.condition(ObjectOperation.UNBLOCK))
    return b"", StatusWord.SUCCESS, (with_tries(key, pin, pin.max_tries),)


def unblock_by_value(chip: Chip, apdu: CommandApdu) -> Outcome:
    """Set a new PIN with all its tries, without the PUK, where the condition UNBLOCK is met."""
    key = _find(chip, apdu.p2)
    pin = chip.object(key)
    new = _acceptable(pin, apdu.data)
    chip.require(key.df, pin.condition(ObjectOperation.UNBLOCK))
    return b"", StatusWord.SUCCESS, (_stored(chip, key, new),)


def forget(chip: Chip, apdu: CommandApdu) -> Outcome:
    """Forget that one PIN was verified."""
    if apdu.data:
        raise Refusal(StatusWord.WRONG_LENGTH)

    chip.fail_test(_find(chip, apdu.p2))
    return DONE


def log_out(chip: Chip, apdu: CommandApdu) -> Outcome:
    """Forget what was verified."""
    if apdu.data:
        raise Refusal(StatusWord.WRONG_LENGTH)

    chip.session.passed.clear()
    return DONE


def spend_try(chip: Chip, key: ObjectKey) -> None:
    """Take a try and a use off a test object, and forget that it was passed, before anything is compared.

    Refuses with 6983 where no try is left, with 6985 where no use is.
    """
    tested = chip.object(key)
    chip.fail_test(key)
    _require_usable(tested)
    counted = tested.uses_left != _UNLIMITED_USE

    if counted or tested.max_tries:
        spent = replace(tested, uses_left=tested.uses_left - counted)
        chip.commit(with_tries(key, spent, tested.tries_left - bool(tested.max_tries)))


def failed(chip: Chip, key: ObjectKey) -> StatusWord:
    """Return the status word for a wrong PIN or response, after its try was spent."""
    tested = chip.object(key)
    left = tested.tries_left if tested.max_tries else _UNCOUNTED

    if not left and chip.switches[BLOCKING_TRY] == "blocked":
        return StatusWord.AUTHENTICATION_METHOD_BLOCKED

    return StatusWord.counter(left) if tested.tells_tries else chip.dialect.wrong_pin(left)


def with_tries(key: ObjectKey, tested: SecurityObject, tries: int) -> PutObject:
    """Return the write that sets an error counter."""
    return PutObject(key, tested.with_tries(tries), CardChange.COUNTER_CHANGED, f"{tries} tries left")


def _find(chip: Chip, reference: int) -> ObjectKey:
    """Return the PIN object that a reference means; 6A88 where there is none.

    With bit 80 the search begins in the current DF and climbs to the MF; without it, it is made in the
    current DF and in the MF (rule ``card.pin-search``).
    """
    id_ = reference & ~_BACKTRACK
    df = chip.session.df

    if reference & _BACKTRACK:
        key = chip.image.find_object(df, 0x00, id_)
    else:
        key = next(
            (at for at in (ObjectKey(df, 0, id_), ObjectKey(MF, 0, id_)) if at in chip.image.objects), None
        )

    if key is None:
        raise Refusal(StatusWord.REFERENCED_DATA_NOT_FOUND)

    if chip.object(key).algorithm != PIN:
        raise Refusal(StatusWord.REFERENCE_DATA_NOT_USABLE)

    return key


def _status(chip: Chip, key: ObjectKey, pin: SecurityObject) -> StatusWord:
    if not chip.dialect.tells_pin_status:
        return StatusWord.WRONG_LENGTH

    if pin.is_blocked:
        return StatusWord.AUTHENTICATION_METHOD_BLOCKED

    if chip.session.passed.get(key) and chip.switches[VERIFIED_STATUS] == "success":
        return StatusWord.SUCCESS

    return StatusWord.counter(pin.tries_left if pin.max_tries else _UNCOUNTED)


def _require_known(pin: SecurityObject) -> None:
    """Refuse with 6984 a PIN whose value isn't known: it was taken over from a card that doesn't tell it."""
    if not pin.body:
        raise Refusal(StatusWord.REFERENCE_DATA_NOT_USABLE)


def _require_usable(pin: SecurityObject) -> None:
    if pin.is_blocked:
        raise Refusal(StatusWord.AUTHENTICATION_METHOD_BLOCKED)

    if not pin.uses_left:
        raise Refusal(StatusWord.CONDITIONS_OF_USE_NOT_SATISFIED)


def _acceptable(pin: SecurityObject, new: bytes) -> bytes:
    """Return a new PIN that has the stored length and, without filling, the least one."""
    if len(new) != len(pin.body):
        raise Refusal(StatusWord.WRONG_LENGTH)

    if len(new.rstrip(_FILLINGS)) < pin.min_length:
        raise Refusal(StatusWord.WRONG_DATA)

    return new


def _compare(chip: Chip, key: ObjectKey, presented: bytes) -> tuple[Write, ...]:
    """Compare, at the price of a try; return the writes that give it back.

    A verification from before goes on where the value is right, and ends where it's wrong. Refuses with 6700
    another length than the stored one, which costs nothing, and then with the system's status word for a
    wrong PIN.
    """
    pin = chip.object(key)

    if len(presented) != len(pin.body):
        raise Refusal(StatusWord.WRONG_LENGTH)

    verified = chip.session.passed.get(key)
    spend_try(chip, key)

    if not hmac.compare_digest(presented, pin.body):
        raise Refusal(failed(chip, key))

    if verified:
        chip.session.passed[key] = verified

    return (with_tries(key, chip.object(key), pin.max_tries),) if pin.max_tries else ()


def _stored(chip: Chip, key: ObjectKey, new: bytes) -> PutObject:
    pin = chip.object(key)
    return PutObject(key, replace(pin, body=new, tries_left=pin.max_tries), detail="new PIN")
