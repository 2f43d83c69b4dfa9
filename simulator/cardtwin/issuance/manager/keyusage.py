"""The extension keyUsage (RFC 5280, 4.2.1.3) from key usages, and back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cryptography import x509

from cardtwin.issuance.manager.errors import IssuanceRefusedError
from cardtwin.issuance.manager.model import KeyUsage

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["extension", "key_usages", "usage_of"]

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
        IssuanceRefusedError: encipherOnly or decipherOnly without keyAgreement.
    """
    if usage & _ONLY and KeyUsage.KEY_AGREEMENT not in usage:
        only = " and ".join(sorted(usage & _ONLY))
        raise IssuanceRefusedError("key-usage", f"{only} is for key agreement only")

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
