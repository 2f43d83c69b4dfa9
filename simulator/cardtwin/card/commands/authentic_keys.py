"""What AuthentIC tells of PINs and of the chip, and its keys: storing, generation, signing, deciphering."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cardtwin.card.chip.algorithms import KEY_CLASS, PIN, TEST_CLASS
from cardtwin.card.chip.authentic import KeyOperation, key_access, pin_conditions
from cardtwin.card.chip.iasecc import COMPONENTS
from cardtwin.card.commands import environment
from cardtwin.card.commands.authentication import get_challenge
from cardtwin.card.commands.iasecc_keys import new_rsa
from cardtwin.card.commands.operations import carried_out, chosen_key, crypto_refused, use_key
from cardtwin.card.commands.sdo_writes import key_components, private_parts
from cardtwin.card.crypto import RsaPrivateKey, unpad_encryption
from cardtwin.card.errors import Refusal
from cardtwin.card.memory import ObjectKey
from cardtwin.card.memory.access import DfOperation
from cardtwin.card.memory.writes import DropObject, PutObject
from cardtwin.iso7816 import StatusWord, Tlv, TlvFormatError
from cardtwin.provenance.card_cosmo import AUTHENTIC_DIGESTS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cardtwin.card.chip import Chip
    from cardtwin.card.commands.form import Outcome
    from cardtwin.iso7816 import CommandApdu

__all__ = [
    "challenge",
    "choose",
    "decipher",
    "generate",
    "get_credential",
    "get_production_data",
    "put_data",
    "sign",
]

_LOCAL: Final = 0x80
_CREDENTIAL: Final = 0x5F00
_PRODUCTION: Final = 0x9F7F
_BEFORE_SERIAL, _BEHIND_SERIAL = 12, 26
_PARAMETERS, _GENERATION, _KEY_PAIR = 0xA1, 0xAC, 0xA5
_MECHANISM, _NUMBER, _CONDITIONS = 0x80, 0x83, 0x86
_PURPOSES: Final = ({_CONDITIONS}, {_KEY_PAIR}, set[int]())
_PRIVATE, _PUBLIC = 0x7F48, 0x7F49
_MODULUS, _EXPONENT = 0x81, 0x82
_RSA: Final = {0x08 + place: 1024 + 256 * place for place in range(5)}
_PKCS1: Final = 0x11
_ALGORITHM, _REFERENCE = 0x80, 0x83
_CHALLENGE: Final = 24
_F4: Final = b"\x01\x00\x01"
_SIGNS: Final = 0x8A
_DIGEST_INFO: Final = {
    20: bytes.fromhex("3021300906052B0E03021A05000414"),
    32: bytes.fromhex("3031300D060960864801650304020105000420"),
}


def get_credential(chip: Chip, apdu: CommandApdu) -> Outcome:
    """Tell a PIN's policy: tries, kind, conditions, greatest and least length. The tries left aren't told."""
    key = chip.image.find_object(chip.session.df, TEST_CLASS, apdu.p2)

    if key is None or chip.object(key).algorithm != PIN:
        raise Refusal(StatusWord.REFERENCED_DATA_NOT_FOUND)

    pin = chip.object(key)
    lengths = (Tlv(0x83, bytes((len(pin.body),))), Tlv(0x84, bytes((pin.min_length,))))
    told = (
        Tlv(0x91, bytes((pin.max_tries,))),
        Tlv(_MECHANISM, b"\0"),
        Tlv(_CONDITIONS, pin_conditions(pin.access)),
        Tlv.constructed(0xA1, lengths),
    )
    return Tlv.constructed(_CREDENTIAL | apdu.p2, told).encode(), StatusWord.SUCCESS, ()


def get_production_data(chip: Chip, _apdu: CommandApdu) -> Outcome:
    """Tell the card production life cycle: the serial number in its place, zeros in all others."""
    told = bytes(_BEFORE_SERIAL) + chip.image.serial + bytes(_BEHIND_SERIAL)
    return Tlv(_PRODUCTION, told).encode(), StatusWord.SUCCESS, ()


def put_data(chip: Chip, apdu: CommandApdu) -> Outcome:
    """Create an RSA key without value, put a value into one, or delete it.

    All are ``A1`` with mechanism and number; with conditions (86) it creates, with a key pair (A5) it stores.
    """
    given = _objects(apdu.data, _PARAMETERS)
    bits, number = _meant(given)
    key = ObjectKey(chip.session.df, KEY_CLASS, number)
    more = given.keys() - {_MECHANISM, _NUMBER}

    if more not in _PURPOSES:
        raise Refusal(StatusWord.WRONG_DATA)

    if more == {_CONDITIONS}:
        return _created(chip, key, bits, key_access(given[_CONDITIONS]))

    if key not in chip.image.objects:
        raise Refusal(StatusWord.REFERENCED_DATA_NOT_FOUND)

    if more == {_KEY_PAIR}:
        return _stored(chip, key, bits, given[_KEY_PAIR])

    chip.require(key.df, chip.object(key).condition(KeyOperation.DELETE))
    parts = (ObjectKey(key.df, KEY_CLASS + place, key.id) for place in range(len(COMPONENTS)))
    return b"", StatusWord.SUCCESS, tuple(DropObject(part) for part in parts)


def _objects(data: bytes, tag: int) -> dict[int, bytes]:
    """Return what a template holds, by tag. Refuses with 6A85 and 6A80 what is none, and tags given twice."""
    try:
        template = Tlv.parse(data)
        objects = template.children()
    except TlvFormatError:
        raise Refusal(StatusWord.LC_INCONSISTENT_WITH_TLV) from None

    given = {found.tag: found.value for found in objects}

    if template.tag != tag or len(given) < len(objects):
        raise Refusal(StatusWord.WRONG_DATA)

    return given


def _meant(given: Mapping[int, bytes]) -> tuple[int, int]:
    """Return the size in bits and the number of the key that parameters mean."""
    mechanism, number = given.get(_MECHANISM, b""), given.get(_NUMBER, b"")

    if len(mechanism) != 1 or mechanism[0] not in _RSA or len(number) != 1 or not 0 < number[0] < _LOCAL:
        raise Refusal(StatusWord.WRONG_DATA)

    return _RSA[mechanism[0]], number[0]


def _created(chip: Chip, key: ObjectKey, bits: int, access: bytes) -> Outcome:
    chip.require_of_file(key.df, DfOperation.APPEND)

    if key in chip.image.objects:
        raise Refusal(StatusWord.FILE_ALREADY_EXISTS)

    made = private_parts(key, bits // 16, access, _SIGNS)
    chip.require_room(sum(part.footprint for part in made.values()))
    return b"", StatusWord.SUCCESS, tuple(PutObject(at, part) for at, part in made.items())


def _stored(chip: Chip, key: ObjectKey, bits: int, pair: bytes) -> Outcome:
    """Put a key pair into a key that is there. Refuses with 6A80 numbers that are no pair of that size."""
    found = chip.object(key)
    _require_size(chip, key, bits)
    chip.require(key.df, found.condition(KeyOperation.UPDATE))
    halves = _objects(Tlv(_KEY_PAIR, pair).encode(), _KEY_PAIR)

    if halves.keys() != {_PRIVATE, _PUBLIC}:
        raise Refusal(StatusWord.WRONG_DATA)

    private = _objects(Tlv(_PRIVATE, halves[_PRIVATE]).encode(), _PRIVATE)
    public = _objects(Tlv(_PUBLIC, halves[_PUBLIC]).encode(), _PUBLIC)

    if private.keys() != set(COMPONENTS) or public.keys() != {_MODULUS, _EXPONENT}:
        raise Refusal(StatusWord.WRONG_DATA)

    with crypto_refused():
        whole = RsaPrivateKey.from_crt(*(int.from_bytes(private[tag]) for tag in COMPONENTS))

    if (whole.n, whole.e) != (int.from_bytes(public[_MODULUS]), int.from_bytes(public[_EXPONENT])):
        raise Refusal(StatusWord.WRONG_DATA)

    if whole.bits != bits:
        raise Refusal(StatusWord.WRONG_DATA)

    return b"", StatusWord.SUCCESS, key_components(chip, key, private)


def _require_size(chip: Chip, key: ObjectKey, bits: int) -> None:
    if 16 * len(chip.object(key).body) != bits:
        raise Refusal(StatusWord.WRONG_DATA)


def generate(chip: Chip, apdu: CommandApdu) -> Outcome:
    """Generate a pair into a key that is there: ``AC`` with mechanism, number, perhaps 82 the exponent."""
    given = _objects(apdu.data, _GENERATION)
    bits, number = _meant(given)
    key = ObjectKey(chip.session.df, KEY_CLASS, number)

    if given.keys() - {_MECHANISM, _NUMBER, _EXPONENT}:
        raise Refusal(StatusWord.WRONG_DATA)

    if key not in chip.image.objects:
        raise Refusal(StatusWord.REFERENCED_DATA_NOT_FOUND)

    found = chip.object(key)
    _require_size(chip, key, bits)
    chip.require(key.df, found.condition(KeyOperation.GENERATE))
    made = new_rsa(chip, bits, int.from_bytes(given.get(_EXPONENT, _F4)))
    numbers = (made.p, made.q, made.dp, made.dq, made.qinv)
    values = {tag: value.to_bytes(len(found.body)) for tag, value in zip(COMPONENTS, numbers, strict=True)}
    exponent = made.e.to_bytes((made.e.bit_length() + 7) // 8)
    public = (Tlv(_MODULUS, made.n.to_bytes(made.size)), Tlv(_EXPONENT, exponent))
    told = Tlv.constructed(_PUBLIC, public).encode()
    return told, StatusWord.SUCCESS, key_components(chip, key, values)


def choose(chip: Chip, apdu: CommandApdu) -> Outcome:
    """Choose key (83, without the bit of a local one) and algorithm (80), which is PKCS#1 padding."""
    values = environment.template_values(apdu.data, {_ALGORITHM, _REFERENCE})

    if values.get(_ALGORITHM) != _PKCS1 or _REFERENCE not in values:
        raise Refusal(StatusWord.WRONG_DATA)

    return environment.choose(chip, apdu.p2, values[_REFERENCE], _PKCS1)


def sign(chip: Chip, apdu: CommandApdu) -> Outcome:
    """Sign what the card pads: a DigestInfo, or a digest of SHA-1 or SHA-256, which it completes."""
    choice = chosen_key(chip, environment.SIGNATURE)
    data = apdu.data

    if not data:
        raise Refusal(StatusWord.WRONG_LENGTH)

    if chip.switches[AUTHENTIC_DIGESTS] == "completed":
        data = _DIGEST_INFO.get(len(data), b"") + data

    used = use_key(chip, choice.reference, KeyOperation.SIGN)

    with crypto_refused():
        return carried_out(chip, used, _rsa(used.private).sign_pkcs1(data))


def decipher(chip: Chip, apdu: CommandApdu) -> Outcome:
    """Decipher a cryptogram, with nothing before it, and take the padding off."""
    choice = chosen_key(chip, environment.CONFIDENTIALITY)
    used = use_key(chip, choice.reference, KeyOperation.DECIPHER)
    private = _rsa(used.private)

    if len(apdu.data) != private.size:
        raise Refusal(StatusWord.WRONG_LENGTH)

    with crypto_refused():
        return carried_out(chip, used, unpad_encryption(private.raw(apdu.data)))


def _rsa(private: object) -> RsaPrivateKey:
    if not isinstance(private, RsaPrivateKey):
        raise Refusal(StatusWord.REFERENCE_DATA_NOT_USABLE)

    return private


def challenge(chip: Chip, apdu: CommandApdu) -> Outcome:
    """Give 24 random bytes, neither more nor fewer."""
    if apdu.le != _CHALLENGE:
        raise Refusal(StatusWord.WRONG_LENGTH)

    return get_challenge(chip, apdu)
