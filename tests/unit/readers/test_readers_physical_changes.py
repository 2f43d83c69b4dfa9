"""What happens to cards in the system's readers is told once, in the order in which it happened."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cardtwin.events import Event, Hub, ReaderChanged
from cardtwin.pcsc import CardRemovedError, CardResetError, Disposition, ReaderState
from cardtwin.readers.physical import ReaderChanges

ATR = bytes.fromhex("3BD218008131FE58C90316")
OTHER = b"\x3b\x00"
EMPTY = ReaderState("R", present=False, mute=False, atr=b"", sharing=0, events=0, powered=False)
THERE = replace(EMPTY, present=True, atr=ATR, events=1, powered=True)
COMES = ["inserted", f"powered on {ATR.hex()}"]


class Desk:
    """Changes, and what was told of them."""

    def __init__(self, *states: ReaderState) -> None:
        hub = Hub()
        self.events: list[Event] = []
        hub.subscribe(self.events.append)
        self.changes = ReaderChanges(hub)

        for state in states:
            self.changes.seen(state)

    @property
    def told(self) -> list[str]:
        return [
            f"{event.change.value} {event.atr.hex()}".rstrip()
            for event in self.events
            if isinstance(event, ReaderChanged)
        ]

    def clear(self) -> None:
        self.events.clear()


def test_a_state_that_many_see_is_told_once() -> None:
    assert Desk(EMPTY, EMPTY, THERE, THERE, replace(THERE, sharing=2)).told == COMES


def test_a_state_from_before_tells_nothing() -> None:
    gone = replace(EMPTY, events=2)
    assert Desk(THERE, gone, THERE, EMPTY, gone).told == [*COMES, "removed"]


def test_another_card_in_the_place_of_one_is_told_with_the_removal_between() -> None:
    assert Desk(THERE, replace(THERE, atr=OTHER, events=3)).told == [
        *COMES,
        "removed",
        "inserted",
        f"powered on {OTHER.hex()}",
    ]


def test_a_card_that_is_mute_has_no_power() -> None:
    assert Desk(replace(THERE, mute=True, atr=b"")).told == ["inserted"]


@given(st.integers(0, 0xFFFF))
def test_the_services_count_begins_again(events: int) -> None:
    states = (replace(THERE, events=events), replace(EMPTY, events=(events + 1) & 0xFFFF))
    assert Desk(*states, replace(THERE, events=(events + 2) & 0xFFFF)).told == [*COMES, "removed", *COMES]


def test_a_card_that_a_connection_finds_first_is_told_once() -> None:
    desk = Desk(EMPTY)
    desk.changes.connected("R", ATR)
    desk.changes.seen(THERE)
    assert desk.told == COMES


@pytest.mark.parametrize(
    ("disposition", "power_again", "told"),
    [
        (Disposition.LEAVE, True, []),
        (Disposition.EJECT, True, []),
        (Disposition.RESET, False, ["reset"]),
        (Disposition.UNPOWER, True, ["powered off", "powered on"]),
        (Disposition.UNPOWER, False, ["powered off"]),
    ],
)
def test_what_a_connection_does_is_told(disposition: Disposition, power_again: bool, told: list[str]) -> None:
    desk = Desk(THERE)
    desk.clear()
    desk.changes.disposed("R", disposition, power_again=power_again)
    assert desk.told == [f"{each} {ATR.hex()}" for each in told]


def test_who_connects_to_a_card_without_power_gives_it_power() -> None:
    desk = Desk(THERE)
    desk.changes.disposed("R", Disposition.UNPOWER, power_again=False)
    desk.clear()
    desk.changes.connected("R", ATR)
    desk.changes.connected("R", ATR)
    assert desk.told == [f"powered on {ATR.hex()}"]


@pytest.mark.parametrize(
    ("disposition", "told"), [(Disposition.RESET, []), (Disposition.UNPOWER, [f"powered off {ATR.hex()}"])]
)
def test_a_card_that_is_mute_after_a_reset_gets_power_when_it_answers(
    disposition: Disposition, told: list[str]
) -> None:
    desk = Desk(THERE)
    desk.clear()
    desk.changes.fell_mute("R", disposition)
    desk.changes.connected("R", ATR)
    assert desk.told == [*told, f"powered on {ATR.hex()}"]


def test_a_strangers_reset_that_several_connections_hear_of_is_told_once() -> None:
    desk = Desk(THERE)
    marks = [desk.changes.connected("R", ATR) for _ in range(3)]
    desk.clear()

    for mark in marks:
        desk.changes.noticed("R", mark, CardResetError("R"))

    assert desk.told == [f"reset {ATR.hex()}"]


def test_a_reset_that_was_told_is_no_strangers() -> None:
    desk = Desk(THERE)
    mark = desk.changes.connected("R", ATR)
    desk.changes.disposed("R", Disposition.RESET, ATR, power_again=True)
    desk.clear()
    desk.changes.noticed("R", mark, CardResetError("R"))
    assert desk.told == []


def test_a_card_that_a_connection_has_lost_is_told_once_and_no_later_one_with_it() -> None:
    desk = Desk(THERE)
    marks = [desk.changes.connected("R", ATR) for _ in range(2)]
    desk.clear()
    desk.changes.noticed("R", marks[0], CardRemovedError("R"))
    desk.changes.seen(THERE)  # from before
    desk.changes.seen(replace(EMPTY, events=2))
    desk.changes.seen(replace(THERE, events=3))
    desk.changes.noticed("R", marks[1], CardRemovedError("R"))
    assert desk.told == ["removed", *COMES]


def test_readers_have_nothing_to_do_with_one_another() -> None:
    desk = Desk(THERE, replace(THERE, name="S"))
    desk.clear()
    desk.changes.seen(replace(EMPTY, name="S", events=2))
    assert [event.reader for event in desk.events if isinstance(event, ReaderChanged)] == ["S"]
