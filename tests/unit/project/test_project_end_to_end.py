"""The page about the end-to-end scenario tells the steps that the scenario has."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
PAGE = ROOT / "docs" / "end-to-end.md"
SCENARIO = ROOT / "scenarios" / "end-to-end" / "card-of-two-users.scenario.yaml"


def test_the_page_has_a_row_for_each_step_of_the_story() -> None:
    told = re.findall(r"^\| (\d+) \|", PAGE.read_text("utf-8"), re.MULTILINE)
    steps = re.findall(r"^  # (\d+)\. ", SCENARIO.read_text("utf-8"), re.MULTILINE)
    assert told == steps == [str(number) for number in range(1, len(steps) + 1)]


def test_names_that_the_page_quotes_stand_in_the_scenario() -> None:
    text = SCENARIO.read_text("utf-8")
    names = re.search(r"Four programs(.*?)\n\n", PAGE.read_text("utf-8"), re.DOTALL)
    assert names is not None
    programs = re.findall(r"`([^`]+)`", names[1])
    assert len(programs) == 4
    assert all(f"\n  {program}: {{" in text for program in programs)
