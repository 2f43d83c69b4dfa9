"""pyscard, and so libpcsclite as it is installed, over the socket."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from support.cards import ATR, LOGIN, WHO_AM_I, ScriptedCard
from support.interop import READER, TIMEOUT, Desk

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Start = Callable[..., subprocess.Popen[str]]

PROGRAMS = Path(__file__).parent.parent / "support" / "pyscard_programs.py"


@pytest.fixture
def card(desk: Desk) -> ScriptedCard:
    card = ScriptedCard()
    desk.manager.insert(READER, card)
    return card


@pytest.fixture
def start(desk: Desk) -> Iterator[Start]:
    """Starts one of the programs; what still runs in the end is killed."""
    running: list[subprocess.Popen[str]] = []

    def start(*arguments: str, **environment: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, str(PROGRAMS), *arguments],
            env={**desk.environment, **environment},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        running.append(process)
        return process

    yield start

    for process in running:
        process.kill()
        process.communicate(timeout=TIMEOUT)


def output(process: subprocess.Popen[str], told: str | None = None) -> list[str]:
    """Tell a program to go on, and return the rest of its lines."""
    text, _ = process.communicate(told, timeout=TIMEOUT)
    assert process.returncode == 0, text
    return text.splitlines()


def line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def test_readers_are_listed(desk: Desk, start: Start) -> None:
    desk.manager.add_reader("Zweiter Leser")
    assert output(start("readers")) == [f"{READER}|Zweiter Leser"]


def test_a_card_is_used(card: ScriptedCard, start: Start) -> None:
    extended = "00D60000008000" + "5A" * 0x8000
    lines = output(start("card", LOGIN.hex(), WHO_AM_I.hex(), extended))
    assert lines == ["9000", "019000", "9000", f"{READER} 1 {ATR.hex()}", ATR.hex()]
    assert [command.hex().upper() for command in card.log[2:]] == [extended]


def test_a_reset_by_others_is_told_and_reconnecting_goes_on(
    desk: Desk, card: ScriptedCard, start: Start
) -> None:
    process = start("after_a_reset", WHO_AM_I.hex())
    assert line(process) == "009000"
    desk.manager.reset(READER)
    assert output(process, "go on\n") == ["0x80100068", "009000"]
    assert len(card.log) == 2


def test_an_insertion_ends_a_wait(desk: Desk, start: Start) -> None:
    process = start("await_insertion")
    assert line(process) == "empty"
    desk.manager.insert(READER, ScriptedCard())
    assert output(process) == [f"full {ATR.hex()}"]


def test_a_wait_is_cancelled(desk: Desk, start: Start) -> None:
    assert desk.manager.readers() == (READER,)
    assert output(start("cancel_a_wait")) == ["0x80100002"]


def test_a_program_that_is_killed_in_a_transaction_leaves_the_card_reset_and_free(
    card: ScriptedCard, start: Start
) -> None:
    holding = start("hold", LOGIN.hex())
    assert line(holding) == "9000"
    assert card.logged_in
    other = start("card", WHO_AM_I.hex())
    holding.kill()
    assert output(other)[0] == "009000"


@pytest.mark.parametrize("blocking", [True, False], ids=["blocking", "not-blocking"])
def test_a_card_in_the_transaction_of_another_is_waited_for_or_refused(
    card: ScriptedCard, start: Start, *, blocking: bool
) -> None:
    other = start("after_a_reset", WHO_AM_I.hex(), **({} if blocking else {"PCSCLITE_NO_BLOCKING": "1"}))
    assert line(other) == "009000"
    holding = start("hold", LOGIN.hex())
    assert line(holding) == "9000"
    assert other.stdin is not None
    other.stdin.write("go on\n")
    other.stdin.flush()

    if blocking:
        holding.communicate("end\n", timeout=TIMEOUT)
        assert output(other)[0] == "0x80100068"
    else:
        assert line(other) == "0x8010000B"

    assert card.log[0] == WHO_AM_I


def test_programs_at_the_same_time_keep_their_transactions_apart(card: ScriptedCard, start: Start) -> None:
    running = [start("transactions", str(who), "25") for who in range(4)]

    for process in running:
        output(process)

    groups = [card.log[at : at + 3] for at in range(0, len(card.log), 3)]
    assert len(groups) == 4 * 25
    assert all(len({command[:3] for command in group}) == 1 for group in groups)
