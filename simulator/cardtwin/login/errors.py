"""What can go wrong in Digital Access.

::

    LoginError
    ├── PublicationError         the draft breaks rules of the configuration
    ├── AdministrationError      a change of the draft names something that is not there, or there already
    ├── UnknownMethodError       no such authentication method is published
    ├── LoginRefusedError        an authentication ended without a login
    ├── NothingToSignWithError   the card has no certificate with a key
    ├── ActivationError          an activation profile cannot be used
    ├── FlowError                what happens is not possible in the present state of the login
    └── UnreachableError         a list or a responder could not be reached
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cardtwin.login.checks import Problem
    from cardtwin.login.refusals import Refusal

__all__ = [
    "ActivationError",
    "AdministrationError",
    "FlowError",
    "LoginError",
    "LoginRefusedError",
    "NothingToSignWithError",
    "PublicationError",
    "UnknownMethodError",
    "UnreachableError",
]


class LoginError(Exception):
    """The base of this package's errors."""


class PublicationError(LoginError):
    """The draft was not published. Carries all problems that it has."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(map(str, self.problems)))


class AdministrationError(LoginError):
    """A change of the draft names something that is not there, or there already."""


class UnknownMethodError(LoginError):
    """No such authentication method is published."""


class LoginRefusedError(LoginError):
    """An authentication ended without a login.

    Attributes:
        refusal: Why.
        note: What about it, for the administrator's log; without secrets.
    """

    def __init__(self, refusal: Refusal, note: str = "") -> None:
        self.refusal = refusal
        self.note = note
        super().__init__(f"{refusal.value}: {note}" if note else refusal.value)


class NothingToSignWithError(LoginError):
    """The card shows no such certificate with a private key."""


class ActivationError(LoginError):
    """An activation profile cannot be used."""


class FlowError(LoginError):
    """What happens is not possible in the present state of the login."""


class UnreachableError(LoginError):
    """A revocation list or an OCSP responder could not be reached."""
