"""Key usages (RFC 5280, 4.2.1.3), the extension made of them, and back."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Final

from cryptography import x509

from cardtwin.issuance.authority.errors import KeyUsageRefusedError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["EVERY_USAGE", "KeyUsage", "extension", "key_usages", "usage_of"]


class KeyUsage(StrEnum):
    """The key usages of RFC 5280, 4.2.1.3, in the order of their bits."""

    DIGITAL_SIGNATURE = "digitalSignature"
    NON_REPUDIATION = "nonRepudiation"
    KEY_ENCIPHERMENT = "keyEncipherment"
    DATA_ENCIPHERMENT = "dataEncipherment"
    KEY_AGREEMENT = "keyAgreement"
    KEY_CERT_SIGN = "keyCertSign"
    CRL_SIGN = "cRLSign"
    ENCIPHER_ONLY = "encipherOnly"
    DECIPHER_ONLY = "decipherOnly"


EVERY_USAGE: Final = frozenset(KeyUsage)

_ATTRIBUTES: Final[Mapping[KeyUsage, str]] = {
    KeyUsage.DIGITAL_SIGNATURE: "digital_signature",
    KeyUsage.NON_REPUDIATION: "content_commitment",
    KeyUsage.KEY_ENCIPHERMENT: "key_encipherment",
    KeyUsage.DATA_ENCIPHERMENT: "data_encipherment",
    KeyUsage.KEY_AGREEMENT: "key_agreement",
    KeyUsage.KEY_CERT_SIGN: "key_cert_sign",
    KeyUsage.CRL_SIGN: "crl_sign",
    KeyUsage.ENCIPHER_ONLY: "encipher_only",
    KeyUsage.DECIPHER_ONLY: "decipher_only",
}
_ONLY: Final = frozenset({KeyUsage.ENCIPHER_ONLY, KeyUsage.DECIPHER_ONLY})


def extension(usage: frozenset[KeyUsage]) -> x509.KeyUsage:
    """Return the extension of key usages.

    Raises:
        KeyUsageRefusedError: encipherOnly or decipherOnly without keyAgreement.
    """
    if usage & _ONLY and KeyUsage.KEY_AGREEMENT not in usage:
        only = " and ".join(sorted(usage & _ONLY))
        raise KeyUsageRefusedError(f"{only} is for key agreement only")

    return x509.KeyUsage(**{name: flag in usage for flag, name in _ATTRIBUTES.items()})


def key_usages(found: x509.KeyUsage) -> frozenset[KeyUsage]:
    """Return the key usages of an extension."""
    known = _ATTRIBUTES if found.key_agreement else {k: v for k, v in _ATTRIBUTES.items() if k not in _ONLY}
    return frozenset(flag for flag, name in known.items() if getattr(found, name))


def usage_of(certificate: x509.Certificate) -> frozenset[KeyUsage]:
    """Return the key usages of a certificate; none where it has no such extension."""
    try:
        return key_usages(certificate.extensions.get_extension_for_class(x509.KeyUsage).value)
    except x509.ExtensionNotFound:
        return frozenset()
