"""The errors of this package. Each has a PKCS#11 return value, and none holds a secret.

::

    MiddlewareError
    ├── CardLostError            the reader or the card has gone, was reset by others, or doesn't answer
    ├── CardNotRecognisedError   no driver knows the card
    ├── CardMismatchError        the profile is for another card family
    ├── CommandFailedError       the card refused a command
    ├── CredentialError          a PIN or PUK is wrong or blocked
    ├── EraseRefusedError        the card's conditions don't let it be erased; nothing has changed
    ├── HalfDoneError            a change of the card did not come to its end
    ├── InstallationError        this installation cannot do it
    └── ProfileRefusedError      the card profile is wrong, or doesn't fit the card; nothing has changed
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cardtwin.middleware.ckr import Ckr

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cardtwin.iso7816 import StatusWord
    from cardtwin.source import Diagnostic

__all__ = [
    "CardLostError",
    "CardMismatchError",
    "CardNotRecognisedError",
    "CommandFailedError",
    "CredentialError",
    "EraseRefusedError",
    "HalfDoneError",
    "InstallationError",
    "MiddlewareError",
    "ProfileRefusedError",
]


class MiddlewareError(Exception):
    """A function of the middleware failed; `rv` is what PKCS#11 would return."""

    def __init__(self, rv: Ckr, message: str) -> None:
        self.rv = rv
        self.message = message
        super().__init__(f"{rv.name}: {message}")


class CardLostError(MiddlewareError):
    """The reader or the card has gone, was reset by others, or doesn't answer."""


class CardNotRecognisedError(MiddlewareError):
    """No driver knows the card."""

    def __init__(self, message: str) -> None:
        super().__init__(Ckr.CKR_TOKEN_NOT_RECOGNIZED, message)


class CardMismatchError(MiddlewareError):
    """The profile is for another card family."""

    def __init__(self, message: str) -> None:
        super().__init__(Ckr.CKR_TOKEN_NOT_RECOGNIZED, message)


class CommandFailedError(MiddlewareError):
    """The card refused a command; `sw` is its status word, `what` says what was tried."""

    def __init__(self, what: str, sw: StatusWord, rv: Ckr = Ckr.CKR_DEVICE_ERROR) -> None:
        self.what = what
        self.sw = sw
        super().__init__(rv, f"{what}: the card answers {sw}")


class CredentialError(MiddlewareError):
    """A PIN or PUK is wrong (CKR_PIN_INCORRECT) or blocked (CKR_PIN_LOCKED).

    `tries_left` is what the card told; None where it tells nothing.
    """

    def __init__(self, rv: Ckr, label: str, tries_left: int | None = None) -> None:
        self.tries_left = tries_left
        state = "is blocked" if rv is Ckr.CKR_PIN_LOCKED else "is wrong"
        left = "" if tries_left is None else f"; tries left: {tries_left}"
        super().__init__(rv, f"{label} {state}{left}")


class EraseRefusedError(MiddlewareError):
    """The card's conditions don't let it be erased by whoever is logged in; nothing has changed."""


class HalfDoneError(MiddlewareError):
    """A change of the card did not come to its end.

    Attributes:
        doing: What was being done.
        done: What had been done before, in order.
    """

    def __init__(self, doing: str, done: Sequence[str], cause: MiddlewareError) -> None:
        self.doing = doing
        self.done = tuple(done)
        before = ", ".join(self.done) if self.done else "nothing"
        super().__init__(cause.rv, f"{doing}: {cause.message}; done before: {before}")


class InstallationError(MiddlewareError):
    """This installation cannot do it: no PIN encryption certificate, or a 64-bit library."""


class ProfileRefusedError(MiddlewareError):
    """The card profile is wrong, or doesn't fit the card; nothing has changed.

    `diagnostics` are the findings in the profile's text, empty where the fault shows on the card only.
    """

    def __init__(
        self,
        problems: Sequence[str],
        diagnostics: Sequence[Diagnostic] = (),
        rv: Ckr = Ckr.CKR_ARGUMENTS_BAD,
    ) -> None:
        self.problems = tuple(problems)
        self.diagnostics = tuple(diagnostics)
        super().__init__(rv, "; ".join(self.problems))
