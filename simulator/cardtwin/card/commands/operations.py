"""PERFORM SECURITY OPERATION: signing, deciphering, agreeing on a key (ISO/IEC 7816-8)."""

from __future__ import annotations

import hashlib
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Final, NamedTuple

from cardtwin.card.chip.algorithms import (
    KEY_CLASS,
    PrivateKey,
    hashes_on_card,
    key_parts,
    pads,
    signs,
)
from cardtwin.card.chip.quirks import ONE_SIGNATURE_PER_VERIFY
from cardtwin.card.commands.environment import CONFIDENTIALITY, SIGNATURE
from cardtwin.card.crypto import CryptoError, EcPrivateKey, RsaPrivateKey, unpad_encryption
from cardtwin.card.errors import Refusal
from cardtwin.card.memory.access import ObjectOperation
from cardtwin.card.memory.writes import PutObject, Write
from cardtwin.events import CardChange
from cardtwin.iso7816 import StatusWord

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cardtwin.card.chip import Chip
    from cardtwin.card.chip.session import KeyChoice
    from cardtwin.card.commands.form import Outcome
    from cardtwin.card.memory import ObjectKey, SecurityObject
    from cardtwin.iso7816 import CommandApdu

__all__ = [
    "KeyInUse",
    "agree",
    "carried_out",
    "chosen_key",
    "crypto_refused",
    "decipher",
    "sign",
    "sign_padded",
    "use_key",
]

_PADDED: Final = 0x10
_PLAIN_CRYPTOGRAM: Final = b"\x00"
_PEER_KEY: Final = b"\x9c"
_UNLIMITED: Final = 0xFF
_DIGEST_INFO_SHA1: Final = bytes.fromhex("3021300906052B0E03021A05000414")


class KeyInUse(NamedTuple):
    """A private key that may be used: where it is, its first component, the key, what the use costs."""

    key: ObjectKey
    part: SecurityObject
    private: PrivateKey
    writes: tuple[Write, ...]


def use_key(chip: Chip, reference: int, operation: int = ObjectOperation.USE) -> KeyInUse:
    """Return the private key of that id, found from the current DF on upwards.

    Refuses with 6A88 where there is none, 6283 where its DF isn't active, 6982 where its condition for the
    operation isn't met, 6985 where its use counter is spent, 6984 where its components make no key.
    """
    key = chip.image.find_object(chip.session.df, KEY_CLASS, reference)

    if key is None:
        raise Refusal(StatusWord.REFERENCED_DATA_NOT_FOUND)

    chip.require_active(key.df)
    parts = key_parts(chip.image, key)
    first = parts[0]

    if not first.uses_left:
        raise Refusal(StatusWord.CONDITIONS_OF_USE_NOT_SATISFIED)

    private = chip.keys.get(parts)
    chip.require(key.df, first.condition(operation))
    writes: tuple[Write, ...] = ()

    if first.uses_left != _UNLIMITED:
        writes = (
            PutObject(key, replace(first, uses_left=first.uses_left - 1), CardChange.COUNTER_CHANGED, "used"),
        )

    return KeyInUse(key, first, private, writes)


def carried_out(chip: Chip, used: KeyInUse, result: bytes) -> Outcome:
    """Return the outcome of a key's use; with the quirk, the PIN that guards the key is forgotten."""
    if ONE_SIGNATURE_PER_VERIFY in chip.model.quirks:
        guard = chip.guard(used.key.df, used.part.condition(ObjectOperation.USE))

        if guard is not None:
            chip.fail_test(guard)

    return result, StatusWord.SUCCESS, used.writes


def sign(chip: Chip, apdu: CommandApdu) -> Outcome:
    """Sign with the key chosen for signatures."""
    choice = chosen_key(chip, SIGNATURE)
    used = use_key(chip, choice.reference)

    if not apdu.data:
        raise Refusal(StatusWord.WRONG_LENGTH)

    if not (signs(used.part.algorithm) or chip.dialect.chooses_algorithm):
        raise Refusal(StatusWord.REFERENCE_DATA_NOT_USABLE)

    with crypto_refused():
        return carried_out(chip, used, _signature(chip, choice, used, apdu.data))


def _signature(chip: Chip, choice: KeyChoice, used: KeyInUse, data: bytes) -> bytes:
    private = used.private

    if isinstance(private, EcPrivateKey):
        return private.sign(data, chip.entropy)

    if hashes_on_card(used.part.algorithm):
        return private.sign_pkcs1(_DIGEST_INFO_SHA1 + hashlib.sha1(data, usedforsecurity=False).digest())

    by_card = pads(used.part.algorithm) or choice.algorithm == _PADDED

    if chip.dialect.chooses_algorithm and choice.algorithm is None and len(data) < private.size:
        by_card = True

    if by_card:
        return private.sign_pkcs1(data)

    if len(data) != private.size:
        raise Refusal(StatusWord.WRONG_LENGTH)

    return private.raw(data)


def sign_padded(chip: Chip, used: KeyInUse, data: bytes) -> bytes:
    """Sign data that the card pads itself: INTERNAL AUTHENTICATE."""
    private = used.private

    if isinstance(private, EcPrivateKey):
        return private.sign(data, chip.entropy)

    with crypto_refused():
        return private.sign_pkcs1(data)


def decipher(chip: Chip, apdu: CommandApdu) -> Outcome:
    """Decipher ``00 || cryptogram`` with the key chosen for confidentiality."""
    choice = chosen_key(chip, CONFIDENTIALITY)
    used = use_key(chip, choice.reference)
    private = used.private

    if signs(used.part.algorithm) or not isinstance(private, RsaPrivateKey):
        raise Refusal(StatusWord.REFERENCE_DATA_NOT_USABLE)

    if len(apdu.data) != private.size + 1:
        raise Refusal(StatusWord.WRONG_LENGTH)

    if apdu.data[:1] != _PLAIN_CRYPTOGRAM:
        raise Refusal(StatusWord.WRONG_DATA)

    unpads = pads(used.part.algorithm) or choice.algorithm == _PADDED

    with crypto_refused():
        block = private.raw(apdu.data[1:])
        data = unpad_encryption(block) if unpads else block

    if not unpads and chip.dialect.drops_leading_zero and data[:1] == b"\0":
        data = data[1:]

    return carried_out(chip, used, data)


def agree(chip: Chip, apdu: CommandApdu) -> Outcome:
    """Agree on a key with ``9C len X || Y``, the peer's point: gives the shared X."""
    choice = chosen_key(chip, CONFIDENTIALITY)
    used = use_key(chip, choice.reference)
    private = used.private

    if signs(used.part.algorithm) or not isinstance(private, EcPrivateKey):
        raise Refusal(StatusWord.REFERENCE_DATA_NOT_USABLE)

    head, peer = apdu.data[:2], apdu.data[2:]

    if head != _PEER_KEY + bytes((len(peer) & 0xFF,)) or len(peer) != 2 * private.curve.size:
        raise Refusal(StatusWord.LC_INCONSISTENT_WITH_TLV)

    with crypto_refused():
        return carried_out(chip, used, private.agree(peer))


def chosen_key(chip: Chip, template: int) -> KeyChoice:
    """Return what was chosen for one kind of operation; 6985 without that."""
    choice = chip.session.environment.get(template)

    if choice is None:
        raise Refusal(StatusWord.CONDITIONS_OF_USE_NOT_SATISFIED)

    return choice


@contextmanager
def crypto_refused() -> Iterator[None]:
    """Refuse with 6A80 where padding, a number or a point is wrong."""
    try:
        yield
    except CryptoError:
        raise Refusal(StatusWord.WRONG_DATA) from None
