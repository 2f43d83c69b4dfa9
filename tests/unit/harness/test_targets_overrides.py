"""A run puts another target, other cards and quirks in the place of what the files say."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner, Result

from cardtwin.cli import main
from cardtwin.scenario import load
from cardtwin.scenario.overrides import Overrides, OverridesError

if TYPE_CHECKING:
    from pathlib import Path

SCENARIO = """\
format: 1
title: Two cards
readers: {R1: cardos-4.4, R2: B, R3: empty}
cards: {B: {model: cardos-5.3, quirks: [short_le_only]}, C: {model: cardos-4.4}}
steps:
  - {apdu: 00 CA 01 81 00, on: R1, id: serial}
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    from cardtwin.card.chip.quirks import quirks  # noqa: PLC0415  # the table tells which there are

    path = tmp_path / "two.scenario.yaml"
    path.write_text(SCENARIO.replace("short_le_only", min(set(quirks()) - {"drop_pin_on_select"})))
    return path


def cardtwin(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["run", *map(str, arguments)], env={"COLUMNS": "200"})


def test_the_model_is_that_of_every_card_in_a_reader_and_of_no_other(path: Path) -> None:
    (instance,) = load(path)
    cards = Overrides(card="cardos-5.3").apply(instance).setup.cards
    assert {name: card.model for name, card in cards.items()} == {
        "R1": "cardos-5.3",
        "B": "cardos-5.3",
        "C": "cardos-4.4",
    }


def test_quirks_come_to_those_that_a_card_has(path: Path) -> None:
    (instance,) = load(path)
    (own,) = instance.setup.cards["B"].quirks
    cards = Overrides(quirks=("drop_pin_on_select", own)).apply(instance).setup.cards
    assert cards["R1"].quirks == ("drop_pin_on_select", own)
    assert cards["B"].quirks == (own, "drop_pin_on_select")


def test_without_overrides_an_instance_is_as_its_file_says(path: Path) -> None:
    (instance,) = load(path)
    assert Overrides().apply(instance) == instance


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (Overrides(target="emulatd"), "did you mean 'emulated'"),
        (Overrides(card="cardos-5.33"), "cardos-5.3"),
        (Overrides(quirks=("drop_pin_on_selct",)), "drop_pin_on_select"),
    ],
)
def test_unknown_names_are_refused_with_a_hint(overrides: Overrides, message: str) -> None:
    with pytest.raises(OverridesError, match=message):
        overrides.check()


@pytest.mark.parametrize(
    "options", [("--target", "emulatd"), ("--card", "cardos-5.33"), ("--quirk", "drop_pin_on_selct")]
)
def test_the_command_refuses_them_as_wrong_usage(path: Path, options: tuple[str, ...]) -> None:
    result = cardtwin(path, *options)
    assert result.exit_code == 2
    assert "drop_pin_on_select" in result.output or "emulated" in result.output or "5.3" in result.output


@pytest.mark.parametrize("processes", ["1", "2"])
def test_reports_name_the_target(path: Path, tmp_path: Path, processes: str) -> None:
    (tmp_path / "more.scenario.yaml").write_text(path.read_text())
    report = tmp_path / "report.json"
    options = ("--target", "module", "--card", "cardos-5.3", "--json", report, "-n", processes)
    result = cardtwin(tmp_path, *options)
    assert result.exit_code == 0, result.output
    assert "2 unsupported on module" in result.output
    assert {each["target"] for each in json.loads(report.read_text())["scenarios"]} == {"module"}


def test_a_failure_names_its_target(path: Path) -> None:
    path.write_text(path.read_text().replace("id: serial", "expect: 6F00"))
    result = cardtwin(path)
    assert result.exit_code == 1
    assert "target: emulated" in result.output
