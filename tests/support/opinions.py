"""A second opinion on what clients sign, decrypt and derive: OpenSSL's, by cryptography."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final, TypeAlias

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from cardtwin.cryptoki.constants import Ckk, MechanismFlag
from cardtwin.cryptoki.mechanisms import MECHANISMS, MechanismSpec, Scheme
from support.programs import encoded
from support.signers import DATA, HASHES, key_profile
from support.tokens import PIN1

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.hashes import HashAlgorithm

    from cardtwin.card import CardImage

PublicKey: TypeAlias = rsa.RSAPublicKey | ec.EllipticCurvePublicKey

CURVES: Final[dict[int, ec.EllipticCurve]] = {256: ec.SECP256R1(), 384: ec.SECP384R1(), 521: ec.SECP521R1()}
CURVE_PIN: Final = PIN1.reveal().decode()
CURVE_KEY: Final = "Key"
"""The PIN of the cards with keys on curves, and the label of the key."""


def signing(key_type: Ckk) -> tuple[MechanismSpec, ...]:
    """Return all mechanisms that sign with keys of a type."""
    return tuple(
        spec
        for spec in MECHANISMS.values()
        if spec.key_type is key_type and spec.flags & MechanismFlag.CKF_SIGN
    )


def short_name(spec: MechanismSpec) -> str:
    """Return the name of a mechanism without CKM_."""
    return spec.type.name.removeprefix("CKM_")


def curve_card(bits: int) -> CardImage:
    """Return the image of a card with one key, on a curve of so many bits, that signs and derives."""
    return encoded("cardos-5.3", key_profile("cardos-5.3", "ec", bits, "sign,derive"))


def data_for(spec: MechanismSpec) -> bytes:
    """Return what is given to a mechanism: a digest by SHA-256 to those that take digests, or a text."""
    takes_digest = spec.hash is None and spec.scheme in {Scheme.PSS, Scheme.ECDSA}
    return hashlib.sha256(DATA).digest() if takes_digest else DATA


def is_right(key: PublicKey, spec: MechanismSpec, data: bytes, signature: bytes) -> bool:
    """Whether a signature is the key's, of the data; salts of PSS are as long as the digest."""
    try:
        if isinstance(key, ec.EllipticCurvePublicKey):
            _verify_ecdsa(key, spec, data, signature)
        elif spec.scheme is Scheme.PSS:
            algorithm, how = _hash(spec)
            mask = padding.PSS(padding.MGF1(algorithm), algorithm.digest_size)
            key.verify(signature, data, mask, how)
        elif spec.hash is not None:
            key.verify(signature, data, padding.PKCS1v15(), _hash(spec)[0])
        elif spec.scheme is Scheme.PKCS1:
            return key.recover_data_from_signature(signature, padding.PKCS1v15(), None) == data
        else:
            numbers = key.public_numbers()
            return pow(int.from_bytes(signature), numbers.e, numbers.n) == int.from_bytes(data)
    except InvalidSignature:
        return False

    return True


def _hash(spec: MechanismSpec) -> tuple[HashAlgorithm, HashAlgorithm | Prehashed]:
    """Return a mechanism's hash, SHA-256 if it has none, and what is done with the data."""
    if spec.hash is None:
        return SHA256(), Prehashed(SHA256())

    algorithm = HASHES[spec.hash.upper()][0]
    return algorithm, algorithm


def _verify_ecdsa(key: ec.EllipticCurvePublicKey, spec: MechanismSpec, data: bytes, signature: bytes) -> None:
    half = len(signature) // 2
    assert half == (key.key_size + 7) // 8
    pair = encode_dss_signature(int.from_bytes(signature[:half]), int.from_bytes(signature[half:]))
    key.verify(pair, data, ec.ECDSA(_hash(spec)[1]))
