"""Certificate requests (PKCS#10, RFC 2986), as they come in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from cardtwin.issuance.authority.errors import RequestRefusedError
from cardtwin.issuance.authority.keyusage import key_usages

if TYPE_CHECKING:
    from cardtwin.issuance.authority.keyusage import KeyUsage

__all__ = ["CertificateRequest", "read_request"]

_BROKEN: Final = (
    ValueError,
    TypeError,
    InvalidSignature,
    UnsupportedAlgorithm,
    x509.DuplicateExtension,
    x509.InvalidVersion,
    x509.UnsupportedGeneralNameType,
)


class CertificateRequest(NamedTuple):
    """What a request asks for.

    Attributes:
        subject: Whose the certificate is to be.
        key: The public key; whoever asks has the private one.
        usage: The key usage (extensionRequest, RFC 2985, 5.4.2); empty where none is asked for.
    """

    subject: x509.Name
    key: rsa.RSAPublicKey | ec.EllipticCurvePublicKey
    usage: frozenset[KeyUsage]


def read_request(request: bytes) -> CertificateRequest:
    """Return what a request (DER) asks for, once its own key is seen to have signed it.

    Raises:
        RequestRefusedError: It is broken, or not signed by its own key, which is one of RSA or on a curve.
    """
    try:
        read = x509.load_der_x509_csr(request)
        valid = read.is_signature_valid
        key = read.public_key()
        wanted = [found.value for found in read.extensions if isinstance(found.value, x509.KeyUsage)]
    except _BROKEN:
        raise RequestRefusedError("the certificate request is broken") from None

    if not valid or not isinstance(key, rsa.RSAPublicKey | ec.EllipticCurvePublicKey):
        raise RequestRefusedError("the certificate request isn't signed by its own key")

    return CertificateRequest(read.subject, key, key_usages(wanted[0]) if wanted else frozenset())
