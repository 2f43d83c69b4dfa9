"""Traces of seeded scenarios are the same on every machine and every version of Python.

To accept a change, run this file by pytest with CARDTWIN_UPDATE_GOLDEN=1 set, and read the diff.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from cardtwin.scenario import load
from cardtwin.scenario.pool import Options, run_all

ROOT = Path(__file__).parents[3]
GOLDEN = ROOT / "tests" / "golden"
NAMES = ("first", "lost-login")


def trace_of(scenario: Path) -> str:
    outcomes = list(run_all(load(scenario), Options(record=True)))
    assert all(outcome.result.verdict.value == "passed" for outcome in outcomes)
    return "\n".join(outcome.text for outcome in outcomes)


@pytest.mark.parametrize("name", NAMES)
def test_a_seeded_scenario_leaves_the_same_trace_byte_for_byte(name: str) -> None:
    golden = GOLDEN / f"{name}.trace"
    trace = trace_of(next(ROOT.joinpath("scenarios").rglob(f"{name}.scenario.yaml")))

    if os.environ.get("CARDTWIN_UPDATE_GOLDEN"):
        golden.write_text(trace, encoding="utf-8")

    assert trace == golden.read_text(encoding="utf-8")


def test_every_golden_trace_is_one_of_a_scenario() -> None:
    assert {golden.stem for golden in GOLDEN.glob("*.trace")} == set(NAMES)


def test_the_golden_traces_hold_no_pin() -> None:
    for golden in GOLDEN.glob("*.trace"):
        text = golden.read_text()
        assert "32 37 31 38 32 38" not in text, "the PIN of the sketch, 271828"
        assert "31 32 33 34" not in text, "the PIN of the card whose login is lost, 1234"
