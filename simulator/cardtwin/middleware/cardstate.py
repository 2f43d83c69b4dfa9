"""What a card tells about its life."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cardtwin.middleware.drivers import Phase
from cardtwin.middleware.rights import ANYBODY, NOBODY, Right

if TYPE_CHECKING:
    from cardtwin.middleware.drivers import CardDriver
    from cardtwin.middleware.rights import Condition, Rights
    from cardtwin.middleware.tokenreader import TokenReader
    from cardtwin.middleware.tokens import TokenState

__all__ = ["CardState", "card_state"]


@dataclass(frozen=True, slots=True)
class CardState:
    """What a card tells about its life.

    Attributes:
        family: The card family.
        phase: The phase of its life.
        state: Empty, initialised, or left in the middle of a change.
        fuse: ``intact``, ``burnt``, or ``unknown`` where the card doesn't tell.
        erasable_by: Who may erase it; None where the card doesn't tell.
    """

    family: str
    phase: Phase
    state: TokenState
    fuse: str
    erasable_by: Condition | None


def card_state(driver: CardDriver, token_reader: TokenReader) -> CardState:
    """Ask a card; changes nothing."""
    state, master = token_reader.state()
    phase = driver.phase()
    rights = master.rights if master else None
    erasable = None if rights is None else rights.get(Right.DELETE)
    return CardState(driver.family, phase, state, _fuse(phase, rights), erasable)


def _fuse(phase: Phase, rights: Rights | None) -> str:
    if rights is None:
        return "unknown"

    conditions = {rights.get(right, NOBODY) for right in (Right.DELETE, Right.CREATE)}
    return "intact" if conditions == {ANYBODY} and phase is not Phase.OPERATIONAL else "burnt"
