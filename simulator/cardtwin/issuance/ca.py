"""A certificate authority: a root, an issuing CA below it, and the keys that it archives."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    pkcs12,
)
from cryptography.x509.oid import NameOID

from cardtwin.encoding import AuthorityError
from cardtwin.entropy import SystemEntropy

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes
    from cryptography.hazmat.primitives.serialization import KeySerializationEncryption

    from cardtwin.entropy import Entropy
    from cardtwin.plan import Secret

__all__ = ["LocalAuthority", "Template"]

_YEARS_OF_CA: Final = 20
_DAY: Final = timedelta(days=1)
_EXPONENT: Final = 65537
_BACKDATED: Final = timedelta(minutes=5)
_SERIAL_BYTES: Final = 16


@dataclass(frozen=True, slots=True)
class Template:
    """What certificates of a template are like.

    Attributes:
        subject: The subject, to which the card serial number is added; None takes that of the request.
        signs: Whether the key usage is digitalSignature.
        deciphers: Whether the key usage is keyEncipherment.
        consents: Whether the key usage is nonRepudiation (contentCommitment).
        days: How long it is valid.
    """

    subject: x509.Name | None = None
    signs: bool = True
    deciphers: bool = False
    consents: bool = False
    days: int = 365


@dataclass(frozen=True, slots=True)
class _Authority:
    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey = field(repr=False)


class LocalAuthority:
    """Implements ``CertificateAuthority`` in memory.

    Attributes:
        root: The root's certificate.
        issuing: The issuing CA's certificate.
        issued: All certificates that were issued, in that order.
    """

    def __init__(
        self,
        templates: Mapping[str, Template] | None = None,
        *,
        entropy: Entropy | None = None,
        now: Callable[[], datetime] | None = None,
        serials: Callable[[], str] | None = None,
    ) -> None:
        """Make the two CAs, with new keys.

        Args:
            templates: The templates by name; None takes every name, for certificates that sign, and for
                archived keys that decipher.
            entropy: Where serial numbers of certificates come from; the system's if not given.
            now: The time; the system's if not given.
            serials: Gives card serial numbers; without it there are none.
        """
        self._templates = templates
        self._entropy = entropy or SystemEntropy()
        self._now = now or (lambda: datetime.now(UTC))
        self._serials = serials
        self._archive: list[tuple[x509.Certificate, rsa.RSAPrivateKey]] = []
        root = self._make_ca("cardtwin root CA", None)
        self._issuer = self._make_ca("cardtwin issuing CA", root)
        self.root = root.certificate
        self.issuing = self._issuer.certificate
        self.issued: list[x509.Certificate] = []

    def issue(self, request: bytes, template: str, serial: str) -> bytes:
        """Return the certificate for a PKCS#10 request.

        Raises:
            AuthorityError: The request is broken or not signed by its own key, or there is no such template.
        """
        found = self._template(template, Template())

        try:
            read = x509.load_der_x509_csr(request)
            valid = read.is_signature_valid
            key = read.public_key()
        except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
            raise AuthorityError("the certificate request is broken") from None

        if not valid or not isinstance(key, rsa.RSAPublicKey | ec.EllipticCurvePublicKey):
            raise AuthorityError("the certificate request is not signed by its own key")

        subject = read.subject if found.subject is None else _numbered(found.subject, serial)
        return self._certify(subject, key, found).public_bytes(Encoding.DER)

    def issue_archived(self, template: str, serial: str, password: Secret, bits: int) -> bytes:
        """Make an RSA key, archive it, and return it with its certificate and those above it as PKCS#12.

        Raises:
            AuthorityError: There is no such template, or no such key can be made.
        """
        found = self._template(template, Template(signs=False, deciphers=True))

        try:
            key = rsa.generate_private_key(_EXPONENT, bits)
        except ValueError:
            raise AuthorityError(f"no key of {bits} bits can be made") from None

        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, template[:64])])
        certificate = self._certify(_numbered(found.subject or name, serial), key.public_key(), found)
        self._archive.append((certificate, key))
        return pkcs12.serialize_key_and_certificates(
            template.encode(), key, certificate, None, _encryption(password)
        )

    def new_serial(self) -> str:
        """Return a new card serial number; empty where none are given."""
        return self._serials() if self._serials is not None else ""

    def archived(self, certificate: x509.Certificate) -> rsa.RSAPrivateKey | None:
        """Return the archived key of a certificate; None where there is none."""
        return next((key for found, key in self._archive if found == certificate), None)

    def _template(self, name: str, default: Template) -> Template:
        if self._templates is None:
            return default

        if name not in self._templates:
            raise AuthorityError(f"there is no certificate template {name!r}")

        return self._templates[name]

    def _certify(
        self, subject: x509.Name, key: rsa.RSAPublicKey | ec.EllipticCurvePublicKey, template: Template
    ) -> x509.Certificate:
        issuer = self._issuer.certificate
        certificate = (
            self._builder(subject, issuer.subject, key, template.days * _DAY)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(template), critical=True)
            .add_extension(_issued_by(issuer), critical=False)
            .sign(self._issuer.key, SHA256())
        )
        self.issued.append(certificate)
        return certificate

    def _make_ca(self, name: str, above: _Authority | None) -> _Authority:
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        issuer = subject if above is None else above.certificate.subject
        builder = self._builder(subject, issuer, key.public_key(), _YEARS_OF_CA * 365 * _DAY)
        builder = builder.add_extension(
            x509.BasicConstraints(ca=True, path_length=None if above is None else 0), critical=True
        ).add_extension(_ca_usage(), critical=True)

        if above is not None:
            builder = builder.add_extension(_issued_by(above.certificate), critical=False)

        return _Authority(builder.sign(key if above is None else above.key, SHA256()), key)

    def _builder(
        self, subject: x509.Name, issuer: x509.Name, key: CertificatePublicKeyTypes, validity: timedelta
    ) -> x509.CertificateBuilder:
        start = self._now() - _BACKDATED
        number = int.from_bytes(self._entropy.bytes(_SERIAL_BYTES)) >> 1 | 1
        return (
            x509.CertificateBuilder(issuer, subject, key, number)
            .not_valid_before(start)
            .not_valid_after(start + validity)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
        )


def _issued_by(issuer: x509.Certificate) -> x509.AuthorityKeyIdentifier:
    known = issuer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    return x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(known)


def _numbered(subject: x509.Name, serial: str) -> x509.Name:
    """Return a subject with the card serial number as serialNumber (X.520)."""
    return x509.Name([*subject, x509.NameAttribute(NameOID.SERIAL_NUMBER, serial)]) if serial else subject


def _usage(template: Template) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=template.signs,
        content_commitment=template.consents,
        key_encipherment=template.deciphers,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=False,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )


def _ca_usage() -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=False,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=True,
        crl_sign=True,
        encipher_only=False,
        decipher_only=False,
    )


def _encryption(password: Secret) -> KeySerializationEncryption:
    return BestAvailableEncryption(password.reveal()) if len(password) else NoEncryption()
