"""Certificates for the users of Digital Access."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from cryptography import x509

from cardtwin.issuance.authority import Contents, KeyUsage, alternative_emails, subject_of

if TYPE_CHECKING:
    from cardtwin.issuance.authority import Authority, PublicKey

__all__ = ["HolderTemplate", "certify_holder"]


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


def certify_holder(authority: Authority, key: PublicKey, template: HolderTemplate) -> x509.Certificate:
    """Return a certificate for a user's key.

    Raises:
        NameRefusedError: The name, or an address, can't stand in a certificate.
        ValidityRefusedError: It would end later than the authority's own.
    """
    contents = Contents(
        subject_of([(x509.NameOID.COMMON_NAME, template.name)]),
        key,
        frozenset({KeyUsage.DIGITAL_SIGNATURE if template.signs else KeyUsage.NON_REPUDIATION}),
        alternative_emails(*template.emails) if template.emails else None,
        delay=timedelta(days=template.begins),
        life=timedelta(days=template.days),
    )
    return authority.certify(contents)
