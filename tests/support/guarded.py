"""Cards behind the guard, and commands to them."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from support.tokens import TokenDesk

if TYPE_CHECKING:
    from cardtwin.card import CardImage

ASK = {"cardos-4.4": "0020008", "cardos-5.3": "0020008", "cosmo-8.2": "0020000"}


@cache
def encoded(model: str) -> CardImage:
    desk = TokenDesk(model)
    desk.init()
    return desk.card.image


def verify(model: str, reference: int, value: str = "9999") -> bytes:
    """Return a VERIFY; PIN 1 of the cards here is 1111."""
    filling = "00" * (8 - len(value))
    return bytes.fromhex(f"{ASK[model]}{reference}08{value.encode().hex()}{filling}")


RIGHT = "1111"
