"""An officer's signature: CMS SignedData (RFC 5652) over the request's canonical form, which it carries.

The private key is elsewhere, on the officer's card: what makes the signature is given the bytes to sign.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, Final

from asn1crypto import algos, cms
from asn1crypto import x509 as asn1_x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding

from cardtwin.issuance.manager.errors import SignatureRefusedError

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from cryptography.x509 import Certificate

__all__ = ["signed", "verify"]

_SHA256: Final = {"algorithm": "sha256"}


def signed(content: bytes, certificate: Certificate, at: datetime, sign: Callable[[bytes], bytes]) -> bytes:
    """Return a content, signed, in DER.

    Args:
        content: What is signed.
        certificate: The signer's.
        at: The signing time.
        sign: Signs bytes with the certificate's key: RSASSA-PKCS1-v1_5 or ECDSA (in DER), with SHA-256.
    """
    owner = asn1_x509.Certificate.load(certificate.public_bytes(Encoding.DER))
    attributes = cms.CMSAttributes(
        [
            cms.CMSAttribute({"type": "content_type", "values": ["data"]}),
            cms.CMSAttribute({"type": "signing_time", "values": [cms.Time({"utc_time": at})]}),
            cms.CMSAttribute({"type": "message_digest", "values": [hashlib.sha256(content).digest()]}),
        ]
    )
    is_rsa = isinstance(certificate.public_key(), rsa.RSAPublicKey)
    signer = cms.SignerInfo(
        {
            "version": "v1",
            "sid": cms.SignerIdentifier(
                {
                    "issuer_and_serial_number": cms.IssuerAndSerialNumber(
                        {"issuer": owner.issuer, "serial_number": owner.serial_number}
                    )
                }
            ),
            "digest_algorithm": algos.DigestAlgorithm(_SHA256),
            "signed_attrs": attributes,
            "signature_algorithm": {"algorithm": "sha256_rsa" if is_rsa else "sha256_ecdsa"},
            "signature": sign(attributes.dump()),
        }
    )
    data = {
        "version": "v1",
        "digest_algorithms": [algos.DigestAlgorithm(_SHA256)],
        "encap_content_info": {"content_type": "data", "content": content},
        "certificates": [owner],
        "signer_infos": [signer],
    }
    message: bytes = cms.ContentInfo({"content_type": "signed_data", "content": cms.SignedData(data)}).dump()
    return message


def verify(message: bytes, content: bytes, certificate: Certificate) -> None:
    """Make sure that a message is that content, signed with the key of a certificate.

    Raises:
        SignatureRefusedError: It isn't.
    """
    try:
        data: Any = cms.ContentInfo.load(message, strict=True)["content"]
        carried = data["encap_content_info"]["content"].native
        (signer,) = data["signer_infos"]
        attributes = {found["type"].native: found["values"].native for found in signer["signed_attrs"]}
        digest, kind = attributes["message_digest"], attributes["content_type"]
        algorithm = signer["digest_algorithm"]["algorithm"].native
        to_be_signed: bytes = signer["signed_attrs"].untag().dump(force=True)
        signature: bytes = signer["signature"].native
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError):
        raise SignatureRefusedError("the signature is no CMS SignedData of one signer") from None

    if carried != content:
        raise SignatureRefusedError("what was signed isn't this request")

    if algorithm != "sha256" or kind != ["data"] or digest != [hashlib.sha256(content).digest()]:
        raise SignatureRefusedError("the signature's digest isn't that of the request")

    _check(certificate, signature, to_be_signed)


def _check(certificate: Certificate, signature: bytes, data: bytes) -> None:
    key = certificate.public_key()

    try:
        if isinstance(key, rsa.RSAPublicKey):
            key.verify(signature, data, padding.PKCS1v15(), SHA256())
        elif isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(signature, data, ec.ECDSA(SHA256()))
        else:
            raise SignatureRefusedError("an officer's key is for RSA or on a curve")
    except InvalidSignature:
        raise SignatureRefusedError("the signature isn't that officer's over this request") from None
