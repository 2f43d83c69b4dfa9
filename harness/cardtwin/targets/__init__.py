"""What scenarios run against. Only a target puts a card into a reader and a middleware above both."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from cardtwin.middleware import Login, UserType
from cardtwin.readers import EntryError, PinEntry
from cardtwin.source import closest
from cardtwin.targets.errors import MiddlewareError, TargetError, UnseenError
from cardtwin.targets.faults import FaultSetup
from cardtwin.targets.hidden import Hidden
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

    from cardtwin.targets.hardware import Hardware

__all__ = [
    "Bench",
    "Capability",
    "CardSetup",
    "Desk",
    "EntryError",
    "FaultSetup",
    "Hidden",
    "Login",
    "MiddlewareError",
    "PinEntry",
    "ProcessSetup",
    "Program",
    "Setup",
    "Target",
    "TargetError",
    "UnseenError",
    "UserType",
    "check",
    "get",
    "is_physical",
    "names",
]


def _emulated() -> Target:
    from cardtwin.targets.emulated import EmulatedTarget  # noqa: PLC0415  # heavy, and only needed to run

    return EmulatedTarget()


def _module() -> Target:
    from cardtwin.targets.module import ModuleTarget  # noqa: PLC0415  # as above

    return ModuleTarget()


def _foreign(library: str) -> Target:
    from cardtwin.targets.module import ForeignTarget  # noqa: PLC0415  # as above

    return ForeignTarget(library)


def _foreign_physical(library: str, reader: str = "", hardware: Hardware | None = None) -> Target:
    from cardtwin.targets.hardware import LibraryHardwareTarget  # noqa: PLC0415  # as above

    return LibraryHardwareTarget(library, reader, hardware)


def _system(where: str = "") -> Target:
    from cardtwin.targets.system import SystemTarget  # noqa: PLC0415  # as above

    return SystemTarget(where)


def _physical(reader: str = "", hardware: Hardware | None = None) -> Target:
    from cardtwin.targets.hardware import HardwareTarget  # noqa: PLC0415  # as above

    return HardwareTarget(reader, hardware)


_PHYSICAL: Final = "pcsc"
_LIBRARY: Final = "module"
_TARGETS: dict[str, Callable[[], Target]] = {
    "emulated": _emulated,
    _LIBRARY: _module,
    "pcscd": _system,
    _PHYSICAL: _physical,
}
_WITH_ARGUMENT: dict[str, Callable[[str], Target]] = {_LIBRARY: _foreign, "pcscd": _system}
"""Targets that are named with something behind a colon."""

_ABOVE_PHYSICAL: Final = re.compile(rf"{_LIBRARY}:(?P<library>.+?)@{_PHYSICAL}(?::(?P<reader>.+))?")
"""A library above physical cards. The first mark ends its path, as names of readers may hold anything."""


def names() -> tuple[str, ...]:
    """Return the names of all targets.

    ``module:PATH`` is one for every PKCS#11 library there is, ``pcscd:HOST:PORT`` for every vpcd,
    ``pcsc:READER`` for every reader of the system, and ``module:PATH@pcsc:READER`` for a library above that.
    """
    return tuple(_TARGETS)


def is_physical(name: str) -> bool:
    """Whether a target of that name works on physical cards."""
    return name.partition(":")[0] == _PHYSICAL or _ABOVE_PHYSICAL.fullmatch(name) is not None


def get(name: str, hardware: Hardware | None = None) -> Target:
    """Return the target of that name.

    Args:
        name: The name.
        hardware: What is known of physical cards, and may be done to them; other targets have no use for it.

    Raises:
        TargetError: There is none, or it lacks what it needs.
    """
    kind, _, argument = name.partition(":")

    if above := _ABOVE_PHYSICAL.fullmatch(name):
        return _foreign_physical(above["library"], above["reader"] or "", hardware)

    if is_physical(name):
        return _physical(argument, hardware)

    if argument and kind in _WITH_ARGUMENT:
        return _WITH_ARGUMENT[kind](argument)

    if name not in _TARGETS:
        known = (*_TARGETS, "module:PATH", "pcscd:HOST:PORT", "pcsc:READER", "module:PATH@pcsc[:READER]")
        hint = closest(name, _TARGETS)
        raise TargetError(
            f"there is no target {name!r}, only {', '.join(known)}" + (f"; {hint}" if hint else "")
        )

    return _TARGETS[name]()


def check(name: str) -> None:
    """See that there is a target of that name, and that its library can be loaded if it has one.

    Raises:
        TargetError: There is none, it lacks what it needs, or the library crashes, hangs or is none.
    """
    get(name)
    kind, _, library = name.partition(":")

    if above := _ABOVE_PHYSICAL.fullmatch(name):
        library = above["library"]

    if kind == _LIBRARY and library:
        from cardtwin.targets.module import try_library  # noqa: PLC0415  # heavy, and only needed here

        try_library(library)
