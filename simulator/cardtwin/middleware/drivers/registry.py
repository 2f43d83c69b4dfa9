"""Which driver is for which card: by its ATR, and by the version word that it tells."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from cardtwin.iso7816 import StatusWord
from cardtwin.middleware.errors import CardNotRecognisedError

if TYPE_CHECKING:
    from cardtwin.middleware.channel import Channel
    from cardtwin.middleware.drivers.base import CardDriver

__all__ = ["driver_for", "families", "has_driver", "refuse", "register"]

_DRIVERS: Final[dict[str, type[CardDriver]]] = {}
_REFUSED: Final[dict[str, str]] = {}


def register(driver: type[CardDriver]) -> type[CardDriver]:
    """Enter a driver; usable as a decorator.

    Raises:
        ValueError: There is one for the family already.
    """
    if _DRIVERS.setdefault(driver.family, driver) is not driver:
        raise ValueError(f"the card family {driver.family!r} has a driver already")

    return driver


def refuse(atr: str, reason: str) -> None:
    """Say why there is no driver for cards of an ATR.

    Args:
        atr: The ATR in hex, with a dot for every digit that may be any.
        reason: The reason, for messages.
    """
    _REFUSED[atr] = reason


def families() -> tuple[str, ...]:
    """Return the card families that have a driver."""
    return tuple(sorted(_DRIVERS))


def has_driver(atr: bytes) -> bool:
    """Tell whether there is a driver for cards that have this ATR when they are delivered."""
    return any(atr in driver.atrs for driver in _DRIVERS.values())


def driver_for(channel: Channel) -> CardDriver:
    """Return the driver for the card at the other end; sends one GET DATA.

    The version word decides, since a card's ATR may have been changed; an ATR that is known to be another
    family's is a contradiction. Of a family whose cards tell no such word, the ATR decides alone.

    Raises:
        CardNotRecognisedError: No driver knows the card, or ATR and version word contradict each other.
        CardLostError: The card could not be spoken to.
    """
    atr = channel.atr
    version = channel.ask("00CA0182", le=256)
    told = version.data if version.sw == StatusWord.SUCCESS else b""
    by_atr = next((driver for driver in _DRIVERS.values() if atr in driver.atrs), None)
    by_version = next((driver for driver in _DRIVERS.values() if told in driver.versions), None)

    if by_version is None and by_atr is not None and not by_atr.versions:
        return by_atr(channel)

    if by_version is None:
        raise CardNotRecognisedError(
            f"no driver knows the card with the ATR {atr.hex(' ').upper()}{_reason(atr)}"
        )

    if by_atr not in {None, by_version}:
        raise CardNotRecognisedError(
            f"the card's ATR is another family's than its version word {told.hex().upper()}"
        )

    return by_version(channel)


def _reason(atr: bytes) -> str:
    digits = atr.hex().upper()
    known = (reason for pattern, reason in _REFUSED.items() if re.fullmatch(pattern, digits))
    return next((f": {reason}" for reason in known), "")
