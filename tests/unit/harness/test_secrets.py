"""No PIN of the project's own scenarios shows in a trace, a result or a report."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cardtwin.report.json import document
from cardtwin.report.text import explain_failure
from cardtwin.scenario import load
from cardtwin.scenario.pool import Options, run_all

SCENARIOS = Path(__file__).parents[3] / "scenarios"
PINS = ("271828", "31415926", "16180339", "141421", "12345678", "87654321", "173205")


def test_json_tells_seconds_to_the_millisecond() -> None:
    results = [outcome.result for outcome in run_all(load(SCENARIOS / "card/blank.scenario.yaml"), Options())]
    scenario = json.loads(json.dumps(document(results, 1.23456), default=str))["scenarios"][0]
    numbers = [scenario["seconds"], *(step["seconds"] for step in scenario["steps"])]
    assert [round(number, 3) for number in numbers] == numbers


@pytest.mark.cardtwin_proves("RR-01")
@pytest.mark.parametrize(
    "name",
    [
        "encoding/init-token",
        "encoding/operator-officer",
        "deleting/burnt",
        "readers/pin-pad",
        "signature-slot/slot",
        "first",
    ],
)
def test_no_pin_shows(name: str) -> None:
    outcomes = list(run_all(load(SCENARIOS / f"{name}.scenario.yaml"), Options(record=True)))
    trace = "".join(outcome.text for outcome in outcomes)
    results = [outcome.result for outcome in outcomes]
    shown = json.dumps(document(results, 0.0), default=str) + "".join(map(explain_failure, results))
    assert "VERIFY" in trace or name == "first"

    for pin in PINS:
        assert pin.encode().hex(" ").upper() not in trace
        assert pin not in trace
        assert pin not in shown
