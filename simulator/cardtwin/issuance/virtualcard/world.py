"""What the process has to do with: users, cards and certificates, a computer, a certificate authority."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from cardtwin.pcsc import CardConnection
    from cardtwin.plan import Secret

__all__ = [
    "CardRecord",
    "CardRegister",
    "CertificateKind",
    "CertificateRecord",
    "Computer",
    "Issuer",
    "User",
]


class CertificateKind(StrEnum):
    """The kinds of certificates that can be issued to a virtual smart card."""

    AUTHENTICATION = "authentication"
    SIGNATURE = "signature"
    ENCRYPTION = "encryption"


@dataclass(frozen=True, slots=True)
class User:
    """A user of Identity Manager.

    Attributes:
        name: The name.
        state: The state, such as ``active``.
        variables: What scripts read as ``binding.variables["..."]``: fields of data pools.
    """

    name: str
    state: str = "active"
    variables: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CertificateRecord:
    """A certificate of a card: its kind, and itself in DER."""

    kind: CertificateKind
    certificate: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class CardRecord:
    """A virtual smart card as Identity Manager lists it.

    Attributes:
        user: The user's name.
        card_id: The card's identifier.
        user_id: The property VirtualSmartCardOptionUserID.
        server_name: The property VirtualSmartCardOptionServerName.
        profile_name: The property VirtualSmartCardOptionProfileName.
        valid_from: When it begins to be valid.
        valid_to: When it ends.
        certificates: Its certificates.
        admin_key: The key by which its PIN is unblocked.
        state: The card's state.
    """

    user: str
    card_id: bytes
    user_id: str
    server_name: str
    profile_name: str
    valid_from: datetime
    valid_to: datetime
    certificates: tuple[CertificateRecord, ...]
    admin_key: Secret
    state: str = "active"


class CardRegister:
    """The cards of all users."""

    def __init__(self) -> None:
        self._cards: list[CardRecord] = []

    def add(self, card: CardRecord) -> None:
        """Enter a card."""
        self._cards.append(card)

    def of(self, user: str) -> tuple[CardRecord, ...]:
        """Return a user's cards, in the order of entry."""
        return tuple(card for card in self._cards if card.user == user)


class Computer(Protocol):
    """The user's computer, on which the Desktop App makes a virtual smart card."""

    def create(self, name: str) -> CardConnection:
        """Make an empty virtual smart card with its reader, and connect to it.

        Raises:
            PcscError: It can't be connected to.
        """

    def destroy(self) -> None:
        """Destroy the card and all that is on it, where there is one."""


class Issuer(Protocol):
    """A certificate authority."""

    def issue(self, request: bytes, kind: CertificateKind, valid_to: datetime) -> bytes:
        """Return a certificate in DER for a request (PKCS#10, in DER).

        Raises:
            OrderError: It is refused.
        """

    def revoke(self, certificate: bytes) -> None:
        """Revoke a certificate."""
