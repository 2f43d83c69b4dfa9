from __future__ import annotations

import pytest

from cardtwin.scenario.selection import SelectionError, expression


@pytest.mark.parametrize(
    ("text", "fits"),
    [
        ("erase", True),
        ("ERASE", True),
        ("blob", False),
        ("not blob", True),
        ("erase and burnt", True),
        ("erase and not burnt", False),
        ("blob or burnt", True),
        ("not (blob or erase)", False),
        ("blob or erase and burnt", True),
        ("not not erase", True),
        ("cardos-4.4", True),
    ],
)
def test_an_expression_selects(text: str, fits: bool) -> None:  # a column of the table
    assert expression(text)("deleting/erase[cardos-4.4,burnt]") is fits


@pytest.mark.parametrize("text", ["and", "a and", "(a", "a b", "not", "a)", "()"])
def test_a_broken_expression_is_told(text: str) -> None:
    with pytest.raises(SelectionError):
        expression(text)
