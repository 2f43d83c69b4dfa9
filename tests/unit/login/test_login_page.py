"""The page on Digital Access says what the code does."""

from __future__ import annotations

import re
from pathlib import Path

from cardtwin.login import Refusal, certificate_attributes, rules
from cardtwin.login.mobile import TRANSITIONS, State

PAGE = (Path(__file__).parents[3] / "docs" / "digital-access.md").read_text("utf-8")


def table(header: str) -> list[list[str]]:
    """Return the cells of the rows of the table with a header."""
    _, _, rest = PAGE.partition(f"| {header} |")
    rows = re.match(r"[^\n]*\n\|[ \-|]+\n((?:\|.*\n)+)", rest)
    assert rows
    return [[cell.strip().strip("`") for cell in row.strip("|").split("|")] for row in rows[1].splitlines()]


def test_every_refusal_is_described() -> None:
    described = {name: meaning for name, meaning in table("Refusal")}  # noqa: C416  # of two cells each
    assert described == {refusal.name.lower().replace("_", "-"): refusal.value for refusal in Refusal}


def test_every_rule_is_described() -> None:
    assert [row[0] for row in table("Rule")] == list(rules())


def test_every_certificate_attribute_is_named() -> None:
    named = re.findall(r"`((?:subject|serial)[a-z-]+)`", PAGE.partition("## Certificate attributes")[2])
    assert set(named) == set(certificate_attributes())


def test_every_transition_is_described() -> None:
    running = [state for state in State if any(line.state is state for line in TRANSITIONS)]
    described = set()

    for state, event, to, where in table("State"):
        states = [one.value for one in running] if state == "any but an end" else [state]
        same_device = {"same device": True, "both": None}[where]
        described |= {(one, event, to, same_device) for one in states}

    assert described == {
        (line.state.value, line.event.value, line.to.value, line.same_device) for line in TRANSITIONS
    }
