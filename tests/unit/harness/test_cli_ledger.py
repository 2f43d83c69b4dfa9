"""``cardtwin ledger``: what is kept of tries is seen, and corrected by who knows better."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner, Result

from cardtwin.cli import main
from cardtwin.targets.hardware import Ledger

if TYPE_CHECKING:
    from pathlib import Path

SERIAL = bytes.fromhex("0102030405060708")
OTHER = bytes.fromhex("1112131415161718")


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    """One with two cards."""
    ledger = Ledger(tmp_path / "ledger")

    for serial, credential in ((SERIAL, "PIN 1"), (SERIAL, "PIN 1"), (SERIAL, "key 14"), (OTHER, "PIN 2")):
        ledger.spend(serial, credential)

    return ledger


def call(tmp_path: Path, *arguments: str) -> Result:
    return CliRunner().invoke(main, ["ledger", *arguments, "--ledger", str(tmp_path / "ledger")])


def test_all_cards_are_shown_with_what_was_spent(tmp_path: Path, ledger: Ledger) -> None:
    lines = call(tmp_path, "show").output.splitlines()
    assert lines[0].startswith(f"card {SERIAL.hex()}  {ledger.path(SERIAL)}, changed 20")
    assert lines[1:3] == ["  PIN 1: 2 tries spent", "  key 14: 1 try spent"]
    assert lines[3].startswith(f"card {OTHER.hex()}")
    assert lines[4:] == ["  PIN 2: 1 try spent"]


def test_one_card_is_shown_also_where_nothing_is_kept_of_it(tmp_path: Path, ledger: Ledger) -> None:
    assert call(tmp_path, "show", "11 12 13 14 15 16 17 18").output.splitlines()[1:] == [
        "  PIN 2: 1 try spent"
    ]
    assert call(tmp_path, "show", "AABB").output.splitlines()[1:] == ["  nothing spent"]
    assert ledger.serials() == (SERIAL, OTHER)


def test_an_empty_ledger_says_so(tmp_path: Path) -> None:
    assert call(tmp_path, "show").output == "no card is in the ledger\n"


@pytest.mark.usefixtures("ledger")
def test_a_ledger_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    (tmp_path / "ledger" / f"{OTHER.hex()}.json").write_text("[]")
    result = call(tmp_path, "show")
    assert result.exit_code == 2
    assert "is no ledger of tries" in result.output


def test_one_credential_is_forgotten_and_the_others_stay(tmp_path: Path, ledger: Ledger) -> None:
    assert call(tmp_path, "forget", SERIAL.hex(), "PIN 1").exit_code == 0
    assert ledger.spent(SERIAL) == {"key 14": 1}
    assert ledger.spent(OTHER) == {"PIN 2": 1}


def test_a_whole_card_is_forgotten_even_where_its_file_is_broken(tmp_path: Path, ledger: Ledger) -> None:
    ledger.path(SERIAL).write_text("{")
    assert call(tmp_path, "forget", SERIAL.hex(), "--all").exit_code == 0
    assert ledger.serials() == (OTHER,)
    assert ledger.spent(SERIAL) == {}


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ((SERIAL.hex(),), "--all"),
        ((SERIAL.hex(), "PIN 1", "--all"), "--all"),
        ((SERIAL.hex(), "PIN 7"), "there are: PIN 1, key 14"),
        ((SERIAL.hex(), "PIN 1", "PIN 7"), "nothing is kept of 'PIN 7'"),
        (("AABB", "--all"), "nothing is kept of the card AABB"),
        (("card", "--all"), "no serial number in hex"),
    ],
)
def test_what_is_not_clear_or_not_there_changes_nothing(
    tmp_path: Path, ledger: Ledger, arguments: tuple[str, ...], told: str
) -> None:
    before = json.loads(ledger.path(SERIAL).read_text())
    result = call(tmp_path, "forget", *arguments)
    assert result.exit_code == 2
    assert told in result.output
    assert json.loads(ledger.path(SERIAL).read_text()) == before
