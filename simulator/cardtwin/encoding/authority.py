"""What the engine asks of the server's side, which issues certificates and is told what became of a card."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cardtwin.plan import Secret, SecretName

__all__ = ["CardProductionPostProcessor", "CertificateAuthority", "ServerSide"]


class CertificateAuthority(Protocol):
    """Issues certificates, and makes keys that it archives.

    A template is the name that CertTempl gives; a serial number is the card's, empty where it has none. Every
    method may raise :class:`cardtwin.encoding.AuthorityError`.
    """

    def issue(self, request: bytes, template: str, serial: str) -> bytes:
        """Return the certificate (DER) for a PKCS#10 request (DER)."""

    def issue_archived(self, template: str, serial: str, password: Secret, bits: int) -> bytes:
        """Make an RSA key, archive it, and return it with its certificate as PKCS#12 (DER)."""

    def new_serial(self) -> str:
        """Return a new card serial number; empty where the authority gives none."""


class CardProductionPostProcessor(Protocol):
    """Tells Certificate Manager the secrets of a card that was produced."""

    def produced(self, serial: str, secrets: Mapping[SecretName, Secret]) -> None:
        """Set the card secrets on the token of that serial number.

        Raises:
            AuthorityError: It cannot be done.
        """


@dataclass(frozen=True, slots=True)
class ServerSide:
    """The systems behind an encoding.

    Attributes:
        authority: Issues certificates; None where there is none.
        post_processor: Is told the secrets of cards that are produced; None tells nobody.
    """

    authority: CertificateAuthority | None = None
    post_processor: CardProductionPostProcessor | None = None
