from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cardtwin.card import CardImage, EmulatedCard, models
from cardtwin.entropy import SeededEntropy
from cardtwin.pcsc import CardConnection, CardMuteError, CardRemovedError
from cardtwin.readers import ReaderManager, UntearableCardError
from cardtwin.readers.wrappers import (
    SPEEDS,
    Answer,
    Delay,
    Fault,
    FaultyCard,
    Mute,
    Removal,
    SlowCard,
    Speed,
    Tear,
)
from support.cards import ScriptedCard

READER = "R"
SELECT = bytes.fromhex("00A4000C023F00")
CREATE = bytes.fromhex("00E000001B621980020010820101830244018501008609" + "00" * 9)
OK = b"\x90\x00"
BUG = b"\x6f\x00"


class Bench:
    """An emulated card with faults in a reader."""

    def __init__(self, *faults: Fault) -> None:
        self.manager = ReaderManager()
        self.manager.add_reader(READER)
        self.slept: list[float] = []
        self.inner = EmulatedCard(models.get("cardos-5.3"), entropy=SeededEntropy("faults"), reader=READER)
        self.card = FaultyCard(
            self.inner, faults, remove=lambda: self.manager.remove(READER), sleep=self.slept.append
        )
        self.manager.insert(READER, self.card)
        self.connection: CardConnection = self.manager.context().connect(READER)

    def send(self, command: bytes = SELECT) -> bytes:
        return self.connection.transmit(command)

    @property
    def image(self) -> CardImage:
        return self.inner.image


@given(
    after=st.integers(0, 4),
    times=st.one_of(st.none(), st.integers(1, 4)),
    commands=st.lists(st.sampled_from([SELECT, bytes.fromhex("00CA018300")]), max_size=12),
)
def test_a_fault_strikes_the_commands_that_it_is_for_and_no_others(
    after: int, times: int | None, commands: list[bytes]
) -> None:
    bench = Bench(Fault(Answer(BUG), SELECT[:2], after, times))
    answers = [bench.send(command) for command in commands]
    concerned = [answer for command, answer in zip(commands, answers, strict=True) if command == SELECT]

    struck = concerned[after : None if times is None else after + times]
    assert struck == [BUG] * len(struck)
    assert answers.count(BUG) == len(struck)


def test_of_two_faults_the_first_one_happens_and_both_count() -> None:
    bench = Bench(Fault(Answer(BUG)), Fault(Answer(b"\x69\x82"), times=2))
    assert [bench.send() for _ in range(3)] == [BUG, b"\x69\x82", OK]


def test_a_late_answer_is_the_cards_own() -> None:
    bench = Bench(Fault(Delay(2.5), after=1))
    assert [bench.send(), bench.send()] == [OK, OK]
    assert bench.slept == [2.5]


def test_a_mute_card_answers_again_after_a_reset() -> None:
    bench = Bench(Fault(Mute(), after=1))
    bench.send()

    for _ in range(2):
        with pytest.raises(CardMuteError):
            bench.send()

    bench.manager.reset(READER)
    bench.connection.reconnect()
    assert bench.send() == OK


def test_a_dead_card_is_mute_after_a_reset_as_well() -> None:
    bench = Bench(Fault(Mute(dead=True)))

    with pytest.raises(CardMuteError):
        bench.send()

    bench.manager.reset(READER)

    assert bench.manager.state(READER).mute


def test_a_torn_command_has_only_its_first_writes() -> None:
    bench = Bench(Fault(Tear(0), CREATE[:2]))
    before = bench.image

    with pytest.raises(CardMuteError):
        bench.send(CREATE)

    assert bench.image == before
    bench.manager.reset(READER)
    bench.connection.reconnect()
    assert bench.send(CREATE) == OK


def test_a_tear_leaves_commands_with_fewer_writes_alone() -> None:
    bench = Bench(Fault(Tear(1), times=None))
    assert bench.send() == OK
    assert bench.send(CREATE) == OK


def test_only_an_emulated_cards_writes_can_be_torn() -> None:
    with pytest.raises(UntearableCardError, match="ScriptedCard"):
        FaultyCard(ScriptedCard(), [Fault(Tear(0))], remove=lambda: None)


@pytest.mark.parametrize("carried_out", [False, True])
def test_a_card_taken_out_in_a_transaction_leaves_the_command_in_doubt(carried_out: bool) -> None:
    bench = Bench(Fault(Removal(carried_out), CREATE[:2]))

    with pytest.raises(CardRemovedError), bench.connection.transaction():
        bench.send(CREATE)

    assert not bench.manager.state(READER).present
    assert (b"\x3f\x00\x44\x01" in bench.image.files) == carried_out


def test_a_slow_card_takes_the_time_of_its_bytes_and_its_work() -> None:
    slept: list[float] = []
    speed = Speed(reset=1.0, command=0.5, byte=0.25, work={0xA4: 8.0})
    card = SlowCard(
        EmulatedCard(models.get("cardos-4.4"), entropy=SeededEntropy("slow")), speed, sleep=slept.append
    )
    manager = ReaderManager()
    manager.add_reader(READER)
    manager.insert(READER, card)
    connection = manager.context().connect(READER)

    assert connection.transmit(SELECT) == OK
    assert connection.transmit(b"\0") == b"\x67\x00"
    assert slept == [1.0, 0.5 + 9 * 0.25 + 8.0, 0.5 + 3 * 0.25]


def test_every_model_has_a_speed() -> None:
    assert set(SPEEDS) == set(models.names())
