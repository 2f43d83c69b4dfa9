"""Revoking certificates: lists of them (CRL, RFC 5280) and answers about one (OCSP, RFC 6960)."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final, NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA1, SHA256, HashAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509 import ocsp

from cardtwin.issuance.manager.errors import RevocationRefusedError
from cardtwin.issuance.manager.model import ISSUING_CA

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cardtwin.issuance.manager.authority import Authority, Ca
    from cardtwin.issuance.manager.store import Store

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


class _Status(NamedTuple):
    known: bool
    revoked: datetime | None = None
    reason: x509.ReasonFlags | None = None


class Revocation:
    """What the CAs say of certificates that they have issued."""

    def __init__(self, store: Store, authority: Authority) -> None:
        self._store = store
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

        with self._store.change() as database:
            command = (
                "UPDATE certificates SET revoked = ?, reason = ?"
                " WHERE number = ? AND certificate = ? AND revoked IS NULL"
            )
            now = self._authority.now().replace(microsecond=0)
            encoded = certificate.public_bytes(Encoding.DER)
            row = (now.isoformat(), reason.name, f"{certificate.serial_number:x}", encoded)

            if database.execute(command, row).rowcount != 1:
                raise RevocationRefusedError("the certificate wasn't issued here, or is revoked already")

    def crl(self, issuer: str = ISSUING_CA) -> bytes:
        """Return a CA's list of revoked certificates in DER, with the next number."""
        with self._store.change() as database:
            ca = self._authority.ca(issuer)
            database.execute("UPDATE authorities SET crl = crl + 1 WHERE name = ?", (issuer,))
            (number,) = database.execute("SELECT crl FROM authorities WHERE name = ?", (issuer,)).fetchone()
            now = self._authority.now()
            builder = (
                x509.CertificateRevocationListBuilder()
                .issuer_name(ca.certificate.subject)
                .last_update(now)
                .next_update(now + _VALIDITY)
                .add_extension(x509.CRLNumber(number), critical=False)
                .add_extension(
                    x509.AuthorityKeyIdentifier.from_issuer_public_key(ca.key.public_key()), critical=False
                )
            )

            for entry in self._entries(issuer):
                builder = builder.add_revoked_certificate(entry)

            return builder.sign(ca.key, SHA256()).public_bytes(Encoding.DER)

    def answer(self, request: bytes) -> bytes:
        """Return the answer (OCSPResponse, in DER) to an OCSP request; never fails.

        A request that can't be read is answered malformedRequest, one about another CA's certificate
        unauthorized (RFC 6960, 2.3). What the CA hasn't issued is unknown.
        """
        try:
            asked = ocsp.load_der_ocsp_request(request)
            algorithm = asked.hash_algorithm
            hashes = (asked.issuer_name_hash, asked.issuer_key_hash)
            nonce = [found for found in asked.extensions if isinstance(found.value, x509.OCSPNonce)]
        except (ValueError, NotImplementedError):
            return _refusal(ocsp.OCSPResponseStatus.MALFORMED_REQUEST)

        found = self._issuer(algorithm, hashes)

        if found is None:
            return _refusal(ocsp.OCSPResponseStatus.UNAUTHORIZED)

        name, ca = found
        builder = self._about(asked, self._status(name, asked.serial_number))
        builder = builder.responder_id(ocsp.OCSPResponderEncoding.HASH, ca.certificate)

        for extension in nonce:
            builder = builder.add_extension(extension.value, extension.critical)

        return builder.sign(ca.key, SHA256()).public_bytes(Encoding.DER)

    def _about(self, asked: ocsp.OCSPRequest, status: _Status) -> ocsp.OCSPResponseBuilder:
        now = self._authority.now()
        said = (
            ocsp.OCSPCertStatus.REVOKED
            if status.revoked
            else ocsp.OCSPCertStatus.GOOD
            if status.known
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
            status.revoked,
            status.reason,
        )

    def _entries(self, issuer: str) -> Iterator[x509.RevokedCertificate]:
        query = (
            "SELECT number, revoked, reason FROM certificates"
            " WHERE issuer = ? AND revoked IS NOT NULL ORDER BY rowid"
        )

        for number, revoked, reason in self._store.database.execute(query, (issuer,)).fetchall():
            builder = x509.RevokedCertificateBuilder().serial_number(int(number, 16))
            builder = builder.revocation_date(datetime.fromisoformat(revoked))
            flag = x509.ReasonFlags[reason]

            if flag is not x509.ReasonFlags.unspecified:
                # RFC 5280, 5.3.1: the extension should be absent rather than say "unspecified".
                builder = builder.add_extension(x509.CRLReason(flag), critical=False)

            yield builder.build()

    def _issuer(self, algorithm: HashAlgorithm, hashes: tuple[bytes, bytes]) -> tuple[str, Ca] | None:
        if not isinstance(algorithm, _HASHES):
            return None

        for (name,) in self._store.database.execute("SELECT name FROM authorities").fetchall():
            ca = self._authority.ca(name)

            if hashes == _hashes(algorithm, ca.certificate):
                return name, ca

        return None

    def _status(self, issuer: str, number: int) -> _Status:
        query = "SELECT revoked, reason FROM certificates WHERE number = ? AND issuer = ?"
        row = self._store.database.execute(query, (f"{number:x}", issuer)).fetchone()

        if row is None:
            return _Status(known=self._authority.is_ca_below(issuer, number))

        revoked, reason = row
        return _Status(
            known=True,
            revoked=datetime.fromisoformat(revoked) if revoked else None,
            reason=x509.ReasonFlags[reason] if reason not in {None, "unspecified"} else None,
        )


def _hashes(algorithm: HashAlgorithm, ca: x509.Certificate) -> tuple[bytes, bytes]:
    """Return the hashes of an issuer's name and of its key's bits (RFC 6960, 4.1.1)."""
    key = ca.public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey)
    bits = key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    name = ca.subject.public_bytes()
    return hashlib.new(algorithm.name, name).digest(), hashlib.new(algorithm.name, bits).digest()


def _refusal(status: ocsp.OCSPResponseStatus) -> bytes:
    return ocsp.OCSPResponseBuilder.build_unsuccessful(status).public_bytes(Encoding.DER)
