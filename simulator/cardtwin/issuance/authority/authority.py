"""A certificate authority: a root, issuing CAs below it, and what they have issued."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cardtwin.issuance.authority.ca import certificate_of, new_ca
from cardtwin.issuance.authority.errors import ForeignCertificateError
from cardtwin.issuance.authority.records import Issued
from cardtwin.issuance.authority.revocation import Revocation

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from cryptography import x509

    from cardtwin.entropy import Entropy
    from cardtwin.issuance.authority.ca import Ca, Contents
    from cardtwin.issuance.authority.records import Records

__all__ = ["ISSUING_CA", "ROOT_CA", "Authority"]

ROOT_CA: Final = "Root CA"
"""The name of the CA above all issuing ones, where an authority says no other."""

ISSUING_CA: Final = "Issuing CA"
"""The name of the CA that issues where none is named, and the authority says no other."""

_NUMBER_BYTES: Final = 16


class Authority:
    """Issues certificates. Each is kept, before anybody gets it.

    CAs are made when they are first asked for. With a seed, the same ones are made again.

    Attributes:
        now: The time.
        repeatable: Whether the same signature is made again next time (RFC 6979).
        root_name: The name of the CA above all others.
        issuing_name: The name of the CA that issues where none is named.
        revocation: What its CAs say of certificates: lists and answers.
    """

    def __init__(
        self,
        records: Records,
        entropy: Entropy,
        now: Callable[[], datetime],
        *,
        root: str = ROOT_CA,
        issuing: str = ISSUING_CA,
    ) -> None:
        """Put it together.

        Args:
            records: What is kept, and where.
            entropy: Where keys of CAs and serial numbers come from.
            now: The time.
            root: The name of the CA above all others.
            issuing: The name of the CA that issues where none is named.
        """
        self._records = records
        self._entropy = entropy
        self.root_name = root
        self.issuing_name = issuing
        self.now = now
        self.repeatable = entropy.deterministic
        self.revocation = Revocation(records, self)

    @property
    def root(self) -> x509.Certificate:
        """The root's certificate."""
        return self.ca(self.root_name).certificate

    @property
    def issuing(self) -> x509.Certificate:
        """The certificate of the CA that issues where none is named."""
        return self.ca().certificate

    def ca(self, name: str = "") -> Ca:
        """Return a CA, the issuing one where none is named; it is made where it isn't there yet.

        Errors are those of the records, too.

        Raises:
            NameRefusedError: No CA can have that name.
            ValidityRefusedError: It would be below a root that has ended.
        """
        name = name or self.issuing_name

        with self._records.change():
            found = self._records.ca(name)

            if found is None:
                above = None if name == self.root_name else self.ca(self.root_name)
                found = new_ca(name, above, self.new_number(), self.now(), self._entropy)
                self._records.add_ca(name, found)

            return found

    def chain(self, certificate: x509.Certificate) -> tuple[x509.Certificate, ...]:
        """Return the certificates above one, the issuing CA first, the root last.

        Raises:
            ForeignCertificateError: It is of no CA of this authority.
        """
        known = {found.subject: found for found in self._records.cas().values()}
        chain: list[x509.Certificate] = []

        while certificate.issuer != certificate.subject:
            if (above := known.get(certificate.issuer)) is None:
                name = certificate.issuer.rfc4514_string()
                raise ForeignCertificateError(f"there is no CA {name!r} here: ask the authority that has it")

            certificate = above
            chain.append(certificate)

        return tuple(chain)

    def certify(self, contents: Contents, *, issuer: str = "", token: str = "") -> x509.Certificate:
        """Issue a certificate.

        Args:
            contents: What it says.
            issuer: The CA that issues it.
            token: The token that it is on.

        Raises:
            KeyUsageRefusedError: No certificate has these key usages together.
            NameRefusedError: No CA can have the issuer's name.
            ValidityRefusedError: It would end later than the issuer's own.
        """
        issuer = issuer or self.issuing_name

        with self._records.change():
            ca = self.ca(issuer)
            number = self.new_number()
            certificate = certificate_of(ca, contents, number, self.now(), repeatable=self.repeatable)
            self._records.add(Issued(certificate, issuer, token))

        return certificate

    def new_number(self) -> int:
        """Return a serial number that no certificate has (RFC 5280, 4.1.2.2)."""
        while True:
            number = int.from_bytes(self._entropy.bytes(_NUMBER_BYTES)) >> 1 | 1
            cas = self._records.cas().values()

            if self._records.issued(number) is None and all(number != ca.serial_number for ca in cas):
                return number

    def has_issued(self, certificate: x509.Certificate) -> bool:
        """Whether a certificate was issued here, whatever has become of it."""
        issued = self._records.issued(certificate.serial_number)
        return issued is not None and issued.certificate == certificate

    def is_valid(self, certificate: x509.Certificate) -> bool:
        """Whether a certificate was issued here, is valid now and isn't revoked."""
        issued = self._records.issued(certificate.serial_number)
        start, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
        known = issued is not None and issued.certificate == certificate and issued.revoked is None
        return known and start <= self.now() <= end

    def of_token(self, token: str) -> tuple[x509.Certificate, ...]:
        """Return the certificates of a token, in the order in which they were issued."""
        return self._records.of_token(token)
