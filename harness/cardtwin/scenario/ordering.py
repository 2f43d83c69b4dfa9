"""What the ordering of virtual smart cards needs in a scenario: a computer, an authority, cards so far."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from cardtwin.card import models
from cardtwin.card.crypto import RsaPrivateKey
from cardtwin.issuance.virtualcard import CardRegister, CertificateKind, OrderFailedError

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from cardtwin.entropy import Entropy
    from cardtwin.pcsc import CardConnection
    from cardtwin.targets import Bench, Setup

__all__ = ["Authority", "Desktop", "Ordering"]

_MODEL: Final = "virtual-smart-card"
_SERIAL_BYTES: Final = 16
_NAME: Final = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "cardtwin virtual smart cards")])


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


class Authority:
    """A certificate authority of one CA, which knows what it has issued and revoked."""

    def __init__(self, entropy: Entropy, now: Callable[[], datetime]) -> None:
        self._entropy = entropy
        self._now = now
        self._key = RsaPrivateKey.generate(entropy, 2048).to_cryptography()
        self.refuses: set[CertificateKind] = set()
        self.issued: list[bytes] = []
        self.revoked: list[bytes] = []

    @property
    def valid(self) -> tuple[bytes, ...]:
        """The certificates that are issued and not revoked."""
        return tuple(certificate for certificate in self.issued if certificate not in self.revoked)

    def issue(self, request: bytes, kind: CertificateKind, valid_to: datetime) -> bytes:
        """Issue a certificate for a request that its own key has signed."""
        if kind in self.refuses:
            raise OrderFailedError(f"the certificate authority refuses a certificate for {kind}")

        read = x509.load_der_x509_csr(request)

        if not read.is_signature_valid:
            raise OrderFailedError("the certificate request isn't signed by its own key")

        builder = x509.CertificateBuilder().subject_name(read.subject).issuer_name(_NAME)
        builder = (
            builder.public_key(read.public_key()).not_valid_before(self._now()).not_valid_after(valid_to)
        )
        builder = builder.serial_number(int.from_bytes(self._entropy.bytes(_SERIAL_BYTES)) >> 1 | 1)
        builder = builder.add_extension(_usage(kind), critical=True)
        self.issued.append(builder.sign(self._key, SHA256()).public_bytes(Encoding.DER))
        return self.issued[-1]

    def revoke(self, certificate: bytes) -> None:
        """Revoke a certificate."""
        self.revoked.append(certificate)


def _usage(kind: CertificateKind) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=kind is CertificateKind.AUTHENTICATION,
        content_commitment=kind is CertificateKind.SIGNATURE,
        key_encipherment=kind is CertificateKind.ENCRYPTION,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=False,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )


@dataclass
class Ordering:
    """What lasts from one ordering of a scenario to the next."""

    entropy: Entropy
    now: Callable[[], datetime]
    authority: Authority
    cards: CardRegister = field(default_factory=CardRegister)
