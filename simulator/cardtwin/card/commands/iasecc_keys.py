"""Keys at work as IAS-ECC has them: choosing, hashing, signing, deciphering, generation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cardtwin.card.chip.algorithms import KEY_CLASS
from cardtwin.card.chip.iasecc import PUBLIC_CLASS, KeyOperation, SdoClass
from cardtwin.card.chip.session import KeyChoice
from cardtwin.card.commands import environment
from cardtwin.card.commands.authentication import get_challenge
from cardtwin.card.commands.form import DONE, Outcome
from cardtwin.card.commands.operations import carried_out, chosen_key, crypto_refused, sign_padded, use_key
from cardtwin.card.commands.sdo_writes import key_components, public_values, with_public_values
from cardtwin.card.crypto import RsaPrivateKey, UnsupportedKeyError, unpad_encryption
from cardtwin.card.crypto.digest import finished
from cardtwin.card.errors import Refusal
from cardtwin.card.memory import ObjectKey
from cardtwin.card.memory.writes import PutObject
from cardtwin.iso7816 import StatusWord, Tlv, TlvFormatError

if TYPE_CHECKING:
    from cardtwin.card.chip import Chip
    from cardtwin.iso7816 import CommandApdu

__all__ = [
    "HASH",
    "authenticate",
    "challenge",
    "choose",
    "decipher",
    "generate",
    "hash_last",
    "new_rsa",
    "sign",
]

HASH: Final = 0xAA
_ALGORITHMS: Final = {
    HASH: {0x10, 0x40},
    environment.AUTHENTICATION: {0x02},
    environment.SIGNATURE: {0x12, 0x42},
    environment.CONFIDENTIALITY: {0x1A},
}
"""The algorithm references that clients use: SHA-1, SHA-256; PKCS#1 padding, alone, with a digest, off."""

_DIGESTS: Final = {
    0x10: ("sha1", bytes.fromhex("3021300906052B0E03021A05000414")),
    0x40: ("sha256", bytes.fromhex("3031300D060960864801650304020105000420")),
}
_HASH_OF: Final = {0x12: 0x10, 0x42: 0x40}
_LOCAL: Final = 0x80
_INTERMEDIATE, _REST = 0x90, 0x80
_BLOCK: Final = 64
_CRYPTOGRAM: Final = b"\x81"
_CHALLENGE: Final = 8
_PRIVATE_KEY: Final = bytes((0x70, 0x03, 0xBF, SdoClass.PRIVATE_KEY | 0x80))
_MODULUS, _EXPONENT = 0x81, 0x82
_F4: Final = b"\x01\x00\x01"


def choose(chip: Chip, apdu: CommandApdu) -> Outcome:
    """Choose key (84, perhaps with the bit of a local one) and algorithm (80); for hashing 80 alone."""
    values = environment.template_values(apdu.data, {0x80, 0x84})
    algorithm, reference = values.get(0x80), values.get(0x84)

    if algorithm not in _ALGORITHMS[apdu.p2] or (reference is None) != (apdu.p2 == HASH):
        raise Refusal(StatusWord.WRONG_DATA)

    chip.session.digest = b""

    if reference is None:
        chip.session.environment[HASH] = KeyChoice(0, algorithm)
        return DONE

    return environment.choose(chip, apdu.p2, reference & ~_LOCAL, algorithm)


def hash_last(chip: Chip, apdu: CommandApdu) -> Outcome:
    """Hash the end of a message: ``90`` the state and the bits so far, or nothing, ``80`` the last bytes."""
    choice = chosen_key(chip, HASH)

    try:
        values = {found.tag: found.value for found in Tlv.parse_all(apdu.data)}
    except TlvFormatError:
        raise Refusal(StatusWord.LC_INCONSISTENT_WITH_TLV) from None

    if values.keys() != {_INTERMEDIATE, _REST} or len(values[_REST]) > _BLOCK:
        raise Refusal(StatusWord.WRONG_DATA)

    with crypto_refused():
        algorithm, _ = _DIGESTS[choice.algorithm or 0]
        chip.session.digest = finished(algorithm, values[_INTERMEDIATE], values[_REST])

    return DONE


def sign(chip: Chip, apdu: CommandApdu) -> Outcome:
    """Sign what PSO HASH came to; 6985 without that, or where it was another digest than the signature's."""
    choice = chosen_key(chip, environment.SIGNATURE)
    hashed = _HASH_OF[choice.algorithm or 0]
    digest, chip.session.digest = chip.session.digest, b""

    if apdu.data:
        raise Refusal(StatusWord.WRONG_LENGTH)

    if not digest or chosen_key(chip, HASH).algorithm != hashed:
        raise Refusal(StatusWord.CONDITIONS_OF_USE_NOT_SATISFIED)

    used = use_key(chip, choice.reference, KeyOperation.SIGN)
    return carried_out(chip, used, sign_padded(chip, used, _DIGESTS[hashed][1] + digest))


def authenticate(chip: Chip, apdu: CommandApdu) -> Outcome:
    """Sign a DigestInfo, or a challenge, that the card pads (INTERNAL AUTHENTICATE)."""
    choice = chosen_key(chip, environment.AUTHENTICATION)

    if not apdu.data:
        raise Refusal(StatusWord.WRONG_LENGTH)

    used = use_key(chip, choice.reference, KeyOperation.AUTHENTICATE)
    return carried_out(chip, used, sign_padded(chip, used, apdu.data))


def decipher(chip: Chip, apdu: CommandApdu) -> Outcome:
    """Decipher ``81 || cryptogram`` and take the padding off."""
    choice = chosen_key(chip, environment.CONFIDENTIALITY)
    used = use_key(chip, choice.reference, KeyOperation.DECIPHER)
    private = used.private

    if not isinstance(private, RsaPrivateKey):
        raise Refusal(StatusWord.REFERENCE_DATA_NOT_USABLE)

    if len(apdu.data) != private.size + 1:
        raise Refusal(StatusWord.WRONG_LENGTH)

    if apdu.data[:1] != _CRYPTOGRAM:
        raise Refusal(StatusWord.WRONG_DATA)

    with crypto_refused():
        return carried_out(chip, used, unpad_encryption(private.raw(apdu.data[1:])))


def generate(chip: Chip, apdu: CommandApdu) -> Outcome:
    """Generate a key pair into the two SDOs of a number: ``70 03 BF 90 number``; gives the public key."""
    if len(apdu.data) != 5 or apdu.data[:4] != _PRIVATE_KEY:
        raise Refusal(StatusWord.WRONG_DATA)

    key = chip.image.find_object(chip.session.df, KEY_CLASS, apdu.data[4])
    public = ObjectKey(key.df, PUBLIC_CLASS, key.id) if key else None

    if key is None or public is None or public not in chip.image.objects:
        raise Refusal(StatusWord.REFERENCED_DATA_NOT_FOUND)

    found, half = chip.object(key), chip.object(public)
    chip.require(key.df, found.condition(KeyOperation.GENERATE))
    made = new_rsa(chip, 16 * len(found.body), int.from_bytes(public_values(half).get(_EXPONENT, _F4)))
    exponent = made.e.to_bytes((made.e.bit_length() + 7) // 8)
    filled = with_public_values(half, {_MODULUS: made.n.to_bytes(made.size), _EXPONENT: exponent})
    chip.require_room(filled.footprint - half.footprint)
    numbers = {0x92: made.p, 0x93: made.q, 0x94: made.qinv, 0x95: made.dp, 0x96: made.dq}
    values = {tag: number.to_bytes(len(found.body)) for tag, number in numbers.items()}
    return filled.body, StatusWord.SUCCESS, (*key_components(chip, key, values), PutObject(public, filled))


def new_rsa(chip: Chip, bits: int, exponent: int) -> RsaPrivateKey:
    """Return a new RSA key; 6A81 where its size or exponent isn't offered."""
    try:
        return RsaPrivateKey.generate(chip.entropy, bits, exponent, fresh=chip.fresh_keys)
    except UnsupportedKeyError:
        raise Refusal(StatusWord.FUNCTION_NOT_SUPPORTED) from None


def challenge(chip: Chip, apdu: CommandApdu) -> Outcome:
    """Give eight random bytes, neither more nor fewer."""
    if apdu.le != _CHALLENGE:
        raise Refusal(StatusWord.WRONG_LENGTH)

    return get_challenge(chip, apdu)
