"""Revoking certificates: lists of them (CRL, RFC 5280) and answers about one (OCSP, RFC 6960)."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA1, SHA256, HashAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509 import ocsp

from cardtwin.issuance.authority.errors import RevocationRefusedError

if TYPE_CHECKING:
    from cardtwin.issuance.authority.authority import Authority
    from cardtwin.issuance.authority.records import Issued, Records

__all__ = ["REASONS", "Revocation"]

REASONS: Final = frozenset(
    {
        x509.ReasonFlags.unspecified,
        x509.ReasonFlags.key_compromise,
        x509.ReasonFlags.affiliation_changed,
        x509.ReasonFlags.superseded,
        x509.ReasonFlags.cessation_of_operation,
        x509.ReasonFlags.privilege_withdrawn,
    }
)
"""The reasons for which a certificate is revoked; each is for good."""

_VALIDITY: Final = timedelta(days=7)
_HASHES: Final = (SHA1, SHA256)
_BROKEN: Final = (
    ValueError,
    TypeError,
    NotImplementedError,
    x509.DuplicateExtension,
    x509.InvalidVersion,
    x509.UnsupportedGeneralNameType,
)


class Revocation:
    """What the CAs say of certificates that they have issued."""

    def __init__(self, records: Records, authority: Authority) -> None:
        self._records = records
        self._authority = authority

    def revoke(
        self, certificate: x509.Certificate, reason: x509.ReasonFlags = x509.ReasonFlags.unspecified
    ) -> None:
        """Revoke a certificate, from now on and for good.

        Raises:
            RevocationRefusedError: It wasn't issued here, is revoked already, or the reason isn't for good.
        """
        if reason not in REASONS:
            raise RevocationRefusedError(f"{reason.value} is no reason to revoke a certificate for good")

        with self._records.change():
            found = self._records.issued(certificate.serial_number)

            if found is None or found.certificate != certificate or found.revoked is not None:
                raise RevocationRefusedError("the certificate wasn't issued here, or is revoked already")

            now = self._authority.now().replace(microsecond=0)
            self._records.revoke(certificate.serial_number, now, reason)

    def crl(self, issuer: str = "") -> bytes:
        """Return a CA's list of revoked certificates in DER, with the next number.

        It is that of the issuing CA where none is named.
        """
        with self._records.change():
            issuer = issuer or self._authority.issuing_name
            ca = self._authority.ca(issuer)
            now = self._authority.now()
            builder = (
                x509.CertificateRevocationListBuilder(ca.certificate.subject, now, now + _VALIDITY)
                .add_extension(x509.CRLNumber(self._records.next_list(issuer)), critical=False)
                .add_extension(ca.key_identifier, critical=False)
            )

            for issued in self._records.revoked(issuer):
                builder = builder.add_revoked_certificate(_entry(issued))

            signed = builder.sign(ca.key, SHA256(), ecdsa_deterministic=self._authority.repeatable)
            return signed.public_bytes(Encoding.DER)

    def answer(self, request: bytes) -> bytes:
        """Return the answer (OCSPResponse, in DER) to an OCSP request; never fails.

        A request that can't be read is answered malformedRequest, one about another CA's certificate, or by
        hashes that aren't SHA-1 or SHA-256, unauthorized (RFC 6960, 2.3). What the CA hasn't issued
        is unknown.
        """
        try:
            asked = ocsp.load_der_ocsp_request(request)
            algorithm = asked.hash_algorithm
            hashes = (asked.issuer_name_hash, asked.issuer_key_hash)
            nonce = [found for found in asked.extensions if isinstance(found.value, x509.OCSPNonce)]
        except UnsupportedAlgorithm:
            return _refusal(ocsp.OCSPResponseStatus.UNAUTHORIZED)
        except _BROKEN:
            return _refusal(ocsp.OCSPResponseStatus.MALFORMED_REQUEST)

        issuer = self._issuer(algorithm, hashes)

        if issuer is None:
            return _refusal(ocsp.OCSPResponseStatus.UNAUTHORIZED)

        ca = self._authority.ca(issuer)
        builder = self._about(asked, issuer)
        builder = builder.responder_id(ocsp.OCSPResponderEncoding.HASH, ca.certificate)

        for extension in nonce:
            builder = builder.add_extension(extension.value, extension.critical)

        return builder.sign(ca.key, SHA256()).public_bytes(Encoding.DER)

    def _about(self, asked: ocsp.OCSPRequest, issuer: str) -> ocsp.OCSPResponseBuilder:
        now = self._authority.now()
        issued = self._records.issued(asked.serial_number)
        issued = issued if issued is not None and issued.issuer == issuer else None
        revoked = None if issued is None else issued.revoked
        known = issued is not None or self._is_ca(issuer, asked.serial_number)
        said = (
            ocsp.OCSPCertStatus.REVOKED
            if revoked
            else ocsp.OCSPCertStatus.GOOD
            if known
            else ocsp.OCSPCertStatus.UNKNOWN
        )
        return ocsp.OCSPResponseBuilder().add_response_by_hash(
            asked.issuer_name_hash,
            asked.issuer_key_hash,
            asked.serial_number,
            asked.hash_algorithm,
            said,
            now,
            now + _VALIDITY,
            revoked,
            None if issued is None else _reason(issued),
        )

    def _is_ca(self, issuer: str, number: int) -> bool:
        """Whether a CA has certified another one, or itself, with a certificate of that number."""
        cas = self._records.cas()
        above = cas[issuer].subject
        return any(ca.issuer == above and ca.serial_number == number for ca in cas.values())

    def _issuer(self, algorithm: HashAlgorithm, hashes: tuple[bytes, bytes]) -> str | None:
        if not isinstance(algorithm, _HASHES):
            return None

        cas = self._records.cas().items()
        return next((name for name, ca in cas if hashes == _hashes(algorithm, ca)), None)


def _entry(issued: Issued) -> x509.RevokedCertificate:
    assert issued.revoked is not None
    builder = x509.RevokedCertificateBuilder(issued.certificate.serial_number, issued.revoked)

    if reason := _reason(issued):
        builder = builder.add_extension(x509.CRLReason(reason), critical=False)

    return builder.build()


def _reason(issued: Issued) -> x509.ReasonFlags | None:
    """Return what is told of the reason: nothing rather than "unspecified" (RFC 5280, 5.3.1)."""
    return None if issued.reason is x509.ReasonFlags.unspecified else issued.reason


def _hashes(algorithm: HashAlgorithm, ca: x509.Certificate) -> tuple[bytes, bytes]:
    """Return the hashes of an issuer's name and of its key's bits (RFC 6960, 4.1.1)."""
    key = ca.public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey)
    bits = key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    name = ca.subject.public_bytes()
    return hashlib.new(algorithm.name, name).digest(), hashlib.new(algorithm.name, bits).digest()


def _refusal(status: ocsp.OCSPResponseStatus) -> bytes:
    return ocsp.OCSPResponseBuilder.build_unsuccessful(status).public_bytes(Encoding.DER)
