"""Errors of encodings.

::

    EncodingError
    ├── MissingValueError      a field or dialog has no value
    │   └── UnusableValueError because it has one that is no text
    ├── MessagingServerError   the messaging server that is named cannot be reached
    ├── CardSelectionError     no card, or more than one, could be meant
    ├── NoCardEraserError      DeleteProfile on a card without the object "Card Eraser"
    ├── AuthorityError         the certificate authority did not do its part
    └── ApplicationError       an encoding application could not be carried out
        └── FunctionFailedError    because a function of PKCS#11 failed

A description or configuration that is wrong is a ``cardtwin.source.SourceError``; what the middleware or
the blob refuses is theirs.
"""

from __future__ import annotations

from cardtwin.cryptoki.constants import name_of
from cardtwin.middleware import Ckr

__all__ = [
    "ApplicationError",
    "AuthorityError",
    "CardSelectionError",
    "EncodingError",
    "FunctionFailedError",
    "MessagingServerError",
    "MissingValueError",
    "NoCardEraserError",
    "UnusableValueError",
]


class EncodingError(Exception):
    """An encoding failed. The message holds no secret."""


class MissingValueError(EncodingError):
    """A field or a dialog has no value.

    Attributes:
        remedy: What gives it one.
    """

    def __init__(self, message: str, remedy: str) -> None:
        self.remedy = remedy
        super().__init__(message)


class UnusableValueError(MissingValueError):
    """A field has a value that is no text in Unicode, so there are no bytes that it stands for."""


class MessagingServerError(EncodingError):
    """The messaging server that is named cannot be reached."""


class CardSelectionError(EncodingError):
    """No card, or more than one, could be meant."""


class NoCardEraserError(EncodingError):
    """The card shows no object "Card Eraser"."""


class AuthorityError(EncodingError):
    """The certificate authority did not do its part: it is missing, refuses, or gives what doesn't fit."""


class ApplicationError(EncodingError):
    """An encoding application could not be carried out."""


class FunctionFailedError(ApplicationError):
    """A function of PKCS#11 failed.

    Attributes:
        function: Its name.
        rv: What it returned.
    """

    def __init__(self, function: str, rv: int) -> None:
        self.function = function
        self.rv = Ckr(rv) if rv in set(Ckr) else rv
        super().__init__(f"{name_of(Ckr, rv)}: {function}")
