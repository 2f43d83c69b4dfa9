"""The page about CKR_USER_NOT_LOGGED_IN has every cause, and names what there is."""

from __future__ import annotations

import re
from collections import defaultdict
from functools import cache
from pathlib import Path

import pytest

from cardtwin.card.chip.quirks import quirks
from cardtwin.middleware import Ckr
from cardtwin.provenance import all_rules
from cardtwin.scenario import load

ROOT = Path(__file__).resolve().parents[3]
FOLDER = ROOT / "scenarios" / "not-logged-in"
PAGE = (ROOT / "docs" / "not-logged-in.md").read_text("utf-8")
CAUSES = re.findall(r"^(NLI-\d\d):", (ROOT / "docs" / "requirements.yaml").read_text("utf-8"), re.MULTILINE)
SECTIONS = dict(re.findall(r"^## (NLI-\d\d): (.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL))


@cache
def proving() -> dict[str, set[str]]:
    """Return the rows of the scenarios that prove each cause, with the card's model."""
    found = defaultdict(set)

    for path in sorted(FOLDER.glob("*.scenario.yaml")):
        for instance in load(path):
            for id_ in {id_ for step in instance.steps for id_ in step.proves}:
                found[id_].add(instance.id.partition("[")[2].rstrip("]"))

    return found


def test_the_page_has_a_section_and_a_line_of_its_table_for_each_cause() -> None:
    assert len(CAUSES) == 15
    assert list(SECTIONS) == CAUSES
    assert re.findall(r"^\| \[(NLI-\d\d)\]", PAGE, re.MULTILINE) == CAUSES


@pytest.mark.parametrize("cause", CAUSES)
def test_each_cause_is_proved_with_and_without_the_fault_on_both_systems(cause: str) -> None:
    rows = {f"{model},{row}" for model in ("cardos-4.4", "cardos-5.3") for row in ("with", "without")}
    assert rows <= proving()[cause]


@pytest.mark.parametrize("cause", CAUSES)
def test_a_section_tells_layer_return_value_switch_and_remedy(cause: str) -> None:
    section = SECTIONS[cause]
    assert all(f"\n- {what}" in section for what in ("Layer: ", "What ", "Switched on: ", "For the caller: "))
    assert "CKR_" in section


def test_links_to_sections_lead_to_them() -> None:
    headings = re.findall(r"^## (.*)$", PAGE, re.MULTILINE)
    anchors = {re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings}
    assert set(re.findall(r"\]\(#([^)]+)\)", PAGE)) <= anchors


def test_what_the_page_names_is_there() -> None:
    named = set(re.findall(r"`([a-z]+(?:_[a-z]+)+)`", PAGE))
    assert {name for name in named if name.endswith(("_select", "_verify", "_resets"))} <= set(quirks())
    assert set(re.findall(r"`(cryptoki\.[a-z-]+)", PAGE)) <= {rule.id for rule in all_rules()}
    assert set(re.findall(r"\bCKR_\w+", PAGE)) <= set(Ckr.__members__)
    assert {
        name for name in re.findall(r"`([\w-]+\.scenario\.yaml)`", PAGE) if not (FOLDER / name).exists()
    } == set()
