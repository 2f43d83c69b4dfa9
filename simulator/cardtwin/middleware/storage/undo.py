"""Changes that are taken back where a later one fails."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from cardtwin.middleware.errors import MiddlewareError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["taking_back"]


@contextmanager
def taking_back() -> Iterator[list[Callable[[], object]]]:
    """Do changes in the block, each of which notes how it is undone.

    Where the block fails, what was noted is done, the last first. What cannot be undone, since the card is
    gone, stays: it is in no list then, or what the lists say of it holds.
    """
    steps: list[Callable[[], object]] = []

    try:
        yield steps
    except BaseException:
        for step in reversed(steps):
            with suppress(MiddlewareError):
                step()

        raise
