"""What is asked of the registration authority, and what is issued, as values."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cardtwin.issuance.manager.model import ROOT_DOMAIN
from cardtwin.plan import Secret

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cryptography import x509

    from cardtwin.plan import SecretName

__all__ = ["IssuedCertificate", "IssuedToken", "TokenRequest"]


@dataclass(frozen=True, slots=True)
class TokenRequest:
    """What the registration authority asks for.

    Attributes:
        procedure: The token procedure.
        fields: What was entered in the input view.
        domain: The user's domain.
        requests: For each key of the token a certificate request (PKCS#10, in DER).
        serial: The card's serial number where it comes from elsewhere; empty lets the range give one.
        chosen: The secrets that the holder has chosen.
        recovery: The key procedures by which keys are recovered; None takes the only one there is.
        password: What protects PKCS #12 files.
    """

    procedure: str
    fields: Mapping[str, str]
    domain: str = ROOT_DOMAIN
    requests: tuple[bytes, ...] = ()
    serial: str = ""
    chosen: Mapping[SecretName, Secret] = field(default_factory=dict)
    recovery: tuple[str, ...] | None = None
    password: Secret = field(default_factory=lambda: Secret(b""))


@dataclass(frozen=True, slots=True)
class IssuedCertificate:
    """A certificate, and the name of the certificate procedure; empty for one that was reused."""

    procedure: str
    certificate: x509.Certificate


@dataclass(frozen=True, slots=True)
class IssuedToken:
    """A token.

    Attributes:
        id: What Certificate Manager knows it by: the card's serial number where it has one.
        serial: The card's serial number; empty where it has none.
        certificates: One per request, then one per key that was archived or recovered.
        archived: The archived and recovered keys with their certificates, as PKCS #12.
        issuers: The certificates of CAs that go onto the token.
        attributes: The attribute certificates, in DER.
        secrets: The secrets of the token.
        letters: What stands in each PIN letter.
        letter: The ID under which the PIN letters are printed; empty where there are none.
    """

    id: str
    serial: str
    certificates: tuple[IssuedCertificate, ...]
    archived: tuple[bytes, ...] = field(repr=False)
    issuers: tuple[x509.Certificate, ...]
    attributes: tuple[bytes, ...]
    secrets: Mapping[SecretName, Secret]
    letters: Mapping[int, Mapping[SecretName, Secret]]
    letter: str = ""
