"""The certificate authority: root and issuing CAs, requests in, certificates out, revocation, archived keys.

One core serves all who need certificates. :class:`Authority` works above :class:`Records`, which say what is
kept and where: :class:`MemoryRecords`, or Certificate Manager's state.
"""

from cardtwin.issuance.authority.archive import KeyArchive, pkcs12_file
from cardtwin.issuance.authority.authority import ISSUING_CA, ROOT_CA, Authority
from cardtwin.issuance.authority.ca import Ca, Contents, PublicKey
from cardtwin.issuance.authority.errors import (
    CertificationError,
    KeyUsageRefusedError,
    RequestRefusedError,
    RevocationRefusedError,
)
from cardtwin.issuance.authority.keyusage import EVERY_USAGE, KeyUsage, extension, key_usages, usage_of
from cardtwin.issuance.authority.published import PublishedCa
from cardtwin.issuance.authority.records import ArchivedKey, Issued, MemoryRecords, Records
from cardtwin.issuance.authority.requests import CertificateRequest, read_request
from cardtwin.issuance.authority.revocation import REASONS, Revocation

__all__ = [
    "EVERY_USAGE",
    "ISSUING_CA",
    "REASONS",
    "ROOT_CA",
    "ArchivedKey",
    "Authority",
    "Ca",
    "CertificateRequest",
    "CertificationError",
    "Contents",
    "Issued",
    "KeyArchive",
    "KeyUsage",
    "KeyUsageRefusedError",
    "MemoryRecords",
    "PublicKey",
    "PublishedCa",
    "Records",
    "RequestRefusedError",
    "Revocation",
    "RevocationRefusedError",
    "extension",
    "key_usages",
    "pkcs12_file",
    "read_request",
    "usage_of",
]
