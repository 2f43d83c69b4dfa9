from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from cardtwin.middleware.content import CardIdentity, ContentCache

if TYPE_CHECKING:
    from collections.abc import Callable

CARD = CardIdentity(b"\x3b\x00", b"\x01\x02", 1)
START = datetime(2026, 1, 1, tzinfo=UTC)


class Clock:
    def __init__(self) -> None:
        self.time = START

    def __call__(self) -> datetime:
        return self.time


class Card:
    """A card whose content is a number that goes up with each reading."""

    def __init__(self) -> None:
        self.readings = 0

    def read(self) -> int:
        self.readings += 1
        return self.readings


def cache_of(validity: timedelta) -> tuple[ContentCache, Clock, Callable[..., int]]:
    clock, card = Clock(), Card()
    cache = ContentCache(validity, clock)

    def see(reader: str = "R1", identity: CardIdentity = CARD) -> int:
        return cache.of(reader, lambda: identity).get("file", card.read)

    return cache, clock, see


def test_without_validity_nothing_is_kept_beyond_one_look_and_no_card_is_identified() -> None:
    cache, _, see = cache_of(timedelta(0))

    assert [see(), see()] == [1, 2]
    content = cache.of("R1", lambda: pytest.fail("identified"))
    assert [content.get("file", lambda: 7), content.get("file", lambda: 8)] == [7, 7]


def test_content_is_kept_until_the_validity_has_passed_since_the_first_reading() -> None:
    _, clock, see = cache_of(timedelta(minutes=5))
    seen = []

    for seconds in (0, 299, 300, 599, 600):
        clock.time = START + timedelta(seconds=seconds)
        seen.append(see())

    assert seen == [1, 1, 2, 2, 3]


def test_a_clock_set_back_keeps_nothing() -> None:
    _, clock, see = cache_of(timedelta(minutes=5))
    assert see() == 1

    clock.time = START - timedelta(seconds=1)
    assert see() == 2


@pytest.mark.parametrize(
    "other",
    [
        CardIdentity(b"\x3b\x01", CARD.serial, CARD.insertions),
        CardIdentity(CARD.atr, b"\x01\x03", CARD.insertions),
        CardIdentity(CARD.atr, CARD.serial, CARD.insertions + 2),
    ],
    ids=["atr", "serial", "insertions"],
)
def test_another_card_or_another_insertion_is_read_anew(other: CardIdentity) -> None:
    _, _, see = cache_of(timedelta(minutes=5))

    assert [see(), see(identity=other), see(identity=other), see()] == [1, 2, 2, 3]


def test_each_reader_has_content_of_its_own_and_is_forgotten_alone() -> None:
    cache, _, see = cache_of(timedelta(minutes=5))
    assert [see("R1"), see("R2")] == [1, 2]

    cache.forget("R1")
    cache.forget("R3")
    assert [see("R2"), see("R1")] == [2, 3]


def test_what_cannot_be_read_is_not_kept() -> None:
    cache, _, _ = cache_of(timedelta(minutes=5))
    content = cache.of("R1", lambda: CARD)

    def fail() -> int:
        raise ValueError("the card is gone")

    with pytest.raises(ValueError, match="gone"):
        content.get("file", fail)

    assert content.get("file", lambda: 3) == 3


def test_nothing_is_kept_too_where_it_is_what_was_read() -> None:
    cache, _, _ = cache_of(timedelta(minutes=5))
    content = cache.of("R1", lambda: CARD)

    assert content.get("file", lambda: None) is None
    content.get("file", lambda: pytest.fail("read again"))
