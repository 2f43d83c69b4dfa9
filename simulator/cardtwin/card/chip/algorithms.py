"""The algorithm byte of stored objects, and the keys that their bodies make."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias

from cardtwin.card.chip.plain_tlv import parse_plain
from cardtwin.card.crypto import Curve, EcPrivateKey, KeyFormatError, RsaPrivateKey
from cardtwin.card.errors import Refusal
from cardtwin.card.memory import ObjectKey
from cardtwin.card.memory.objects import PIN, TEST_CLASS
from cardtwin.iso7816 import StatusWord

if TYPE_CHECKING:
    from collections.abc import Collection

    from cardtwin.card.chip.model import CardModel
    from cardtwin.card.memory import CardImage, SecurityObject

__all__ = [
    "EC",
    "KEY_CLASS",
    "PIN",
    "TEST_CLASS",
    "TRIPLE_DES",
    "KeyCache",
    "PrivateKey",
    "bare_body",
    "curve_of",
    "ec_body",
    "has_prefix",
    "hashes_on_card",
    "key_parts",
    "pads",
    "prefixed",
    "private_key",
    "signs",
    "stored_algorithms",
]

PrivateKey: TypeAlias = RsaPrivateKey | EcPrivateKey

KEY_CLASS: Final = 0x20

TRIPLE_DES: Final = 0x02
"""Our algorithm byte of a test object that EXTERNAL AUTHENTICATE passes: triple DES with 16 or 24 bytes."""

_SIGN: Final = 0x80
_SHA1: Final = 0x40
_RSA_PADDED: Final = {0x08, 0x88, 0xC8}
_RSA_TWO_PARTS: Final = _RSA_PADDED | {0x0C, 0x8C, 0xCC}
_RSA_FIVE_PARTS: Final = {0x0A, 0x8A}
EC: Final = {0x0E, 0x8E}
"""Our algorithm bytes of keys on elliptic curves: key agreement, signature."""

_CURVES: Final = {
    bytes.fromhex("2A8648CE3D030107"): Curve.P256,
    bytes.fromhex("2B81040022"): Curve.P384,
    bytes.fromhex("2B81040023"): Curve.P521,
    bytes.fromhex("2B2403030208010107"): Curve.BRAINPOOL_P256R1,
    bytes.fromhex("2B240303020801010B"): Curve.BRAINPOOL_P384R1,
    bytes.fromhex("2B240303020801010D"): Curve.BRAINPOOL_P512R1,
}
_OIDS: Final = {curve: oid for oid, curve in _CURVES.items()}
_COMPONENT_CLASSES: Final = range(KEY_CLASS, KEY_CLASS + 5)


def stored_algorithms(model: CardModel, class_: int) -> Collection[int]:
    """Return the algorithm bytes that an object of a class may have on a card."""
    if class_ in _COMPONENT_CLASSES:
        return _RSA_TWO_PARTS | _RSA_FIVE_PARTS | (EC if "elliptic-curves" in model.capabilities else set())

    return {PIN, TRIPLE_DES}


def signs(algorithm: int) -> bool:
    """Tell whether a key of that algorithm byte is for signatures."""
    return bool(algorithm & _SIGN)


def pads(algorithm: int) -> bool:
    """Tell whether the card pads, or takes padding off, for a key of that algorithm byte."""
    return algorithm in _RSA_PADDED


def hashes_on_card(algorithm: int) -> bool:
    """Tell whether the card makes the SHA-1 digest itself."""
    return bool(algorithm & _SIGN and algorithm & _SHA1)


def prefixed(body: bytes) -> bytes:
    """Return a body with the prefix ``n+1 00`` that two-part keys have."""
    return bytes((len(body) + 1 & 0xFF, 0)) + body


def has_prefix(part: SecurityObject) -> bool:
    """Tell whether an object's body begins with ``n+1 00``: those of two-part RSA keys do."""
    return part.algorithm in _RSA_TWO_PARTS


def bare_body(part: SecurityObject) -> bytes:
    """Return an object's body without prefix. Refuses with 6984 where one should be and isn't."""
    if not has_prefix(part):
        return part.body

    if part.body != prefixed(part.body[2:]):
        raise Refusal(StatusWord.REFERENCE_DATA_NOT_USABLE)

    return part.body[2:]


def key_parts(image: CardImage, key: ObjectKey) -> tuple[SecurityObject, ...]:
    """Return the components of a private key from its first one on, as far as they go on.

    Refuses with 6984 where a component is missing.
    """
    parts = []

    for class_ in _COMPONENT_CLASSES:
        part = image.objects.get(ObjectKey(key.df, class_, key.id))

        if part is None:
            break

        parts.append(part)

        if not part.continues:
            return tuple(parts)

    raise Refusal(StatusWord.REFERENCE_DATA_NOT_USABLE)


def private_key(parts: tuple[SecurityObject, ...]) -> PrivateKey:
    """Return the key that components make: one (EC), two (n, d), five (p, q, dp, dq, 1/q mod p).

    Refuses with 6984 what is no key, as after overwriting with FF.
    """
    try:
        if parts[0].algorithm in EC:
            return _ec(parts)

        numbers = [int.from_bytes(bare_body(part)) for part in parts]

        if len(numbers) == (2 if has_prefix(parts[0]) else 5):
            make = RsaPrivateKey.from_n_d if has_prefix(parts[0]) else RsaPrivateKey.from_crt
            return make(*numbers)
    except KeyFormatError:
        pass

    raise Refusal(StatusWord.REFERENCE_DATA_NOT_USABLE)


def _ec(parts: tuple[SecurityObject, ...]) -> EcPrivateKey:
    return EcPrivateKey(curve_of(parts[0]), int.from_bytes(_ec_values(parts[0]).get(0x04, b"")))


def _ec_values(part: SecurityObject) -> dict[int, bytes]:
    try:
        return parse_plain(part.body, known={0x06, 0x04})
    except Refusal:
        raise Refusal(StatusWord.REFERENCE_DATA_NOT_USABLE) from None


def curve_of(part: SecurityObject) -> Curve:
    """Return the curve of a key object. Refuses with 6984 an unknown one."""
    curve = _CURVES.get(_ec_values(part).get(0x06, b""))

    if curve is None:
        raise Refusal(StatusWord.REFERENCE_DATA_NOT_USABLE)

    return curve


def ec_body(key: EcPrivateKey) -> bytes:
    """Return the body of an EC key object, a form of ours: ``06 n curve 04 n d``."""
    oid, number = _OIDS[key.curve], key.d.to_bytes(key.curve.size)
    return bytes((0x06, len(oid))) + oid + bytes((0x04, len(number))) + number


class KeyCache:
    """The private keys in use, so that their parts are put together and checked only once."""

    def __init__(self) -> None:
        self._keys: dict[tuple[tuple[int, bytes], ...], PrivateKey] = {}

    def get(self, parts: tuple[SecurityObject, ...]) -> PrivateKey:
        """Return private_key(parts), from memory where it was asked for before."""
        known = tuple((part.algorithm, part.body) for part in parts)
        key = self._keys.get(known)

        if key is None:
            key = self._keys[known] = private_key(parts)

        return key

    def clear(self) -> None:
        """Forget all keys."""
        self._keys.clear()
