"""A minidriver as an encoding's middleware: numbers, and PINs of cards that Windows uses by itself.

What a minidriver can do beside that, such as keys and certificates, no encoding asks of it: how Identity
Manager would is not public (rule ``encoding.minidriver``).
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, Never

from cardtwin.iso7816 import StatusWord
from cardtwin.middleware import Ckr, MiddlewareError
from cardtwin.minidriver import (
    CardLostError,
    CommandRefusedError,
    ContentError,
    FileMissingError,
    MinidriverCard,
    MinidriverError,
    NotInitialisedError,
    PinError,
    answer,
)
from cardtwin.pcsc import PcscError
from cardtwin.plan import Secret

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cardtwin.entropy import Entropy
    from cardtwin.pcsc import CardConnection, Context

__all__ = ["ADMIN_KEY_DIGITS", "MinidriverMiddleware", "admin_key"]

ADMIN_KEY_DIGITS: Final = 48
"""How an admin key is written in InitialPUK and PUK: in hexadecimal."""


def admin_key(text: Secret) -> Secret:
    """Return the admin key that a value stands for.

    Raises:
        ValueError: It isn't written in 48 hexadecimal digits.
    """
    written = text.reveal()

    if len(written) != ADMIN_KEY_DIGITS:
        raise ValueError(f"an admin key has {ADMIN_KEY_DIGITS} hexadecimal digits")

    try:
        return Secret(bytes.fromhex(written.decode("ascii")))
    except ValueError:
        raise ValueError("an admin key is written in hexadecimal digits") from None


class MinidriverMiddleware:
    """A minidriver, opened for one encoding.

    Args:
        context: The program's PC/SC context.
        entropy: Where the host's part of an authentication comes from.
    """

    def __init__(self, context: Context, entropy: Entropy) -> None:
        self._context = context
        self._entropy = entropy

    def readers(self) -> tuple[str, ...]:
        """Return the readers' names, those without a card included."""
        return self._context.readers()

    def atr(self, reader: str) -> bytes:
        """Return the card's answer to reset.

        Raises:
            MiddlewareError: CKR_TOKEN_NOT_PRESENT: the reader is empty, or there is none of that name.
        """
        try:
            state = self._context.state(reader)
        except PcscError as error:
            raise MiddlewareError(Ckr.CKR_TOKEN_NOT_PRESENT, str(error)) from error

        if not state.present:
            raise MiddlewareError(Ckr.CKR_TOKEN_NOT_PRESENT, f"{reader!r} holds no card")

        return state.atr

    def card_number(self, reader: str) -> str:
        """Return the card's identifier (file cardid) in upper-case hexadecimal."""
        with self._card(reader) as card:
            return card.card_id.hex().upper()

    def change_pin(self, reader: str, old: Secret, new: Secret, *, pin: str) -> None:
        """Change the PIN, or the admin key, which is the PUK of such a card."""
        if pin == "signature":
            _cannot("has one PIN, and none for signatures")

        with self._card(reader) as card, _as_pin_error():
            if pin == "puk":
                card.change_admin_key(admin_key(old), admin_key(new))
            else:
                card.change_pin(old, new)

    def unblock_pin(self, reader: str, puk: Secret, new: Secret, *, pin: str) -> None:
        """Set the PIN by the admin key."""
        if pin == "signature":
            _cannot("has one PIN, and none for signatures")

        with self._card(reader) as card, _as_pin_error():
            card.unblock(answer(admin_key(puk), card.challenge()), new)

    # What the checks refuse

    def chip_serial(self, reader: str) -> Never:  # noqa: ARG002  # TokenMiddleware's
        """Refuse: such a card doesn't tell its chip's number."""
        _cannot("doesn't know the chip's number")

    def token(self, reader: str) -> Never:  # noqa: ARG002  # as above
        """Refuse: it has no PKCS#11 token."""
        _cannot("knows no tokens")

    def init_token(self, reader: str, profile: object, **_: object) -> Never:  # noqa: ARG002  # as above
        """Refuse: card profiles are Personal Desktop Client's."""
        _cannot("doesn't read card profiles")

    def login(self, reader: str, user: object, secret: Secret) -> Never:  # noqa: ARG002  # as above
        """Refuse: there is no security officer."""
        _cannot("knows no security officer")

    def set_serial(self, reader: str, serial: str, login: object) -> Never:  # noqa: ARG002  # as above
        """Refuse: the identifier is the card's."""
        _cannot("writes no card serial number")

    def card_eraser(self, reader: str) -> None:
        """Return nothing: there is no Card Eraser."""

    def encrypted_pins(self, reader: str) -> None:
        """Return nothing: there are no encrypted PINs."""

    @contextmanager
    def _card(self, reader: str) -> Iterator[MinidriverCard]:
        """Hold a connection to the card for the block; nothing stays verified behind it."""
        try:
            with self._context.connect(reader) as connection:
                card = self._selected(connection)

                try:
                    yield card
                finally:
                    card.forget()
        except PcscError as error:
            raise MiddlewareError(Ckr.CKR_TOKEN_NOT_PRESENT, str(error)) from error
        except MinidriverError as error:
            raise MiddlewareError(_value_of(error), str(error)) from error

    def _selected(self, connection: CardConnection) -> MinidriverCard:
        try:
            return MinidriverCard(connection, entropy=self._entropy)
        except CommandRefusedError as error:
            raise MiddlewareError(Ckr.CKR_TOKEN_NOT_RECOGNIZED, str(error)) from error


@contextmanager
def _as_pin_error() -> Iterator[None]:
    """Tell a wrong admin key and a PIN's length as PKCS#11 tells them; the card just refuses the command."""
    try:
        yield
    except CommandRefusedError as error:
        if error.sw == StatusWord.WRONG_LENGTH:
            message = f"{error}: a virtual smart card takes a PIN of 4 to 127 bytes, choose another one"
            raise MiddlewareError(Ckr.CKR_PIN_LEN_RANGE, message) from error

        if error.sw == StatusWord.SECURITY_STATUS_NOT_SATISFIED:
            raise MiddlewareError(Ckr.CKR_PIN_INCORRECT, str(error)) from error

        raise


def _value_of(error: MinidriverError) -> Ckr:
    match error:
        case PinError():
            return Ckr.CKR_PIN_INCORRECT if error.tries_left else Ckr.CKR_PIN_LOCKED
        case NotInitialisedError() | ContentError() | FileMissingError():
            return Ckr.CKR_TOKEN_NOT_RECOGNIZED
        case CardLostError():
            return Ckr.CKR_DEVICE_REMOVED
        case _:
            return Ckr.CKR_FUNCTION_FAILED


def _cannot(what: str) -> Never:
    raise MiddlewareError(Ckr.CKR_FUNCTION_NOT_SUPPORTED, f"a minidriver {what}")
