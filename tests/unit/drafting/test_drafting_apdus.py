"""Drafts of APDUs: the secrets that fit their answers, and matchers for what a card has of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cardtwin.drafting import Circumstances, draft
from cardtwin.events import PowerChange, ReaderChanged
from cardtwin.scenario import Verdict
from cardtwin.trace import MaskedExchange, Trace
from support.drafts import drafted, ran, steps

if TYPE_CHECKING:
    from pathlib import Path

THERE = ReaderChanged(reader="R1", change=PowerChange.INSERTED, atr=bytes.fromhex("3BD2180081 31FE58C90316"))
LOOK = "# LOOK: the trace has no secrets: filled in is "


def hidden(header: str, size: int) -> str:
    return f"{header} {size:02X}{' **' * size}"


VERIFY, SIGNATURE = hidden("00 20 00 81", 8), hidden("00 20 00 83", 8)
CHANGE, UNBLOCK = hidden("00 24 00 81", 16), hidden("00 2C 00 81", 16)


def apdus(*pairs: tuple[str, str, str]) -> Trace:
    found = (
        MaskedExchange(reader="R1", command=command, response=response, meaning=meaning, status="")
        for command, response, meaning in pairs
    )
    return Trace("apdus", (THERE, *found))


def sent(*pairs: tuple[str, str]) -> Trace:
    return apdus(*((command, response, "VERIFY or the like") for command, response in pairs))


def test_secrets_are_those_by_which_the_card_answers_so(tmp_path: Path) -> None:
    again = ran(
        drafted(
            sent(
                (VERIFY, "63 C2"),
                (VERIFY, "90 00"),
                (SIGNATURE, "90 00"),
                (CHANGE, "63 C2"),
                (CHANGE, "90 00"),
                (VERIFY, "90 00"),
                *((VERIFY, f"63 C{left}") for left in (2, 1, 0)),
                (VERIFY, "69 83"),
                (UNBLOCK, "90 00"),
                (VERIFY, "90 00"),
            ),
            tmp_path,
        )
    )
    assert again.result.verdict is Verdict.PASSED, again.failure


@pytest.mark.parametrize(
    ("command", "response", "told"),
    [
        (VERIFY, "63 C2", "wrong_pin, padded with 00"),
        (CHANGE, "90 00", "pin and new_pin, padded with 00"),
        (UNBLOCK, "63 C8", "wrong_pin and new_pin, padded with 00"),
        (hidden("00 2C 00 83", 16), "90 00", "00, in the place of secrets"),
        (hidden("00 20 00 85", 8), "90 00", "00, in the place of secrets"),
        (hidden("80 DA 01 6E", 16), "90 00", "00, in the place of secrets"),
    ],
)
def test_what_is_filled_in_is_told(command: str, response: str, told: str, tmp_path: Path) -> None:
    assert f"{LOOK}{told}\n" in draft(sent((command, response)), tmp_path)


def test_a_secret_that_is_given_is_filled_in(tmp_path: Path) -> None:
    given = Circumstances(secrets={"wrong_pin": "22"})
    assert "apdu: 00 20 00 81 08 32 32 00 00 00 00 00 00" in draft(sent((VERIFY, "63 C2")), tmp_path, given)


def test_what_is_read_counts_by_its_length_on_a_card_that_has_keys_of_its_own(tmp_path: Path) -> None:
    read = ("00 B0 00 00 02", "01 02 90 00", "READ BINARY offset 0, up to 2 bytes")
    select = ("00 A4 00 00 02 3F 00 00", "6F 00 90 00", "SELECT file 3F00, FCI")
    made = steps(draft(apdus(select, read, read), tmp_path))
    blank = draft(apdus(read), tmp_path, Circumstances(profile=None))

    assert made.count("expect: {sw: 90 00, data: {any: 2}}") == 2
    assert made.count("LOOK: the card has keys of its own here") == 1
    assert "expect: {sw: 90 00, data: 6F 00}" in made
    assert "expect: {sw: 90 00, data: 01 02}" in blank
