"""Certificate requests (PKCS#10, RFC 2986), as they come in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from cardtwin.issuance.manager.errors import IssuanceRefusedError
from cardtwin.issuance.manager.keyusage import key_usages

if TYPE_CHECKING:
    from cardtwin.issuance.manager.model import KeyUsage

__all__ = ["read_request"]


def read_request(
    request: bytes,
) -> tuple[rsa.RSAPublicKey | ec.EllipticCurvePublicKey, frozenset[KeyUsage]]:
    """Return a request's key and the key usage that it asks for (extensionRequest, RFC 2985, 5.4.2).

    Raises:
        IssuanceRefusedError: It is broken, or not signed by its own key.
    """
    try:
        read = x509.load_der_x509_csr(request)
        valid = read.is_signature_valid
        key = read.public_key()
        wanted = [found.value for found in read.extensions if isinstance(found.value, x509.KeyUsage)]
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
        raise IssuanceRefusedError("request", "the certificate request is broken") from None

    if not valid or not isinstance(key, rsa.RSAPublicKey | ec.EllipticCurvePublicKey):
        raise IssuanceRefusedError("request", "the certificate request isn't signed by its own key")

    return key, key_usages(wanted[0]) if wanted else frozenset()
