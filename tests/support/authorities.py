"""Certificates of the company whose users log in."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from cardtwin.issuance.authority import Authority, MemoryRecords

if TYPE_CHECKING:
    from support.access import World


def company(world: World, stream: str = "authority Company", since: timedelta = timedelta(0)) -> Authority:
    """Return an authority of the same name, which says what it said some time ago."""
    names = {"root": "Company root CA", "issuing": "Company issuing CA"}
    return Authority(MemoryRecords(), world.site._entropy(stream), lambda: world.now - since, **names)
