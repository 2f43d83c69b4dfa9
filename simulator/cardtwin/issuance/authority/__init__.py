"""The certificate authority: root and issuing CAs, requests in, certificates out, revocation, archived keys.

One core serves all who need certificates. :class:`Authority` works above :class:`Records`, which say what is
kept and where: :class:`MemoryRecords`, or Certificate Manager's state.
"""

from cardtwin.issuance.authority.archive import KEY_SIZES, KeyArchive, check_password, new_key, pkcs12_file
from cardtwin.issuance.authority.authority import ISSUING_CA, ROOT_CA, Authority
from cardtwin.issuance.authority.ca import Ca, Contents, PublicKey
from cardtwin.issuance.authority.errors import (
    CertificationError,
    ForeignCertificateError,
    KeySizeRefusedError,
    KeyUsageRefusedError,
    NameRefusedError,
    PasswordRefusedError,
    RequestRefusedError,
    RevocationRefusedError,
    ValidityRefusedError,
)
from cardtwin.issuance.authority.keyusage import EVERY_USAGE, KeyUsage, extension, key_usages, usage_of
from cardtwin.issuance.authority.names import LONGEST_NAME, alternative_emails, subject_of
from cardtwin.issuance.authority.published import PublishedCa
from cardtwin.issuance.authority.records import ArchivedKey, Issued, MemoryRecords, Records
from cardtwin.issuance.authority.requests import CertificateRequest, read_request
from cardtwin.issuance.authority.revocation import REASONS, Revocation

__all__ = [
    "EVERY_USAGE",
    "ISSUING_CA",
    "KEY_SIZES",
    "LONGEST_NAME",
    "REASONS",
    "ROOT_CA",
    "ArchivedKey",
    "Authority",
    "Ca",
    "CertificateRequest",
    "CertificationError",
    "Contents",
    "ForeignCertificateError",
    "Issued",
    "KeyArchive",
    "KeySizeRefusedError",
    "KeyUsage",
    "KeyUsageRefusedError",
    "MemoryRecords",
    "NameRefusedError",
    "PasswordRefusedError",
    "PublicKey",
    "PublishedCa",
    "Records",
    "RequestRefusedError",
    "Revocation",
    "RevocationRefusedError",
    "ValidityRefusedError",
    "alternative_emails",
    "check_password",
    "extension",
    "key_usages",
    "new_key",
    "pkcs12_file",
    "read_request",
    "subject_of",
    "usage_of",
]
