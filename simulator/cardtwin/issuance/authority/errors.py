"""The errors of the certificate authority. None holds a secret.

::

    CertificationError                (an IssuanceError)
    ├── ForeignCertificateError    a certificate is of no CA of this authority
    ├── KeySizeRefusedError        no key of that size is made
    ├── KeyUsageRefusedError       key usages that no certificate has together
    ├── NameRefusedError           a text can't stand in a certificate as what it is to be
    ├── PasswordRefusedError       a password can't protect a PKCS #12 file
    ├── RequestRefusedError        a request is broken, or not signed by its own key
    ├── RevocationRefusedError     a certificate can't be revoked so
    └── ValidityRefusedError       a certificate would be valid longer than its issuer
"""

from __future__ import annotations

from cardtwin.issuance.errors import IssuanceError

__all__ = [
    "CertificationError",
    "ForeignCertificateError",
    "KeySizeRefusedError",
    "KeyUsageRefusedError",
    "NameRefusedError",
    "PasswordRefusedError",
    "RequestRefusedError",
    "RevocationRefusedError",
    "ValidityRefusedError",
]


class CertificationError(IssuanceError):
    """The root of the certificate authority's errors."""


class ForeignCertificateError(CertificationError):
    """A certificate is of no CA of this authority."""

    code = "foreign-certificate"


class KeySizeRefusedError(CertificationError):
    """No key of that size is made."""

    code = "key-size"


class KeyUsageRefusedError(CertificationError):
    """Key usages that no certificate has together."""

    code = "key-usage"


class NameRefusedError(CertificationError):
    """A text can't stand in a certificate as what it is to be."""

    code = "name"


class PasswordRefusedError(CertificationError):
    """A password can't protect a PKCS #12 file. The message has no character of it."""

    code = "password"


class RequestRefusedError(CertificationError):
    """A certificate request is broken, or not signed by its own key."""

    code = "request"


class RevocationRefusedError(CertificationError):
    """A certificate can't be revoked so."""

    code = "revocation"


class ValidityRefusedError(CertificationError):
    """A certificate would be valid longer than its issuer."""

    code = "validity"
