"""Scenarios that a target with cards of its own has no part in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cardtwin.targets.interface import Capability

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

__all__ = ["untouched"]

_ELSEWHERE: Final = frozenset({Capability.OWN, Capability.CLOCK})
"""What reaches no card by itself."""


def untouched(needs: AbstractSet[Capability]) -> str:
    """Return why a scenario whose steps need this says nothing about cards and readers; or ''."""
    return "" if needs - _ELSEWHERE else "no step uses a card or a reader: there is nothing to do here"
