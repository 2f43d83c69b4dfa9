"""CardOS objects: PINs and keys as PUT DATA OCI takes them. Lengths in there are plain bytes, not BER."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    SECP384R1,
    SECP521R1,
    EllipticCurvePublicKey,
)
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey, RSAPublicNumbers
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from cardtwin.iso7816 import Tlv, TlvFormatError
from cardtwin.middleware.ckr import Ckr
from cardtwin.middleware.drivers.base import EcValue, PublicKey, RsaValue
from cardtwin.middleware.errors import MiddlewareError
from cardtwin.plan import KeyAlgorithm

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cardtwin.middleware.drivers.base import KeySpec, KeyValue, PinSpec
    from cardtwin.middleware.rights import Condition

__all__ = [
    "CURVES",
    "KEY_CLASS",
    "KEY_CLASSES",
    "PIN_CLASS",
    "condition_byte",
    "key_components",
    "key_lock",
    "no_object",
    "pin_object",
    "public_key",
]

KEY_CLASS: Final = 0x20
KEY_CLASSES: Final = range(KEY_CLASS, KEY_CLASS + 5)
PIN_CLASS: Final = 0x00

_NAMED_CURVES: Final = {256: SECP256R1(), 384: SECP384R1(), 521: SECP521R1()}
_UNLIMITED: Final = 0xFF
_TEST_OBJECT: Final = 0x87
_MORE_COMPONENTS: Final = 0x20
_PRIVATE: Final = 0x02
CURVES: Final = {
    256: bytes.fromhex("2A8648CE3D030107"),
    384: bytes.fromhex("2B81040022"),
    521: bytes.fromhex("2B81040023"),
}
"""The curves of the NIST by the bits of their fields: the contents of their object identifiers."""

_PLAIN_BITS: Final = 1024  # the longest modulus whose key has two components; longer ones have five


def condition_byte(condition: Condition) -> int:
    """Return a condition as CardOS writes it: 00 always, FF never, else the PIN's number."""
    if not condition.allowed:
        return 0xFF

    return condition.reference or 0x00


def pin_object(pin: PinSpec) -> bytes:
    """Return the data of PUT DATA OCI for a PIN. It changes itself, and its PUK resets it."""
    parameters = bytes(
        (_PRIVATE, pin.tries, _TEST_OBJECT, pin.tries, _UNLIMITED, _UNLIMITED, 0x00, pin.min_length)
    )
    access = bytes((0x00, pin.reference, condition_byte(pin.unblock)))
    return (
        _plain(0x83, bytes((PIN_CLASS, pin.reference)))
        + _plain(0x85, parameters)
        + _plain(0x86, access)
        + _plain(0x8F, pin.value.reveal())
    )


def no_object(class_: int, reference: int) -> bytes:
    """Return the data that delete an object: an empty body. The form is ours."""
    return _plain(0x83, bytes((class_, reference))) + _plain(0x8F, b"")


def key_components(key: KeySpec, value: KeyValue | None = None, *, guarded: bool = False) -> Iterator[bytes]:
    """Yield the data of PUT DATA OCI for each component of a private key.

    RSA up to 1024 bits has modulus and exponent, beyond that five components of half the length; the
    algorithm byte says that the card takes and gives whole padded blocks. EC has one component: ours.

    Args:
        key: The key.
        value: Its value; None stores it filled with FF, for the card to generate.
        guarded: It has its conditions at once; otherwise it is open to all until key_lock() is sent.
    """
    algorithm = _algorithm(key) | (0 if key.decipher else 0x80)
    access = _access(key) if guarded else bytes(7)
    classes = _classes(key)

    for class_, body in zip(classes, _bodies(key, value), strict=True):
        option = _PRIVATE | (_MORE_COMPONENTS if class_ != classes[-1] else 0)
        parameters = bytes((option, 0x00, algorithm, 0x00, _UNLIMITED, _UNLIMITED, 0x00, 0x00))
        yield (
            _plain(0x83, bytes((class_, key.reference)))
            + _plain(0x85, parameters)
            + _plain(0x86, access)
            + _plain(0x8F, body)
        )


def key_lock(key: KeySpec) -> Iterator[bytes]:
    """Yield the data that give each component its conditions: USE, CHANGE and UNBLOCK are the key's use."""
    for class_ in _classes(key):
        yield _plain(0x83, bytes((class_, key.reference))) + _plain(0x86, _access(key))


def _access(key: KeySpec) -> bytes:
    use = condition_byte(key.use)
    return bytes((use, use, use, 0, 0, 0, 0))


def _algorithm(key: KeySpec) -> int:
    if key.algorithm is KeyAlgorithm.EC:
        return 0x0E

    return 0x0A if key.size > _PLAIN_BITS else 0x0C


def _bodies(key: KeySpec, value: KeyValue | None) -> tuple[bytes, ...]:
    """Return the components' bodies; without a value they are filled with FF."""
    if key.algorithm is KeyAlgorithm.EC:
        length = (key.size + 7) // 8
        number = value.d.to_bytes(length) if isinstance(value, EcValue) else b"\xff" * length
        return (_plain(0x06, CURVES[key.size]) + _plain(0x04, number),)

    five = key.size > _PLAIN_BITS
    length = key.size // (16 if five else 8)
    blank = (b"\xff" * length,) * (5 if five else 2)
    numbers = blank if not isinstance(value, RsaValue) else _numbers(value, length, five=five)
    return numbers if five else tuple(bytes((length + 1 & 0xFF, 0)) + number for number in numbers)


def _numbers(value: RsaValue, length: int, *, five: bool) -> tuple[bytes, ...]:
    numbers = (value.p, value.q, value.dp, value.dq, value.qinv) if five else (value.n, value.d)
    return tuple(number.to_bytes(length) for number in numbers)


def _classes(key: KeySpec) -> range:
    components = 1 if key.algorithm is KeyAlgorithm.EC else 5 if key.size > _PLAIN_BITS else 2
    return range(KEY_CLASS, KEY_CLASS + components)


def _plain(tag: int, value: bytes) -> bytes:
    return bytes((tag, len(value))) + value


def public_key(key: KeySpec, content: bytes) -> PublicKey:
    """Return the public key in the file that GENERATE KEY PAIR has filled.

    Long RSA keys: ``7F49 LL 81 n modulus 82 n exponent``, EC: ``7F49 LL 86 n point``. Short RSA keys: records
    ``10 n+2 n+1 00 modulus`` and ``11 n+2 n+1 00 exponent``, one after the other.

    Raises:
        MiddlewareError: The file holds no such key.
    """
    try:
        public = _ec(key, content) if key.algorithm is KeyAlgorithm.EC else _rsa(content)
    except (TlvFormatError, KeyError, IndexError, StopIteration, ValueError) as error:
        raise MiddlewareError(
            Ckr.CKR_DEVICE_ERROR, "the card made a key pair and told no public key"
        ) from error

    return PublicKey(public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))


def _ec(key: KeySpec, content: bytes) -> EllipticCurvePublicKey:
    return EllipticCurvePublicKey.from_encoded_point(_NAMED_CURVES[key.size], _template(content)[0x86])


def _rsa(content: bytes) -> RSAPublicKey:
    if content[:2] == b"\x7f\x49":
        numbers = _template(content)
        modulus, exponent = numbers[0x81], numbers[0x82]
    else:
        numbers = _records(content)
        modulus, exponent = numbers[0x10], numbers[0x11]

    return RSAPublicNumbers(int.from_bytes(exponent), int.from_bytes(modulus)).public_key()


def _template(content: bytes) -> dict[int, bytes]:
    outer, _ = next(Tlv.walk(content))
    return {child.tag: child.value for child in outer.children()}


def _records(content: bytes) -> dict[int, bytes]:
    numbers: dict[int, bytes] = {}
    at = 0

    while at + 1 < len(content):
        length, start = content[at + 1], at + 2

        if length == 0xFF:
            length, start = int.from_bytes(content[start : start + 2]), start + 2

        numbers[content[at]] = content[start + 1 : start + length]
        at = start + length

    return numbers
