"""How the memory changes: whole commands, events, and power cuts in the middle."""

from __future__ import annotations

import pytest

from cardtwin.card import CardView
from cardtwin.card.memory.lifecycle import LifeCycle
from cardtwin.events import CardChange, CardChanged
from cardtwin.pcsc import CardMuteError, Protocol
from support.cardbench import CardBench, command, extended, pin

ERASE = "840600001006000008" + "00000000" + "F76AFC09E6D5F465"


@pytest.fixture
def bench() -> CardBench:
    bench = CardBench()
    bench.put_pin(1, "1234")
    bench.create_df()
    return bench


def cut(bench: CardBench, writes: int, text: str) -> None:
    """Send a command during which the power goes after so many writes, and power the card again."""
    bench.card.cut_power_after(writes)

    with pytest.raises(CardMuteError):
        bench.card.process(bytes.fromhex(text))

    with pytest.raises(CardMuteError):
        bench.card.process(bytes.fromhex("00CA018300"))

    bench.card.power_on(Protocol.ANY)


def test_a_refused_command_leaves_the_very_same_memory(bench: CardBench) -> None:
    before = bench.card.image

    for text in ("00E40000029999", "00B0000000", "00DA016E00", "00A4040002FFFF", "00D6000001AA"):
        bench.send(text)

    assert bench.card.image is before


def test_a_snapshot_is_not_changed_by_what_comes_after(bench: CardBench) -> None:
    snapshot = bench.card.image
    bench.ok("00A4000C")
    bench.ok("00E40000025015")
    assert b"\x3f\x00\x50\x15" in snapshot.files


def test_observers_hear_of_changes_without_contents(bench: CardBench) -> None:
    bench.events.clear()
    bench.create_ef("4401", 4)
    bench.ok("00D6000004CAFEBABE")
    bench.ok(command("00DA016F", "8609" + "00" * 9))
    bench.send(command("00200081", pin("9999")))
    bench.ok("00E40000024401")
    bench.put_pin(3, "13579024")
    bench.put_object("830200038F00")
    bench.ok("80100000")
    told = [event for event in bench.events if isinstance(event, CardChanged)]
    assert [(event.change, event.subject) for event in told] == [
        (CardChange.FILE_CREATED, "3F00/5015/4401"),
        (CardChange.FILE_UPDATED, "3F00/5015/4401"),
        (CardChange.ACCESS_CHANGED, "3F00/5015/4401"),
        (CardChange.COUNTER_CHANGED, "3F00:00-01"),
        (CardChange.FILE_DELETED, "3F00/5015/4401"),
        (CardChange.OBJECT_STORED, "3F00/5015:00-03"),
        (CardChange.OBJECT_DELETED, "3F00/5015:00-03"),
        (CardChange.LIFE_CYCLE, "3F00"),
    ]
    assert all(event.reader == "bench" for event in told)
    assert told[3].detail == "2 tries left"
    assert "13579024" not in str(told)


def test_a_power_cut_before_the_only_write_leaves_everything(bench: CardBench) -> None:
    bench.create_ef("4401", 4)
    before = bench.card.image
    cut(bench, 0, "00D6000001AA")
    assert bench.card.image == before


def test_a_power_cut_between_verification_and_its_reward_costs_a_try(bench: CardBench) -> None:
    cut(bench, 1, command("00200081", pin("1234")))
    assert CardView(bench.card.image).pins["3F00", 1].tries_left == 2
    bench.ok(command("00200081", pin("1234")))
    assert CardView(bench.card.image).pins["3F00", 1].tries_left == 3


def test_a_power_cut_before_the_counter_goes_down_compares_nothing(bench: CardBench) -> None:
    cut(bench, 0, command("00200081", pin("1234")))
    assert CardView(bench.card.image).pins["3F00", 1].tries_left == 3
    assert bench.ok("00CA018400") == ""


@pytest.mark.parametrize("writes", range(5))
def test_an_erasure_that_was_cut_can_be_finished(bench: CardBench, writes: int) -> None:
    cut(bench, writes, ERASE)
    phase = bench.card.image.life_cycle
    assert phase is (LifeCycle.ADMINISTRATION if writes < 3 else LifeCycle.ERASE_IN_PROGRESS)
    bench.ok(ERASE)
    assert bench.card.image.life_cycle is LifeCycle.MANUFACTURING
    assert bench.card.image.start_key.tries_left == 10


def test_a_key_generation_that_was_cut_leaves_no_key_but_a_card_that_works(bench: CardBench) -> None:
    bench.create_ef("7EAD", 0x200)
    bench.put_key(0x10, ["FF" * 128] * 5)
    cut(bench, 3, "004600000820107EAD00100020")
    bench.ok("00A4000C025015")
    bench.ok("002241B803830110")
    assert bench.send(extended("002A8086", "00" * 257, "0000")) == "6984"
    bench.ok("004600000820107EAD00100020")


def test_a_cut_that_was_taken_back_does_not_come(bench: CardBench) -> None:
    bench.card.cut_power_after(0)
    bench.card.cut_power_after(None)
    bench.ok("80100000")


def test_a_cut_comes_after_as_many_writes_of_whatever_commands(bench: CardBench) -> None:
    bench.card.cut_power_after(2)
    bench.ok("80100000")
    bench.ok("80100000")

    with pytest.raises(CardMuteError):
        bench.card.process(bytes.fromhex("80100000"))

    assert bench.card.image.life_cycle is LifeCycle.ADMINISTRATION
