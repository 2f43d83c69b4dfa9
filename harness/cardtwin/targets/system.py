"""The target whose cards are in the system's own pcscd, and whose programs find them there."""

from __future__ import annotations

import errno
import socket
import time
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING, Final

from cardtwin.card import EmulatedCard, models
from cardtwin.entropy import SystemEntropy
from cardtwin.events import Exchange
from cardtwin.pcsc import PcscError, TimeoutExpiredError
from cardtwin.readers import ReaderError, VpcdSlot
from cardtwin.readers.physical import PhysicalContext
from cardtwin.readers.vpcd import FIRST_PORT
from cardtwin.targets.clock import pass_time
from cardtwin.targets.emulated import EmulatedBench, EmulatedTarget
from cardtwin.targets.errors import TargetError
from cardtwin.targets.hubs import part_of
from cardtwin.targets.interface import Capability
from cardtwin.targets.pcscd import PcscdDesk, address
from cardtwin.targets.untouched import untouched

if TYPE_CHECKING:
    from collections.abc import Sequence
    from collections.abc import Set as AbstractSet
    from types import TracebackType

    from cardtwin.events import Event, Hub
    from cardtwin.pcsc import Context, ReaderState
    from cardtwin.targets.cards import BenchCard
    from cardtwin.targets.interface import Setup

__all__ = ["SystemBench", "SystemTarget"]

PATIENCE: Final = 10.0
"""Seconds that pcscd has to see what a hand did."""

_PROBE: Final = "cardos-5.3"
_AGAIN: Final = 0.1


class SystemTarget(EmulatedTarget):
    """Cards in slots of vpcd, consecutive ones; the middleware reaches them as any program does.

    Args:
        where: The first slot, as ``HOST:PORT`` or as a port; empty for where vpcd has it as it comes.

    Raises:
        TargetError: It is no such text.
    """

    capabilities = frozenset(Capability) - {Capability.POWER}

    def __init__(self, where: str = "") -> None:
        self._where = where
        self._address = address(where or str(FIRST_PORT))

    @property
    def name(self) -> str:  # type: ignore[override]  # it depends on where the slots are
        """The name that reports use."""
        return f"pcscd:{self._where}" if self._where else "pcscd"

    def unsupported(self, setup: Setup, needs: AbstractSet[Capability]) -> str:
        """Return what vpcd's readers are not: they have no PIN pads and no motors, and are always there."""
        if idle := untouched(needs):
            return idle

        if setup.pinpads:
            return f"vpcd has no PIN pad for {', '.join(sorted(setup.pinpads))}"

        if setup.ejecting:
            return f"vpcd has no motor for {', '.join(sorted(setup.ejecting))}"

        return f"vpcd's reader {', '.join(sorted(setup.absent))} cannot be absent" if setup.absent else ""

    def rehearsal(self) -> EmulatedTarget:
        """Return the emulated target: pcscd and vpcd pass on what they get."""
        return EmulatedTarget()

    def open(self, setup: Setup, hub: Hub) -> SystemBench:
        """Put the cards into pcscd; who else wants the same slots waits.

        Raises:
            TargetError: No pcscd is running, or its vpcd has no such slots; or pyscard isn't installed.
        """
        try:
            return SystemBench(setup, hub, *self._address)
        except (PcscError, ReaderError) as error:
            raise TargetError(str(error)) from None


class SystemBench(EmulatedBench):
    """The emulated bench, with pcscd's readers in the place of ours.

    Args:
        setup: What is on the desk.
        hub: Who is told what happens.
        host: Where pcscd runs.
        port: Of the first slot.
    """

    def __init__(self, setup: Setup, hub: Hub, host: str, port: int) -> None:
        self._names: dict[str, str] = {}
        self._first = host, port
        self._around = ExitStack()

        with ExitStack() as stack:
            stack.enter_context(_held(port))
            self._eyes = PhysicalContext()
            stack.callback(self._eyes.release)
            self._around = stack.pop_all()

        # The system's programs have clocks of their own: what takes time takes it.
        super().__init__(setup, hub, sleep=pass_time)

    def make_desk(self) -> SystemDesk:
        """Make the hands and eyes at pcscd's readers."""
        # APDUs are told where they are sent.
        hub = part_of(self.hub, _no_exchange)
        desk = SystemDesk(*self._first, hub, self._eyes, self._names)
        return self._around.enter_context(desk)

    def make_context(self) -> Context:
        """Return a new program's view of the readers that are the scenario's."""
        return PhysicalContext(self.hub, names=self._names)

    def close(self) -> None:
        """Take all down."""
        self.end_programs()

        try:
            self.last_looks()
        finally:
            self._around.close()
            super().close()


class SystemDesk(PcscdDesk):
    """Cards in slots of vpcd; what a hand does is over when pcscd has seen it.

    Args:
        host: Where pcscd runs.
        port: Of the first reader's slot.
        hub: Told what happens.
        eyes: A context of the system's PC/SC service.
        names: Gets what pcscd calls the readers, by their names on the desk.
    """

    def __init__(self, host: str, port: int, hub: Hub, eyes: PhysicalContext, names: dict[str, str]) -> None:
        super().__init__(host, port, hub)
        self._eyes = eyes
        self._names = names

    def add_reader(self, reader: str, *, pinpad: bool = False) -> None:
        """Take the next slot that is free, and find out what pcscd calls it.

        Raises:
            TargetError: There is a reader of that name, no such slot, or it is to have a PIN pad.
        """
        super().add_reader(reader, pinpad=pinpad)
        self._names[reader] = self._found(reader)

    def remove_reader(self, reader: str) -> None:
        """Leave a slot to others; the card in it is on the desk then."""
        super().remove_reader(reader)
        del self._names[reader]

    def remove(self, reader: str) -> None:
        """Take the card out."""
        super().remove(reader)
        self._wait(self._names[reader], present=False)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        super().__exit__(kind, error, trace)

        # Who comes next finds his readers by the cards that appear in them.
        with suppress(PcscError, TargetError):
            for name in self._names.values():
                self._wait(name, present=False)

    def _put_in(self, reader: str, card: BenchCard) -> None:
        # A card that took itself out, or fell silent, may be in sight still.
        self._wait(self._names[reader], present=False)
        super()._put_in(reader, card)
        self.begin(reader, PATIENCE)
        self._wait(self._names[reader], present=True)

    def _found(self, reader: str) -> str:
        """Return what pcscd calls a reader: the one in which a card appears that is put into its slot."""
        probe = EmulatedCard(models.get(_PROBE), entropy=SystemEntropy())
        before = [state for name in self._eyes.readers() if not (state := self._eyes.state(name)).present]

        with VpcdSlot(probe, reader=reader, host=self.host, port=self.port_of(reader)) as slot:
            if not slot.wait(PATIENCE):
                raise self.no_driver(reader, PATIENCE)

            name = self._appearing(before)

        self._wait(name, present=False)
        return name

    def _appearing(self, empty: Sequence[ReaderState]) -> str:
        """Return the reader that a card appears in."""
        end, states = time.monotonic() + PATIENCE, tuple(empty)

        while not (found := [state.name for state in states if state.atr == models.get(_PROBE).atr]):
            states = self._changed(states, end)

        return found[0]

    def _wait(self, name: str, *, present: bool) -> None:
        """Wait until a reader of pcscd has a card, or none."""
        end = time.monotonic() + PATIENCE
        states: tuple[ReaderState, ...] = (self._eyes.state(name),)

        while states[0].present is not present:
            states = self._changed(states, end)

    def _changed(self, states: tuple[ReaderState, ...], end: float) -> tuple[ReaderState, ...]:
        try:
            return self._eyes.wait(states, max(0.0, end - time.monotonic()))
        except TimeoutExpiredError:
            raise TargetError(f"pcscd has not seen a card come or go for {PATIENCE:g} s") from None


def _held(port: int) -> socket.socket:
    """Wait until no other bench has the slots that begin at a port, and hold them until this is closed.

    The name is in the same network as the port; Linux alone has such names, and pcscd's vpcd.
    """
    holder = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)

    while True:
        try:
            holder.bind(f"\0cardtwin-vpcd-{port}")
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                holder.close()
                raise TargetError(f"the slots of vpcd can't be held: {error.strerror}") from None
        else:
            return holder

        time.sleep(_AGAIN)


def _no_exchange(event: Event) -> bool:
    return not isinstance(event, Exchange)
