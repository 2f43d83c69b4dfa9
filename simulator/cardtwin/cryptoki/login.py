"""Who is logged in, how a login ended, and the refusal of what wants one."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cardtwin.cryptoki.errors import CryptokiError
from cardtwin.middleware import Ckr

if TYPE_CHECKING:
    from cardtwin.cryptoki.constants import Cku
    from cardtwin.events import LoginEnded
    from cardtwin.plan import Secret

__all__ = ["Login", "NotLoggedInError"]


@dataclass(slots=True)
class Login:
    """Who is logged in: nobody, CKU_USER or CKU_SO.

    Attributes:
        user: Who.
        secret: The PIN, where it is kept: the SO's for C_InitPIN, the user's by P11_EnableCachePIN.
        pin: The reference of the PIN on the card.
        ended: How the last login ended; None where there was none yet.
        lingers: Whether C_Logout has not been told to the card, by the quirk ``cryptoki.logout``.
    """

    user: Cku | None = None
    secret: Secret | None = field(default=None, repr=False)
    pin: int | None = None
    ended: LoginEnded | None = None
    lingers: bool = False

    def begin(self, user: Cku, pin: int, secret: Secret | None) -> None:
        """Take note of a login by the PIN of a reference."""
        self.user, self.pin, self.secret = user, pin, secret
        self.lingers = False

    def end(self, how: LoginEnded) -> None:
        """Forget who is logged in."""
        self.user = self.pin = self.secret = None
        self.ended = how


class NotLoggedInError(CryptokiError):
    """CKR_USER_NOT_LOGGED_IN: a function wants a login that isn't there.

    Attributes:
        ended: How the last login ended; None where there was none yet.
    """

    def __init__(self, login: Login, message: str = "nobody is logged in") -> None:
        self.ended = login.ended
        how = f"; the login was ended: {self.ended.why.value}" if self.ended else ""
        super().__init__(Ckr.CKR_USER_NOT_LOGGED_IN, f"{message}{how}")
