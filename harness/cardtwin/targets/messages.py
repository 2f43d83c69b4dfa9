"""What goes through the socket between a target and a worker, pickled: nobody else has that socket."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias

__all__ = ["Begin", "Call", "End", "Failed", "Fork", "Forked", "Message", "Revealed"]


@dataclass(frozen=True, slots=True)
class Revealed:
    """A secret on its way through the socket."""

    value: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Begin:
    """Call C_Initialize."""


@dataclass(frozen=True, slots=True)
class End:
    """Call C_Finalize."""


@dataclass(frozen=True, slots=True)
class Call:
    """Call another function. The answer to each of the three is a Returned."""

    name: str
    arguments: tuple[object, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Fork:
    """Fork; the child's socket follows. The answer is Forked."""


@dataclass(frozen=True, slots=True)
class Forked:
    """There is a child.

    Attributes:
        pid: The child's process.
    """

    pid: int


@dataclass(frozen=True, slots=True)
class Failed:
    """The library cannot be loaded."""

    message: str


Message: TypeAlias = Begin | End | Call | Fork
