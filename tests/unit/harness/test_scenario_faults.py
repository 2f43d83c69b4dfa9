"""Faults and speed in scenario files."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cardtwin import targets
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
