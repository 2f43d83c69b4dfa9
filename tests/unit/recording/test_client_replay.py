"""Traces replayed against cards: the same card answers the same, another one's differences are named."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cardtwin.card import EmulatedCard, models
from cardtwin.comparing import Kind
from cardtwin.entropy import SeededEntropy
from cardtwin.events import Hub, PowerChange, ReaderChanged
from cardtwin.pcsc import Disposition
from cardtwin.plan import Secret
from cardtwin.readers import ReaderManager
from cardtwin.recording import (
    READING,
    ClientReplay,
    HiddenSecrets,
    ReplayRefusedError,
    is_secret_name,
    matched_readers,
)
from cardtwin.trace import MaskedExchange, Recorder, Trace
from support.programs import PIN, encoded

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cardtwin.card import CardImage
    from cardtwin.recording import Replayed

MODEL = "cardos-5.3"
RESET, POWER_OFF = "reset", "power off"
SELECT, READ, CHALLENGE = "00A4080C025015", "00B0000010", "0084000008"
RIGHT = f"0020008108{PIN.reveal().hex()}{'00' * (8 - len(PIN.reveal()))}"
WRONG = "00200081083939393939390000"
UPDATE = "00D60000010A"
COMMANDS = (
    SELECT,
    READ,
    CHALLENGE,
    RIGHT,
    UPDATE,
    "00A40800045015503100",
    "00A4000C023F00",
    "00200081",
    "00A4080002AAAA00",
    "80FF000000",
    "",
    RESET,
    POWER_OFF,
)


@cache
def image() -> CardImage:
    return encoded(MODEL)


def manager(image: CardImage, reader: str = "R1", hub: Hub | None = None) -> ReaderManager:
    made = ReaderManager(hub)
    made.add_reader(reader)
    card = EmulatedCard(
        models.get(MODEL), image=image, entropy=SeededEntropy("replay"), reader=reader, hub=hub
    )
    made.insert(reader, card)
    return made


def recorded(commands: Sequence[str]) -> Trace:
    """Record what a program does with a card."""
    hub, recorder = Hub(), Recorder()
    readers = manager(image(), hub=hub)
    hub.subscribe(recorder)

    with readers.context() as context, context.connect("R1") as connection:
        for command in commands:
            if command == RESET:
                connection.reconnect(Disposition.RESET)
            elif command == POWER_OFF:
                connection.reconnect(Disposition.UNPOWER)
            else:
                connection.transmit(bytes.fromhex(command))

    return recorder.trace("one")


def replayed(trace: Trace, card: CardImage, *, reader: str = "R1", **given: Secret) -> Replayed:
    secrets = HiddenSecrets({name.replace("_", ":"): value for name, value in given.items()})

    with manager(card, reader).context() as context:
        return ClientReplay(trace, secrets).run(context, matched_readers(trace, context.readers()))


@pytest.mark.cardtwin_proves("RR-02")
@given(st.lists(st.sampled_from(COMMANDS), max_size=12))
@settings(max_examples=60, deadline=None)
def test_the_same_card_answers_the_same(commands: list[str]) -> None:
    done = replayed(recorded(commands), image(), PIN_81=PIN)
    assert (done.differences, done.left_out) == ((), ())
    assert done.sent == len([each for each in commands if each not in {RESET, POWER_OFF}])


@pytest.mark.cardtwin_proves("RR-02")
def test_what_another_card_answers_is_named() -> None:
    trace = recorded([SELECT, "00A4080C045015 5031", READ])
    blank = models.get(MODEL).blank()
    found = replayed(trace, blank).differences
    assert [(each.kind, each.place) for each in found] == [
        (Kind.STATUS, "APDU 1"),
        (Kind.STATUS, "APDU 2"),
        (Kind.STATUS, "APDU 3"),
    ]
    assert str(found[0]).startswith(
        "APDU 1: 00 A4 08 0C SELECT path from the MF 5015, no data: status word: 9000"
    )


@pytest.mark.cardtwin_proves("RR-02")
def test_another_counter_is_named_as_one() -> None:
    trace = recorded([WRONG])
    (found,) = replayed(trace, used(), PIN_81=Secret(b"999999")).differences
    assert (found.kind, found.left, found.right) == (Kind.COUNTER, "63C2 (counter 2)", "63C1 (counter 1)")


def used() -> CardImage:
    """Return the card after one wrong PIN."""
    card = EmulatedCard(models.get(MODEL), image=image(), entropy=SeededEntropy("used"))
    readers = ReaderManager()
    readers.add_reader("R1")
    readers.insert("R1", card)

    with readers.context() as context, context.connect("R1") as connection:
        connection.transmit(bytes.fromhex(WRONG))

    return card.image


def test_a_reset_is_replayed() -> None:
    trace = recorded(["00A4080C0450155031", RIGHT, RESET, "00200081"])
    assert replayed(trace, image(), PIN_81=PIN).differences == ()
    without = Trace("", tuple(each for each in trace.events if not isinstance(each, ReaderChanged)))
    (found,) = replayed(without, image(), PIN_81=PIN).differences
    assert found.place == "APDU 3"


def test_power_that_was_off_is_off_again() -> None:
    trace = recorded([RIGHT, POWER_OFF, "00200081"])
    assert PowerChange.POWERED_OFF in {e.change for e in trace.events if isinstance(e, ReaderChanged)}
    assert replayed(trace, image(), PIN_81=PIN).differences == ()


@pytest.mark.cardtwin_proves("RR-02")
def test_another_atr_is_named() -> None:
    trace = recorded([SELECT])
    told = ReaderChanged(reader="R1", change=PowerChange.POWERED_ON, atr=b"\x3b\x00")
    (found,) = replayed(replace(trace, events=(told, *trace.events)), image()).differences
    assert (found.what, found.left) == ("ATR", "3B 00")


def test_a_secret_that_is_not_given_is_not_guessed() -> None:
    (left,) = replayed(recorded([SELECT, RIGHT]), image()).left_out
    assert (left.place, left.why) == ("APDU 2", "it has a hidden secret; --secret PIN:81=... gives it")


def test_a_secret_that_does_not_fit_is_refused_before_anything_is_sent() -> None:
    with pytest.raises(ReplayRefusedError, match="PIN:81 is longer than what the trace hides: 8 bytes"):
        ClientReplay(recorded([SELECT, RIGHT]), HiddenSecrets({"PIN:81": Secret(b"123456789")}))


def test_no_secret_is_in_what_is_told() -> None:
    done = replayed(recorded([RIGHT]), models.get(MODEL).blank(), PIN_81=Secret(b"271828"))
    text = " ".join(map(str, done.differences))
    assert done.differences
    assert "32 37 31 38" not in text
    assert "271828" not in text


def test_only_what_reads_is_sent_where_nothing_else_is_allowed() -> None:
    trace = recorded([SELECT, READ, CHALLENGE, RIGHT, UPDATE])
    readers = manager(image())

    with readers.context() as context:
        done = ClientReplay(trace, HiddenSecrets({"PIN:81": PIN}), READING).run(context, {"R1": "R1"})

    assert [each.place for each in done.left_out] == ["APDU 4", "APDU 5"]
    assert "spends_tries" in done.left_out[0].why
    assert "writes" in done.left_out[1].why
    assert done.sent == 3


def test_a_command_without_an_answer_is_left_out() -> None:
    mute = MaskedExchange(
        reader="R1", meaning="", command="00 84 00 00 08", response="", status="", unanswered="mute"
    )
    (left,) = replayed(Trace("", (mute,)), image()).left_out
    assert left.why == "it got no answer: mute"


def test_a_reader_of_another_name_does() -> None:
    assert replayed(recorded([SELECT]), image(), reader="Other").differences == ()


def test_too_few_readers_are_refused() -> None:
    def at(reader: str) -> MaskedExchange:
        return MaskedExchange(reader=reader, meaning="", command="", response="9000", status="")

    trace = Trace("", (at("A"), at("B"), at("A")))
    assert matched_readers(trace, ("X", "B", "Y")) == {"B": "B", "A": "X"}

    with pytest.raises(ReplayRefusedError, match="the trace uses 'A', 'B', and there is only 'B'"):
        matched_readers(trace, ("B",))


@pytest.mark.parametrize(
    ("name", "expected"),
    [("PIN:81", True), ("UNBLOCK:01", True), ("PIN1", False), ("PIN:G1", False), ("PIN:1", False)],
)
def test_names_of_secrets_are_told_from_those_of_a_profile(name: str, expected: bool) -> None:
    assert is_secret_name(name) is expected
