"""Digital Access beside a bench, with all that a login needs around it."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.serialization import Encoding

from cardtwin.issuance.authority import Authority, MemoryRecords, PublishedCa, read_request
from cardtwin.login import Administration, DigitalAccess, UnreachableError
from cardtwin.login.mobile import Activations, Course, Phone
from cardtwin.targets.access.holders import certify_holder
from cardtwin.targets.errors import TargetError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from cardtwin.entropy import Entropy
    from cardtwin.login.mobile import ActivationProfile
    from cardtwin.provenance import Switches
    from cardtwin.targets.access.holders import HolderTemplate

__all__ = ["AccessSite"]


class AccessSite:
    """Digital Access, the certificate authorities of its users, their phones and their mail.

    It is a ``RevocationSource``: the addresses are ``http://AUTHORITY/crl``, ``/root.crl`` and ``/ocsp``.

    Attributes:
        administration: Digital Access Admin.
        access: The service.
        activations: The profiles for phones.
        mail: The profile that each user was sent last, by the user account's id.
        course: The login with Personal Mobile that was opened last.
        offline: The names of the authorities whose lists and responders cannot be reached.
    """

    def __init__(
        self, entropy: Callable[[str], Entropy], now: Callable[[], datetime], switches: Switches
    ) -> None:
        """Take a stream of randomness for each user of it, by a label, the time, and decisions."""
        self._entropy = entropy
        self._now = now
        self._authorities: dict[str, Authority] = {}
        self._adopted: dict[str, PublishedCa] = {}
        self._phones: dict[str, Phone] = {}
        self.administration = Administration()
        self.activations = Activations(self.administration, entropy=entropy("activation profiles"), now=now)
        self.access = DigitalAccess(
            self.administration,
            entropy=entropy("challenges"),
            now=now,
            source=self,
            switches=switches,
            activations=self.activations,
        )
        self.mail: dict[str, ActivationProfile] = {}
        self.course: Course | None = None
        self.offline: frozenset[str] = frozenset()

    def authority(self, name: str) -> Authority:
        """Return the site's own certificate authority of a name; it is made where it is named first.

        Raises:
            TargetError: The name is another system's CA's.
        """
        if name in self._adopted:
            raise TargetError(f"{name!r} is a CA of another system, which issues certificates by itself")

        if name not in self._authorities:
            self._authorities[name] = Authority(
                MemoryRecords(),
                self._entropy(f"authority {name}"),
                self._now,
                root=f"{name} root CA",
                issuing=f"{name} issuing CA",
            )

        return self._authorities[name]

    def adopt(self, name: str, authority: PublishedCa) -> None:
        """Let a name stand for the CA of another system.

        Raises:
            TargetError: The site has an authority of that name.
        """
        if name in self._authorities:
            raise TargetError(f"{name!r} is a certificate authority of the site already")

        self._adopted[name] = authority

    def published(self, name: str) -> PublishedCa:
        """Return the certificate authority of a name, adopted or the site's own."""
        return self._adopted.get(name) or PublishedCa(self.authority(name))

    def phone(self, name: str) -> Phone:
        """Return the phone of a name; it is bought where it is named first."""
        if name not in self._phones:
            self._phones[name] = Phone(name, self._entropy(f"phone {name}"))

        return self._phones[name]

    def open_login(self, method: str, user: str, device: str) -> Course:
        """Open a login with Personal Mobile on a device; errors as of ``Course``."""
        self.course = Course(self.access, method, user, device, self._now)
        return self.course

    def certifier(self, authority: str, template: HolderTemplate) -> Callable[[bytes], Sequence[bytes]]:
        """Return what issues certificates for phones: request in, its certificate and the CA's out."""

        def certify(request: bytes) -> Sequence[bytes]:
            found = self.authority(authority)
            certificate = certify_holder(found, read_request(request).key, template)
            return tuple(each.public_bytes(Encoding.DER) for each in (certificate, found.issuing))

        return certify

    def crl(self, address: str) -> bytes:
        """Return a revocation list.

        Raises:
            UnreachableError: The authority is offline, or there is nothing at the address.
        """
        authority, path = self._reached(address)

        if path == "/root.crl":
            return authority.root_crl()

        if path != "/crl":
            raise UnreachableError(f"there is nothing at {address}")

        return authority.crl()

    def ocsp(self, address: str, request: bytes) -> bytes:
        """Return a responder's answer.

        Raises:
            UnreachableError: The authority is offline, or there is nothing at the address.
        """
        authority, path = self._reached(address)

        if path != "/ocsp":
            raise UnreachableError(f"there is nothing at {address}")

        return authority.answer(request)

    def _reached(self, address: str) -> tuple[PublishedCa, str]:
        parts = urlsplit(address)
        known = {name.casefold(): name for name in (*self._authorities, *self._adopted)}
        name = known.get(parts.hostname or "")

        if name is None or name in self.offline:
            raise UnreachableError(f"{address} does not answer")

        return self.published(name), parts.path
