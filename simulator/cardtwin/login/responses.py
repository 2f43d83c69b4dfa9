"""Responses: what comes back for a challenge, and whether its signature is right."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Final

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key

from cardtwin.login.errors import LoginRefusedError
from cardtwin.login.refusals import Refusal

if TYPE_CHECKING:
    from collections.abc import Callable

    from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes

__all__ = ["Algorithm", "Response", "check_signature", "key_hash", "public_key"]


class Algorithm(Enum):
    """How a response is signed; SHA-256 everywhere."""

    RSA_PKCS1 = "RSASSA-PKCS1-v1_5"
    RSA_PSS = "RSASSA-PSS"
    ECDSA = "ECDSA"


@dataclass(frozen=True, slots=True)
class Response:
    """The answer to a challenge.

    Attributes:
        challenge: The challenge's id.
        algorithm: How it is signed.
        signature: The signature over the challenge's message; of ECDSA r and s one after the other, as
            PKCS#11 gives it.
        certificate: The signer's certificate in DER; empty where there is only a key.
        key: The SubjectPublicKeyInfo in DER where there is no certificate.
        others: Certificates above the signer's, in DER, in any order.
        device: The device that it comes from.
    """

    challenge: str
    algorithm: Algorithm
    signature: bytes
    certificate: bytes = b""
    key: bytes = b""
    others: tuple[bytes, ...] = ()
    device: str = ""


def public_key(der: bytes) -> CertificatePublicKeyTypes:
    """Return the key of a SubjectPublicKeyInfo.

    Raises:
        LoginRefusedError: It is none, or of a kind that doesn't sign.
    """
    try:
        key = load_der_public_key(der)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise LoginRefusedError(Refusal.WRONG_SIGNATURE, "the key cannot be read") from None

    if not isinstance(key, rsa.RSAPublicKey | ec.EllipticCurvePublicKey):
        raise LoginRefusedError(Refusal.WRONG_SIGNATURE, "the key is neither of RSA nor on a curve")

    return key


def key_hash(key: CertificatePublicKeyTypes) -> bytes:
    """Return what keys are enrolled by: the SHA-256 of the SubjectPublicKeyInfo."""
    return hashlib.sha256(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).digest()


def check_signature(
    key: CertificatePublicKeyTypes, algorithm: Algorithm, signature: bytes, message: bytes
) -> None:
    """See that a signature is the key's over the message.

    Raises:
        LoginRefusedError: It isn't.
    """
    kind, verify = _CHECKS[algorithm]

    if not isinstance(key, kind):
        raise LoginRefusedError(Refusal.WRONG_SIGNATURE, f"the key is not for {algorithm.value}")

    try:
        verify(key, signature, message)
    except InvalidSignature:
        raise LoginRefusedError(Refusal.WRONG_SIGNATURE) from None


def _pkcs1(key: rsa.RSAPublicKey, signature: bytes, message: bytes) -> None:
    key.verify(signature, message, padding.PKCS1v15(), SHA256())


def _pss(key: rsa.RSAPublicKey, signature: bytes, message: bytes) -> None:
    key.verify(signature, message, padding.PSS(padding.MGF1(SHA256()), SHA256.digest_size), SHA256())


def _ecdsa(key: ec.EllipticCurvePublicKey, signature: bytes, message: bytes) -> None:
    half = len(signature) // 2

    if len(signature) != 2 * ((key.key_size + 7) // 8):
        raise InvalidSignature

    der = encode_dss_signature(int.from_bytes(signature[:half]), int.from_bytes(signature[half:]))
    key.verify(der, message, ec.ECDSA(SHA256()))


_CHECKS: Final[dict[Algorithm, tuple[type, Callable[..., None]]]] = {
    Algorithm.RSA_PKCS1: (rsa.RSAPublicKey, _pkcs1),
    Algorithm.RSA_PSS: (rsa.RSAPublicKey, _pss),
    Algorithm.ECDSA: (ec.EllipticCurvePublicKey, _ecdsa),
}
