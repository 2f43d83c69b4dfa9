"""What the ordering of virtual smart cards needs in a scenario: a computer, an authority, cards so far."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from cardtwin.card import models
from cardtwin.issuance.authority import (
    Authority,
    CertificationError,
    Contents,
    KeyUsage,
    MemoryRecords,
    read_request,
)
from cardtwin.issuance.virtualcard import CardRegister, CertificateKind, OrderFailedError

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from cardtwin.entropy import Entropy
    from cardtwin.pcsc import CardConnection
    from cardtwin.targets import Bench, Setup

__all__ = ["CardIssuer", "Desktop", "Ordering"]

_MODEL: Final = "virtual-smart-card"
_USAGES: Final = {
    CertificateKind.AUTHENTICATION: KeyUsage.DIGITAL_SIGNATURE,
    CertificateKind.SIGNATURE: KeyUsage.NON_REPUDIATION,
    CertificateKind.ENCRYPTION: KeyUsage.KEY_ENCIPHERMENT,
}


class Desktop:
    """The user's computer: its virtual smart card is a card of the scenario.

    Where the reader isn't attached, as on a computer without such a card, it comes and goes with the card.
    """

    def __init__(self, bench: Bench, setup: Setup, process: str, reader: str, card: str) -> None:
        self._bench = bench
        self._setup = setup
        self._process = process
        self._reader = reader
        self._card = card
        self._made = False
        self._attached = False

    def create(self, name: str) -> CardConnection:  # noqa: ARG002  # a name for Windows, which isn't here
        """Put the card, emptied, into the reader."""
        desk = self._bench.desk

        if self._reader in self._setup.absent:
            desk.add_reader(self._reader, pinpad=self._reader in self._setup.pinpads)
            self._attached = True

        desk.insert(self._reader, self._card)
        self._made = True
        desk.load(self._reader, models.get(_MODEL).blank())
        return self._bench.connection(self._process, self._reader)

    def destroy(self) -> None:
        """Empty the card and take it out."""
        if self._made:
            desk = self._bench.desk
            desk.load(self._reader, models.get(_MODEL).blank())
            desk.remove(self._reader)
            self._made = False

        if self._attached:
            self._bench.desk.remove_reader(self._reader)
            self._attached = False


class CardIssuer:
    """A certificate authority for virtual smart cards, which can be told to refuse.

    Attributes:
        refuses: The kinds of certificates that it refuses.
    """

    def __init__(self, entropy: Entropy, now: Callable[[], datetime]) -> None:
        self._records = MemoryRecords()
        self._authority = Authority(self._records, entropy, now)
        self.refuses: set[CertificateKind] = set()

    @property
    def valid(self) -> tuple[bytes, ...]:
        """The certificates that are issued and not revoked."""
        issued = (found.certificate for found in self._records.all() if found.revoked is None)
        return tuple(certificate.public_bytes(Encoding.DER) for certificate in issued)

    def issue(self, request: bytes, kind: CertificateKind, valid_to: datetime) -> bytes:
        """Issue a certificate for a request that its own key has signed.

        Raises:
            OrderFailedError: The authority refuses it.
        """
        if kind in self.refuses:
            raise OrderFailedError(f"the certificate authority refuses a certificate for {kind}")

        life = valid_to - self._authority.now()

        try:
            asked = read_request(request)
            contents = Contents(asked.subject, asked.key, frozenset({_USAGES[kind]}), life=life)
            return self._authority.certify(contents).public_bytes(Encoding.DER)
        except CertificationError as error:
            raise OrderFailedError(str(error)) from None

    def revoke(self, certificate: bytes) -> None:
        """Revoke a certificate."""
        self._authority.revocation.revoke(x509.load_der_x509_certificate(certificate))


@dataclass
class Ordering:
    """What lasts from one ordering of a scenario to the next."""

    entropy: Entropy
    now: Callable[[], datetime]
    authority: CardIssuer
    cards: CardRegister = field(default_factory=CardRegister)
