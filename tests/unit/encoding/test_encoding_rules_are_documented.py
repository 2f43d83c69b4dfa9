from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
PAGE = (ROOT / "docs" / "encoding-descriptions.md").read_text("utf-8")
SOURCES = sorted((ROOT / "simulator" / "cardtwin" / "encoding" / "checks").glob("*.py"))
CODE = re.compile(r'(?:diagnostics\.(?:error|warning)|report)\(\s*"([a-z0-9-]+)"')


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.stem)
def test_every_rule_of_the_checks_stands_in_the_documentation(source: Path) -> None:
    codes = set(CODE.findall(source.read_text("utf-8")))
    assert {code for code in codes if f"`{code}`" not in PAGE} == set()


def test_the_rules_are_found_at_all() -> None:
    assert sum(len(CODE.findall(source.read_text("utf-8"))) for source in SOURCES) > 25
