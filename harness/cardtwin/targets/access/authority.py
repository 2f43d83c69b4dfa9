"""A small certificate authority for the users of Digital Access: root, issuing CA, revocation."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from cryptography.x509.oid import NameOID

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes

    from cardtwin.entropy import Entropy

__all__ = ["HolderTemplate", "SmallAuthority"]

_ORDER: Final = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
"""Of the group of P-256 (FIPS 186-4, D.1.2.3)."""

_BACKDATED: Final = timedelta(minutes=5)
_LIFE: Final = timedelta(days=3650)
_LIST_LIFE: Final = timedelta(days=1)
_SERIAL_BYTES: Final = 16


@dataclass(frozen=True, slots=True)
class HolderTemplate:
    """What a user's certificate says.

    Attributes:
        name: The subject's common name.
        emails: The addresses in the subjectAltName.
        signs: Whether the key usage is digitalSignature; else it is nonRepudiation (contentCommitment).
        begins: Days from now until it is valid; below 0, it has begun so many days before.
        days: How long it is valid then.
    """

    name: str
    emails: tuple[str, ...] = ()
    signs: bool = True
    begins: int = 0
    days: int = 365


class SmallAuthority:
    """A root, an issuing CA below it, and what they have issued and revoked.

    Attributes:
        root: The root's certificate.
        issuing: The issuing CA's certificate.
    """

    def __init__(self, name: str, entropy: Entropy, now: Callable[[], datetime]) -> None:
        self._entropy = entropy
        self._now = now
        self._root_key, self._key = self._new_key(), self._new_key()
        root, issuing = _named(f"{name} root CA"), _named(f"{name} issuing CA")
        self.root = self._ca(root, root, self._root_key, self._root_key)
        self.issuing = self._ca(issuing, root, self._key, self._root_key)
        self._issued: dict[int, x509.Certificate] = {}
        self._revoked: dict[int, datetime] = {}

    def certify(self, key: CertificatePublicKeyTypes, template: HolderTemplate) -> x509.Certificate:
        """Return a certificate for a user's key."""
        start = self._now() + timedelta(days=template.begins) - _BACKDATED
        end = start + timedelta(days=template.days)
        builder = self._builder(_named(template.name), self.issuing.subject, key, start, end)
        builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        usage = _usage(signs=template.signs, consents=not template.signs)
        builder = builder.add_extension(usage, critical=True)

        if template.emails:
            names = [x509.RFC822Name(address) for address in template.emails]
            builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)

        certificate = self._signed(builder.add_extension(_below(self._key), critical=False), self._key)
        self._issued[certificate.serial_number] = certificate
        return certificate

    def revoke(self, certificate: x509.Certificate) -> None:
        """Revoke a certificate."""
        self._revoked.setdefault(certificate.serial_number, self._now())

    def crl(self) -> bytes:
        """Return the issuing CA's revocation list of this moment, in DER."""
        now = self._now()
        builder = x509.CertificateRevocationListBuilder(self.issuing.subject, now, now + _LIST_LIFE)

        for serial, time in self._revoked.items():
            entry = x509.RevokedCertificateBuilder(serial, time).build()
            builder = builder.add_revoked_certificate(entry)

        return builder.sign(self._key, SHA256()).public_bytes(Encoding.DER)

    def root_crl(self) -> bytes:
        """Return the root's revocation list of this moment, in DER: it is empty."""
        now = self._now()
        builder = x509.CertificateRevocationListBuilder(self.root.subject, now, now + _LIST_LIFE)
        return builder.sign(self._root_key, SHA256()).public_bytes(Encoding.DER)

    def answer(self, request: bytes) -> bytes:
        """Return the answer to an OCSP request about a certificate of the issuing CA, in DER."""
        asked = ocsp.load_der_ocsp_request(request)
        certificate = self._issued.get(asked.serial_number)

        if certificate is None:
            status = ocsp.OCSPResponseStatus.UNAUTHORIZED
            return ocsp.OCSPResponseBuilder.build_unsuccessful(status).public_bytes(Encoding.DER)

        revoked = self._revoked.get(asked.serial_number)
        builder = ocsp.OCSPResponseBuilder().add_response(
            certificate,
            self.issuing,
            SHA256(),
            ocsp.OCSPCertStatus.GOOD if revoked is None else ocsp.OCSPCertStatus.REVOKED,
            self._now(),
            self._now() + _LIST_LIFE,
            revoked,
            None,
        )
        builder = builder.responder_id(ocsp.OCSPResponderEncoding.HASH, self.issuing)

        for extension in asked.extensions:
            if isinstance(extension.value, x509.OCSPNonce):
                builder = builder.add_extension(extension.value, critical=False)

        return builder.sign(self._key, SHA256()).public_bytes(Encoding.DER)

    def _ca(
        self,
        subject: x509.Name,
        issuer: x509.Name,
        key: ec.EllipticCurvePrivateKey,
        signer: ec.EllipticCurvePrivateKey,
    ) -> x509.Certificate:
        start = self._now() - _BACKDATED
        builder = self._builder(subject, issuer, key.public_key(), start, start + _LIFE)
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        builder = builder.add_extension(_usage(certifies=True), critical=True)
        return self._signed(builder.add_extension(_below(signer), critical=False), signer)

    def _builder(
        self,
        subject: x509.Name,
        issuer: x509.Name,
        key: CertificatePublicKeyTypes,
        start: datetime,
        end: datetime,
    ) -> x509.CertificateBuilder:
        number = int.from_bytes(self._entropy.bytes(_SERIAL_BYTES)) >> 1 | 1
        builder = x509.CertificateBuilder(issuer, subject, key, number, start, end)
        return builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)

    def _signed(self, builder: x509.CertificateBuilder, key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
        return builder.sign(key, SHA256(), ecdsa_deterministic=self._entropy.deterministic)

    def _new_key(self) -> ec.EllipticCurvePrivateKey:
        return ec.derive_private_key(1 + self._entropy.below(_ORDER - 1), ec.SECP256R1())


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _below(signer: ec.EllipticCurvePrivateKey) -> x509.AuthorityKeyIdentifier:
    return x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key())


def _usage(*, signs: bool = False, consents: bool = False, certifies: bool = False) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=signs,
        content_commitment=consents,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=certifies,
        crl_sign=certifies,
        encipher_only=False,
        decipher_only=False,
    )
