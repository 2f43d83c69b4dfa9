"""What one issuing CA and its root publish."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cardtwin.issuance.authority.errors import RevocationRefusedError

if TYPE_CHECKING:
    from cryptography import x509

    from cardtwin.issuance.authority.authority import Authority

__all__ = ["PublishedCa"]


@dataclass(frozen=True, slots=True)
class PublishedCa:
    """An issuing CA with its root, as far as it is known to who trusts it.

    Attributes:
        authority: The authority.
        name: The issuing CA; empty is the one that issues where none is named.
    """

    authority: Authority
    name: str = ""

    @property
    def root(self) -> x509.Certificate:
        """The root's certificate."""
        return self.authority.root

    @property
    def issuing(self) -> x509.Certificate:
        """The CA's certificate."""
        return self.authority.ca(self.name).certificate

    def crl(self) -> bytes:
        """Return the CA's next revocation list, in DER."""
        return self.authority.revocation.crl(self.name)

    def root_crl(self) -> bytes:
        """Return the root's next revocation list, in DER."""
        return self.authority.revocation.crl(self.authority.root_name)

    def answer(self, request: bytes) -> bytes:
        """Return the answer to an OCSP request, in DER."""
        return self.authority.revocation.answer(request)

    def revoke(self, certificate: x509.Certificate) -> None:
        """Revoke a certificate of this CA; errors as of ``Revocation.revoke``.

        Raises:
            RevocationRefusedError: Another CA has issued it.
        """
        if certificate.issuer != self.issuing.subject:
            name = certificate.issuer.rfc4514_string()
            raise RevocationRefusedError(f"the certificate is of {name!r}, which alone revokes it")

        self.authority.revocation.revoke(certificate)
