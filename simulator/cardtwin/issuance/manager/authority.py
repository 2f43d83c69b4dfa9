"""The certificate authority: a root, issuing CAs below it, their keys and certificates in the store."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final, NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_private_key,
)

from cardtwin.issuance.manager.keyusage import extension
from cardtwin.issuance.manager.model import ISSUING_CA, KeyUsage

if TYPE_CHECKING:
    from collections.abc import Callable

    from cryptography.hazmat.primitives.asymmetric import rsa

    from cardtwin.entropy import Entropy
    from cardtwin.issuance.manager.store import Store

__all__ = ["ROOT_CA", "Authority", "Ca"]

ROOT_CA: Final = "Root CA"
"""The CA above all issuing ones."""

_YEARS_OF_CA: Final = 20
_DAY: Final = timedelta(days=1)
_BACKDATED: Final = timedelta(minutes=5)
_NUMBER_BYTES: Final = 16
_CA_USAGE: Final = frozenset({KeyUsage.KEY_CERT_SIGN, KeyUsage.CRL_SIGN})


class Ca(NamedTuple):
    """A CA's certificate and its key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey


class Authority:
    """Issues certificates. Each is kept, before anybody gets it."""

    def __init__(self, store: Store, entropy: Entropy, now: Callable[[], datetime]) -> None:
        self._store = store
        self._entropy = entropy
        self.now = now

    def ca(self, name: str) -> Ca:
        """Return a CA; it is made where it isn't there yet, below the root.

        Raises:
            VaultError: Its key was changed.
        """
        with self._store.change() as database:
            query = "SELECT certificate, sealed FROM authorities WHERE name = ?"
            row = database.execute(query, (name,)).fetchone()
            return self._make(name) if row is None else self._load(name, *row)

    def chain(self, certificate: x509.Certificate) -> tuple[x509.Certificate, ...]:
        """Return the certificates above one, the issuing CA first, the root last."""
        query = "SELECT certificate FROM authorities"
        known = [
            x509.load_der_x509_certificate(found)
            for (found,) in self._store.database.execute(query).fetchall()
        ]
        chain: list[x509.Certificate] = []

        while certificate.issuer != certificate.subject:
            certificate = next(found for found in known if found.subject == certificate.issuer)
            chain.append(certificate)

        return tuple(chain)

    def certify(
        self,
        subject: x509.Name,
        key: rsa.RSAPublicKey | ec.EllipticCurvePublicKey,
        usage: frozenset[KeyUsage] = frozenset(),
        *,
        issuer: str = ISSUING_CA,
        days: int = 365,
        names: x509.SubjectAlternativeName | None = None,
        token: str = "",
    ) -> x509.Certificate:
        """Issue a certificate.

        Args:
            subject: Whose it is.
            key: The public key.
            usage: The key usage; without one there is no such extension.
            issuer: The CA that issues it.
            days: How long it is valid.
            names: Alternative names, if there are any.
            token: The token that it is on.

        Raises:
            IssuanceRefusedError: The key usage isn't one that a certificate can have.
        """
        with self._store.change() as database:
            above = self.ca(issuer)
            builder = self._builder(subject, above.certificate.subject, key, days * _DAY)
            builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            builder = builder.add_extension(_issued_by(above.certificate), critical=False)

            if usage:
                builder = builder.add_extension(extension(usage), critical=True)

            if names is not None:
                builder = builder.add_extension(names, critical=False)

            certificate = builder.sign(above.key, SHA256())
            row = (_number(certificate), issuer, certificate.public_bytes(Encoding.DER), token)
            command = "INSERT INTO certificates (number, issuer, certificate, token) VALUES (?, ?, ?, ?)"
            database.execute(command, row)

        return certificate

    def has_issued(self, certificate: x509.Certificate) -> bool:
        """Whether a certificate was issued here, whatever has become of it."""
        query = "SELECT 1 FROM certificates WHERE number = ? AND certificate = ?"
        key = (_number(certificate), certificate.public_bytes(Encoding.DER))
        return self._store.database.execute(query, key).fetchone() is not None

    def is_valid(self, certificate: x509.Certificate) -> bool:
        """Whether a certificate was issued here, is valid now and isn't revoked."""
        query = "SELECT revoked FROM certificates WHERE number = ? AND certificate = ?"
        key = (_number(certificate), certificate.public_bytes(Encoding.DER))
        row = self._store.database.execute(query, key).fetchone()
        start, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
        return row is not None and row[0] is None and start <= self.now() <= end

    def is_ca_below(self, name: str, number: int) -> bool:
        """Whether a CA has certified another one, or itself, with a certificate of that number."""
        above = self.ca(name).certificate.subject
        rows = self._store.database.execute("SELECT certificate FROM authorities").fetchall()
        known = (x509.load_der_x509_certificate(found) for (found,) in rows)
        return any(found.issuer == above and found.serial_number == number for found in known)

    def of_token(self, token: str) -> tuple[x509.Certificate, ...]:
        """Return the certificates of a token, in the order in which they were issued."""
        query = "SELECT certificate FROM certificates WHERE token = ? ORDER BY rowid"
        rows = self._store.database.execute(query, (token,)).fetchall()
        return tuple(x509.load_der_x509_certificate(found) for (found,) in rows)

    def _load(self, name: str, certificate: bytes, sealed: bytes) -> Ca:
        key = load_der_private_key(self._store.unseal(sealed, _owner(name)), None)
        assert isinstance(key, ec.EllipticCurvePrivateKey)
        return Ca(x509.load_der_x509_certificate(certificate), key)

    def _make(self, name: str) -> Ca:
        above = None if name == ROOT_CA else self.ca(ROOT_CA)
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
        issuer = subject if above is None else above.certificate.subject
        constraints = x509.BasicConstraints(ca=True, path_length=None if above is None else 0)
        builder = self._builder(subject, issuer, key.public_key(), _YEARS_OF_CA * 365 * _DAY)
        builder = builder.add_extension(constraints, critical=True)
        builder = builder.add_extension(extension(_CA_USAGE), critical=True)

        if above is not None:
            builder = builder.add_extension(_issued_by(above.certificate), critical=False)

        made = Ca(builder.sign(key if above is None else above.key, SHA256()), key)
        plain = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
        row = (name, made.certificate.public_bytes(Encoding.DER), self._store.seal(plain, _owner(name)), 0)
        self._store.database.execute("INSERT INTO authorities VALUES (?, ?, ?, ?)", row)
        return made

    def _builder(
        self,
        subject: x509.Name,
        issuer: x509.Name,
        key: rsa.RSAPublicKey | ec.EllipticCurvePublicKey,
        validity: timedelta,
    ) -> x509.CertificateBuilder:
        start = self.now() - _BACKDATED
        number = int.from_bytes(self._entropy.bytes(_NUMBER_BYTES)) >> 1 | 1
        return (
            x509.CertificateBuilder(issuer, subject, key, number)
            .not_valid_before(start)
            .not_valid_after(start + validity)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
        )


def _number(certificate: x509.Certificate) -> str:
    return f"{certificate.serial_number:x}"


def _owner(name: str) -> str:
    return f"the key of the CA {name}"


def _issued_by(issuer: x509.Certificate) -> x509.AuthorityKeyIdentifier:
    known = issuer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    return x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(known)
