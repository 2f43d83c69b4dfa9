"""Traces of programs that fetch responses themselves, as T=0 has it, replayed to cards and as cards."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cardtwin.card import EmulatedCard, models
from cardtwin.comparing import compare_traces
from cardtwin.entropy import SeededEntropy
from cardtwin.events import Event, Hub, PowerChange, ReaderChanged
from cardtwin.pcsc import Disposition, Protocol
from cardtwin.readers import ReaderManager
from cardtwin.recording import CardReplay, ClientReplay, HiddenSecrets, fetches_itself
from cardtwin.trace import MaskedExchange, Recorder, Trace
from support.programs import encoded

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cardtwin.card import CardImage
    from cardtwin.recording import Replayed

MODEL = models.get("idclassic-340")
RESET = "reset"
NO_ANSWER = "6F00"
COMMANDS = (
    "00A40400 0C A000000063504B43532D3135",
    "00A40400 0C A0000000180C000001634200",
    "00A40000 02 3F00",
    "00A40800 02 5015",
    "00A40000 02 AAAA",
    "00B0000010",
    "00CA9F7F00",
    "0084000008",
    "00200001",
    "00C0000000",
    RESET,
)
ON = ReaderChanged(reader="R1", change=PowerChange.POWERED_ON, atr=MODEL.atr)
AGAIN = ReaderChanged(reader="R1", change=PowerChange.RESET, atr=MODEL.atr)


@cache
def image() -> CardImage:
    return encoded(MODEL.name)


def with_card(hub: Hub | None = None, seed: str = "card") -> ReaderManager:
    readers = ReaderManager(hub)
    readers.add_reader("R1")
    card = EmulatedCard(MODEL, image=image(), entropy=SeededEntropy(seed), reader="R1", hub=hub)
    readers.insert("R1", card)
    return readers


def talk(readers: ReaderManager, commands: Sequence[str]) -> list[str]:
    """Send commands, and fetch what waits; return the answers of the card, all of them."""
    answers: list[str] = []

    with readers.context() as context, context.connect("R1") as connection:
        assert connection.protocol is Protocol.T0

        for command in commands:
            if command == RESET:
                connection.reconnect(Disposition.RESET)
                continue

            answers.append(connection.transmit(bytes.fromhex(command)).hex().upper())

            while answers[-1][-4:-2] == "61":
                fetch = bytes.fromhex(f"00C00000{answers[-1][-2:]}")
                answers.append(connection.transmit(fetch).hex().upper())

    return answers


def recorded(commands: Sequence[str], seed: str = "card") -> Trace:
    hub, recorder = Hub(), Recorder()
    hub.subscribe(recorder)
    talk(with_card(hub, seed), commands)
    return recorder.trace("one")


def on_trace(
    trace: Trace, commands: Sequence[str], *, strict: bool = False
) -> tuple[list[str], Sequence[str]]:
    """Return the answers of the card of a trace, and what it has to tell."""
    readers = ReaderManager()
    replay = CardReplay(trace, strict=strict).attach(readers)
    return talk(readers, commands), replay.told()


def to_card(trace: Trace, seed: str = "card") -> Replayed:
    with with_card(seed=seed).context() as context:
        return ClientReplay(trace, HiddenSecrets({})).run(context, {"R1": "R1"})


def exchange(command: str, response: str, meaning: str = "") -> MaskedExchange:
    texts = [bytes.fromhex(each).hex(" ").upper() for each in (command, response)]
    meaning = "GET RESPONSE" if command.startswith("00C0") else meaning
    return MaskedExchange(reader="R1", meaning=meaning, command=texts[0], response=texts[1], status="")


def card_of(*exchanges: Event, commands: Sequence[str]) -> list[str]:
    return on_trace(Trace("one", (ON, *exchanges)), commands)[0]


@pytest.mark.cardtwin_proves("RR-02", "RR-03")
@given(
    st.lists(st.sampled_from(COMMANDS), max_size=10).map(lambda found: ["00B0000010", *found]), st.booleans()
)
@settings(max_examples=40, deadline=None)
def test_a_card_and_its_trace_answer_the_same_again(commands: list[str], strict: bool) -> None:
    trace = recorded(commands)
    done = to_card(trace)
    assert (done.differences, done.left_out) == ((), ())

    answers, told = on_trace(trace, commands, strict=strict)
    assert answers == talk(with_card(), commands)
    assert told == ()


def test_a_trace_tells_that_its_program_fetches_responses_itself() -> None:
    assert fetches_itself(recorded(["00A40400 0C A000000063504B43532D3135"]))
    assert not fetches_itself(recorded(["00B0000010"]))


def test_what_is_selected_from_anywhere_is_fetched_from_anywhere() -> None:
    verify, relative = exchange("00200001 0431323334", "9000"), exchange("00A4000002BBBB", "9000")
    whole = exchange("00A4080002AAAA", "6102"), exchange("00C0000002", "6F00 9000")
    commands = ["002000010431323334", "00A4000002BBBB", "00A4080002AAAA"]
    assert card_of(verify, relative, AGAIN, *whole, commands=commands) == ["9000", "9000", "6102", "6F009000"]


def test_long_answers_that_are_fetched_alike_are_each_its_own() -> None:
    def read(record: int) -> tuple[list[MaskedExchange], list[str]]:
        data = [f"{record}{part}" * 4 for part in range(3)]
        first = exchange(f"00B20{record}0400", "6100")
        parts = zip(data, ("6104", "6104", "9000"), strict=True)
        return [
            first,
            *(exchange("00C0000000" if at == 0 else "00C0000004", p + s) for at, (p, s) in enumerate(parts)),
        ], data

    (one, first), (other, second) = read(1), read(2)
    answers = card_of(*one, *other, commands=["00B2020400", "00B2010400"])
    assert [each[:8] for each in answers if len(each) > 4] == [*second, *first]


def test_a_length_that_is_known_need_not_be_asked_for() -> None:
    asked = exchange("00B0000000", "6C04"), exchange("00B0000004", "01020304 9000")
    assert card_of(*asked, commands=["00B0000004", "00B0000000", "00B0000004"]) == [
        *("010203049000", "6C04", "010203049000")
    ]


def test_a_response_may_be_fetched_with_the_wrong_length_first() -> None:
    select = exchange("00A4080002AAAA", "6102")
    wrong, right = exchange("00C0000005", "6C02"), exchange("00C0000002", "6F00 9000")
    readers = ReaderManager()
    CardReplay(Trace("one", (ON, select, wrong, right))).attach(readers)

    with readers.context() as context, context.connect("R1") as connection:
        sent = [connection.transmit(bytes.fromhex(each.command)) for each in (select, wrong, right)]
        connection.transmit(bytes.fromhex(select.command))
        sent.append(connection.transmit(bytes.fromhex(right.command)))

    assert [each.hex() for each in sent] == ["6102", "6c02", "6f009000", "6f009000"]


def test_a_response_need_not_be_fetched() -> None:
    select, read = exchange("00A4000002AAAA", "6102"), exchange("00B0000002", "0102 9000")
    fetch = exchange("00C0000002", "6F00 9000")
    assert card_of(select, read, AGAIN, select, fetch, commands=["00A4000002AAAA", "00B0000002"]) == [
        *("6102", "6F009000", "01029000")
    ]


def test_what_is_new_each_time_is_fetched_with_its_own_command() -> None:
    sign = exchange("0088000002 0102", "6102", "INTERNAL AUTHENTICATE")
    select = exchange("00A4000002AAAA", "9000")
    trace = (sign, exchange("00C0000002", "AAAA 9000"), select, sign, exchange("00C0000002", "BBBB 9000"))
    commands = ["00A4000002AAAA", "00880000020102", "00880000020102"]
    assert card_of(*trace, commands=commands) == ["9000", "6102", "AAAA9000", "6102", "BBBB9000"]


def test_what_is_new_each_time_is_no_difference_when_it_is_fetched() -> None:
    def signed(value: str, meaning: str = "INTERNAL AUTHENTICATE") -> Trace:
        asked = exchange("0088000002 0102", "6102", meaning), exchange("00C0000005", "6C02")
        return Trace("one", (ON, *asked, exchange("00C0000002", f"{value} 9000")))

    assert compare_traces(signed("AAAA"), signed("BBBB")) == ()
    (found,) = compare_traces(signed("AAAA"), signed("BBBBBB"))
    assert found.kind.value == "length of the answer"
    (found,) = compare_traces(signed("AAAA", "SELECT"), signed("BBBB", "SELECT"))
    assert found.kind.value == "data"


def test_what_is_new_each_time_is_no_difference_when_it_is_replayed() -> None:
    def signed(value: str) -> Trace:
        sign = exchange("0088000002 0102", "6102", "INTERNAL AUTHENTICATE")
        return Trace("one", (ON, sign, exchange("00C0000002", f"{value} 9000")))

    readers = ReaderManager()
    CardReplay(signed("BBBB")).attach(readers)

    with readers.context() as context:
        done = ClientReplay(signed("AAAA"), HiddenSecrets({})).run(context, {"R1": "R1"})

    assert (done.differences, done.left_out, done.sent) == ((), (), 2)
