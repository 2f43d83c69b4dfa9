"""Keys of the Generic Identity Device Specification: generated, imported, chosen, used."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from cardtwin.card.chip.algorithms import KEY_CLASS, key_parts, private_key
from cardtwin.card.chip.gids import (
    ADMIN_KEY,
    SIZES,
    KeyOperation,
    key_file,
    key_position,
    uses,
)
from cardtwin.card.chip.session import KeyChoice
from cardtwin.card.commands.environment import AUTHENTICATION, CONFIDENTIALITY, SIGNATURE
from cardtwin.card.commands.form import DONE, Outcome
from cardtwin.card.commands.operations import KeyInUse, carried_out, chosen_key, crypto_refused, use_key
from cardtwin.card.crypto import KeyFormatError, RsaPrivateKey, UnsupportedKeyError, unpad_encryption
from cardtwin.card.errors import Refusal
from cardtwin.card.memory import ObjectKey
from cardtwin.card.memory.writes import PutObject
from cardtwin.iso7816 import StatusWord, Tlv, TlvFormatError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from cardtwin.card.chip import Chip
    from cardtwin.iso7816 import CommandApdu

__all__ = ["choose", "choose_for_authentication", "decipher", "generate", "public_key", "put_key", "sign"]

_MECHANISM, _PUBLIC_REFERENCE, _REFERENCE, _VALUE = 0x80, 0x83, 0x84, 0xA5
_KEY_TYPE, _ENCRYPTED_BY, _KEY_VALUE, _CHECK = 0x83, 0x84, 0x87, 0x88
_SYMMETRIC, _RSA = b"\x01", b"\x02"
_GENERATION: Final = 0xAC
_KEY: Final = 0x70
_PUBLIC_KEY: Final = Tlv(0xA5, bytes.fromhex("7F4980"))
_TEMPLATE, _MODULUS, _EXPONENT = 0x7F49, 0x81, 0x82
_F4: Final = 65537
_COMPONENTS: Final = 5
_CONTINUES: Final = 0x20
_ADMIN_KEY_SIZE: Final = 24
_TRIPLE_DES: Final = 0x02
_PADDING: Final = 0xF0


def _values(data: bytes, template: int | None = None) -> dict[int, bytes]:
    """Return data objects by tag, those in a template where one is given; refuses with 6984 other data."""
    try:
        found = Tlv.parse_all(data)

        if template is not None:
            found = found[0].children() if [one.tag for one in found] == [template] else ()
    except TlvFormatError:
        found = ()

    values = {one.tag: one.value for one in found}

    if not values or len(values) < len(found):
        raise Refusal(StatusWord.REFERENCE_DATA_NOT_USABLE)

    return values


def _one(values: Mapping[int, bytes], tag: int) -> int:
    value = values.get(tag, b"")

    if len(value) != 1:
        raise Refusal(StatusWord.REFERENCE_DATA_NOT_USABLE)

    return value[0]


def _position(chip: Chip, reference: int) -> ObjectKey:
    """Return where a key is, whose file has to be activated; 6984 where there is none."""
    key = key_position(chip.image, reference)

    if key is None:
        raise Refusal(StatusWord.REFERENCE_DATA_NOT_USABLE)

    key_file(chip.image, reference)
    return key


def choose(chip: Chip, apdu: CommandApdu) -> Outcome:
    """Choose key (84) and algorithm (80), which has to be among the key's uses."""
    values = _values(apdu.data)
    reference, algorithm = _one(values, _REFERENCE), _one(values, _MECHANISM)
    return _chosen(chip, apdu.p2, reference, algorithm)


def choose_for_authentication(chip: Chip, apdu: CommandApdu) -> Outcome:
    """Choose the admin key (83) for GENERAL AUTHENTICATE."""
    chip.session.challenge = b""
    return _chosen(chip, AUTHENTICATION, _one(_values(apdu.data), _PUBLIC_REFERENCE), _TRIPLE_DES)


def _chosen(chip: Chip, template: int, reference: int, algorithm: int) -> Outcome:
    key = _position(chip, reference)
    allowed = uses(key_file(chip.image, reference).content)

    if not any(use.tag == template and _mechanism(use) == algorithm for use in allowed):
        raise Refusal(StatusWord.REFERENCE_DATA_NOT_USABLE)

    chip.require(key.df, chip.object(key).condition(KeyOperation.USE))
    chip.session.environment[template] = KeyChoice(reference, algorithm)
    return DONE


def _mechanism(use: Tlv) -> int | None:
    found = use.find(_MECHANISM)
    return found.value[0] if found and len(found.value) == 1 else None


def generate(chip: Chip, apdu: CommandApdu) -> Outcome:
    """Generate an RSA key: ``AC {80 algorithm, 83 reference}``; gives the public key."""
    values = _values(apdu.data, _GENERATION)
    reference, algorithm = _one(values, _PUBLIC_REFERENCE), _one(values, _MECHANISM)
    key = _position(chip, reference)
    _require_algorithm(chip, reference, algorithm)
    chip.require(key.df, chip.object(key).condition(KeyOperation.GENERATE))
    bits = SIZES.get(algorithm, 0)

    if key == ADMIN_KEY or not 0 < bits <= chip.model.max_rsa_bits:
        raise Refusal(StatusWord.FUNCTION_NOT_SUPPORTED)

    try:
        made = RsaPrivateKey.generate(chip.entropy, bits, _F4, fresh=chip.fresh_keys)
    except UnsupportedKeyError:
        raise Refusal(StatusWord.FUNCTION_NOT_SUPPORTED) from None

    return _template(made), StatusWord.SUCCESS, _stored(chip, key, made)


def _require_algorithm(chip: Chip, reference: int, algorithm: int) -> None:
    """Refuse with 6984 an algorithm, without padding, that the key's uses don't name."""
    named = {_mechanism(use) or 0 for use in uses(key_file(chip.image, reference).content)}

    if algorithm not in {one & ~_PADDING for one in named}:
        raise Refusal(StatusWord.REFERENCE_DATA_NOT_USABLE)


def _stored(chip: Chip, key: ObjectKey, made: RsaPrivateKey) -> tuple[PutObject, ...]:
    first, length = chip.object(key), (made.size + 1) // 2
    numbers = (made.p, made.q, made.dp, made.dq, made.qinv)
    parts = {
        ObjectKey(key.df, KEY_CLASS + place, key.id): replace(
            first,
            option=first.option & ~_CONTINUES | (_CONTINUES if place < _COMPONENTS - 1 else 0),
            body=number.to_bytes(length),
        )
        for place, number in enumerate(numbers)
    }
    old = sum(chip.object(at).footprint for at in parts if at in chip.image.objects)
    chip.require_room(sum(part.footprint for part in parts.values()) - old)
    return tuple(PutObject(at, part) for at, part in parts.items())


def _template(key: RsaPrivateKey) -> bytes:
    exponent = key.e.to_bytes((key.e.bit_length() + 7) // 8)
    return Tlv.constructed(
        _TEMPLATE, (Tlv(_MODULUS, key.n.to_bytes(key.size)), Tlv(_EXPONENT, exponent))
    ).encode()


def public_key(chip: Chip, data: bytes) -> Outcome:
    """Tell a public key: ``70 {84 reference, A5 {7F49 80}}``; 6A88 where the key has no value yet."""
    values = _values(data, _KEY)
    key = _position(chip, _one(values, _REFERENCE))

    if key == ADMIN_KEY or values.get(_VALUE) != _PUBLIC_KEY.value:
        raise Refusal(StatusWord.REFERENCE_DATA_NOT_USABLE)

    chip.require(key.df, chip.object(key).condition(KeyOperation.GET_PUBLIC))

    if not chip.object(key).body:
        raise Refusal(StatusWord.REFERENCED_DATA_NOT_FOUND)

    private = private_key(key_parts(chip.image, key))
    assert isinstance(private, RsaPrivateKey)
    return _template(private), StatusWord.SUCCESS, ()


def put_key(chip: Chip, data: bytes) -> Outcome:
    """Import a key: ``70 {84 reference, A5 {83 type, 84 00, 87 value, 88 check value}}``.

    The check value isn't looked at: OpenSC sends that of one key with every key.
    """
    values = _values(data, _KEY)
    key = _position(chip, _one(values, _REFERENCE))
    given = _values(values.get(_VALUE, b""))
    value, encrypted = given.get(_KEY_VALUE, b""), given.get(_ENCRYPTED_BY, b"\0")
    kind = given.get(_KEY_TYPE, _SYMMETRIC)

    if given.keys() - {_KEY_TYPE, _ENCRYPTED_BY, _KEY_VALUE, _CHECK}:
        raise Refusal(StatusWord.REFERENCE_DATA_NOT_USABLE)

    # Keys under another key (secure key injection) aren't there.
    if encrypted.strip(b"\0"):
        raise Refusal(StatusWord.FUNCTION_NOT_SUPPORTED)

    if kind != (_SYMMETRIC if key == ADMIN_KEY else _RSA):
        raise Refusal(StatusWord.REFERENCE_DATA_NOT_USABLE)

    chip.require(key.df, chip.object(key).condition(KeyOperation.PUT))
    return b"", StatusWord.SUCCESS, _IMPORTS[kind](chip, key, value)


def _import_admin_key(chip: Chip, key: ObjectKey, value: bytes) -> tuple[PutObject, ...]:
    if len(value) != _ADMIN_KEY_SIZE:
        raise Refusal(StatusWord.REFERENCE_DATA_NOT_USABLE)

    old = chip.object(key)
    chip.require_room(len(value) - len(old.body))
    return (PutObject(key, replace(old, body=value), detail="new admin key"),)


def _import_rsa(chip: Chip, key: ObjectKey, value: bytes) -> tuple[PutObject, ...]:
    """Store an RSAPrivateKey (RFC 8017, A.1.2), whose prime parts make the key.

    Its numbers count as positive: OpenSC leaves away the 00 before a first bit that is set.
    """
    try:
        numbers = [int.from_bytes(found.value) for found in Tlv.parse(value).children()]
        n, e, _, *parts = numbers[1:]
        made = RsaPrivateKey.from_crt(*parts)
    except (TlvFormatError, KeyFormatError, TypeError, ValueError):
        raise Refusal(StatusWord.REFERENCE_DATA_NOT_USABLE) from None

    if numbers[0] or (made.n, made.e) != (n, e):
        raise Refusal(StatusWord.REFERENCE_DATA_NOT_USABLE)

    if made.bits > chip.model.max_rsa_bits:
        raise Refusal(StatusWord.FUNCTION_NOT_SUPPORTED)

    algorithm = next((number for number, bits in SIZES.items() if bits == made.bits), -1)
    _require_algorithm(chip, key.id, algorithm)
    return _stored(chip, key, made)


_IMPORTS: Final[Mapping[bytes, Callable[[Chip, ObjectKey, bytes], tuple[PutObject, ...]]]] = {
    _SYMMETRIC: _import_admin_key,
    _RSA: _import_rsa,
}


def sign(chip: Chip, apdu: CommandApdu) -> Outcome:
    """Sign a whole block, or a DigestInfo that the card pads (PKCS#1 v1.5), as the algorithm chosen says."""
    choice, used, private = _use(chip, SIGNATURE)
    padded = (choice.algorithm or 0) & _PADDING == 0x50

    if not apdu.data or (not padded and len(apdu.data) != private.size):
        raise Refusal(StatusWord.WRONG_LENGTH)

    with crypto_refused():
        signature = private.sign_pkcs1(apdu.data) if padded else private.raw(apdu.data)

    return carried_out(chip, used, signature)


def decipher(chip: Chip, apdu: CommandApdu) -> Outcome:
    """Decipher a cryptogram, without a padding indicator before it, and take the padding off as chosen."""
    choice, used, private = _use(chip, CONFIDENTIALITY)

    if len(apdu.data) != private.size:
        raise Refusal(StatusWord.WRONG_LENGTH)

    with crypto_refused():
        plain = _UNPADDED[(choice.algorithm or 0) & _PADDING](private, apdu.data)

    return carried_out(chip, used, plain)


def _use(chip: Chip, template: int) -> tuple[KeyChoice, KeyInUse, RsaPrivateKey]:
    choice = chosen_key(chip, template)
    used = use_key(chip, choice.reference, KeyOperation.USE)
    assert isinstance(used.private, RsaPrivateKey)
    return choice, used, used.private


_UNPADDED: Final[Mapping[int, Callable[[RsaPrivateKey, bytes], bytes]]] = {
    0x00: RsaPrivateKey.raw,
    0x40: lambda key, block: unpad_encryption(key.raw(block)),
    0x80: RsaPrivateKey.decipher_oaep,
}
"""How the padding comes off, by the upper half of the algorithm: not at all, PKCS#1 v1.5, OAEP."""
