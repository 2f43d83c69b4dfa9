"""The comments of a scenario file that is written anew without some of its steps."""

from __future__ import annotations

from itertools import takewhile
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from cardtwin.source import Span

__all__ = ["FAILS", "comments_above"]

FAILS: Final = "this fails: "
"""What the last comment begins with, that tells of the failure: it is another one in each file."""

_SIGN: Final = "#"


def comments_above(place: Span) -> tuple[str, ...]:
    """Return the comments that stand on the lines directly above a place, one for each line."""
    found: list[str] = []
    number = place.line - 1

    while (line := place.source.line(number).lstrip()).startswith(_SIGN):
        found.append(line.lstrip(_SIGN).strip())
        number -= 1

    return tuple(takewhile(lambda comment: not comment.startswith(FAILS), reversed(found)))
