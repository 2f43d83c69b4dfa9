"""The errors of this package.

::

    CryptokiError           a C_* function ends with that return value
      NotLoggedInError      CKR_USER_NOT_LOGGED_IN, and how the login ended (in cryptoki.login)
    MalformedFrameError     a client doesn't speak the socket's protocol; ends that client, and no other
    LibraryMissingError     the C library isn't there, or could not be built
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cardtwin.middleware import Ckr

__all__ = ["CryptokiError", "LibraryMissingError", "MalformedFrameError"]


class CryptokiError(Exception):
    """A C_* function ends with the return value `rv`; `message` says why to the log, and holds no secret."""

    def __init__(self, rv: Ckr, message: str = "") -> None:
        self.rv = rv
        self.message = message
        super().__init__(f"{rv.name}: {message}" if message else rv.name)


class MalformedFrameError(Exception):
    """A client sent what is no frame of the protocol, or not of this library."""


class LibraryMissingError(Exception):
    """The C library isn't there, or could not be built."""
