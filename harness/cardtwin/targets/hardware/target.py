"""The target whose card is a physical one, in a reader of the system."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from cardtwin.card import models
from cardtwin.interrupts import undisturbed
from cardtwin.pcsc import PcscError
from cardtwin.readers import ReaderError
from cardtwin.readers.physical import PhysicalContext, ReaderChanges
from cardtwin.targets.clock import pass_time
from cardtwin.targets.emulated import EmulatedBench, EmulatedTarget
from cardtwin.targets.errors import TargetError
from cardtwin.targets.hardware.config import Hardware, PhysicalReader
from cardtwin.targets.hardware.desk import PhysicalDesk
from cardtwin.targets.hardware.guard import Guard
from cardtwin.targets.hardware.guarded import GuardedContext, name_states
from cardtwin.targets.hardware.ledger import Ledger
from cardtwin.targets.hardware.lock import held
from cardtwin.targets.hardware.permissions import ExpectedCard
from cardtwin.targets.hardware.rehearsal import RehearsalTarget
from cardtwin.targets.hardware.unsuited import another_model, only_emulated, unguarded, untold
from cardtwin.targets.interface import Capability
from cardtwin.targets.looking import asks_tries
from cardtwin.targets.takeover import choose_reader, take_over
from cardtwin.targets.untouched import untouched

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from collections.abc import Set as AbstractSet
    from types import TracebackType

    from cardtwin.decode import Effect
    from cardtwin.events import Hub
    from cardtwin.pcsc import Context
    from cardtwin.targets.interface import Setup
    from cardtwin.targets.takeover import TakenCard

__all__ = ["HardwareBench", "HardwareTarget"]

_WHICH: Final = "write --target pcsc:READER, or name it in a hardware file"


class HardwareTarget(EmulatedTarget):
    """Our middleware above readers of the system, with the cards that somebody has put into them.

    Args:
        reader: What the PC/SC service calls the reader; empty takes the hardware file's readers, or the only
            one that there is.
        hardware: What is known of the cards, and what may be done to them.
    """

    capabilities = frozenset(Capability) - {
        Capability.DESK,
        Capability.POWER,
        Capability.CLOCK,
        Capability.MEMORY,
    }

    def __init__(self, reader: str = "", hardware: Hardware | None = None) -> None:
        self._reader = reader
        self._hardware = hardware or Hardware()

    @property
    def name(self) -> str:  # type: ignore[override]  # it depends on the reader
        """The name that reports use."""
        return f"pcsc:{self._reader}" if self._reader else "pcsc"

    def unsupported(self, setup: Setup, needs: AbstractSet[Capability]) -> str:
        """Return what nobody can do to physical cards and readers, and what the cards don't tell."""
        if idle := untouched(needs):
            return idle

        why = (only_emulated(setup), unguarded(setup), untold(setup, needs), self._unmapped(setup))
        return "; ".join(reason for reasons in why for reason in reasons)

    def open(self, setup: Setup, hub: Hub) -> HardwareBench:
        """Take the readers, and see that the right cards are in them.

        Raises:
            TargetError: A reader or its card is not there, is another one, or is used by another scenario; or
                no PC/SC service is running.
        """
        try:
            return self.make_bench(setup, hub, self.readers(setup), self._hardware)
        except (PcscError, ReaderError) as error:
            raise TargetError(str(error)) from None

    def rehearsal(self) -> EmulatedTarget:
        """Return the emulated target, with cards that are looked at as physical ones are."""
        return RehearsalTarget()

    def make_bench(
        self, setup: Setup, hub: Hub, readers: Mapping[str, PhysicalReader], hardware: Hardware
    ) -> HardwareBench:
        """Make the bench; arguments and errors as its own."""
        return HardwareBench(setup, hub, readers, hardware)

    def readers(self, setup: Setup) -> dict[str, PhysicalReader]:
        """Return the physical reader of each reader of a scenario.

        Raises:
            TargetError: The PC/SC service has no such reader, or it isn't said which one.
        """
        named = self._hardware.readers

        if setup.readers and (self._reader or not named):
            (reader,) = setup.readers
            known = named.get(reader) or PhysicalReader("")
            return {reader: replace(known, service_name=_service_name(self._reader or None))}

        return {reader: named[reader] for reader in setup.readers}

    def _unmapped(self, setup: Setup) -> Iterator[str]:
        """Yield the readers of a scenario that stand for none of the system's."""
        if self._reader or not self._hardware.readers:
            if len(setup.readers) > 1:
                names = ", ".join(setup.readers)
                yield f"several readers are needed: name those of the system for {names} in a hardware file"

            return

        for reader in setup.readers:
            if reader not in self._hardware.readers:
                yield f"the hardware file has no reader {reader!r}"
            elif wrong := another_model(setup, reader, self._hardware.readers[reader]):
                yield wrong


def _service_name(reader: str | None) -> str:
    context = PhysicalContext()

    try:
        return choose_reader(context, reader, _WHICH)
    finally:
        context.release()


class HardwareBench(EmulatedBench):
    """The middleware of the emulated bench, above readers of the system.

    Args:
        setup: What is expected to be on the desk.
        hub: Who is told what happens.
        readers: The physical reader of each of the setup's.
        hardware: What is known of the cards, and what may be done to them.

    Attributes:
        names: What the PC/SC service calls the readers, by the setup's names.
        guards: Who watches over the cards, by the names of the readers.
        ledger: Where spent tries are kept.
        around: What is left last, when all on the bench is taken down.

    Raises:
        TargetError: A card is missing or another one, or a reader is used by another scenario.
    """

    def __init__(
        self, setup: Setup, hub: Hub, readers: Mapping[str, PhysicalReader], hardware: Hardware
    ) -> None:
        self._expected = dict(_expected(setup, readers))
        self.names = {reader: physical.service_name for reader, physical in readers.items()}
        self.ledger = Ledger(hardware.ledger)
        self._changes = ReaderChanges(hub)
        self.guards = {
            reader: Guard(reader, card, hardware.allowed(readers[reader]), self.ledger, hub)
            for reader, card in self._expected.items()
        }
        self.around = ExitStack()

        with ExitStack() as stack:
            for name in sorted(self.names.values()):
                stack.enter_context(held(name))

            try:
                self._check_cards(hub)
            except KeyboardInterrupt as error:
                name_states(error, self.guards.values())
                raise

            # The system's cards have clocks of their own: what takes time takes it.
            super().__init__(replace(setup, cards={}, readers={}), hub, sleep=pass_time)
            self.around = stack.pop_all()

    def _check_cards(self, hub: Hub) -> None:
        """See that the right cards are in the readers, before anything but reading commands is sent."""
        plain = PhysicalContext(hub, names=self.names)
        context = GuardedContext(plain, self.guards)

        try:
            for reader in self.names:
                present = plain.state(reader).present

                if present is not (reader in self.guards):
                    raise TargetError(_wrong_presence(reader, self._expected.get(reader)))

            for reader, guard in self.guards.items():
                with context.connect(reader) as connection, connection.transaction():
                    self.tell_present(reader, connection.atr)
                    guard.check_card(connection)
        finally:
            context.release()

    def tell_present(self, reader: str, atr: bytes) -> None:
        """Tell of a card that was put in before as of one that comes now: traces begin with the cards."""
        self._changes.connected(reader, atr)

    def make_desk(self) -> PhysicalDesk:
        """Make the eyes at the readers."""
        return PhysicalDesk(tuple(self.names), self.make_context, self._tells_tries)

    def make_context(self) -> Context:
        """Return a new program's view of the readers that are the scenario's."""
        return GuardedContext(PhysicalContext(self.hub, names=self.names, changes=self._changes), self.guards)

    def look(self, reader: str) -> TakenCard:
        """Return what anybody may read of the card in a reader, by commands that its guard lets pass.

        Raises:
            TargetError: There is no card in the reader, it can't be read, or nothing is sent to it any more.
        """
        if (guard := self.guards.get(reader)) is None:
            raise TargetError(f"there is no card in {reader!r}")

        guard.check_open()
        context = self.make_context()

        try:
            asks = asks_tries(guard.model)
            return take_over(context, reader, ask_tries=asks, may_send=guard.would_pass)
        finally:
            context.release()

    def declare(self, effects: Effect) -> None:
        """Let the guards pass what the step that begins now may do to cards at worst."""
        for guard in self.guards.values():
            guard.declare(effects)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            with undisturbed(dropped=isinstance(error, KeyboardInterrupt)):
                if error is not None and not isinstance(error, Exception):
                    self._end()

                super().__exit__(kind, error, trace)
        except KeyboardInterrupt as late:
            name_states(late, self.guards.values())
            raise

        if isinstance(error, KeyboardInterrupt):
            name_states(error, self.guards.values())

    def _end(self) -> None:
        """Let nothing pass any more but the end of logins, wherever the run was when it was ended."""
        for guard in self.guards.values():
            guard.end()

    def close(self) -> None:
        """Take all down; the cards stay where they are."""
        try:
            super().close()
        finally:
            self.around.close()

    def _tells_tries(self, reader: str) -> bool:
        return asks_tries(self._expected[reader].model)


def _expected(setup: Setup, readers: Mapping[str, PhysicalReader]) -> Iterator[tuple[str, ExpectedCard]]:
    for reader, physical in readers.items():
        card = setup.readers[reader]

        if card is not None:
            model = setup.cards[card].model
            yield reader, ExpectedCard(model, physical.atr or models.get(model).atr, physical.serial)


def _wrong_presence(reader: str, expected: ExpectedCard | None) -> str:
    if expected is None:
        return f"there is a card in {reader!r}, which the scenario begins without"

    return f"there is no card in {reader!r}, and a {expected.model} is expected"
