"""The server's side of a bench's encodings: a certificate authority, and the tokens that it knows."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Protocol

from cryptography.x509 import NameOID

from cardtwin.encoding import CardProductionPostProcessor, CertificateAuthority, ServerSide
from cardtwin.issuance import LocalAuthority, TokenRegister

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from cryptography.x509 import Certificate

    from cardtwin.entropy import Entropy
    from cardtwin.plan import Secret, SecretName

__all__ = ["CertificateManager", "Producing"]

_FIRST_SERIAL = 7520000000000001


class Producing(CertificateAuthority, CardProductionPostProcessor, Protocol):
    """What produces cards by a token procedure."""

    def secrets(self, serial: str) -> Mapping[SecretName, Secret] | None:
        """Return the secrets of the token with a serial number; None where there is none."""

    def certificates(self, serial: str) -> tuple[Certificate, ...]:
        """Return the certificates of the token with a serial number."""

    def has_issued(self, certificate: Certificate) -> bool:
        """Whether it has issued a certificate."""


class CertificateManager:
    """Certificate Manager as far as encodings need it. Its CAs are made at the first request.

    Attributes:
        tokens: The tokens of cards that are produced by no token procedure.
        production: What produces cards by a token procedure; None issues whatever is asked for.
    """

    def __init__(self, entropy: Entropy, now: Callable[[], datetime]) -> None:
        self._entropy = entropy
        self._now = now
        self._next = _FIRST_SERIAL
        self.tokens = TokenRegister()
        self.production: Producing | None = None

    @property
    def server_side(self) -> ServerSide:
        """What encodings are given of it."""
        return ServerSide(self, self.production or self.tokens)

    @cached_property
    def authority(self) -> LocalAuthority:
        """The certificate authority."""
        return LocalAuthority(entropy=self._entropy, now=self._now, serials=self._new_serial)

    def issue(self, request: bytes, template: str, serial: str) -> bytes:
        """Return the certificate for a request; errors as the authority's."""
        return (self.production or self.authority).issue(request, template, serial)

    def issue_archived(self, template: str, serial: str, password: Secret, bits: int) -> bytes:
        """Return an archived key as PKCS#12; errors as the authority's."""
        return (self.production or self.authority).issue_archived(template, serial, password, bits)

    def new_serial(self) -> str:
        """Return the next card serial number."""
        return (self.production or self.authority).new_serial()

    def secrets(self, serial: str) -> Mapping[SecretName, Secret] | None:
        """Return the secrets of the token with a serial number; None where there is none."""
        return (self.production or self.tokens).secrets(serial)

    def certificates(self, serial: str) -> tuple[Certificate, ...]:
        """Return the certificates of the token with a serial number, in the order of their issue."""
        if self.production is not None:
            return self.production.certificates(serial)

        return tuple(found for found in self.authority.issued if serial and _number(found) == serial)

    def has_issued(self, certificate: Certificate) -> bool:
        """Whether what issues now has issued a certificate."""
        if self.production is not None:
            return self.production.has_issued(certificate)

        return certificate in self.authority.issued

    def _new_serial(self) -> str:
        number, self._next = self._next, self._next + 1
        return str(number)


def _number(certificate: Certificate) -> str:
    """Return the card serial number in a certificate's subject; empty where it has none."""
    numbers = certificate.subject.get_attributes_for_oid(NameOID.SERIAL_NUMBER)
    return str(numbers[0].value) if numbers else ""
