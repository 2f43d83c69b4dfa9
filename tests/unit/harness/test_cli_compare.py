"""``cardtwin compare``: the same scenario on two targets."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner, Result

import cardtwin.targets
from cardtwin.cli import main
from cardtwin.targets.hardware import HardwareTarget
from support.fake_target import FakeTarget

if TYPE_CHECKING:
    from pathlib import Path

STEPS = "- {apdu: 00 20 00 01 04 31 32 33 34, expect: 63C2}"


@pytest.fixture(autouse=True)
def cards(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, answer in (("emulated", "63C2"), ("module", "63C1")):
        target = FakeTarget({"002000010431323334": answer})
        monkeypatch.setitem(cardtwin.targets._TARGETS, name, partial(_given, target))


def _given(target: FakeTarget) -> FakeTarget:
    return target


def compare(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, ["compare", *map(str, arguments)], env={"COLUMNS": "200"})


@pytest.mark.cardtwin_proves("RR-06")
def test_what_differs_is_told_step_by_step(scenario: Any) -> None:
    result = compare(scenario(STEPS), "--target", "emulated", "--target", "module")
    assert result.exit_code == 1, result.output
    assert "tries left: 63C2 (counter 2) against 63C1 (counter 1)" in result.output
    assert "verdict: passed against failed" in result.output
    assert "step 1 (apdu): apdu" in result.output
    assert "demo.scenario.yaml:5:5" in result.output
    assert "docs/deviations.md" in result.output
    assert "31 32 33 34" not in result.output
    assert "1 different" in result.output


@pytest.mark.cardtwin_proves("RR-06")
def test_a_target_is_like_itself(scenario: Any) -> None:
    result = compare(scenario(STEPS), "--target", "emulated", "--target", "emulated")
    assert result.exit_code == 0, result.output
    assert "1 the same" in result.output


@pytest.mark.parametrize("targets", [(), ("emulated",), ("emulated", "module", "emulated")])
def test_two_targets_are_needed(scenario: Any, targets: tuple[str, ...]) -> None:
    result = compare(scenario(STEPS), *(word for name in targets for word in ("--target", name)))
    assert result.exit_code == 2
    assert "two targets are compared" in result.output


def test_an_unknown_target_is_refused_before_anything_runs(scenario: Any) -> None:
    result = compare(scenario(STEPS), "--target", "emulated", "--target", "hardware")
    assert result.exit_code == 2
    assert "there is no target 'hardware'" in result.output


def test_the_plan_for_a_physical_card_is_told_and_what_is_refused_is_no_difference(
    scenario: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()  # the plan is rehearsed on an emulated card
    opened: list[str] = []
    monkeypatch.setattr(HardwareTarget, "open", lambda *_: opened.append("a reader"))
    path = scenario("- {apdu: 00 E4 00 00 02 50 15, expect: 6A82}")
    result = compare(path, "--target", "emulated", "--target", "pcsc:a reader")
    assert result.exit_code == 1, result.output
    assert "plan of demo on pcsc:a reader: cardos-4.4 in R1" in result.output
    assert "Nothing was sent to the card" in result.output
    assert "1 refused" in result.output
    assert opened == []
