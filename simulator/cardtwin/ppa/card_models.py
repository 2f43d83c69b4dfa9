"""Which card family a CardModel statement stands for: a table that can be added to."""

from __future__ import annotations

from typing import Final

from cardtwin.ppa.errors import RegistrationError, UnknownCardModelError

__all__ = ["families", "family_of", "names", "register"]

_FAMILIES: Final[dict[str, tuple[str, str]]] = {}


def register(name: str, family: str) -> None:
    """Enter a name, compared without regard to case.

    Args:
        name: What a profile writes, such as ``SIEMENS50``.
        family: The card family, such as ``cardos-5``.

    Raises:
        RegistrationError: The name stands for another family already.
    """
    known, other = _FAMILIES.get(name.casefold(), (name, family))

    if other != family:
        raise RegistrationError(f"card model {known!r} stands for {other!r} already")

    _FAMILIES[name.casefold()] = (name, family)


def names() -> tuple[str, ...]:
    """Return the known names."""
    return tuple(sorted(name for name, _ in _FAMILIES.values()))


def families() -> tuple[str, ...]:
    """Return the card families that names stand for."""
    return tuple(sorted({family for _, family in _FAMILIES.values()}))


def family_of(name: str) -> str:
    """Return the card family that a CardModel stands for.

    Raises:
        UnknownCardModelError: The table has no such name; the message tells those it has.
    """
    if name.casefold() not in _FAMILIES:
        raise UnknownCardModelError(name, names())

    return _FAMILIES[name.casefold()][1]


register("SIEMENS43B", "cardos-4.3b")
register("SIEMENS44", "cardos-4.4")
register("SIEMENS50", "cardos-5")
register("X_COSMO", "cosmo")
register("X_GEMALTO", "idclassic")
