"""The root of what goes wrong where tokens are issued. No error holds a secret.

::

    IssuanceError
    ├── CertificationError      of the certificate authority: cardtwin.issuance.authority
    └── ManagerError            of Certificate Manager: cardtwin.issuance.manager
"""

from __future__ import annotations

__all__ = ["IssuanceError"]


class IssuanceError(Exception):
    """Something isn't issued, or isn't done, as it was asked for."""

    code = "refused"
    """A stable, short name of what is wrong."""
