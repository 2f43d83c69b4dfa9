"""PIN and admin key of the Generic Identity Device Specification."""

from __future__ import annotations

import hmac
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from cardtwin.card.chip.gids import (
    ADMIN_KEY,
    LONGEST_PIN,
    MAX_TRIES,
    SHORTEST_PIN,
    USER_PIN,
    is_initialising,
    new_pin,
)
from cardtwin.card.commands.credentials import failed, spend_try, with_tries
from cardtwin.card.commands.environment import AUTHENTICATION
from cardtwin.card.commands.form import DONE, Outcome
from cardtwin.card.commands.operations import chosen_key
from cardtwin.card.crypto import des
from cardtwin.card.errors import Refusal
from cardtwin.card.memory.access import ObjectOperation
from cardtwin.card.memory.writes import PutObject
from cardtwin.iso7816 import StatusWord, Tlv, TlvFormatError

if TYPE_CHECKING:
    from cardtwin.card.chip import Chip
    from cardtwin.card.memory import SecurityObject
    from cardtwin.iso7816 import CommandApdu

__all__ = ["authenticate", "change", "deauthenticate", "forget", "set_pin", "unblock", "verify"]

_DYNAMIC: Final = 0x7C
_CHALLENGE, _RESPONSE = 0x81, 0x82
_MUTUAL: Final = 16
_EXTERNAL: Final = 8
_SHARE: Final = 7
_END_OF_SHARE: Final = b"\x80"


def _pin(chip: Chip) -> SecurityObject:
    pin = chip.image.objects.get(USER_PIN)

    if pin is None:
        raise Refusal(StatusWord.REFERENCED_DATA_NOT_FOUND)

    return pin


def _tries(pin: SecurityObject) -> StatusWord:
    return StatusWord.counter(pin.tries_left)


def verify(chip: Chip, apdu: CommandApdu) -> Outcome:
    """Compare the PIN; without data tell whether that is needed, and the tries left.

    A value that can't be a PIN by its length is answered as a wrong one, and costs nothing.
    """
    if not apdu.data and is_initialising(chip.image):
        return DONE

    pin = _pin(chip)

    if pin.is_blocked:
        raise Refusal(StatusWord.AUTHENTICATION_METHOD_BLOCKED)

    if not SHORTEST_PIN <= len(apdu.data) <= LONGEST_PIN:
        raise Refusal(_tries(pin))

    _compare(chip, apdu.data)
    return b"", StatusWord.SUCCESS, (with_tries(USER_PIN, pin, MAX_TRIES),)


def _compare(chip: Chip, presented: bytes) -> None:
    """Compare at the price of a try; the caller gives it back. Refuses with the tries left."""
    spend_try(chip, USER_PIN)

    if not hmac.compare_digest(presented, chip.object(USER_PIN).body):
        raise Refusal(failed(chip, USER_PIN))

    chip.pass_test(USER_PIN)


def deauthenticate(chip: Chip, apdu: CommandApdu) -> Outcome:
    """Forget that PIN and admin key were verified."""
    if apdu.data:
        raise Refusal(StatusWord.WRONG_LENGTH)

    forget(chip)
    return DONE


def forget(chip: Chip) -> None:
    """Forget PIN, admin key, and the challenge that was to be answered."""
    chip.session.passed.clear()
    chip.session.challenge = b""
    chip.session.environment.pop(AUTHENTICATION, None)


def change(chip: Chip, apdu: CommandApdu) -> Outcome:
    """Compare the old PIN and store the new one, which counts as verified: ``old || new``."""
    pin = _pin(chip)

    if not 2 * SHORTEST_PIN <= len(apdu.data) <= 2 * LONGEST_PIN:
        raise Refusal(_tries(pin))

    old, new = apdu.data[: len(pin.body)], apdu.data[len(pin.body) :]
    _compare(chip, old)

    # That the old one was right is settled by now, and gives the try back.
    if not SHORTEST_PIN <= len(new) <= LONGEST_PIN:
        return b"", StatusWord.WRONG_LENGTH, (with_tries(USER_PIN, pin, MAX_TRIES),)

    return b"", StatusWord.SUCCESS, (_stored(chip, new),)


def set_pin(chip: Chip, apdu: CommandApdu) -> Outcome:
    """Store the first PIN before activation, or after it another one where the PIN was verified."""
    new = _acceptable(apdu.data)

    if USER_PIN in chip.image.objects:
        chip.require(USER_PIN.df, _pin(chip).condition(ObjectOperation.CHANGE))
    elif not is_initialising(chip.image):
        raise Refusal(StatusWord.REFERENCED_DATA_NOT_FOUND)

    return b"", StatusWord.SUCCESS, (_stored(chip, new),)


def unblock(chip: Chip, apdu: CommandApdu) -> Outcome:
    """Store a new PIN with all its tries where the admin key was proved, and forget that it was."""
    if is_initialising(chip.image):
        raise Refusal(StatusWord.NO_CURRENT_EF)

    pin = _pin(chip)
    chip.require(USER_PIN.df, pin.condition(ObjectOperation.UNBLOCK))
    new = _acceptable(apdu.data)
    forget(chip)
    return b"", StatusWord.SUCCESS, (_stored(chip, new),)


def _acceptable(new: bytes) -> bytes:
    if not SHORTEST_PIN <= len(new) <= LONGEST_PIN:
        raise Refusal(StatusWord.WRONG_LENGTH)

    return new


def _stored(chip: Chip, new: bytes) -> PutObject:
    old = chip.image.objects.get(USER_PIN)
    made = replace(old, body=new, tries_left=MAX_TRIES) if old else new_pin(new)
    chip.require_room(made.footprint - (old.footprint if old else 0))
    return PutObject(USER_PIN, made, detail="new PIN")


def authenticate(chip: Chip, apdu: CommandApdu) -> Outcome:
    """Prove to have the admin key, in two steps (GENERAL AUTHENTICATE): ``7C {81}``, then ``7C {82}``.

    An empty 81 asks for a challenge of 8 bytes, which comes back encrypted. One of 16 bytes is a challenge to
    the card, and begins mutual authentication. All is triple DES in CBC mode.
    """
    if is_initialising(chip.image):
        raise Refusal(StatusWord.NO_CURRENT_EF)

    try:
        template = Tlv.parse(apdu.data)
        steps = {found.tag: found.value for found in template.children()}
    except TlvFormatError:
        raise Refusal(StatusWord.REFERENCE_DATA_NOT_USABLE) from None

    if template.tag != _DYNAMIC or len(steps) != 1 or steps.keys() - {_CHALLENGE, _RESPONSE}:
        raise Refusal(StatusWord.REFERENCE_DATA_NOT_USABLE)

    return _challenge(chip, steps[_CHALLENGE]) if _CHALLENGE in steps else _answer(chip, steps[_RESPONSE])


def _challenge(chip: Chip, theirs: bytes) -> Outcome:
    if len(theirs) not in {0, _MUTUAL}:
        raise Refusal(StatusWord.REFERENCE_DATA_NOT_USABLE)

    chip.fail_test(ADMIN_KEY)
    ours = chip.entropy.bytes(_MUTUAL if theirs else _EXTERNAL)
    chip.session.challenge = ours + theirs
    return Tlv.constructed(_DYNAMIC, (Tlv(_CHALLENGE, ours),)).encode(), StatusWord.SUCCESS, ()


def _answer(chip: Chip, cryptogram: bytes) -> Outcome:
    challenge, chip.session.challenge = chip.session.challenge, b""

    if not cryptogram:
        raise Refusal(StatusWord.REFERENCE_DATA_NOT_USABLE)

    if not challenge:
        raise Refusal(StatusWord.CONDITIONS_OF_USE_NOT_SATISFIED)

    chosen_key(chip, AUTHENTICATION)
    key = chip.object(ADMIN_KEY).body

    if not key:
        raise Refusal(StatusWord.REFERENCE_DATA_NOT_USABLE)

    mutual = len(challenge) > _EXTERNAL
    length = 2 * _MUTUAL + _SHARE + 1 if mutual else _EXTERNAL
    plain = des.decrypt_cbc(key, cryptogram) if len(cryptogram) == length else b""
    ends_well = not mutual or plain[-1:] == _END_OF_SHARE

    if not (hmac.compare_digest(plain[: len(challenge)], challenge) and ends_well):
        raise Refusal(StatusWord.SECURITY_STATUS_NOT_SATISFIED)

    chip.pass_test(ADMIN_KEY)
    return (_response(chip, key, challenge) if mutual else b""), StatusWord.SUCCESS, ()


def _response(chip: Chip, key: bytes, challenge: bytes) -> bytes:
    """Return the card's half of a mutual authentication: both challenges and its share of a session key."""
    ours, theirs = challenge[:_MUTUAL], challenge[_MUTUAL:]
    plain = theirs + ours + chip.entropy.bytes(_SHARE) + _END_OF_SHARE
    return Tlv.constructed(_DYNAMIC, (Tlv(_RESPONSE, des.encrypt_cbc(key, plain)),)).encode()
