"""What two sequences have in common is put side by side, and nothing is lost."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from cardtwin.comparing.matching import side_by_side

ITEMS = st.text("ab", max_size=12)


@given(ITEMS, ITEMS)
def test_every_item_stands_in_one_part_and_alike_ones_are_alike(left: str, right: str) -> None:
    parts = list(side_by_side(left, right))

    assert "".join(left[here] for _, here, _ in parts) == left
    assert "".join(right[there] for _, _, there in parts) == right
    assert all((left[here] == right[there]) == alike for alike, here, there in parts)


@given(ITEMS, ITEMS, ITEMS, ITEMS)
def test_what_one_has_more_stands_alone(begin: str, end: str, more: str, less: str) -> None:
    left, right = f"{begin}<{more}>{end}", f"{begin}<{less}>{end}"
    kept = sum(here.stop - here.start for alike, here, _ in side_by_side(left, right) if alike)

    assert kept >= len(begin) + len(end) + 2


def test_long_runs_of_the_same_commands_are_compared_soon() -> None:
    left = ["00 2A 9E 9A"] * 100_000
    right = [*left[:40_000], "00 20 00 81", *left[40_000:]]

    assert list(side_by_side(left, right)) == [
        (True, slice(0, 40_000), slice(0, 40_000)),
        (False, slice(40_000, 40_000), slice(40_000, 40_001)),
        (True, slice(40_000, 100_000), slice(40_001, 100_001)),
    ]
