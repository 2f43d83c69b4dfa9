"""Faults of cards, at the commands that were chosen for them."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from cardtwin.pcsc import CardMuteError
from cardtwin.readers.errors import UntearableCardError
from cardtwin.readers.wrappers.around import CardAround

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from cardtwin.pcsc import Card
    from cardtwin.pcsc import Protocol as Transmission

__all__ = [
    "Answer",
    "Delay",
    "Effect",
    "Fault",
    "FaultyCard",
    "Mute",
    "Removal",
    "Tear",
]


class Effect(ABC):
    """What happens at a command."""

    @abstractmethod
    def meet(self, card: FaultyCard, command: bytes) -> bytes:
        """Return the response APDU.

        Raises:
            CardMuteError: None comes.
        """

    def check(self, card: Card) -> None:  # noqa: B027  # most can be done to any card
        """Make sure that it can be done to a card.

        Raises:
            UntearableCardError: It cannot.
        """


@dataclass(frozen=True, slots=True)
class Answer(Effect):
    """The answer is another one, and the card does not see the command.

    Attributes:
        response: The response APDU, such as ``6F 00``.
    """

    response: bytes

    def meet(self, card: FaultyCard, command: bytes) -> bytes:  # noqa: ARG002  # whatever was asked
        """Return that answer."""
        return self.response


@dataclass(frozen=True, slots=True)
class Delay(Effect):
    """The answer comes late.

    Attributes:
        seconds: How late.
    """

    seconds: float

    def meet(self, card: FaultyCard, command: bytes) -> bytes:
        """Return the card's answer, later."""
        response = card.card.process(command)
        card.sleep(self.seconds)
        return response


@dataclass(frozen=True, slots=True)
class Mute(Effect):
    """No answer comes, and the card does not see the command.

    Attributes:
        dead: Whether the card stays mute after a reset as well.
    """

    dead: bool = False

    def meet(self, card: FaultyCard, command: bytes) -> bytes:  # noqa: ARG002  # whatever was asked
        """Say nothing, from now on."""
        card.silence(dead=self.dead)
        raise CardMuteError(detail="the card does not answer any more")


@dataclass(frozen=True, slots=True)
class Tear(Effect):
    """The power is cut while the card writes; it is mute until it is powered again.

    A command with fewer writes is carried out whole.

    Attributes:
        writes: How many writes of the command still reach the memory.
    """

    writes: int

    def check(self, card: Card) -> None:
        """Make sure that the card's writes can be counted."""
        if not isinstance(card, _Tearable):
            raise UntearableCardError(f"the writes of a {type(card).__name__} cannot be counted")

    def meet(self, card: FaultyCard, command: bytes) -> bytes:
        """Cut the power in between."""
        inner = card.card
        assert isinstance(inner, _Tearable)
        inner.cut_power_after(self.writes)

        try:
            return card.card.process(command)
        finally:
            inner.cut_power_after(None)


@dataclass(frozen=True, slots=True)
class Removal(Effect):
    """The card is taken out before it has answered. Whether it has carried out the command, nobody is told.

    Attributes:
        carried_out: Whether it has.
    """

    carried_out: bool = False

    def meet(self, card: FaultyCard, command: bytes) -> bytes:
        """Take the card out; the reader tells it to whoever waits for the answer."""
        if self.carried_out:
            card.card.process(command)

        card.remove()
        return b""


@runtime_checkable
class _Tearable(Protocol):
    def cut_power_after(self, writes: int | None) -> None:
        """Let only so many more writes reach the memory; None takes that back."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault, and the commands that meet it.

    Attributes:
        effect: What happens.
        command: The first bytes of the commands that it is about; empty for all commands.
        after: How many of them pass unharmed before.
        times: How many meet it then; None for all that come.
    """

    effect: Effect
    command: bytes = b""
    after: int = 0
    times: int | None = 1

    def strikes(self, count: int) -> bool:
        """Whether it is met by the command that has so many of its kind before it."""
        return count >= self.after and (self.times is None or count < self.after + self.times)


class FaultyCard(CardAround):
    """A card with faults. Of several that a command would meet, the first one happens.

    Args:
        card: The card.
        faults: Its faults.
        remove: Takes the card out of its reader.
        sleep: Waits for so many seconds.

    Raises:
        UntearableCardError: A fault is to tear the writes of a card that cannot be torn.
    """

    def __init__(
        self,
        card: Card,
        faults: Iterable[Fault],
        *,
        remove: Callable[[], object],
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        super().__init__(card)
        self.remove = remove
        self.sleep = sleep
        self._faults = tuple(faults)
        self._counts = [0] * len(self._faults)
        self._mute = self._dead = False

        for fault in self._faults:
            fault.effect.check(card)

    def silence(self, *, dead: bool) -> None:
        """Be mute until the next power_on, or for good."""
        self._mute = True
        self._dead = self._dead or dead

    def power_on(self, protocol: Transmission) -> bytes:
        """Power or reset the card and return its ATR.

        Raises:
            CardMuteError: The card is mute for good.
        """
        if self._dead:
            raise CardMuteError(detail="the card is dead")

        self._mute = False
        return super().power_on(protocol)

    def process(self, command: bytes) -> bytes:
        """Take one command APDU and return one response APDU, unless it meets a fault."""
        if self._mute:
            raise CardMuteError(detail="the card does not answer any more")

        fault = self._met(command)
        return super().process(command) if fault is None else fault.effect.meet(self, command)

    def _met(self, command: bytes) -> Fault | None:
        """Count the command for each fault that it concerns, and return the first one that it meets."""
        met = None

        for place, fault in enumerate(self._faults):
            if not command.startswith(fault.command):
                continue

            count = self._counts[place]
            self._counts[place] += 1

            if met is None and fault.strikes(count):
                met = fault

        return met
