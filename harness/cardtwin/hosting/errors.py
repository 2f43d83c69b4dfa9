"""The errors of hosting. None holds a secret.

::

    HostingError
    ├── CardRefusedError       the card that was asked for cannot be set up; nothing runs
    ├── CommandRefusedError    a server could not do what it was told
    ├── HostLostError          the card's process has ended, or doesn't answer
    ├── NoServerError          nobody listens at a control socket
    ├── ProtocolError          what came is no message, or one of another version
    └── UncleanEndError        the card was served to the end, but not all was well
"""

from __future__ import annotations

__all__ = [
    "CardRefusedError",
    "CommandRefusedError",
    "HostLostError",
    "HostingError",
    "NoServerError",
    "ProtocolError",
    "UncleanEndError",
]


class HostingError(Exception):
    """A card in a process of its own could not be had, or not be used."""


class CardRefusedError(HostingError):
    """The card that was asked for cannot be set up; the message says why, with the place in a file."""


class CommandRefusedError(HostingError):
    """A server could not do what it was told; everything is as it was."""


class HostLostError(HostingError):
    """The card's process has ended, or doesn't answer."""


class NoServerError(HostingError):
    """Nobody listens at a control socket."""


class ProtocolError(HostingError):
    """What came is no message, or one of another version."""


class UncleanEndError(HostingError):
    """The card was served to the end, but a bug of cardtwin showed, or the trace could not be written."""
