"""Data objects with plain lengths: tag and length are a byte each, and 82 means 130 bytes, not BER's two."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cardtwin.card.errors import Refusal
from cardtwin.iso7816 import StatusWord

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

__all__ = ["parse_plain"]


def parse_plain(data: bytes, *, known: AbstractSet[int]) -> dict[int, bytes]:
    """Return values by tag.

    Refuses with 6A85 what is cut off, with 6A80 other tags than the known ones and a tag that comes twice.
    """
    values: dict[int, bytes] = {}
    at = 0

    while at < len(data):
        length = data[at + 1] if at + 1 < len(data) else 0
        value = data[at + 2 : at + 2 + length]

        if at + 2 > len(data) or len(value) < length:
            raise Refusal(StatusWord.LC_INCONSISTENT_WITH_TLV)

        if data[at] not in known or data[at] in values:
            raise Refusal(StatusWord.WRONG_DATA)

        values[data[at]] = value
        at += 2 + length

    if not values:
        raise Refusal(StatusWord.LC_INCONSISTENT_WITH_TLV)

    return values
