"""IAS-ECC's access rules and data objects as commands carry them; IAS Classic's conditions are alike.

A security condition byte 1n asks for the PIN of reference n. On IAS-ECC that is ours, since what a security
environment asks for can't be read from a Cosmo (rule ``middleware.cosmo-conditions``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicNumbers
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from cardtwin.iso7816 import Tlv, TlvFormatError
from cardtwin.middleware.ckr import Ckr
from cardtwin.middleware.drivers.base import PublicKey
from cardtwin.middleware.errors import MiddlewareError
from cardtwin.middleware.rights import ANYBODY, NOBODY, Condition, Right

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from cardtwin.middleware.drivers.base import KeySpec, PinSpec, RsaValue
    from cardtwin.middleware.rights import Rights

__all__ = [
    "PIN",
    "PRIVATE",
    "PUBLIC",
    "bare_rules",
    "generation",
    "key_components",
    "key_conditions",
    "key_objects",
    "parameters_of",
    "pin_object",
    "public_components",
    "public_key",
    "public_values_of",
    "put",
    "rights_from",
]

PIN, PRIVATE, PUBLIC = 0x01, 0x10, 0x20
"""The classes of data objects."""

_USER: Final = 0x10
_LARGEST: Final = 0x0F
_EF_ORDER: Final = (
    (0x40, Right.DELETE),
    (0x10, Right.ACTIVATE),
    (0x08, Right.DEACTIVATE),
    (0x02, Right.UPDATE),
    (0x01, Right.READ),
)
_DF_ORDER: Final = (
    (0x40, Right.DELETE),
    (0x10, Right.ACTIVATE),
    (0x08, Right.DEACTIVATE),
    (0x02, Right.CREATE),
)
_ALL: Final = 0x7F
_PIN_BITS: Final = (0x40, 0x20, 0x10, 0x08, 0x04, 0x02, 0x01)


def _byte(condition: Condition) -> int:
    if not condition.allowed:
        return 0xFF

    return _USER | condition.reference if condition.reference else 0x00


def bare_rules(rights: Rights, *, directory: bool) -> Tlv:
    """Return a file's access rules for the contacts (8C); what `rights` don't name is for nobody."""
    order = _DF_ORDER if directory else _EF_ORDER
    conditions = ((bit, _byte(rights.get(right, NOBODY))) for bit, right in order)
    return _bare(conditions)


def _rules(conditions: Iterable[tuple[int, int]]) -> Tlv:
    return Tlv.constructed(0xA1, (_bare(conditions),))


def _bare(conditions: Iterable[tuple[int, int]]) -> Tlv:
    pairs = tuple(conditions)
    mode = sum(bit for bit, _ in pairs)
    return Tlv(0x8C, bytes((mode, *(condition for _, condition in pairs))))


def rights_from(told: bytes, *, directory: bool) -> Rights:
    """Return the conditions that access rules tell, from the value of A1: 8C with tag and length.

    They don't tell who may change the rules, or make and delete objects: that is who may delete the file, and
    who may create files in the DF. There is no life cycle to change, so nobody is kept from it.
    """
    order = dict(_DF_ORDER if directory else _EF_ORDER)
    rights: dict[Right, Condition] = {}

    for bit, condition in _conditions(told):
        if bit in order:
            rights[order[bit]] = condition

    rights[Right.CHANGE_CONDITIONS] = rights.get(Right.DELETE, NOBODY)

    if directory:
        created = rights.get(Right.CREATE, NOBODY)
        rights |= {Right.OBJECTS_CREATE: created, Right.OBJECTS_UPDATE: created, Right.LIFE_CYCLE: ANYBODY}

    return rights


def _conditions(told: bytes) -> Iterator[tuple[int, Condition]]:
    """Yield bit and condition for each bit of the access mode byte that is set."""
    try:
        contact = next((found.value for found in Tlv.parse_all(told) if found.tag == 0x8C), b"")
    except TlvFormatError:
        return

    bits = [bit for bit in _PIN_BITS if contact and contact[0] & bit]
    yield from ((bit, _condition(byte)) for bit, byte in zip(bits, contact[1:], strict=False))


def _condition(byte: int) -> Condition:
    if byte == 0x00:
        return ANYBODY

    known = byte & 0x70 == _USER and byte != 0xFF
    return Condition(reference=byte & _LARGEST) if known else NOBODY


def put(class_: int, reference: int, *objects: Tlv) -> bytes:
    """Return the data of PUT DATA for an object; without `objects` it deletes that."""
    return Tlv.constructed(0x70, (Tlv.constructed(_tag(class_, reference), objects),)).encode()


def parameters_of(class_: int, reference: int) -> bytes:
    """Return the data of GET DATA that ask for an object's control parameters."""
    sdo = Tlv(_tag(class_, reference), b"\xa0\x80")
    return Tlv.constructed(0x4D, (Tlv.constructed(0x70, (sdo,)),)).encode()


def public_values_of(reference: int) -> bytes:
    """Return the data of GET DATA that ask for a public key's modulus and exponent."""
    sdo = Tlv(_tag(PUBLIC, reference), b"\x7f\x49\x80")
    return Tlv.constructed(0x4D, (Tlv.constructed(0x70, (sdo,)),)).encode()


def _tag(class_: int, reference: int) -> int:
    return 0xBF << 16 | (class_ | 0x80) << 8 | reference


def generation(reference: int) -> bytes:
    """Return the data of GENERATE KEY PAIR: the private key's tag alone."""
    return bytes((0x70, 0x03)) + _tag(PRIVATE, reference).to_bytes(3)


def pin_object(pin: PinSpec) -> bytes:
    """Return the data that store a PIN. Anybody may try it; it changes itself, and its PUK resets it."""
    value = pin.value.reveal()
    itself = _byte(Condition(reference=pin.reference))
    conditions = zip(_PIN_BITS, (itself, 0x00, _byte(pin.unblock), 0xFF, 0xFF, 0xFF, 0x00), strict=True)
    tries = (Tlv(0x9A, bytes((pin.tries,))), Tlv(0x9B, bytes((pin.tries,))))
    lengths = (Tlv(0x80, bytes((len(value),))), Tlv(0x81, bytes((pin.min_length,))))
    return put(
        PIN,
        pin.reference,
        Tlv.constructed(0xA0, (*tries, _rules(conditions))),
        Tlv.constructed(0x7F41, (*lengths, Tlv(0x82, value))),
    )


def key_objects(key: KeySpec, *, guarded: bool) -> Iterator[bytes]:
    """Yield the data that store both halves of a key pair without value.

    Args:
        key: The key.
        guarded: It has its conditions at once; otherwise it is open to all until key_conditions() are sent.
    """
    size = Tlv(0x80, (key.size // 8).to_bytes(2))

    for class_, conditions in _key_rules(key, _byte(key.use) if guarded else 0x00):
        yield put(class_, key.reference, Tlv.constructed(0xA0, (size, conditions)))


def key_conditions(key: KeySpec) -> Iterator[bytes]:
    """Yield the data that give both halves of a key pair their conditions: all are those of its use."""
    for class_, conditions in _key_rules(key, _byte(key.use)):
        yield put(class_, key.reference, Tlv.constructed(0xA0, (conditions,)))


def _key_rules(key: KeySpec, use: int) -> Iterator[tuple[int, Tlv]]:
    decipher = use if key.decipher else 0xFF

    for class_, get in ((PRIVATE, 0xFF), (PUBLIC, 0x00)):
        conditions = (use, use, decipher, use, 0xFF, use, get)
        yield class_, _rules(zip(_PIN_BITS, conditions, strict=True))


def key_components(key: KeySpec, value: RsaValue) -> Iterator[bytes]:
    """Yield the data that put a private key's components into it, one by one."""
    length = key.size // 16
    numbers = {0x92: value.p, 0x93: value.q, 0x94: value.qinv, 0x95: value.dp, 0x96: value.dq}

    for tag, number in numbers.items():
        yield put(PRIVATE, key.reference, Tlv.constructed(0x7F48, (Tlv(tag, number.to_bytes(length)),)))


def public_components(key: KeySpec, value: RsaValue) -> Iterator[bytes]:
    """Yield the data that put modulus and exponent into the public half."""
    exponent = pow(value.dp, -1, value.p - 1)

    for tag, number in ((0x81, value.n), (0x82, exponent)):
        content = number.to_bytes((number.bit_length() + 7) // 8)
        yield put(PUBLIC, key.reference, Tlv.constructed(0x7F49, (Tlv(tag, content),)))


def public_key(told: bytes) -> PublicKey:
    """Return the public key that GENERATE KEY PAIR has told: 7F49 with 81 modulus and 82 exponent.

    Raises:
        MiddlewareError: That is none.
    """
    try:
        values = {found.tag: int.from_bytes(found.value) for found in Tlv.parse(told).children()}
        public = RSAPublicNumbers(values[0x82], values[0x81]).public_key()
    except (TlvFormatError, KeyError, ValueError) as error:
        raise MiddlewareError(
            Ckr.CKR_DEVICE_ERROR, "the card made a key pair and told no public key"
        ) from error

    return PublicKey(public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))
