"""Ways to break a function, for sabotages that stand in tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from support.sabotage import Sabotage, rewrite

if TYPE_CHECKING:
    from collections.abc import Callable

    from support.sabotage import Patch

__all__ = ["broken", "exchanged", "in_folder", "nothing", "shown_by", "untold"]


def nothing(*_: object, **__: object) -> None:
    """Do nothing, in place of something that does."""


def broken(function: Callable[..., object], old: str, new: str) -> Callable[[Patch], None]:
    """Return what exchanges a part of a function's source: see :func:`support.sabotage.rewrite`."""
    return lambda patch: rewrite(patch, function, old, new)


def exchanged(target: object, name: str, value: object = nothing) -> Callable[[Patch], None]:
    """Return what exchanges an attribute."""
    return lambda patch: patch.setattr(target, name, value)


def untold(check: Callable[..., object], code: str) -> Callable[[Patch], None]:
    """Return what lets a check, which yields ``Problem(code, ...)``, not yield that one."""
    return broken(check, f'yield Problem("{code}"', f'yield from () and ("{code}"')


def shown_by(
    id_: str,
    name: str,
    fails: str,
    patch: Callable[[Patch], None],
    near: Callable[..., object] | None = None,
    at: str = "",
) -> Sabotage:
    """Return a sabotage that the named scenarios show; their names stand with spaces between them."""
    return Sabotage(id_, name, patch, frozenset(fails.split()), near=near, at=at)


def in_folder(folder: str) -> Callable[..., Sabotage]:
    """Return what makes sabotages that scenarios of one folder show."""

    def sabotage(
        id_: str,
        name: str,
        patch: Callable[[Patch], None],
        fails: str,
        where: str = "",
        near: Callable[..., object] | None = None,
    ) -> Sabotage:
        scenarios = frozenset(f"{folder}/{scenario}" for scenario in fails.split())
        return Sabotage(id_, name, patch, scenarios, where, near)

    return sabotage
