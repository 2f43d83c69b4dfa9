"""Two sequences side by side: what is alike in both, and what stands in one alone."""

from __future__ import annotations

from difflib import SequenceMatcher
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator, Sequence

__all__ = ["Part", "side_by_side"]

Part: TypeAlias = "tuple[bool, slice, slice]"
"""Whether the items are alike, and where they stand on the left and on the right."""


def side_by_side(left: Sequence[Hashable], right: Sequence[Hashable]) -> Iterator[Part]:
    """Yield the parts of two sequences in their order.

    What they have in common at the beginning and at the end is found first: to compare the rest takes time
    that grows with the product of the lengths, and two runs of one program hardly differ.
    """
    begin = _alike(left, right)
    end = _alike(left[begin:][::-1], right[begin:][::-1])
    last, also_last = len(left) - end, len(right) - end

    if begin:
        yield True, slice(0, begin), slice(0, begin)

    matcher = SequenceMatcher(None, left[begin:last], right[begin:also_last], autojunk=False)

    for tag, one, other, first, second in matcher.get_opcodes():
        yield tag == "equal", slice(begin + one, begin + other), slice(begin + first, begin + second)

    if end:
        yield True, slice(last, len(left)), slice(also_last, len(right))


def _alike(left: Sequence[Hashable], right: Sequence[Hashable]) -> int:
    """Return how many items two sequences have in common at their beginnings."""
    shorter = min(len(left), len(right))
    return next((at for at in range(shorter) if left[at] != right[at]), shorter)
