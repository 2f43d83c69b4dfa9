"""OCSP (RFC 6960): what is asked, and whether an answer is the responder's, fresh, and to that question."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

__all__ = ["SKEW", "OcspError", "Question", "ask", "is_revoked"]

SKEW: Final = timedelta(minutes=5)
"""How much the clocks of a responder, or of who issues lists, may differ."""


class OcspError(Exception):
    """An answer that tells nothing; the text says why."""


@dataclass(frozen=True, slots=True)
class Question:
    """What a responder is asked.

    Attributes:
        request: The request.
        issuer: The certificate of who has issued the certificate in question.
        nonce: What the answer repeats, if the responder does that.
    """

    request: ocsp.OCSPRequest
    issuer: x509.Certificate
    nonce: bytes

    @property
    def der(self) -> bytes:
        """The request's encoding."""
        return self.request.public_bytes(Encoding.DER)


def ask(certificate: x509.Certificate, issuer: x509.Certificate, nonce: bytes) -> Question:
    """Return the question whether a certificate is revoked."""
    builder = ocsp.OCSPRequestBuilder().add_certificate(certificate, issuer, SHA256())
    return Question(builder.add_extension(x509.OCSPNonce(nonce), critical=False).build(), issuer, nonce)


def is_revoked(question: Question, answer: bytes, now: datetime) -> bool:
    """Whether an answer says that the certificate is revoked; else it says that it is good.

    Raises:
        OcspError: It says neither, or cannot be believed.
    """
    try:
        return _judged(question, answer, now)
    except OcspError:
        raise
    except Exception:  # noqa: BLE001  # whatever the library says of bytes that somebody sends, and when
        raise OcspError("the answer is broken, or not signed by the responder") from None


def _judged(question: Question, answer: bytes, now: datetime) -> bool:
    response = ocsp.load_der_ocsp_response(answer)

    if response.response_status is not ocsp.OCSPResponseStatus.SUCCESSFUL:
        raise OcspError(f"the responder says {response.response_status.name}")

    repeated = _nonce(response)

    if repeated is not None and repeated != question.nonce:
        raise OcspError("the answer is to another request")

    _check_signer(response, question.issuer, now)
    single = _single(response, question.request)
    _check_time(single, now, fresh=repeated is not None)
    return _status(single)


def _status(single: ocsp.OCSPSingleResponse) -> bool:
    if single.certificate_status is ocsp.OCSPCertStatus.UNKNOWN:
        raise OcspError("the responder does not know the certificate")

    return single.certificate_status is ocsp.OCSPCertStatus.REVOKED


def _nonce(response: ocsp.OCSPResponse) -> bytes | None:
    try:
        return response.extensions.get_extension_for_class(x509.OCSPNonce).value.nonce
    except x509.ExtensionNotFound:
        return None


def _single(response: ocsp.OCSPResponse, request: ocsp.OCSPRequest) -> ocsp.OCSPSingleResponse:
    for single in response.responses:
        same_issuer = (single.issuer_name_hash, single.issuer_key_hash) == (
            request.issuer_name_hash,
            request.issuer_key_hash,
        )

        if same_issuer and single.serial_number == request.serial_number:
            return single

    raise OcspError("the answer is about another certificate")


def _check_time(single: ocsp.OCSPSingleResponse, now: datetime, *, fresh: bool) -> None:
    until = single.next_update_utc

    if single.this_update_utc > now + SKEW or (until is not None and until < now - SKEW):
        raise OcspError("the answer is not of this time")

    if until is None and not fresh:
        raise OcspError("the answer has neither an end nor the request's nonce")


def _check_signer(response: ocsp.OCSPResponse, issuer: x509.Certificate, now: datetime) -> None:
    """See that the issuer has signed the answer, or one to whom it has given that by certificate."""
    for signer in _signers(response, issuer, now):
        try:
            return _verify(response, signer)
        except InvalidSignature:
            continue

    raise OcspError("the answer is signed by nobody who may")


def _signers(
    response: ocsp.OCSPResponse, issuer: x509.Certificate, now: datetime
) -> Iterator[x509.Certificate]:
    yield issuer

    for found in response.certificates:
        if found == issuer or not found.not_valid_before_utc <= now <= found.not_valid_after_utc:
            continue

        if _is_delegate(found, issuer):
            yield found


def _is_delegate(found: x509.Certificate, issuer: x509.Certificate) -> bool:
    """Whether the issuer lets the key of a certificate answer for it (RFC 6960, 4.2.2.2)."""
    try:
        found.verify_directly_issued_by(issuer)
        purposes = found.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except (ValueError, TypeError, InvalidSignature, x509.ExtensionNotFound):
        return False

    return ExtendedKeyUsageOID.OCSP_SIGNING in purposes


def _verify(response: ocsp.OCSPResponse, signer: x509.Certificate) -> None:
    key, digest = signer.public_key(), response.signature_hash_algorithm

    if digest is None:
        raise InvalidSignature

    if isinstance(key, rsa.RSAPublicKey):
        key.verify(response.signature, response.tbs_response_bytes, padding.PKCS1v15(), digest)
    elif isinstance(key, ec.EllipticCurvePublicKey):
        key.verify(response.signature, response.tbs_response_bytes, ec.ECDSA(digest))
    else:
        raise InvalidSignature
