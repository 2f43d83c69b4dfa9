"""What operations with a key have in common."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from cardtwin.cryptoki.constants import Cka
from cardtwin.cryptoki.errors import CryptokiError
from cardtwin.middleware import Ckr

if TYPE_CHECKING:
    from cardtwin.cryptoki.mechanisms import MechanismSpec
    from cardtwin.cryptoki.objects.model import CryptokiObject
    from cardtwin.cryptoki.sessions import Session
    from cardtwin.cryptoki.values import Mechanism

__all__ = ["KeyAtWork", "KeyOperation", "awaiting_login"]


class KeyAtWork(Protocol):
    """A private key that does its operation: on the card, or in a session; see :class:`CardKey`."""

    def raw_sign(self, block: bytes) -> bytes:
        """Return the RSA private operation on a padded block as long as the modulus."""

    def decipher(self, cryptogram: bytes) -> bytes:
        """Return the plain block of an RSA cryptogram, padding included."""

    def sign_digest(self, digest: bytes) -> bytes:
        """Return the ECDSA signature r || s of a digest."""

    def agree(self, point: bytes) -> bytes:
        """Return the X coordinate shared with a peer, whose point is X || Y."""


@dataclass(slots=True, kw_only=True)
class KeyOperation:
    """An operation with a key.

    Attributes:
        mechanism: What the caller asked for.
        spec: What that is.
        key: The key.
        authenticated: Whether the PIN has been verified for this operation alone.
        started: Whether parts have been given.
    """

    mechanism: Mechanism
    spec: MechanismSpec
    key: CryptokiObject
    authenticated: bool = False
    started: bool = False

    @property
    def wants_login(self) -> bool:
        """Whether the PIN has to be verified before it can be finished."""
        return self.key.true(Cka.CKA_ALWAYS_AUTHENTICATE) and not self.authenticated

    def require_whole(self) -> None:
        """See that no parts have been given.

        Raises:
            CryptokiError: CKR_OPERATION_ACTIVE: it is to be brought to its end in parts.
        """
        if self.started:
            raise CryptokiError(Ckr.CKR_OPERATION_ACTIVE, "an operation in parts is going on")


def awaiting_login(session: Session) -> KeyOperation | None:
    """Return the operation that a login of CKU_CONTEXT_SPECIFIC is for: the last one begun that asks."""
    found = (each for each in reversed(session.operations.values()) if isinstance(each, KeyOperation))
    return next((each for each in found if each.key.true(Cka.CKA_ALWAYS_AUTHENTICATE)), None)
