"""What an authority keeps: its CAs, what they have issued and revoked, archived keys."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from threading import RLock
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager
    from datetime import datetime

    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric import rsa

    from cardtwin.issuance.authority.ca import Ca

__all__ = ["ArchivedKey", "Issued", "MemoryRecords", "Records"]


@dataclass(frozen=True, slots=True)
class Issued:
    """A certificate that was issued.

    Attributes:
        certificate: The certificate.
        issuer: The name of the CA that issued it.
        token: The token that it is on; empty where that isn't known.
        revoked: When it was revoked; None if it wasn't.
        reason: Why it was.
    """

    certificate: x509.Certificate
    issuer: str
    token: str = ""
    revoked: datetime | None = None
    reason: x509.ReasonFlags | None = None


class ArchivedKey(NamedTuple):
    """An archived key, the certificate that it was archived with, and the token that it was made for."""

    key: rsa.RSAPrivateKey
    certificate: x509.Certificate
    token: str

    def __repr__(self) -> str:
        return f"ArchivedKey(of certificate {self.certificate.serial_number:x})"


class Records(Protocol):
    """Where an authority keeps what it knows. Serial numbers of certificates are unique in it."""

    def change(self) -> AbstractContextManager[object]:
        """Return what is entered for the time of a change: nobody else makes one meanwhile."""

    def ca(self, name: str) -> Ca | None:
        """Return a CA; None where there is none of that name."""

    def cas(self) -> Mapping[str, x509.Certificate]:
        """Return the certificates of all CAs, by name."""

    def add_ca(self, name: str, ca: Ca) -> None:
        """Keep a new CA."""

    def add(self, issued: Issued) -> None:
        """Keep a new certificate."""

    def issued(self, number: int) -> Issued | None:
        """Return what was issued under a serial number; None where nothing was."""

    def of_token(self, token: str) -> tuple[x509.Certificate, ...]:
        """Return the certificates of a token, in the order in which they were issued."""

    def revoke(self, number: int, time: datetime, reason: x509.ReasonFlags) -> None:
        """Note that a certificate is revoked."""

    def revoked(self, issuer: str) -> Sequence[Issued]:
        """Return what a CA has issued and is revoked, in the order in which it was issued."""

    def next_list(self, issuer: str) -> int:
        """Return the number of a CA's next list of revoked certificates: 1, 2 and so on."""

    def archive(self, holder: str, number: int, key: rsa.RSAPrivateKey) -> None:
        """Archive a holder's key, with the certificate of that serial number."""

    def archived(self, holder: str) -> Sequence[ArchivedKey]:
        """Return a holder's archived keys, the oldest first."""


@dataclass
class MemoryRecords:
    """Records that end with the process; threads may share them."""

    _cas: dict[str, Ca] = field(default_factory=dict, repr=False)
    _issued: dict[int, Issued] = field(default_factory=dict)
    _lists: dict[str, int] = field(default_factory=dict)
    _archive: list[tuple[str, int, rsa.RSAPrivateKey]] = field(default_factory=list, repr=False)
    _lock: RLock = field(default_factory=RLock, repr=False)

    @contextmanager
    def change(self) -> Iterator[None]:
        """Keep other threads out."""
        with self._lock:
            yield

    def ca(self, name: str) -> Ca | None:
        """Return a CA; None where there is none of that name."""
        return self._cas.get(name)

    def cas(self) -> Mapping[str, x509.Certificate]:
        """Return the certificates of all CAs, by name."""
        return {name: ca.certificate for name, ca in self._cas.items()}

    def add_ca(self, name: str, ca: Ca) -> None:
        """Keep a new CA."""
        self._cas[name] = ca

    def add(self, issued: Issued) -> None:
        """Keep a new certificate."""
        self._issued[issued.certificate.serial_number] = issued

    def issued(self, number: int) -> Issued | None:
        """Return what was issued under a serial number; None where nothing was."""
        return self._issued.get(number)

    def all(self) -> tuple[Issued, ...]:
        """Return all that was issued, in that order."""
        return tuple(self._issued.values())

    def of_token(self, token: str) -> tuple[x509.Certificate, ...]:
        """Return the certificates of a token, in the order in which they were issued."""
        return tuple(issued.certificate for issued in self.all() if issued.token == token)

    def revoke(self, number: int, time: datetime, reason: x509.ReasonFlags) -> None:
        """Note that a certificate is revoked."""
        self._issued[number] = replace(self._issued[number], revoked=time, reason=reason)

    def revoked(self, issuer: str) -> Sequence[Issued]:
        """Return what a CA has issued and is revoked, in the order in which it was issued."""
        return [issued for issued in self.all() if issued.issuer == issuer and issued.revoked]

    def next_list(self, issuer: str) -> int:
        """Return the number of a CA's next list of revoked certificates."""
        self._lists[issuer] = self._lists.get(issuer, 0) + 1
        return self._lists[issuer]

    def archive(self, holder: str, number: int, key: rsa.RSAPrivateKey) -> None:
        """Archive a holder's key, with the certificate of that serial number."""
        self._archive.append((holder, number, key))

    def archived(self, holder: str) -> Sequence[ArchivedKey]:
        """Return a holder's archived keys, the oldest first."""
        return [
            ArchivedKey(key, self._issued[number].certificate, self._issued[number].token)
            for owner, number, key in self._archive
            if owner == holder
        ]
