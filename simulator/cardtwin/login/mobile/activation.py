"""Activation of Personal Mobile (DA-07): a profile as QR code, and the phones that were activated by one."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from threading import Lock
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qs, urlencode, urlsplit

from cryptography.exceptions import UnsupportedAlgorithm

from cardtwin.login.errors import ActivationError, LoginRefusedError
from cardtwin.login.mobile.images import qr_image
from cardtwin.login.responses import Algorithm, check_signature, key_hash, public_key
from cardtwin.plan import Secret

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from cardtwin.entropy import Entropy
    from cardtwin.login.administration import Administration
    from cardtwin.login.configuration import Configuration

__all__ = ["PROFILE_LIFE", "ActivationProfile", "Activations", "Invitation"]

PROFILE_LIFE: Final = timedelta(days=7)
"""How long a profile can be activated."""

_SCHEME: Final = "cardtwin-personal"
_ID_BYTES: Final = 8
_SECRET_BYTES: Final = 20
_HEADER: Final = b"cardtwin activation 1"


@dataclass(frozen=True, slots=True)
class Invitation:
    """What a phone reads from the QR code of a profile.

    Attributes:
        host: The external DNS name of Digital Access.
        port: The external port.
        profile: The profile's id.
        user: The user account's id.
        secret: What activates it.
    """

    host: str
    port: int
    profile: str
    user: str
    secret: Secret

    @property
    def text(self) -> Secret:
        """The text of the QR code, a URI."""
        query = {"profile": self.profile, "user": self.user, "code": self.secret.reveal().hex()}
        return Secret.of(f"{_SCHEME}://{self.host}:{self.port}/activate?{urlencode(query)}")

    @classmethod
    def read(cls, text: Secret) -> Invitation:
        """Return what the text of a QR code says.

        Raises:
            ActivationError: It is the code of something else.
        """
        try:
            address = urlsplit(text.reveal().decode())
            query = {name: values[0] for name, values in parse_qs(address.query).items()}
            secret = Secret(bytes.fromhex(query["code"]))
            host, port = address.hostname or "", address.port or 0
            found = cls(host, port, query["profile"], query["user"], secret)
        except (ValueError, KeyError):
            raise ActivationError("this is no QR code of an activation profile") from None

        if (address.scheme, address.path) != (_SCHEME, "/activate"):
            raise ActivationError("this is no QR code of an activation profile")

        return found

    @property
    def message(self) -> bytes:
        """What the phone signs: that it knows the secret, and has its key."""
        parts = (_HEADER, self.profile.encode(), self.user.encode(), self.secret.reveal())
        return b"".join(len(part).to_bytes(4) + part for part in parts)


@dataclass(frozen=True, slots=True)
class ActivationProfile:
    """A profile that is delivered to a user.

    Attributes:
        invitation: What its QR code says.
        expires: When it cannot be activated any more.
        account: Which of the accounts that had or have the user's id it is for, by the removals before it.
        activated: Whether it was.
    """

    invitation: Invitation
    expires: datetime
    account: int = 0
    activated: bool = False

    @property
    def image(self) -> bytes:
        """The QR code as PNG. It shows the secret to whoever sees it."""
        return qr_image(self.invitation.text.reveal().decode())


class Activations:
    """The profiles that were issued, and the keys of the phones. Safe against concurrent use."""

    def __init__(
        self, administration: Administration, *, entropy: Entropy, now: Callable[[], datetime]
    ) -> None:
        self._administration = administration
        self._entropy = entropy
        self._now = now
        self._profiles: dict[str, ActivationProfile] = {}
        self._keys: dict[bytes, ActivationProfile] = {}
        self._lock = Lock()

    def issue(self, user: str) -> ActivationProfile:
        """Return a new profile; it takes the place of the user's profiles that nobody has activated.

        Raises:
            ActivationError: No user account with Personal enabled is published, or no external address.
        """
        published = self._administration.published
        account = _account(published, user)
        address = published.external

        if address is None:
            raise ActivationError("no external DNS name is published: a phone would not find the way")

        with self._lock:
            id_, secret = self._entropy.bytes(_ID_BYTES).hex(), Secret(self._entropy.bytes(_SECRET_BYTES))
            self._profiles = {
                known: profile
                for known, profile in self._profiles.items()
                if profile.activated or profile.invitation.user != user
            }
            invitation = Invitation(address.name, address.port, id_, user, secret)
            self._profiles[id_] = ActivationProfile(invitation, self._now() + PROFILE_LIFE, account)
            return self._profiles[id_]

    def activate(
        self,
        profile: str,
        key: bytes,
        proof: bytes,
        certify: Callable[[], Sequence[bytes]] | None = None,
    ) -> tuple[bytes, ...]:
        """Enrol a phone's key for the profile's user.

        A certificate is issued only for what can be activated, and nothing is activated where it is refused:
        its error is passed on, and the profile can be used again.

        Args:
            profile: The profile's id.
            key: The phone's key, a SubjectPublicKeyInfo in DER.
            proof: ECDSA with that key over the invitation's message, r and s one after the other.
            certify: Issues the key's certificate and returns it with those above it.

        Returns:
            The certificates.

        Raises:
            ActivationError: There is no such profile, it was activated, is too old, or the proof is wrong.
        """
        with self._lock:
            found = self._profiles.get(profile)

            if found is None:
                raise ActivationError("there is no such profile: another may have taken its place")

            if found.activated:
                raise ActivationError("the profile was activated already")

            if self._now() >= found.expires:
                raise ActivationError("the profile is too old")

            if _account(self._administration.published, found.invitation.user) != found.account:
                raise ActivationError("the user account that the profile was for was taken out")

            enrolled = _proved(key, proof, found.invitation.message)
            certificates = tuple(certify()) if certify is not None else ()
            self._keys[enrolled] = found
            self._profiles[profile] = replace(found, activated=True)
            return certificates

    def users_of(self, key: bytes, configuration: Configuration) -> tuple[str, ...]:
        """Return the user that a key is enrolled for; an account that was taken out has no keys any more.

        Args:
            key: The SHA-256 of its SubjectPublicKeyInfo.
            configuration: What is published.
        """
        found = self._keys.get(key)
        user = "" if found is None else found.invitation.user
        return (user,) if found is not None and configuration.removals.get(user, 0) == found.account else ()


def _account(published: Configuration, user: str) -> int:
    """Return how many accounts of that id were taken out before the one that is published."""
    account = published.users.get(user)

    if account is None or not account.personal:
        raise ActivationError(f"no user account {user!r} with Personal enabled is published")

    return published.removals.get(user, 0)


def _proved(key: bytes, proof: bytes, message: bytes) -> bytes:
    try:
        found = public_key(key)
        check_signature(found, Algorithm.ECDSA, proof, message)
    except (LoginRefusedError, UnsupportedAlgorithm):
        raise ActivationError("the proof is wrong") from None

    return key_hash(found)
