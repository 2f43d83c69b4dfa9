"""Content that was read from cards, kept for a while: what CacheValidity is about."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Final, TypeVar, cast

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable
    from datetime import datetime

__all__ = ["CardIdentity", "Content", "ContentCache"]

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class CardIdentity:
    """A card while it is in a reader.

    Attributes:
        atr: Its answer to reset.
        serial: The chip's serial number.
        insertions: The reader's count of insertions and removals.
    """

    atr: bytes
    serial: bytes
    insertions: int


@dataclass(frozen=True, slots=True)
class Content:
    """What has been read from one card. It is forgotten as a whole, so that what it shows fits together.

    What only a login lets be read lies apart, and is forgotten when the login ends.

    Attributes:
        card: The card, where it is kept beyond one call.
        since: When the first of it was read, as `card`.
    """

    card: CardIdentity | None = None
    since: datetime | None = None
    _kept: dict[Hashable, object] = field(default_factory=dict, repr=False)
    _private: dict[Hashable, object] = field(default_factory=dict, repr=False)

    def get(self, key: Hashable, read: Callable[[], T], *, logged_in: bool = False) -> T:
        """Return what is kept under a key, or else what `read` gives, and keep that.

        Args:
            key: What it is; stands for one type of value.
            read: Reads it from the card; what it raises is not kept.
            logged_in: Whether it may be one of the things that only a login lets be read.
        """
        for shelf in (self._kept, self._private) if logged_in else (self._kept,):
            if key in shelf:
                return cast("T", shelf[key])

        shelf = self._private if logged_in else self._kept
        value = shelf[key] = read()
        return value

    def forget_private(self) -> None:
        """Forget what was read while somebody was logged in."""
        self._private.clear()


class ContentCache:
    """The content of the cards in all readers, as one program keeps it."""

    def __init__(self, validity: timedelta, now: Callable[[], datetime]) -> None:
        """Take how long content is valid, and the time; with a validity of zero nothing is kept."""
        self._validity = validity
        self._now = now
        self._by_reader: dict[str, Content] = {}

    def of(self, reader: str, identify: Callable[[], CardIdentity]) -> Content:
        """Return the content of the card in a reader, a new one where none is kept or it is valid no more.

        Args:
            reader: The reader.
            identify: Tells which card it is; asked only where content is kept.
        """
        if self._validity == _NONE:
            return Content()

        card, now = identify(), self._now()
        content = self._by_reader.get(reader)

        if content is None or content.card != card or not self._valid(content, now):
            content = self._by_reader[reader] = Content(card, now)

        return content

    def holds(self, reader: str, content: Content) -> bool:
        """Whether that content is still the one of the card in a reader, as far as is known without it."""
        return self._by_reader.get(reader) is content and self._valid(content, self._now())

    def forget(self, reader: str) -> None:
        """Forget the content of the card in a reader."""
        self._by_reader.pop(reader, None)

    def forget_private(self, reader: str) -> None:
        """Forget what was read of the card in a reader while somebody was logged in."""
        content = self._by_reader.get(reader)

        if content is not None:
            content.forget_private()

    def _valid(self, content: Content, now: datetime) -> bool:
        return content.since is not None and _NONE <= now - content.since < self._validity


_NONE: Final = timedelta(0)
