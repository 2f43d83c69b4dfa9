"""What scenarios run against. Only a target puts a card into a reader and a middleware above both."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cardtwin.middleware import Login, UserType
from cardtwin.targets.errors import MiddlewareError, TargetError
from cardtwin.targets.interface import (
    Bench,
    Capability,
    CardSetup,
    Desk,
    ProcessSetup,
    Program,
    Setup,
    Target,
)

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = [
    "Bench",
    "Capability",
    "CardSetup",
    "Desk",
    "Login",
    "MiddlewareError",
    "ProcessSetup",
    "Program",
    "Setup",
    "Target",
    "TargetError",
    "UserType",
    "get",
    "names",
]


def _emulated() -> Target:
    from cardtwin.targets.emulated import EmulatedTarget  # noqa: PLC0415  # heavy, and only needed to run

    return EmulatedTarget()


_TARGETS: dict[str, Callable[[], Target]] = {"emulated": _emulated}


def names() -> tuple[str, ...]:
    """Return the names of all targets."""
    return tuple(_TARGETS)


def get(name: str) -> Target:
    """Return the target of that name.

    Raises:
        KeyError: There is none.
    """
    return _TARGETS[name]()
