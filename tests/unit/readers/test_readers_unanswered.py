"""Commands that a card never answers: what is told of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cardtwin.card import EmulatedCard, models
from cardtwin.entropy import SeededEntropy
from cardtwin.events import Event, Exchange, Hub, ReaderChanged, because
from cardtwin.pcsc import CardMuteError, PcscError
from cardtwin.readers import ReaderManager
from cardtwin.readers.wrappers import Fault, FaultyCard, Mute, Removal, Tear
from support.cards import ScriptedCard

if TYPE_CHECKING:
    from cardtwin.readers.wrappers.faults import Effect

READER = "R"
CREATE = bytes.fromhex("00E000001B621980020010820101830244018501008609" + "00" * 9)


def events_of(effect: Effect) -> list[Event]:
    """Return what is told of one command that meets a fault."""
    events: list[Event] = []
    hub = Hub()
    manager = ReaderManager(hub)
    manager.add_reader(READER)
    inner = EmulatedCard(models.get("cardos-5.3"), entropy=SeededEntropy("x"), hub=hub, reader=READER)
    card = FaultyCard(inner, [Fault(effect)], remove=lambda: manager.remove(READER))
    manager.insert(READER, card)
    connection = manager.context().connect(READER)
    hub.subscribe(events.append)

    with because("test"), pytest.raises(PcscError):
        connection.transmit(CREATE)

    return events


@pytest.mark.parametrize(
    ("effect", "why"),
    [
        (Tear(0), "the power was cut while the card wrote"),
        (Mute(), "the card does not answer any more"),
        (Removal(), "the card was taken out"),
    ],
)
def test_a_command_without_an_answer_is_told_last_with_the_reason_and_its_cause(
    effect: Effect, why: str
) -> None:
    *_, last = events_of(effect)
    assert isinstance(last, Exchange)
    assert (last.reader, last.command, last.response, last.unanswered) == (READER, CREATE, b"", why)
    assert last.cause is not None
    assert last.cause.what == "test"


def test_the_removal_that_kept_the_answer_back_is_told_before() -> None:
    assert [type(event) for event in events_of(Removal())] == [ReaderChanged, Exchange]


def test_a_reset_in_the_middle_of_a_command_keeps_its_answer_back() -> None:
    events: list[Event] = []
    hub = Hub()
    manager = ReaderManager(hub)

    def answer(_command: bytes) -> bytes:
        manager.reset(READER)
        return b"\x90\x00"

    manager.add_reader(READER)
    manager.insert(READER, ScriptedCard(answer))
    connection = manager.context().connect(READER)
    hub.subscribe(events.append)

    with pytest.raises(PcscError):
        connection.transmit(CREATE)

    told = [event.unanswered for event in events if isinstance(event, Exchange)]
    assert told == ["the card was reset"]


def test_a_card_that_says_nothing_of_why_it_is_mute_is_mute() -> None:
    events: list[Event] = []
    hub = Hub()
    hub.subscribe(events.append)
    manager = ReaderManager(hub)

    def answer(_command: bytes) -> bytes:
        raise CardMuteError

    manager.add_reader(READER)
    manager.insert(READER, ScriptedCard(answer))

    with pytest.raises(CardMuteError):
        manager.context().connect(READER).transmit(CREATE)

    assert [event.unanswered for event in events if isinstance(event, Exchange)] == ["the card is mute"]
