"""The time that real cards take."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from cardtwin.readers.wrappers.around import CardAround

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from cardtwin.pcsc import Card, Protocol

__all__ = ["SPEEDS", "SlowCard", "Speed"]

_INS: Final = 1


@dataclass(frozen=True, slots=True)
class Speed:
    """How long a card takes, in seconds.

    Attributes:
        reset: Until its ATR has come.
        command: Any command, beside what follows.
        byte: Each byte of command and response.
        work: What some commands take beyond that, by instruction byte.
    """

    reset: float = 0.0
    command: float = 0.0
    byte: float = 0.0
    work: Mapping[int, float] = field(default_factory=dict)

    def of(self, command: bytes, response: bytes) -> float:
        """Return what one exchange takes."""
        carried = self.byte * (len(command) + len(response))
        own = self.work.get(command[_INS], 0.0) if len(command) > _INS else 0.0
        return self.command + carried + own


_VERSION_53: Final = Speed(0.06, 0.006, 0.00005, {0x2A: 0.25, 0x46: 6.0, 0xE0: 0.01, 0xD6: 0.006, 0x20: 0.02})

SPEEDS: Final[Mapping[str, Speed]] = {
    "cardos-4.3b": Speed(0.1, 0.015, 0.0001, {0x2A: 0.9, 0x46: 20.0, 0xE0: 0.025, 0xD6: 0.012, 0x20: 0.03}),
    "cardos-4.4": Speed(0.08, 0.012, 0.0001, {0x2A: 0.45, 0x46: 12.0, 0xE0: 0.02, 0xD6: 0.01, 0x20: 0.03}),
    "cardos-5.0": Speed(0.07, 0.008, 0.00005, {0x2A: 0.35, 0x46: 8.0, 0xE0: 0.012, 0xD6: 0.008, 0x20: 0.02}),
    "cardos-5.3": _VERSION_53,
    "cardos-5.3-di": _VERSION_53,
    "cardos-5.4": Speed(0.05, 0.005, 0.00005, {0x2A: 0.2, 0x46: 5.0, 0xE0: 0.01, 0xD6: 0.006, 0x20: 0.02}),
    "cosmo-7": Speed(
        0.1, 0.015, 0.0001, {0x2A: 0.5, 0x47: 15.0, 0x88: 0.5, 0xD6: 0.01, 0xDB: 0.05, 0x20: 0.03}
    ),
    "authentic-2": Speed(0.15, 0.02, 0.0001, {0x2A: 0.7, 0x46: 20.0, 0xD6: 0.015, 0xD8: 0.02, 0x20: 0.03}),
    "authentic-3": Speed(0.1, 0.015, 0.0001, {0x2A: 0.5, 0x47: 15.0, 0xD6: 0.01, 0xDB: 0.05, 0x20: 0.03}),
    "eid-8.1": Speed(0.08, 0.01, 0.00005, {0x2A: 0.2, 0x88: 0.2, 0x20: 0.02}),
    "cosmo-8.2": Speed(
        0.08, 0.01, 0.00005, {0x2A: 0.3, 0x47: 8.0, 0x88: 0.3, 0xD6: 0.008, 0xDB: 0.03, 0x20: 0.02}
    ),
    "virtual-smart-card": Speed(0.01, 0.002, 0.0, {0x2A: 0.6, 0x47: 15.0, 0xDB: 0.01, 0x20: 0.3, 0x24: 0.6}),
    "idclassic-340": Speed(
        0.1, 0.015, 0.0001, {0x2A: 0.5, 0x47: 12.0, 0xE0: 0.02, 0xD6: 0.01, 0xDB: 0.04, 0x20: 0.03}
    ),
    "idprime-940": Speed(0.08, 0.01, 0.0001, {0x2A: 0.35, 0x20: 0.02}),
}
"""Speeds by card model. They are of the right order, and ours: nobody has published measurements."""


class SlowCard(CardAround):
    """A card that takes its time.

    Args:
        card: The card.
        speed: How long it takes.
        sleep: Waits for so many seconds.
    """

    def __init__(self, card: Card, speed: Speed, *, sleep: Callable[[float], object] = time.sleep) -> None:
        super().__init__(card)
        self._speed = speed
        self._sleep = sleep

    def power_on(self, protocol: Protocol) -> bytes:
        """Power or reset the card and return its ATR, after a while."""
        atr = super().power_on(protocol)
        self._sleep(self._speed.reset)
        return atr

    def process(self, command: bytes) -> bytes:
        """Take one command APDU and return one response APDU, after a while."""
        response = super().process(command)
        self._sleep(self._speed.of(command, response))
        return response
