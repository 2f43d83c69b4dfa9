"""The errors of the certificate authority. None holds a secret.

::

    CertificationError                (an IssuanceError)
    ├── KeyUsageRefusedError       key usages that no certificate has together
    ├── RequestRefusedError        a request is broken, or not signed by its own key
    └── RevocationRefusedError     a certificate can't be revoked so
"""

from __future__ import annotations

from cardtwin.issuance.errors import IssuanceError

__all__ = ["CertificationError", "KeyUsageRefusedError", "RequestRefusedError", "RevocationRefusedError"]


class CertificationError(IssuanceError):
    """The root of the certificate authority's errors."""


class KeyUsageRefusedError(CertificationError):
    """Key usages that no certificate has together."""

    code = "key-usage"


class RequestRefusedError(CertificationError):
    """A certificate request is broken, or not signed by its own key."""

    code = "request"


class RevocationRefusedError(CertificationError):
    """A certificate can't be revoked so."""

    code = "revocation"
