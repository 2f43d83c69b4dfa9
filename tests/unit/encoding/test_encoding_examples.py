"""The documentation's examples: right ones are found right, listed and run; wrong ones are told so."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from cardtwin.encoding import check, parse
from cardtwin.source import SourceText

ROOT = Path(__file__).resolve().parents[3]
FOLDER = ROOT / "scenarios" / "examples"
PAGE = (ROOT / "docs" / "encoding-examples.md").read_text("utf-8")
EXAMPLES = sorted(FOLDER.glob("*.dsc"))
ROW = re.compile(
    r"^\| \[(?P<name>[\w-]+\.dsc)\].*\((?P<scenario>[\w./-]+\.scenario\.yaml)\) \|$", re.MULTILINE
)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_has_no_findings(example: Path) -> None:
    assert list(check(parse(SourceText.read(example)))) == []


def test_each_example_is_listed_with_a_scenario_that_runs_it() -> None:
    rows = {row["name"]: ROOT / "docs" / row["scenario"] for row in ROW.finditer(PAGE)}
    assert sorted(rows) == [path.name for path in EXAMPLES]

    for name, scenario in rows.items():
        assert name in scenario.read_text("utf-8")
