"""A CA: its key, its certificate, and the certificates that it signs (RFC 5280)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Final, TypeAlias

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256

from cardtwin.issuance.authority.errors import ValidityRefusedError
from cardtwin.issuance.authority.keyusage import KeyUsage, extension
from cardtwin.issuance.authority.names import subject_of

if TYPE_CHECKING:
    from datetime import datetime

    from cardtwin.entropy import Entropy

__all__ = ["Ca", "Contents", "PublicKey", "certificate_of", "new_ca"]

PublicKey: TypeAlias = rsa.RSAPublicKey | ec.EllipticCurvePublicKey

_ORDER: Final = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
"""Of the group of P-256 (FIPS 186-4, D.1.2.3)."""
_YEAR: Final = timedelta(days=365)
_LIFE_OF_CA: Final = 20 * _YEAR
_BACKDATED: Final = timedelta(minutes=5)
"""So that whose clock is a little late finds a new certificate valid."""
_CA_USAGE: Final = frozenset({KeyUsage.KEY_CERT_SIGN, KeyUsage.CRL_SIGN})


@dataclass(frozen=True, slots=True)
class Contents:
    """What a certificate is to say.

    Attributes:
        subject: Whose it is.
        key: The public key.
        usage: The key usage; without one there is no such extension.
        names: Alternative names, if there are any.
        delay: How long from now until it is valid; less than nothing, it has been for so long.
        life: How long it is valid then.
    """

    subject: x509.Name
    key: PublicKey
    usage: frozenset[KeyUsage] = frozenset()
    names: x509.SubjectAlternativeName | None = None
    delay: timedelta = timedelta(0)
    life: timedelta = _YEAR


@dataclass(frozen=True, slots=True)
class Ca:
    """A CA's certificate and its key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey = field(repr=False)

    @property
    def key_identifier(self) -> x509.AuthorityKeyIdentifier:
        """The extension by which what the CA signs tells its key."""
        known = self.certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
        return x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(known)

    def check_end(self, end: datetime) -> None:
        """See that what it signs does not outlive it: nobody could validate that then.

        Raises:
            ValidityRefusedError: It would.
        """
        last = self.certificate.not_valid_after_utc

        if end.replace(microsecond=0) > last:
            name = self.certificate.subject.rfc4514_string()
            raise ValidityRefusedError(
                f"a certificate until {end:%Y-%m-%d} would outlive its issuer: {name} ends on {last:%Y-%m-%d}"
            )


def new_ca(name: str, above: Ca | None, number: int, now: datetime, entropy: Entropy) -> Ca:
    """Make a CA with a key of its own, below another one or as a root; it ends with the one above, at last.

    Raises:
        NameRefusedError: No CA can have that name.
        ValidityRefusedError: The CA above has ended.
    """
    key = ec.derive_private_key(1 + entropy.below(_ORDER - 1), ec.SECP256R1())
    subject = subject_of([(x509.NameOID.COMMON_NAME, name)])
    life = _LIFE_OF_CA

    if above is not None:
        above.check_end(now)
        life = min(_LIFE_OF_CA, above.certificate.not_valid_after_utc - now)

    contents = Contents(subject, key.public_key(), _CA_USAGE, life=life)
    issuer = subject if above is None else above.certificate.subject
    length = None if above is None else 0
    builder = _builder(contents, issuer, number, now, x509.BasicConstraints(ca=True, path_length=length))

    if above is not None:
        builder = builder.add_extension(above.key_identifier, critical=False)

    signer = key if above is None else above.key
    return Ca(builder.sign(signer, SHA256(), ecdsa_deterministic=entropy.deterministic), key)


def certificate_of(
    ca: Ca, contents: Contents, number: int, now: datetime, *, repeatable: bool
) -> x509.Certificate:
    """Return a certificate that a CA signs.

    Args:
        ca: Who signs.
        contents: What it says.
        number: Its serial number.
        now: The time.
        repeatable: Whether the same signature is made again next time (RFC 6979).

    Raises:
        KeyUsageRefusedError: No certificate has these key usages together.
        ValidityRefusedError: It would end later than the CA's own.
    """
    ca.check_end(now + contents.delay + contents.life)
    issuer = ca.certificate.subject
    builder = _builder(contents, issuer, number, now, x509.BasicConstraints(ca=False, path_length=None))
    builder = builder.add_extension(ca.key_identifier, critical=False)
    return builder.sign(ca.key, SHA256(), ecdsa_deterministic=repeatable)


def _builder(
    contents: Contents, issuer: x509.Name, number: int, now: datetime, constraints: x509.BasicConstraints
) -> x509.CertificateBuilder:
    start = now + contents.delay
    builder = (
        x509.CertificateBuilder(issuer, contents.subject, contents.key, number)
        .not_valid_before(start - _BACKDATED)
        .not_valid_after(start + contents.life)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(contents.key), critical=False)
        .add_extension(constraints, critical=True)
    )

    if contents.usage:
        builder = builder.add_extension(extension(contents.usage), critical=True)

    if contents.names is not None:
        builder = builder.add_extension(contents.names, critical=False)

    return builder
