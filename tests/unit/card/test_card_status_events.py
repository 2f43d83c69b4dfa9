"""The card tells which PINs count as verified, whatever command or reset changes that."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cardtwin.card import EmulatedCard, models
from cardtwin.entropy import SeededEntropy
from cardtwin.events import CardChange, CardChanged, Event, Hub
from cardtwin.pcsc import Protocol
from support.programs import encoded
from support.tokens import MODELS

VERIFY, WRONG = (bytes.fromhex("0020008108") + pin.ljust(8, b"\0") for pin in (b"1234", b"9999"))
SELECT = bytes.fromhex("00A4080C025015")
LOGOUT = bytes.fromhex("80EA0000")
GAINED, LOST = ("security status gained", 1), ("security status lost", 1)


class Heard:
    """A card with a profile, and what it tells of its volatile state."""

    def __init__(self, model: str, *quirks: str, listening: bool = True) -> None:
        self.events: list[CardChanged] = []
        self.hub = Hub()
        self.card = EmulatedCard(
            replace(models.get(model), quirks=frozenset(quirks)),
            image=encoded(model),
            entropy=SeededEntropy("status"),
            hub=self.hub,
            reader="R1",
        )
        self.card.power_on(Protocol.ANY)

        if listening:
            self.listen()

    def listen(self) -> None:
        self.hub.subscribe(self._note)

    def _note(self, event: Event) -> None:
        if isinstance(event, CardChanged) and event.change not in {
            CardChange.COUNTER_CHANGED,
            CardChange.OBJECT_STORED,
        }:
            self.events.append(event)

    @property
    def told(self) -> list[tuple[str, int | None]]:
        found = [(event.change.value, event.reference) for event in self.events]
        self.events.clear()
        return found


@pytest.fixture(params=MODELS)
def heard(request: pytest.FixtureRequest) -> Heard:
    return Heard(request.param)


def test_a_right_pin_gains_the_status_and_logging_out_loses_it(heard: Heard) -> None:
    heard.card.process(VERIFY)
    (event,) = heard.events
    assert (event.reader, event.subject, event.detail) == ("R1", "3F00:00-01", "PIN 01")
    assert heard.told == [GAINED]
    heard.card.process(LOGOUT)
    assert heard.told == [LOST]


def test_a_pin_that_is_verified_again_changes_nothing(heard: Heard) -> None:
    heard.card.process(VERIFY)
    heard.card.process(VERIFY)
    assert heard.told == [GAINED]


def test_a_wrong_pin_loses_the_status(heard: Heard) -> None:
    heard.card.process(WRONG)
    assert heard.told == []
    heard.card.process(VERIFY)
    heard.card.process(WRONG)
    assert heard.told == [GAINED, LOST]


def test_a_reset_loses_the_status_and_the_current_df(heard: Heard) -> None:
    heard.card.process(VERIFY)
    heard.card.process(SELECT)
    heard.card.power_on(Protocol.ANY)
    assert heard.told == [GAINED, ("current DF is again", None), LOST]
    heard.card.power_off()
    assert heard.told == []


def test_selecting_a_df_loses_the_status_with_the_quirk_alone() -> None:
    for quirks, expected in (((), []), (("drop_pin_on_select",), [LOST])):
        heard = Heard("cardos-5.3", *quirks)
        heard.card.process(VERIFY)
        assert heard.told == [GAINED]
        heard.card.process(SELECT)
        assert heard.told == expected


def test_a_card_that_is_heard_late_tells_what_changes_from_then_on(heard: Heard) -> None:
    late = Heard(heard.card.model.name, listening=False)
    late.card.process(VERIFY)
    late.listen()
    late.card.process(VERIFY)
    assert late.told == []
    late.card.power_off()
    assert late.told == [LOST]


def test_events_name_the_reader_that_the_card_is_in_now(heard: Heard) -> None:
    heard.card.reader = "R2"
    heard.card.process(VERIFY)
    assert [event.reader for event in heard.events] == ["R2"]
