"""Faults and speed in scenario files."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cardtwin import targets
from cardtwin.card import image as images
from cardtwin.scenario import load, run
from cardtwin.scenario.result import Verdict
from cardtwin.source import SourceError

if TYPE_CHECKING:
    from pathlib import Path

SCENARIO = """\
format: 1
title: Faults
matrix:
  sw: [6F00, 6985]
cards:
  A:
    model: cardos-5.3
{card}
readers: {{R1: A}}
steps:
  - {{apdu: 00A4000C023F00}}
  - {{apdu: 00A4000C023F00, expect: $(sw)}}
  - {{apdu: 00A4000C023F00}}
"""


def scenario(folder: Path, card: str) -> Path:
    path = folder / "faults.scenario.yaml"
    path.write_text(SCENARIO.format(card=card))
    return path


def test_a_scenarios_card_has_its_faults_and_its_speed(tmp_path: Path) -> None:
    card = "    speed: real\n    faults:\n      - {at: 00 A4, after: 1, do: answer, sw: $(sw)}"

    for instance in load(scenario(tmp_path, card)):
        result = run(instance, targets.get("emulated"))
        assert result.verdict is Verdict.PASSED, result


@pytest.mark.parametrize(
    ("card", "line", "column", "message"),
    [
        ("    speed: fast", 8, 12, "'fast' is not possible here"),
        ("    faults: [{do: mute, sw: 9000}]", 8, 14, "'sw' does not belong to 'do: mute'"),
        ("    faults: [{do: tear}]", 8, 14, "'do: tear' needs 'writes'"),
        ("    faults: [{do: answer, sw: 90}]", 8, 14, "'sw' is a status word"),
        ("    faults: [{do: delay, seconds: soon}]", 8, 35, "'soon' is no number of seconds"),
        ("    faults:\n      - {do: mute}\n      - {do: mute, times: often}", 10, 27, "'often' is no number"),
        ("    faults: [{do: mute, af: 1}]", 8, 25, "'af' is no key here"),
    ],
)
def test_what_is_wrong_with_a_fault_is_told_at_its_place(
    tmp_path: Path, card: str, line: int, column: int, message: str
) -> None:
    with pytest.raises(SourceError) as refused:
        load(scenario(tmp_path, card))

    (found,) = refused.value.diagnostics
    assert (found.span.line, found.span.column) == (line, column)
    assert message in found.message


STEPS = """\
format: 1
title: Faults at steps
{more}
cards:
  A: {{model: cardos-5.3{card}}}
readers: {{R1: A, R2: cardos-4.4}}
steps:
"""
SELECT = "{apdu: 00A4000C023F00, on: R1"


def passes(folder: Path, *steps: str, card: str = "", more: str = "") -> None:
    """See that a scenario with these steps passes."""
    path = folder / "steps.scenario.yaml"
    path.write_text(STEPS.format(card=card, more=more) + "".join(f"  - {step}\n" for step in steps))

    for instance in load(path):
        result = run(instance, targets.get("emulated"))
        assert result.verdict is Verdict.PASSED, result


def test_a_fault_begins_at_its_step_and_ends_where_it_is_cleared(tmp_path: Path) -> None:
    passes(
        tmp_path,
        f"{SELECT}}}",
        "{fault: answer, sw: 6F00, at: 00 A4, after: 1, times: always, on: R1}",
        f"{SELECT}}}",
        f"{SELECT}, expect: 6F00}}",
        "{apdu: 00A4000C023F00, on: R2}",
        "{fault: clear, on: R1}",
        f"{SELECT}}}",
    )


def test_a_dead_card_comes_to_life_when_its_faults_are_cleared_and_it_is_reset(tmp_path: Path) -> None:
    passes(
        tmp_path,
        "{fault: mute, dead: yes, on: R1}",
        f"{SELECT}, expect: absent}}",
        "{card: reset, on: R1}",
        "{pcsc: reconnect, on: R1, expect: SCARD_W_UNRESPONSIVE_CARD}",
        "{fault: clear, on: R1}",
        "{card: reset, on: R1}",
        f"{SELECT}}}",
    )


def test_a_fault_may_come_to_what_the_card_has_at_first(tmp_path: Path) -> None:
    passes(
        tmp_path,
        "{fault: answer, sw: 6A82, on: R1}",
        f"{SELECT}, expect: 6F00}}",
        f"{SELECT}}}",
        card=", faults: [{do: answer, sw: 6F00}]",
    )


def test_a_scenarios_card_is_kept_beside_the_scenario(tmp_path: Path) -> None:
    given = {"card": ", keep: kept.image", "more": "seed: 1"}
    create = "00E000001B621980020010820101830244018501008609" + "00" * 9
    passes(tmp_path, f"{{apdu: {create}, on: R1}}", **given)
    assert images.load(tmp_path / "kept.image").model == "cardos-5.3"
    passes(tmp_path, "{apdu: 00A40000024401, on: R1}", **given)


@pytest.mark.parametrize(
    ("step", "message"),
    [
        ("{fault: clear, at: 00 A4, on: R1}", "'at' says nothing there"),
        ("{fault: tear, on: R1}", "'do: tear' needs 'writes'"),
        ("{fault: mute, sw: 9000, on: R1}", "'sw' does not belong to 'do: mute'"),
        ("{fault: mute}", "the step doesn't say 'on'"),
        ("{fault: explode, on: R1}", "'explode' is not possible here"),
    ],
)
def test_what_is_wrong_with_a_step_is_told_at_its_place(tmp_path: Path, step: str, message: str) -> None:
    path = tmp_path / "steps.scenario.yaml"
    path.write_text(STEPS.format(card="", more="") + f"  - {step}\n")

    with pytest.raises(SourceError) as refused:
        load(path)

    (found,) = refused.value.diagnostics
    assert found.span.line == 8
    assert message in found.message
