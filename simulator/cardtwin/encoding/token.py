"""What the engine asks of a middleware, and nothing more. Personal Desktop Client offers it.

Every method that speaks to a card may raise ``cardtwin.middleware.MiddlewareError``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cardtwin.middleware import Login, UserType
    from cardtwin.plan import Secret, SecretName
    from cardtwin.source import SourceText

__all__ = ["CardEraser", "TokenMiddleware", "TokenView"]


class TokenView(Protocol):
    """A token as far as the engine looks at it."""

    @property
    def so_credential(self) -> object | None:
        """The credential that logs in as security officer; None where the token has none."""


class CardEraser(Protocol):
    """The virtual object "Card Eraser"."""

    def destroy(self, login: Login | None) -> None:
        """Delete the token profile, after that login, or anonymously."""


class TokenMiddleware(Protocol):
    """A middleware, opened for one encoding."""

    def readers(self) -> Sequence[str]:
        """Return the readers' names, those without a card included."""

    def atr(self, reader: str) -> bytes:
        """Return the card's answer to reset.

        Raises:
            MiddlewareError: CKR_TOKEN_NOT_PRESENT: the reader is empty.
        """

    def chip_serial(self, reader: str) -> bytes:
        """Return the chip's own serial number."""

    def card_number(self, reader: str) -> str:
        """Return the serial number as text: the chip's in hexadecimal, unless the token overrides it."""

    def token(self, reader: str) -> TokenView:
        """Return the token's state."""

    def init_token(
        self,
        reader: str,
        profile: SourceText,
        *,
        parameters: Mapping[str, bytes],
        secrets: Mapping[SecretName, Secret],
        label: str | None,
    ) -> object:
        """InitTokenPPA: make a token from a card profile."""

    def login(self, reader: str, user: UserType, secret: Secret) -> None:
        """Log in once, and out again."""

    def change_pin(self, reader: str, old: Secret, new: Secret, *, pin: str) -> None:
        """Change a PIN or PUK, named by its kind."""

    def unblock_pin(self, reader: str, puk: Secret, new: Secret, *, pin: str) -> None:
        """Set a PIN, named by its kind, by its PUK."""

    def set_serial(self, reader: str, serial: str, login: Login | None) -> None:
        """Override the chip's serial number, after that login."""

    def card_eraser(self, reader: str) -> CardEraser | None:
        """Return the Card Eraser, or None where the card shows none."""

    def encrypted_pins(self, reader: str) -> bytes | None:
        """Return the contents of the object "Encrypted PINs", or None."""
