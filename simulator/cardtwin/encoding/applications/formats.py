"""What applications read from fields: Base64, certificates, keys, PKCS#12, lists of certificates and keys."""

from __future__ import annotations

import base64
import binascii
import warnings
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import load_der_private_key, pkcs12

from cardtwin.cryptoki.keys.public import numbers_of

if TYPE_CHECKING:
    from typing import TypeAlias

    from cardtwin.plan import Secret

    PrivateKey: TypeAlias = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey

__all__ = ["Delivered", "decode", "encode", "read_certificate", "read_list", "read_pkcs12"]


@dataclass(frozen=True, slots=True)
class Delivered:
    """A certificate, and what came with it.

    Attributes:
        certificate: The certificate.
        key: Its private key; None where none came.
        others: Certificates of the authorities above.
    """

    certificate: x509.Certificate
    key: PrivateKey | None = field(default=None, repr=False)
    others: tuple[x509.Certificate, ...] = ()


def encode(data: bytes) -> str:
    """Return bytes as fields hold them."""
    return base64.b64encode(data).decode()


def decode(text: str) -> bytes:
    """Return the bytes of a Base64 text, in which blanks and line ends don't count.

    Raises:
        ValueError: It is none.
    """
    plain = "".join(text.split())

    try:
        decoded = base64.b64decode(plain, validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("it is no Base64") from None

    if len(plain) % 4:  # Python's decoder lets surplus padding pass
        raise ValueError("it is no Base64")

    return decoded


def read_certificate(text: str) -> Delivered:
    """Return the certificate that a Base64 text holds in DER.

    Raises:
        ValueError: It holds none.
    """
    return Delivered(_certificate(decode(text)))


def read_pkcs12(text: str, password: Secret) -> Delivered:
    """Return what a PKCS#12 file in Base64 holds.

    Raises:
        ValueError: It is none, the password doesn't open it, or it lacks the key or its certificate.
    """
    content = decode(text)

    try:
        with warnings.catch_warnings():
            warnings.simplefilter(
                "ignore", UserWarning
            )  # BER instead of DER, which older tools write, is fine
            key, certificate, others = pkcs12.load_key_and_certificates(content, password.reveal())
    except (ValueError, UnsupportedAlgorithm):
        raise ValueError("it is no PKCS#12 file, or the password does not open it") from None

    if certificate is None or key is None:
        raise ValueError("the PKCS#12 file lacks the key or its certificate")

    return _matched(Delivered(certificate, _supported(key), tuple(others)))


def read_list(text: str) -> tuple[Delivered, ...]:
    """Return the pairs of ``<cert>,<key>;<cert>,<key>;...``; the key of a pair may be empty.

    Raises:
        ValueError: It is no such list.
    """
    *pairs, rest = text.strip().split(";")

    if rest.strip() or not pairs:
        raise ValueError("it is no list of pairs that end with a semicolon")

    return tuple(_pair(number, pair) for number, pair in enumerate(pairs, 1))


def _pair(number: int, text: str) -> Delivered:
    certificate, comma, key = text.partition(",")

    if not comma:
        raise ValueError(f"pair {number} has no comma")

    try:
        return _matched(Delivered(_certificate(decode(certificate)), _key(key) if key.strip() else None))
    except ValueError as error:
        raise ValueError(f"pair {number}: {error}") from None


def _certificate(der: bytes) -> x509.Certificate:
    try:
        return x509.load_der_x509_certificate(der)
    except ValueError:
        raise ValueError("it is no X.509 certificate in DER") from None


def _key(text: str) -> PrivateKey:
    try:
        return _supported(load_der_private_key(decode(text), None))
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise ValueError("it is no private key in DER that a card takes") from None


def _supported(key: object) -> PrivateKey:
    if isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) and numbers_of(key.public_key()):
        return key

    raise ValueError("cards take RSA keys and keys on the curves P-256, P-384 and P-521 alone")


def _matched(delivered: Delivered) -> Delivered:
    if delivered.key is not None and delivered.key.public_key() != delivered.certificate.public_key():
        raise ValueError("the certificate is not the key's")

    return delivered
