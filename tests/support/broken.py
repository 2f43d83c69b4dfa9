"""Ways to break a function, for sabotages that stand in tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from support.sabotage import rewrite

if TYPE_CHECKING:
    from collections.abc import Callable

    from support.sabotage import Patch

__all__ = ["broken", "untold"]


def broken(function: Callable[..., object], old: str, new: str) -> Callable[[Patch], None]:
    """Return what exchanges a part of a function's source: see :func:`support.sabotage.rewrite`."""
    return lambda patch: rewrite(patch, function, old, new)


def untold(check: Callable[..., object], code: str) -> Callable[[Patch], None]:
    """Return what lets a check, which yields ``Problem(code, ...)``, not yield that one."""
    return broken(check, f'yield Problem("{code}"', f'yield from () and ("{code}"')
