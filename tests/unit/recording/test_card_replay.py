"""Traces replayed as cards: what clients get that do the same, and those that do something else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cardtwin.card import EmulatedCard, models
from cardtwin.decode import decode
from cardtwin.entropy import SeededEntropy
from cardtwin.events import Hub, PowerChange, ReaderChanged
from cardtwin.pcsc import CardMuteError, Disposition
from cardtwin.readers import ReaderManager
from cardtwin.recording import CardReplay, ReplayRefusedError
from cardtwin.recording.states import CardState, TracedCommand
from cardtwin.trace import MaskedExchange, Recorder, Trace
from support.programs import PIN, encoded

if TYPE_CHECKING:
    from collections.abc import Sequence

MODEL = models.get("cardos-5.3")
IMAGE = encoded(MODEL.name)
RESET = "reset"
MF, DF, EF, OTHER_EF = "00A4000C023F00", "00A4080C025015", "00A4080C0450155031", "00A4080C0450155032"
DIRECTORY = "00A4080C0450154401"
RELATIVE, MISSING, READ, CHALLENGE = "00A4000C025032", "00A4080002AAAA00", "00B0000010", "0084000008"
RIGHT = f"0020008108{PIN.reveal().hex()}{'00' * (8 - len(PIN.reveal()))}"
WRONG, TRIES, UPDATE = "00200081083939393939390000", "00200081", "00D60000010A"
COMMANDS = (
    MF,
    DF,
    EF,
    OTHER_EF,
    DIRECTORY,
    RELATIVE,
    MISSING,
    READ,
    TRIES,
    RIGHT,
    UPDATE,
    "80FF000000",
    RESET,
)
NO_ANSWER = bytes.fromhex("6F00")


def talk(readers: ReaderManager, commands: Sequence[str]) -> list[bytes]:
    """Send commands, and return the answers; a reset has an empty one."""
    answers = []

    with readers.context() as context, context.connect("R1") as connection:
        for command in commands:
            if command == RESET:
                connection.reconnect(Disposition.RESET)
                answers.append(b"")
            else:
                answers.append(connection.transmit(bytes.fromhex(command)))

    return answers


def on_card(commands: Sequence[str]) -> tuple[list[bytes], Trace]:
    """Send commands to a card; return its answers, and the trace."""
    hub, recorder = Hub(), Recorder()
    hub.subscribe(recorder)
    readers = ReaderManager(hub)
    readers.add_reader("R1")
    readers.insert(
        "R1", EmulatedCard(MODEL, image=IMAGE, entropy=SeededEntropy("card"), reader="R1", hub=hub)
    )
    return talk(readers, commands), recorder.trace("one")


def on_trace(
    trace: Trace, commands: Sequence[str], *, strict: bool = False
) -> tuple[list[bytes], CardReplay]:
    readers = ReaderManager()
    replay = CardReplay(trace, strict=strict).attach(readers)
    return talk(readers, commands), replay


some = st.lists(st.sampled_from(COMMANDS), min_size=1, max_size=12).filter(
    lambda found: set(found) != {RESET}
)


@pytest.mark.cardtwin_proves("RR-03")
@given(some.map(lambda found: [*found, CHALLENGE, WRONG, CHALLENGE]), st.booleans())
@settings(max_examples=60, deadline=None)
def test_a_client_that_does_the_same_gets_the_same(commands: list[str], strict: bool) -> None:
    answers, trace = on_card(commands)
    again, replay = on_trace(trace, commands, strict=strict)
    assert (again, replay.told()) == (answers, ())


@pytest.mark.cardtwin_proves("RR-03")
@given(some, some)
@settings(max_examples=150, deadline=None)
def test_a_client_that_does_something_else_gets_what_the_card_would_say_or_6f00(
    recorded: list[str], sent: list[str]
) -> None:
    _, trace = on_card(recorded)
    answers, _ = on_card(sent)
    again, replay = on_trace(trace, sent)
    first = again.index(NO_ANSWER) if NO_ANSWER in again else len(again)
    assert again[:first] == answers[:first]
    assert bool(replay.told()) == (NO_ANSWER in again)


def test_files_are_read_in_any_order() -> None:
    answers, trace = on_card([EF, READ, OTHER_EF, READ])
    again, replay = on_trace(trace, [OTHER_EF, READ, READ, EF, READ])
    assert again == [answers[2], answers[3], answers[3], answers[0], answers[1]]
    assert replay.told() == ()


def test_a_command_in_another_state_is_not_answered_and_named() -> None:
    _, trace = on_card([EF, RIGHT, UPDATE, READ])
    again, replay = on_trace(trace, [EF, UPDATE])
    assert again[-1] == NO_ANSWER
    (told,) = replay.told()
    assert told.startswith("R1: answered 6F00: 00 D6 00 00 01 0A  UPDATE BINARY")
    assert told.endswith("the trace has it, but in other states")


def test_an_unknown_command_is_named_once_without_its_secrets() -> None:
    _, trace = on_card([EF])
    _, replay = on_trace(trace, [EF, WRONG, WRONG])
    (told,) = replay.told()
    assert "00 20 00 81 08 ** ** ** ** ** ** ** **" in told
    assert "39 39" not in told
    assert told.endswith("the trace doesn't have it (2 times)")


def test_what_an_update_changed_is_changed_after_a_reset() -> None:
    commands = [DIRECTORY, READ, RIGHT, UPDATE, RESET, DIRECTORY, READ]
    answers, trace = on_card(commands)
    assert answers[1] != answers[-1]
    assert on_trace(trace, commands)[0] == answers
    assert on_trace(trace, [DIRECTORY, READ, RESET, DIRECTORY, READ])[0][-1] == answers[1]


def test_a_state_does_not_grow_with_the_changes_before_it() -> None:
    update = TracedCommand(exchange("00 D6 00 00 01 0A", "90 00"), decode(bytes.fromhex(UPDATE)))
    states = [CardState()]

    for _ in range(1000):
        states.append(states[-1].after(update))

    assert len(set(states)) == len(states)
    assert len(repr(states[-1])) < 2 * len(repr(states[1]))


def test_a_try_that_was_lost_is_lost_after_a_reset() -> None:
    answers, trace = on_card([TRIES, WRONG, RESET, TRIES])
    assert answers[0] != answers[-1]
    assert on_trace(trace, [TRIES, RESET, TRIES, WRONG, RESET, TRIES])[0][-4::3] == [answers[0], answers[-1]]


def test_strict_is_told_what_came_instead_and_what_did_not_come() -> None:
    answers, trace = on_card([EF, READ, RESET, OTHER_EF, READ])
    again, replay = on_trace(trace, [EF, OTHER_EF, READ, RESET, RESET], strict=True)
    assert again[:3] == [answers[0], NO_ANSWER, answers[1]]
    unknown, twice, missing = replay.told()
    assert unknown.endswith("the trace goes on with APDU 2: 00 B0 00 00 READ BINARY offset 0, up to 16 bytes")
    assert twice.startswith("R1: before APDU 3: 00 A4 08 0C SELECT path from the MF 50155032")
    assert twice.endswith("a reset, where the trace has none")
    assert missing.startswith(
        "R1: the trace has 2 more APDUs that did not come, the first one is APDU 3: 00 A4"
    )


def test_strict_counts_commands_that_come_again() -> None:
    _, trace = on_card([MF, MF, MF, MF])
    _, replay = on_trace(trace, [MF, MF, READ], strict=True)
    unknown, missing = replay.told()

    assert "goes on with APDU 3: " in unknown
    assert "the trace has 2 more APDUs that did not come, the first one is APDU 3: " in missing


def test_strict_is_told_of_a_reset_that_did_not_come() -> None:
    _, trace = on_card([EF, RESET, EF])
    again, replay = on_trace(trace, [EF, EF, EF], strict=True)
    assert again[-1] == NO_ANSWER
    assert replay.told()[0].endswith("the trace is at its end")
    assert replay.told()[1].endswith("no reset, where the trace has one")


ON = ReaderChanged(reader="R1", change=PowerChange.POWERED_ON, atr=MODEL.atr)


def exchange(command: str, response: str, unanswered: str = "") -> MaskedExchange:
    return MaskedExchange(
        reader="R1", meaning="", command=command, response=response, status="", unanswered=unanswered
    )


def test_a_hidden_answer_is_not_made_up() -> None:
    trace = Trace("", (ON, exchange("00 CA 01 00 02", "** ** 90 00")))
    again, replay = on_trace(trace, ["00CA010002"])
    assert again == [NO_ANSWER]
    assert replay.told()[0].endswith("the trace hides the answer")


def test_no_answer_is_none_again() -> None:
    with pytest.raises(CardMuteError, match="so says the trace: mute"):
        on_trace(Trace("", (ON, exchange("00 CA 01 00 02", "", "mute"))), ["00CA010002"])


def test_chains_and_get_response_belong_to_what_came_before() -> None:
    trace = Trace(
        "",
        (
            ON,
            exchange("00 A4 08 00 02 50 15", "61 02"),
            exchange("00 C0 00 00 02", "6F 00 90 00"),
            exchange("00 A4 08 00 02 50 16", "61 02"),
            exchange("00 C0 00 00 02", "6F 01 90 00"),
        ),
    )
    second, fetch = "00A40800025016", "00C0000002"
    again, _ = on_trace(trace, [second, fetch, fetch])
    assert again == [b"\x61\x02", bytes.fromhex("6F019000"), NO_ANSWER]


@pytest.mark.parametrize(("command", "longest"), [("00 B0 00 00 10", 255), ("00 B0 00 00 00 02 7E", 65535)])
def test_the_reader_carries_what_it_carried(command: str, longest: int) -> None:
    readers = ReaderManager()
    CardReplay(Trace("", (ON, exchange(command, "90 00")))).attach(readers)

    with readers.context() as context, context.connect("R1") as connection:
        assert connection.max_command_data == longest
        assert connection.atr == MODEL.atr


def test_a_trace_without_an_atr_needs_one() -> None:
    trace = Trace("", (exchange("00 B0 00 00 10", "90 00"),))

    with pytest.raises(ReplayRefusedError, match="the trace has no ATR of the card in 'R1'; --atr gives it"):
        CardReplay(trace)

    with pytest.raises(ReplayRefusedError, match="an ATR begins with 3B or 3F"):
        CardReplay(trace, atr=b"\0")

    CardReplay(trace, atr=MODEL.atr)


def test_a_trace_without_commands_is_refused() -> None:
    with pytest.raises(ReplayRefusedError, match="no commands of a card"):
        CardReplay(Trace("", (ON,)))
