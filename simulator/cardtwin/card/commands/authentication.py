"""GET CHALLENGE, GIVE RANDOM, EXTERNAL and INTERNAL AUTHENTICATE (ISO/IEC 7816-4:2020, 11.5)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cardtwin.card.chip.algorithms import TEST_CLASS, TRIPLE_DES
from cardtwin.card.commands.credentials import failed, spend_try, with_tries
from cardtwin.card.commands.environment import AUTHENTICATION
from cardtwin.card.commands.form import DONE, Outcome
from cardtwin.card.commands.operations import carried_out, sign_padded, use_key
from cardtwin.card.crypto import KeyFormatError
from cardtwin.card.crypto.authentication import Method, is_response
from cardtwin.card.errors import Refusal
from cardtwin.card.memory.access import ObjectOperation
from cardtwin.iso7816 import StatusWord

if TYPE_CHECKING:
    from cardtwin.card.chip import Chip
    from cardtwin.iso7816 import CommandApdu

__all__ = ["external_authenticate", "get_challenge", "give_random", "internal_authenticate"]

_LONGEST_CHALLENGE: Final = 256
_RANDOM_LENGTH: Final = 8


def get_challenge(chip: Chip, apdu: CommandApdu) -> Outcome:
    """Give as many random bytes as Le asks for, 256 at most; EXTERNAL AUTHENTICATE answers to them."""
    if apdu.data or apdu.le is None:
        raise Refusal(StatusWord.WRONG_LENGTH)

    challenge = chip.entropy.bytes(min(apdu.le, _LONGEST_CHALLENGE))
    chip.session.challenge = challenge
    return challenge, StatusWord.SUCCESS, ()


def give_random(_chip: Chip, apdu: CommandApdu) -> Outcome:
    """Take eight random bytes from outside.

    They are for the answers of ISO secure messaging, which the card hasn't: nothing comes of them.
    """
    if len(apdu.data) != _RANDOM_LENGTH:
        raise Refusal(StatusWord.WRONG_LENGTH)

    return DONE


def external_authenticate(chip: Chip, apdu: CommandApdu) -> Outcome:
    """Pass a test object that is a key: the response is the challenge, encrypted with it."""
    key = chip.image.find_object(chip.session.df, TEST_CLASS, apdu.p2 & 0x7F)

    if key is None:
        raise Refusal(StatusWord.REFERENCED_DATA_NOT_FOUND)

    tested = chip.object(key)

    if tested.algorithm != TRIPLE_DES or not tested.body:
        raise Refusal(StatusWord.REFERENCE_DATA_NOT_USABLE)

    challenge, chip.session.challenge = chip.session.challenge, b""

    if not challenge:
        raise Refusal(StatusWord.CONDITIONS_OF_USE_NOT_SATISFIED)

    chip.require(key.df, tested.condition(ObjectOperation.USE))
    spend_try(chip, key)

    try:
        passed = is_response(tested.body, challenge, apdu.data, Method.ENCRYPTION)
    except KeyFormatError:
        raise Refusal(StatusWord.REFERENCE_DATA_NOT_USABLE) from None

    if not passed:
        raise Refusal(failed(chip, key))

    chip.pass_test(key)
    return b"", StatusWord.SUCCESS, (with_tries(key, chip.object(key), tested.max_tries),)


def internal_authenticate(chip: Chip, apdu: CommandApdu) -> Outcome:
    """Sign a challenge, padded by the card, with the key of P2 or with the one chosen for authentication."""
    choice = chip.session.environment.get(AUTHENTICATION)

    if not apdu.p2 and choice is None:
        raise Refusal(StatusWord.CONDITIONS_OF_USE_NOT_SATISFIED)

    if not apdu.data:
        raise Refusal(StatusWord.WRONG_LENGTH)

    used = use_key(chip, apdu.p2 or (choice.reference if choice else 0))
    return carried_out(chip, used, sign_padded(chip, used, apdu.data))
