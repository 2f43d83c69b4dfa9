"""Archived keys, and the PKCS #12 files in which they are given."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, NoEncryption, pkcs12

from cardtwin.issuance.authority.keyusage import usage_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric import rsa

    from cardtwin.issuance.authority.keyusage import KeyUsage
    from cardtwin.issuance.authority.records import ArchivedKey, Records
    from cardtwin.plan import Secret

__all__ = ["KeyArchive", "pkcs12_file"]


class KeyArchive:
    """The keys that an authority has made and archived."""

    def __init__(self, records: Records) -> None:
        self._records = records

    def put(self, holder: str, certificate: x509.Certificate, key: rsa.RSAPrivateKey) -> None:
        """Archive a holder's key with its certificate, which the authority has issued."""
        with self._records.change():
            self._records.archive(holder, certificate.serial_number, key)

    def of(self, holder: str, usage: frozenset[KeyUsage]) -> tuple[ArchivedKey, ...]:
        """Return a holder's archived keys of a key usage, the oldest first; errors as of the records."""
        return tuple(
            found for found in self._records.archived(holder) if usage_of(found.certificate) == usage
        )


def pkcs12_file(
    name: str,
    certificate: x509.Certificate,
    key: rsa.RSAPrivateKey,
    password: Secret,
    above: Sequence[x509.Certificate] = (),
) -> bytes:
    """Return a key with its certificate, and those above it, as PKCS #12 (RFC 7292)."""
    encryption = BestAvailableEncryption(password.reveal()) if len(password) else NoEncryption()
    return pkcs12.serialize_key_and_certificates(name.encode(), key, certificate, above, encryption)
