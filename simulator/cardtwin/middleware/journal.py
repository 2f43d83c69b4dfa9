"""What has been done to a card so far, so that it can be told when the rest cannot be done."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from cardtwin.middleware.errors import HalfDoneError, MiddlewareError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Journal"]


class Journal:
    """A list of changes that grows as they succeed."""

    def __init__(self) -> None:
        self._done: list[str] = []

    @contextmanager
    def step(self, what: str) -> Iterator[None]:
        """Do one change in the block; `what` says which, in words that hold no secret.

        Raises:
            HalfDoneError: The change failed; it tells those done before.
        """
        try:
            yield
        except MiddlewareError as error:
            raise HalfDoneError(what, self._done, error) from error

        self._done.append(what)

    @contextmanager
    def whole(self, what: str) -> Iterator[None]:
        """Do many changes in the block, each of them a step; `what` says what they are together.

        Raises:
            HalfDoneError: Something failed between the steps, after one of them.
        """
        try:
            yield
        except HalfDoneError:
            raise
        except MiddlewareError as error:
            if not self._done:
                raise

            raise HalfDoneError(what, self._done, error) from error

    @property
    def done(self) -> tuple[str, ...]:
        """The changes that succeeded, in order."""
        return tuple(self._done)
