"""Challenges: made from entropy, answered once, and in time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from threading import Lock
from typing import TYPE_CHECKING, Final

from cardtwin.login.errors import LoginRefusedError
from cardtwin.login.refusals import Refusal

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from cardtwin.entropy import Entropy

__all__ = ["CHALLENGE_LIFE", "Challenge", "Challenges"]

CHALLENGE_LIFE: Final = timedelta(minutes=2)
"""How long a challenge can be answered."""

_HEADER: Final = b"cardtwin login response 1"
_ID_BYTES: Final = 16
_NONCE_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class Challenge:
    """What is to be signed, and what it is good for.

    Attributes:
        id: What a response calls it.
        server: The server's name.
        method: The authentication method's display name.
        user: The id of the user account that was entered; empty where the certificate alone tells it.
        nonce: 32 random bytes.
        device: The device that shows the login; empty where that doesn't matter.
        expires: When it is too late.
    """

    id: str
    server: str
    method: str
    user: str
    nonce: bytes
    device: str
    expires: datetime

    @property
    def message(self) -> bytes:
        """What is signed: header, server, method, user and nonce, each after its length in four bytes."""
        parts = (_HEADER, self.server.encode(), self.method.encode(), self.user.encode(), self.nonce)
        return b"".join(len(part).to_bytes(4) + part for part in parts)


class Challenges:
    """The challenges that are out. Safe against concurrent use."""

    def __init__(self, entropy: Entropy, now: Callable[[], datetime]) -> None:
        self._entropy = entropy
        self._now = now
        self._open: dict[str, Challenge] = {}
        self._used: dict[str, datetime] = {}
        self._lock = Lock()

    def issue(self, server: str, method: str, user: str, device: str) -> Challenge:
        """Return a new challenge; those that are long over are forgotten."""
        with self._lock:
            self._forget()
            id_ = self._entropy.bytes(_ID_BYTES).hex()
            nonce = self._entropy.bytes(_NONCE_BYTES)
            challenge = Challenge(id_, server, method, user, nonce, device, self._now() + CHALLENGE_LIFE)
            self._open[id_] = challenge
            return challenge

    def take(self, id_: str) -> Challenge:
        """Return a challenge that is being answered; it cannot be taken again.

        Raises:
            LoginRefusedError: There is none, it was taken before, or it is too late.
        """
        with self._lock:
            challenge = self._open.pop(id_, None)

            if challenge is None:
                used = id_ in self._used
                raise LoginRefusedError(Refusal.CHALLENGE_USED if used else Refusal.UNKNOWN_CHALLENGE)

            self._used[id_] = challenge.expires

            if self._now() >= challenge.expires:
                raise LoginRefusedError(Refusal.CHALLENGE_EXPIRED)

            return challenge

    def _forget(self) -> None:
        """Forget what has been over for as long as a challenge lives."""
        before = self._now() - CHALLENGE_LIFE
        self._open = {id_: found for id_, found in self._open.items() if found.expires > before}
        self._used = {id_: expires for id_, expires in self._used.items() if expires > before}
