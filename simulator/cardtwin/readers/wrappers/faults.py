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


class _Armed:
    """A fault, and how many of its commands have come since it was armed."""

    def __init__(self, fault: Fault) -> None:
        self._fault = fault
        self._count = 0

    def meets(self, command: bytes) -> bool:
        """Count a command, if it is one of those that the fault is about; tell whether it meets the fault."""
        if not command.startswith(self._fault.command):
            return False

        self._count += 1
        return self._fault.strikes(self._count - 1)

    @property
    def effect(self) -> Effect:
        """What happens."""
        return self._fault.effect


class FaultyCard(CardAround):
    """A card with faults, or one that may get some.

    Of several that a command would meet, the first one happens.

    Args:
        card: The card.
        faults: The faults that it has at first.
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
        self._faults: tuple[_Armed, ...] = ()
        self._mute = self._dead = False

        for fault in faults:
            self.arm(fault)

    def arm(self, fault: Fault) -> None:
        """Give the card one more fault; its commands count from now on.

        Raises:
            UntearableCardError: It is to tear the writes of a card that cannot be torn.
        """
        fault.effect.check(self.card)
        self._faults = (*self._faults, _Armed(fault))

    def disarm(self) -> None:
        """Take all faults away. A card that has fallen silent answers again after its next reset."""
        self._faults = ()
        self._dead = False

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

        if not self._faults:
            return self.card.process(command)

        # All of them count the command, the first that it meets happens.
        met = [fault.effect for fault in self._faults if fault.meets(command)]
        return met[0].meet(self, command) if met else self.card.process(command)
