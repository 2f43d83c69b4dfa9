"""A certificate authority for encodings: what CertTempl names is a template, or anything at all."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from cardtwin.encoding import AuthorityError
from cardtwin.entropy import SystemEntropy
from cardtwin.issuance.authority import (
    LONGEST_NAME,
    Authority,
    CertificationError,
    Contents,
    KeyArchive,
    KeyUsage,
    MemoryRecords,
    check_password,
    new_key,
    pkcs12_file,
    read_request,
    subject_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from cardtwin.entropy import Entropy
    from cardtwin.issuance.authority import ArchivedKey, PublicKey
    from cardtwin.plan import Secret

__all__ = ["LocalAuthority", "Template"]

_DAY: Final = timedelta(days=1)
_SIGNS: Final = frozenset({KeyUsage.DIGITAL_SIGNATURE})
_DECIPHERS: Final = frozenset({KeyUsage.KEY_ENCIPHERMENT})


@dataclass(frozen=True, slots=True)
class Template:
    """What certificates of a template are like.

    Attributes:
        subject: The subject, to which the card serial number is added; None takes that of the request.
        usage: The key usage.
        days: How long it is valid.
    """

    subject: x509.Name | None = None
    usage: frozenset[KeyUsage] = _SIGNS
    days: int = 365


class LocalAuthority:
    """Implements ``CertificateAuthority`` of :mod:`cardtwin.encoding`, in memory.

    A card serial number is also the token's and the holder's name, whose keys are archived.
    """

    def __init__(
        self,
        templates: Mapping[str, Template] | None = None,
        *,
        entropy: Entropy | None = None,
        now: Callable[[], datetime] | None = None,
        serials: Callable[[], str] | None = None,
    ) -> None:
        """Make the authority; its CAs are made when they are first needed.

        Args:
            templates: The templates by name; None takes every name, for certificates that sign, and for
                archived keys that decipher.
            entropy: Where keys of CAs and numbers of certificates come from; the system's if not given.
            now: The time; the system's if not given.
            serials: Gives card serial numbers; without it there are none.
        """
        self._templates = templates
        self._serials = serials
        self._records = MemoryRecords()
        self._archive = KeyArchive(self._records)
        self._authority = Authority(
            self._records,
            entropy or SystemEntropy(),
            now or (lambda: datetime.now(UTC)),
            root="cardtwin root CA",
            issuing="cardtwin issuing CA",
        )

    @property
    def root(self) -> x509.Certificate:
        """The root's certificate."""
        return self._authority.root

    @property
    def issuing(self) -> x509.Certificate:
        """The issuing CA's certificate."""
        return self._authority.issuing

    @property
    def issued(self) -> tuple[x509.Certificate, ...]:
        """All certificates that were issued, in that order."""
        return tuple(issued.certificate for issued in self._records.all())

    def issue(self, request: bytes, template: str, serial: str) -> bytes:
        """Return the certificate for a PKCS#10 request.

        Raises:
            AuthorityError: The request is broken or not signed by its own key, there is no such template, or
                the serial number can't stand in a certificate.
        """
        found = self._template(template, Template())

        with _told():
            asked = read_request(request)
            subject = asked.subject if found.subject is None else _numbered(found.subject, serial)
            return self._certify(subject, asked.key, found, serial).public_bytes(Encoding.DER)

    def issue_archived(self, template: str, serial: str, password: Secret, bits: int) -> bytes:
        """Make an RSA key, archive it, and return it with its certificate as PKCS#12: all of it, or nothing.

        Raises:
            AuthorityError: There is no such template, no such key can be made, the template's name or the
                serial number can't stand in a certificate, or the password is no text.
        """
        found = self._template(template, Template(usage=_DECIPHERS))

        with _told():
            check_password(password)
            name = found.subject or subject_of([(x509.NameOID.COMMON_NAME, template[:LONGEST_NAME])])
            subject = _numbered(name, serial)
            key = new_key(bits)
            certificate = self._certify(subject, key.public_key(), found, serial)
            self._archive.put(serial, certificate, key)
            return pkcs12_file(template, certificate, key, password)

    def new_serial(self) -> str:
        """Return a new card serial number; empty where none are given."""
        return self._serials() if self._serials is not None else ""

    def archived(self, serial: str) -> tuple[ArchivedKey, ...]:
        """Return the keys that were archived for a card, the oldest first."""
        return tuple(self._records.archived(serial))

    def _template(self, name: str, default: Template) -> Template:
        if self._templates is None:
            return default

        if name not in self._templates:
            raise AuthorityError(f"there is no certificate template {name!r}")

        return self._templates[name]

    def _certify(
        self, subject: x509.Name, key: PublicKey, template: Template, serial: str
    ) -> x509.Certificate:
        contents = Contents(subject, key, template.usage, life=template.days * _DAY)
        return self._authority.certify(contents, token=serial)


def _numbered(subject: x509.Name, serial: str) -> x509.Name:
    """Return a subject with the card serial number as serialNumber (X.520)."""
    return subject_of([(x509.NameOID.SERIAL_NUMBER, serial)], subject) if serial else subject


@contextmanager
def _told() -> Iterator[None]:
    """Tell an encoding what the authority refuses."""
    try:
        yield
    except CertificationError as error:
        raise AuthorityError(str(error)) from None
