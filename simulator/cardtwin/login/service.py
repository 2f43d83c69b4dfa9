"""Digital Access: gives challenges, and validates what comes back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cardtwin.login import users
from cardtwin.login.chains import chain_of, read_certificate, read_certificates
from cardtwin.login.challenges import Challenges
from cardtwin.login.configuration import MethodKind
from cardtwin.login.errors import LoginRefusedError, UnknownMethodError
from cardtwin.login.refusals import Refusal
from cardtwin.login.responses import check_signature, key_hash, public_key
from cardtwin.login.revocation import Revocation
from cardtwin.provenance import Switches

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import datetime

    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes

    from cardtwin.entropy import Entropy
    from cardtwin.login.administration import Administration
    from cardtwin.login.challenges import Challenge
    from cardtwin.login.configuration import (
        AuthenticationMethod,
        CertificateAuthority,
        Configuration,
        UserAccount,
    )
    from cardtwin.login.mobile.activation import Activations
    from cardtwin.login.responses import Response
    from cardtwin.login.revocation import RevocationSource

__all__ = ["DigitalAccess", "LoggedIn"]


@dataclass(frozen=True, slots=True)
class LoggedIn:
    """A login.

    Attributes:
        user: The user account's id.
        method: The authentication method's display name.
        chain: The certificates that were validated, the user's first; empty where none were.
    """

    user: str
    method: str
    chain: tuple[x509.Certificate, ...]


class DigitalAccess:
    """Authenticates users by the configuration that is published. Safe against concurrent use."""

    def __init__(
        self,
        administration: Administration,
        *,
        entropy: Entropy,
        now: Callable[[], datetime],
        source: RevocationSource,
        switches: Switches | None = None,
        activations: Activations | None = None,
    ) -> None:
        """Take what it works with.

        Args:
            administration: Whose published configuration is in effect.
            entropy: Where challenges come from.
            now: The time, in UTC.
            source: Where revocation lists and answers about revocation come from.
            switches: Decisions of ``cardtwin.provenance``.
            activations: The phones that are activated, for Personal Mobile.
        """
        self._administration = administration
        self._now = now
        self._switches = switches or Switches()
        self._challenges = Challenges(entropy, now)
        self._revocation = Revocation(source, entropy, now, self._switches)
        self._activations = activations

    def methods(self) -> tuple[AuthenticationMethod, ...]:
        """Return the methods that end users can choose from."""
        return self._administration.published.methods

    def begin(self, method: str, user: str = "", device: str = "") -> Challenge:
        """Return a challenge.

        Args:
            method: The display name.
            user: The id that the user has entered; empty lets the certificate tell who it is.
            device: The device that shows the login, where that matters.

        Raises:
            UnknownMethodError: No such method is published.
        """
        found = self.method(method)
        return self._challenges.issue(found.server, method, user, device)

    def finish(self, response: Response) -> LoggedIn:
        """Validate a response. Whatever comes of it, its challenge is used up.

        Raises:
            LoginRefusedError: The response does not log anybody in.
        """
        challenge = self._challenges.take(response.challenge)
        configuration = self._administration.published
        method = configuration.method(challenge.method)

        if method is None:
            raise LoginRefusedError(Refusal.METHOD_GONE)

        _check_device(method, challenge, response)
        certificate = read_certificate(response.certificate) if response.certificate else None
        key = public_key(response.key) if certificate is None else certificate.public_key()
        check_signature(key, response.algorithm, response.signature, challenge.message)
        chain = self._validated(configuration, method, certificate, read_certificates(response.others))
        user = self._user(configuration, method, chain, key)
        _check_user(user, challenge.user)
        return LoggedIn(user.user_id, method.display_name, chain)

    def identify(self, method: str, certificate: bytes, others: Iterable[bytes] = ()) -> LoggedIn:
        """Return the login of a TLS client that has proved its certificate to the server, by the same rules.

        Args:
            method: The display name of a method that validates certificates and maps their attributes.
            certificate: The client's, in DER.
            others: Those above it, in DER.

        Raises:
            UnknownMethodError: No such method is published, or it maps no certificates.
            LoginRefusedError: The certificate does not log anybody in.
        """
        configuration = self._administration.published
        found = _method(configuration, method)

        if found.authority is None or not found.properties.complete:
            raise UnknownMethodError(f"{method!r} maps no certificates to user accounts")

        own = read_certificate(certificate)
        chain = self._validated(configuration, found, own, read_certificates(others))
        user = users.by_certificate(configuration, found.properties, own, self._switches)
        _check_user(user, "")
        return LoggedIn(user.user_id, method, chain)

    def method(self, name: str) -> AuthenticationMethod:
        """Return a method by its display name.

        Raises:
            UnknownMethodError: No such method is published.
        """
        return _method(self._administration.published, name)

    def _validated(
        self,
        configuration: Configuration,
        method: AuthenticationMethod,
        certificate: x509.Certificate | None,
        others: Sequence[x509.Certificate],
    ) -> tuple[x509.Certificate, ...]:
        """Return the validated chain; nothing where the method validates none."""
        if method.authority is None:
            return ()

        if certificate is None:
            raise LoginRefusedError(Refusal.NO_CERTIFICATE)

        authority: CertificateAuthority = configuration.authorities[method.authority]
        chain = chain_of(certificate, others, authority, self._now())
        self._revocation.check(chain, authority)
        return chain

    def _user(
        self,
        configuration: Configuration,
        method: AuthenticationMethod,
        chain: Sequence[x509.Certificate],
        key: CertificatePublicKeyTypes,
    ) -> UserAccount:
        if chain and method.properties.complete:
            return users.by_certificate(configuration, method.properties, chain[0], self._switches)

        enrolled = key_hash(key)
        phones = self._activations.users_of(enrolled, configuration) if self._activations is not None else ()
        return users.by_key(configuration, enrolled, phones)


def _method(configuration: Configuration, name: str) -> AuthenticationMethod:
    found = configuration.method(name)

    if found is None:
        raise UnknownMethodError(f"no authentication method {name!r} is published")

    return found


def _check_device(method: AuthenticationMethod, challenge: Challenge, response: Response) -> None:
    """DA-06: the device that shows the login answers where the same one is enforced, else another one."""
    if method.kind is not MethodKind.PERSONAL_MOBILE:
        return

    same = bool(response.device) and response.device == challenge.device

    if same is not (method.same_device is not None):
        raise LoginRefusedError(Refusal.WRONG_DEVICE)


def _check_user(user: UserAccount, entered: str) -> None:
    if entered and user.user_id != entered:
        raise LoginRefusedError(Refusal.OTHER_USER)

    users.check_enabled(user)
