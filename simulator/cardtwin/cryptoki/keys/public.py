"""Public keys: as files and certificates hold them, and as attributes."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, encode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key

from cardtwin.cryptoki.constants import Cka, Ckk
from cardtwin.cryptoki.errors import CryptokiError
from cardtwin.iso7816 import Tlv, TlvFormatError
from cardtwin.middleware import Ckr

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "CURVES",
    "EcKey",
    "PublicNumbers",
    "RsaKey",
    "curve_of_size",
    "from_attributes",
    "numbers_of",
    "prehashed",
    "read_public_key",
    "truncated",
]

CURVES: Final[Mapping[bytes, ec.EllipticCurve]] = {
    bytes.fromhex("06082A8648CE3D030107"): ec.SECP256R1(),
    bytes.fromhex("06052B81040022"): ec.SECP384R1(),
    bytes.fromhex("06052B81040023"): ec.SECP521R1(),
}
"""The curves by CKA_EC_PARAMS: their object identifiers in DER."""

_PREHASHED: Final = {
    20: hashes.SHA1(),  # noqa: S303  # CKM_ECDSA_SHA1 is what it is
    28: hashes.SHA224(),
    32: hashes.SHA256(),
    48: hashes.SHA384(),
    64: hashes.SHA512(),
}
_LONGEST_DIGEST: Final = max(_PREHASHED)


@dataclass(frozen=True, slots=True)
class RsaKey:
    """Modulus and exponent."""

    n: int
    e: int

    @property
    def bits(self) -> int:
        """The modulus in bits."""
        return self.n.bit_length()

    @property
    def size(self) -> int:
        """The modulus, and every block, in bytes."""
        return (self.bits + 7) // 8

    @property
    def signature_size(self) -> int:
        """How long signatures are."""
        return self.size

    @property
    def key_type(self) -> Ckk:
        """CKK_RSA."""
        return Ckk.CKK_RSA

    def apply(self, block: bytes) -> bytes | None:
        """Return the public operation on a block; None where that is no smaller number than the modulus."""
        number = int.from_bytes(block)
        return pow(number, self.e, self.n).to_bytes(self.size) if number < self.n else None

    @property
    def identifier(self) -> bytes:
        """The SHA-1 of the public key (RFC 5280, 4.2.1.2, method 1)."""
        return hashlib.sha1(self.filed(), usedforsecurity=False).digest()

    def filed(self) -> bytes:
        """Return what a token's file holds: RSAPublicKey (RFC 8017, A.1.1) in DER."""
        numbers = (number.to_bytes(number.bit_length() // 8 + 1) for number in (self.n, self.e))
        return Tlv.constructed(0x30, (Tlv(0x02, number) for number in numbers)).encode()

    def attributes(self) -> dict[int, bytes]:
        """Return the attributes that are the key."""
        return {
            Cka.CKA_MODULUS: self.n.to_bytes(self.size),
            Cka.CKA_PUBLIC_EXPONENT: self.e.to_bytes((self.e.bit_length() + 7) // 8),
            Cka.CKA_PUBLIC_KEY_INFO: self.info(),
        }

    def info(self) -> bytes:
        """Return SubjectPublicKeyInfo (RFC 5280, 4.1) in DER."""
        return _info(rsa.RSAPublicNumbers(self.e, self.n).public_key())


@dataclass(frozen=True, slots=True)
class EcKey:
    """A point on a curve.

    Attributes:
        params: The curve, as CKA_EC_PARAMS has it.
        point: The uncompressed point, 04 || X || Y.
    """

    params: bytes
    point: bytes

    @property
    def curve(self) -> ec.EllipticCurve:
        """The curve."""
        return CURVES[self.params]

    @property
    def size(self) -> int:
        """The field, and each half of a signature, in bytes."""
        return (self.curve.key_size + 7) // 8

    @property
    def signature_size(self) -> int:
        """How long signatures are."""
        return 2 * self.size

    @property
    def key_type(self) -> Ckk:
        """CKK_EC."""
        return Ckk.CKK_EC

    @property
    def bits(self) -> int:
        """The field in bits."""
        return self.curve.key_size

    @property
    def identifier(self) -> bytes:
        """The SHA-1 of the public key (RFC 5280, 4.2.1.2, method 1)."""
        return hashlib.sha1(self.point, usedforsecurity=False).digest()

    def filed(self) -> bytes:
        """Return what a token's file holds: SubjectPublicKeyInfo, where OpenSC finds the curve."""
        return self.info()

    def attributes(self) -> dict[int, bytes]:
        """Return the attributes that are the key; CKA_EC_POINT is an OCTET STRING (v2.40, 2.3.3)."""
        return {
            Cka.CKA_EC_PARAMS: self.params,
            Cka.CKA_EC_POINT: Tlv(0x04, self.point).encode(),
            Cka.CKA_PUBLIC_KEY_INFO: self.info(),
        }

    def info(self) -> bytes:
        """Return SubjectPublicKeyInfo (RFC 5480) in DER."""
        return _info(ec.EllipticCurvePublicKey.from_encoded_point(self.curve, self.point))

    def verifies(self, digest: bytes, signature: bytes) -> bool:
        """Whether r || s is a signature of a digest; of a long one the leftmost bits count."""
        half = len(signature) // 2
        der = encode_dss_signature(int.from_bytes(signature[:half]), int.from_bytes(signature[half:]))
        digest, algorithm = prehashed(truncated(digest, self.size))
        key = ec.EllipticCurvePublicKey.from_encoded_point(self.curve, self.point)

        try:
            key.verify(der, digest, ec.ECDSA(algorithm))
        except InvalidSignature:
            return False

        return True


PublicNumbers = RsaKey | EcKey


def _info(key: rsa.RSAPublicKey | ec.EllipticCurvePublicKey) -> bytes:
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def prehashed(digest: bytes) -> tuple[bytes, Prehashed]:
    """Return a digest of at most 64 bytes as long as a hash that `cryptography` knows: the same number."""
    length = next(known for known in _PREHASHED if known >= len(digest))
    return digest.rjust(length, b"\0"), Prehashed(_PREHASHED[length])


def truncated(digest: bytes, size: int) -> bytes:
    """Return what of a digest counts with a curve whose order has so many bytes.

    Raises:
        CryptokiError: CKR_DATA_LEN_RANGE: it is empty, or longer than any hash.
    """
    digest = digest[:size]

    if not 0 < len(digest) <= _LONGEST_DIGEST:
        raise CryptokiError(Ckr.CKR_DATA_LEN_RANGE, f"digests have 1 to {_LONGEST_DIGEST} bytes")

    return digest


def curve_of_size(bits: int | None) -> bytes | None:
    """Return CKA_EC_PARAMS of the curve whose field has so many bits."""
    return next((params for params, curve in CURVES.items() if curve.key_size == bits), None)


def read_public_key(der: bytes, bits: int | None = None) -> PublicNumbers | None:
    """Return a key from a SubjectPublicKeyInfo, an RSAPublicKey (PKCS#1) or a point in an OCTET STRING.

    Args:
        der: The element; what follows it is left alone.
        bits: The field of a curve, where only the point is there.

    Returns:
        The key; None where it is of no kind that is known here.
    """
    try:
        element, end = next(Tlv.walk(der, padding=True))

        if element.tag == 0x04:
            params = curve_of_size(bits)
            return _checked(EcKey(params, element.value)) if params else None

        key = load_der_public_key(der[:end])
    except (TlvFormatError, StopIteration, ValueError, UnsupportedAlgorithm):
        return None

    return numbers_of(key)


def _checked(key: EcKey) -> EcKey:
    ec.EllipticCurvePublicKey.from_encoded_point(key.curve, key.point)
    return key


def numbers_of(key: object) -> PublicNumbers | None:
    """Return a key of `cryptography` as numbers; None where it is of another kind."""
    if isinstance(key, rsa.RSAPublicKey):
        numbers = key.public_numbers()
        return RsaKey(numbers.n, numbers.e)

    if isinstance(key, ec.EllipticCurvePublicKey):
        params = curve_of_size(key.curve.key_size)

        if params and CURVES[params].name == key.curve.name:
            return EcKey(params, key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint))

    return None


def from_attributes(attributes: Mapping[int, bytes]) -> PublicNumbers:
    """Return the key that attributes are.

    Raises:
        CryptokiError: CKR_TEMPLATE_INCOMPLETE, something is missing. CKR_ATTRIBUTE_VALUE_INVALID, it is no
            key. CKR_CURVE_NOT_SUPPORTED.
    """
    kind = int.from_bytes(attributes.get(Cka.CKA_KEY_TYPE, b"\xff"), "little")

    if kind == Ckk.CKK_RSA:
        modulus, exponent = (_needed(attributes, name) for name in (Cka.CKA_MODULUS, Cka.CKA_PUBLIC_EXPONENT))
        key = RsaKey(int.from_bytes(modulus), int.from_bytes(exponent))

        if key.bits < 512 or key.e < 3 or not key.n & key.e & 1:
            raise CryptokiError(Ckr.CKR_ATTRIBUTE_VALUE_INVALID, "the numbers are no RSA key")

        return key

    if kind == Ckk.CKK_EC:
        params, point = (_needed(attributes, name) for name in (Cka.CKA_EC_PARAMS, Cka.CKA_EC_POINT))

        if params not in CURVES:
            raise CryptokiError(Ckr.CKR_CURVE_NOT_SUPPORTED, "the curve is none of P-256, P-384, P-521")

        found = read_public_key(point, CURVES[params].key_size)

        if found is None:
            raise CryptokiError(Ckr.CKR_ATTRIBUTE_VALUE_INVALID, "the point is not on the curve")

        return found

    raise CryptokiError(Ckr.CKR_ATTRIBUTE_VALUE_INVALID, "keys are RSA or EC here")


def _needed(attributes: Mapping[int, bytes], kind: Cka) -> bytes:
    if kind not in attributes:
        raise CryptokiError(Ckr.CKR_TEMPLATE_INCOMPLETE, f"{kind.name} is missing")

    return attributes[kind]
