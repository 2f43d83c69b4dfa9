"""The secrets that a trace hides get into its commands again, each piece with what was in it."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cardtwin.events import Event, Exchange, PowerChange, ReaderChanged
from cardtwin.plan import Secret
from cardtwin.recording import HiddenSecrets, ReplayRefusedError
from cardtwin.trace import Masker

VALUE = b"271828182845"
NOT_GIVEN = "it has a hidden secret; --secret PIN:81=... gives it"
RESET = ReaderChanged(reader="R1", change=PowerChange.RESET)
OTHER = Exchange(reader="R1", command=bytes.fromhex("00B0000010"), response=b"\x90\x00")


def piece(
    data: bytes, *, last: bool = False, answer: str = "9000", cla: int = 0, reader: str = "R1"
) -> Event:
    """Return a piece of a VERIFY."""
    header = bytes((cla if last else cla | 0x10, 0x20, 0, 0x81))
    response = bytes.fromhex(answer)
    return Exchange(reader=reader, command=header + bytes((len(data),)) + data, response=response)


def filled(*events: Event, **given: bytes) -> list[bytes | str]:
    """Return the commands of masked events with the PIN in them, or why they aren't there."""
    values = given or {"PIN_81": VALUE}
    masked = [*map(Masker().masked, events)]
    found = HiddenSecrets({name.replace("_", ":"): Secret(v) for name, v in values.items()}).commands(masked)
    return [found[id(each)][0] or found[id(each)][1] for each in masked if id(each) in found]


def sent(*events: Event) -> list[bytes]:
    return [event.command for event in events if isinstance(event, Exchange)]


@pytest.mark.cardtwin_proves("RR-02")
@given(
    st.lists(
        st.tuples(
            st.sampled_from([0x00, 0x01, 0x40]),
            st.sampled_from(["R1", "R2"]),
            st.lists(st.integers(1, len(VALUE) - 1), max_size=4, unique=True).map(sorted),
        ),
        max_size=4,
    ),
    st.randoms(use_true_random=False),
)
def test_each_piece_gets_what_it_had(commands: list[tuple[int, str, list[int]]], turns: object) -> None:
    queues: dict[tuple[int, str], list[Event]] = {}

    for cla, reader, cuts in commands:
        parts = [VALUE[start:end] for start, end in pairwise([0, *cuts, len(VALUE)])]
        queue = queues.setdefault((cla, reader), [])
        queue += [
            piece(part, last=at == len(parts), cla=cla, reader=reader)
            for at, part in enumerate(parts, start=1)
        ]

    events = []

    while queues:  # on channels and readers of their own, they may take turns
        chosen = turns.choice(sorted(queues))  # type: ignore[attr-defined]
        events.append(queues[chosen].pop(0))
        queues = {place: queue for place, queue in queues.items() if queue}

    assert filled(*events) == sent(*events)


def test_a_short_value_is_padded_at_its_end_alone() -> None:
    assert filled(piece(b"    "), piece(b"    ", last=True), PIN_81=b"27182") == [
        bytes.fromhex("10200081 04 32373138"),
        bytes.fromhex("00200081 04 32000000"),
    ]


def test_a_value_longer_than_all_pieces_is_refused() -> None:
    with pytest.raises(ReplayRefusedError, match="PIN:81 is longer than what the trace hides: 8 bytes"):
        filled(piece(b"    "), piece(b"    ", last=True), PIN_81=b"271828182")


def test_no_piece_is_sent_without_the_others() -> None:
    empty = Exchange(reader="R1", command=bytes.fromhex("00200081"), response=b"\x90\x00")
    assert filled(piece(b"1234"), empty, CHANGE_01=VALUE) == [NOT_GIVEN, NOT_GIVEN]


@pytest.mark.parametrize("between", [RESET, OTHER])
def test_a_chain_that_ends_early_has_the_beginning(between: Event) -> None:
    whole = piece(VALUE, last=True)
    begun = piece(VALUE[:4]), piece(VALUE[4:7])
    assert filled(*begun, between, whole) == sent(*begun, between, whole)
    assert filled(*begun, between) == sent(*begun, between)


@pytest.mark.parametrize("answer", ["6884", ""])
def test_behind_a_piece_that_was_refused_comes_the_whole_command_or_nothing(answer: str) -> None:
    refused = piece(VALUE[:4], answer=answer)
    assert filled(refused, piece(VALUE, last=True)) == sent(refused, piece(VALUE, last=True))

    unknown = "how much of its secret it has isn't known: the card has refused the piece before"
    assert filled(refused, piece(VALUE[4:], last=True)) == [*sent(refused), unknown]
    assert filled(refused, piece(VALUE[4:6]), piece(VALUE[6:], last=True))[1:] == [unknown, unknown]


def test_another_readers_reset_ends_no_chain() -> None:
    events = (
        piece(VALUE[:4]),
        ReaderChanged(reader="R2", change=PowerChange.RESET),
        piece(VALUE[4:], last=True),
    )
    assert filled(*events) == sent(*events)


@pytest.mark.parametrize(
    "command",
    [
        "00200081 09 2718",  # no APDU: nobody knows where the PIN is in it
        "10200081 02 2718 00",  # with Le, which is hidden too
        "00DA016E 03 010203",
    ],
)
def test_what_is_hidden_beside_a_secret_is_not_guessed(command: str) -> None:
    event = Exchange(reader="R1", command=bytes.fromhex(command), response=b"\x69\x82")
    assert filled(event) == ["it has hidden bytes"]
