"""PINs and PUKs of a token: verify, change, unblock, log in."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Final

from cardtwin.iso7816 import StatusWord
from cardtwin.middleware.ckr import Ckr
from cardtwin.middleware.errors import CommandFailedError, CredentialError, MiddlewareError
from cardtwin.middleware.names import MF
from cardtwin.middleware.pinpad import PinBlock
from cardtwin.middleware.tokens import PinKind

if TYPE_CHECKING:
    from collections.abc import Callable

    from cardtwin.iso7816 import ResponseApdu
    from cardtwin.middleware.drivers import CardDriver
    from cardtwin.middleware.tokens import PinInfo, Token
    from cardtwin.plan import Secret

__all__ = ["Credentials", "Login", "UserType"]


class UserType(Enum):
    """Who logs in, with the values of PKCS#11's CKU_*.

    The operator is not PKCS#11's: the vendor's client has an operator login, whose form isn't public.
    """

    SO = 0
    USER = 1
    CONTEXT_SPECIFIC = 2
    OPERATOR = 0x80000001


@dataclass(frozen=True, slots=True)
class Login:
    """Who logs in, and by which secret."""

    user: UserType
    secret: Secret = field(repr=False)


_AT_THE_READER: Final = {
    0x6400: (Ckr.CKR_FUNCTION_CANCELED, "nothing was entered at the reader in time"),
    0x6401: (Ckr.CKR_FUNCTION_CANCELED, "it was cancelled at the reader"),
    0x6402: (Ckr.CKR_PIN_INVALID, "the new PIN was entered at the reader in two ways"),
    0x6403: (Ckr.CKR_PIN_LEN_RANGE, "what was entered at the reader is too short or too long"),
}
"""What a reader itself answers where it has no PIN to give (rule ``cryptoki.protected-path``)."""

_MISSING: Final = "the token has no such PIN: {}"


class Credentials:
    """The PINs of one token on one card. The values never appear in what it raises.

    Where a value is None, it is entered at the reader. Errors are the same then, and beside them
    MiddlewareError: CKR_FUNCTION_CANCELED, it was cancelled, or not entered in time; CKR_PIN_INVALID, a new
    PIN and its repetition differ; CKR_FUNCTION_NOT_SUPPORTED, no PIN pad gives such a PIN;
    CKR_ARGUMENTS_BAD, the reader has no PIN pad.
    """

    def __init__(self, driver: CardDriver, token: Token) -> None:
        self._driver = driver
        self._token = token

    def named(self, name: str) -> PinInfo:
        """Return the PIN of a kind (``user``, ``signature``, ``puk``, ``operator``) or label.

        Raises:
            MiddlewareError: CKR_USER_PIN_NOT_INITIALIZED: the token has none.
        """
        found = self._token.pin(name)

        if found is None:
            raise MiddlewareError(Ckr.CKR_USER_PIN_NOT_INITIALIZED, _MISSING.format(name))

        return found

    def of_user(self, user: UserType) -> PinInfo:
        """Return the PIN that logs a user in.

        Raises:
            MiddlewareError: CKR_USER_PIN_NOT_INITIALIZED: the token has none. CKR_USER_TYPE_INVALID: no PIN
                belongs to that type.
        """
        if user is UserType.CONTEXT_SPECIFIC:
            raise MiddlewareError(Ckr.CKR_USER_TYPE_INVALID, "nothing is going on that asks for a PIN again")

        if user is UserType.SO:
            found = self._token.so_credential
        else:
            found = self._token.pin((PinKind.USER if user is UserType.USER else PinKind.OPERATOR).value)

        if found is None:
            raise MiddlewareError(Ckr.CKR_USER_PIN_NOT_INITIALIZED, _MISSING.format(user.name.lower()))

        return found

    def verify(self, pin: PinInfo, secret: Secret | None) -> int:
        """Verify a PIN and return its reference.

        Raises:
            CredentialError: It is wrong (a try is gone) or blocked.
            MiddlewareError: CKR_PIN_LEN_RANGE: no PIN has this length.
        """
        verify = self._verification(pin, secret)
        self._select(pin)
        self._judge(pin, verify(), f"verify {pin.label}", entered=secret is None)
        return pin.reference

    def _verification(self, pin: PinInfo, secret: Secret | None) -> Callable[[], ResponseApdu]:
        driver, reference = self._driver, pin.reference

        if secret is None:
            block = self._block(pin)
            return lambda: driver.verify_entered(reference, block)

        value = _padded(pin, secret)
        return lambda: driver.verify(reference, value)

    def change(self, pin: PinInfo, old: Secret | None, new: Secret | None) -> None:
        """Change a PIN. The two are entered at the reader both, or none is.

        Raises:
            CredentialError: The old one is wrong (a try is gone) or blocked.
            MiddlewareError: CKR_PIN_LEN_RANGE: the new one is too short or too long.
        """
        if old is None and new is None:
            self._change_entered(pin)
            return

        if old is None or new is None:
            raise MiddlewareError(Ckr.CKR_ARGUMENTS_BAD, "the old or the new PIN is missing")

        _check_new(pin, new)
        self._select(pin)
        response = self._driver.change(pin.reference, _padded(pin, old), _padded(pin, new))
        self._judge(pin, response, f"change {pin.label}")

    def _change_entered(self, pin: PinInfo) -> None:
        block = self._block(pin)
        self._select(pin)
        response = self._driver.change_entered(pin.reference, block)
        self._judge(pin, response, f"change {pin.label}", entered=True)

    def unblock(self, pin: PinInfo, puk: Secret | None, new: Secret | None) -> None:
        """Set a new PIN by the PUK that the token names for it.

        The new PIN may be entered at the reader alone, the PUK with it only.

        Raises:
            CredentialError: The PUK is wrong (one of its tries is gone) or blocked.
            MiddlewareError: CKR_PIN_LEN_RANGE: the new PIN is too short or too long.
                CKR_FUNCTION_NOT_SUPPORTED: nothing resets that PIN.
        """
        key = self._puk_of(pin)

        if new is None:
            self._unblock_entered(pin, key, puk)
            return

        if puk is None:
            raise MiddlewareError(Ckr.CKR_ARGUMENTS_BAD, "the PUK is missing")

        _check_new(pin, new)
        self._select(pin)
        response = self._driver.unblock(
            pin.reference, _padded(key, puk), _padded(pin, new), puk_reference=key.reference
        )
        self._judge(key, response, f"unblock {pin.label}")

    def _unblock_entered(self, pin: PinInfo, key: PinInfo, puk: Secret | None) -> None:
        block = self._block(pin)
        known = self._block(key) if puk is None else _padded(key, puk)
        self._select(pin)
        response = self._driver.unblock_entered(pin.reference, known, block, puk_reference=key.reference)
        self._judge(key, response, f"unblock {pin.label}", entered=True)

    def _block(self, pin: PinInfo) -> PinBlock:
        """Return how a PIN stands in a command when it is entered at the reader, which has to have keys."""
        if not self._driver.channel.has_pinpad:
            raise MiddlewareError(
                Ckr.CKR_ARGUMENTS_BAD, f"{pin.label} is not given, and the reader has no PIN pad"
            )

        return PinBlock.of(pin)

    def _puk_of(self, pin: PinInfo) -> PinInfo:
        key = self._token.puk_of(pin)

        if key is None:
            raise MiddlewareError(Ckr.CKR_FUNCTION_NOT_SUPPORTED, f"nothing resets {pin.label}")

        return key

    def tries_left(self, pin: PinInfo) -> int | None:
        """Return the tries that a PIN has left; None where the card doesn't tell."""
        self._select(pin)
        return self._driver.tries_left(pin.reference)

    def _select(self, pin: PinInfo) -> None:
        """Make the DF current from which the card finds the PIN, upwards."""
        path = pin.entry.path.file_ids if pin.entry.path else ()

        if not path or self._driver.select(path) is None:
            self._driver.select((MF,))

    def _judge(self, pin: PinInfo, response: ResponseApdu, what: str, *, entered: bool = False) -> None:
        sw = response.sw

        if entered and sw in _AT_THE_READER:
            rv, why = _AT_THE_READER[sw]
            raise MiddlewareError(rv, f"{what}: {why}")

        if sw == StatusWord.SUCCESS:
            return

        if sw == StatusWord.AUTHENTICATION_METHOD_BLOCKED:
            raise CredentialError(Ckr.CKR_PIN_LOCKED, pin.label, 0)

        if sw == StatusWord.AUTHENTICATION_FAILED or sw.tries_left is not None:
            raise CredentialError(Ckr.CKR_PIN_INCORRECT, pin.label, sw.tries_left)

        rv = {
            StatusWord.WRONG_LENGTH: Ckr.CKR_PIN_LEN_RANGE,
            StatusWord.WRONG_DATA: Ckr.CKR_PIN_LEN_RANGE,
            StatusWord.REFERENCED_DATA_NOT_FOUND: Ckr.CKR_USER_PIN_NOT_INITIALIZED,
            StatusWord.SECURITY_STATUS_NOT_SATISFIED: Ckr.CKR_USER_NOT_LOGGED_IN,
        }.get(sw, Ckr.CKR_DEVICE_ERROR)
        raise CommandFailedError(what, sw, rv)


def _padded(pin: PinInfo, secret: Secret) -> bytes:
    """Return a value as the card stores it.

    Raises:
        MiddlewareError: CKR_PIN_LEN_RANGE: it is longer than what is stored.
    """
    entry, value = pin.entry, secret.reveal()

    if len(value) > max(entry.stored_length, entry.max_length or 0):
        raise MiddlewareError(Ckr.CKR_PIN_LEN_RANGE, f"{pin.label} is not that long")

    return value if entry.pad is None else value.ljust(entry.stored_length, bytes((entry.pad,)))


def _check_new(pin: PinInfo, new: Secret) -> None:
    entry = pin.entry
    longest = entry.max_length or entry.stored_length

    if not entry.min_length <= len(new) <= longest:
        raise MiddlewareError(
            Ckr.CKR_PIN_LEN_RANGE, f"{pin.label} has {entry.min_length} to {longest} characters"
        )
