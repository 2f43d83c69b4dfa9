"""The target whose programs load any PKCS#11 library, above physical cards.

The library finds a PC/SC service of ours, by the environment, with the scenario's readers: behind them are
the system's. So the guard sees every command that it sends, as it sees those of our own middleware; and as
the cards are held exclusively, nothing gets by that uses the system's service instead.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from cardtwin.pcsc import PcscError
from cardtwin.readers.physical import PassedReader
from cardtwin.targets.errors import TargetError
from cardtwin.targets.hardware.guarded import name_states
from cardtwin.targets.hardware.passed import GuardedCard
from cardtwin.targets.hardware.rehearsal import LibraryRehearsal
from cardtwin.targets.hardware.target import HardwareBench, HardwareTarget
from cardtwin.targets.module import ForeignTarget, Launcher
from cardtwin.targets.told import ToldProgram

if TYPE_CHECKING:
    from collections.abc import Mapping
    from collections.abc import Set as AbstractSet

    from cardtwin.events import Hub
    from cardtwin.pcsc import Context
    from cardtwin.targets.hardware.config import Hardware, PhysicalReader
    from cardtwin.targets.interface import Capability, Program, Setup

__all__ = ["LibraryHardwareBench", "LibraryHardwareTarget"]


class LibraryHardwareTarget(HardwareTarget):
    """Any PKCS#11 library, above readers of the system.

    Args:
        library: The library, as :class:`ForeignTarget` takes it.
        reader: As the hardware target's.
        hardware: As the hardware target's.

    Raises:
        TargetError: There is no such library.
    """

    capabilities = HardwareTarget.capabilities & ForeignTarget.capabilities

    def __init__(self, library: str, reader: str = "", hardware: Hardware | None = None) -> None:
        super().__init__(reader, hardware)
        self._emulated = ForeignTarget(library)

    @property
    def name(self) -> str:  # type: ignore[override]  # it depends on both
        """The name that reports use."""
        return f"{self._emulated.name}@{super().name}"

    def unsupported(self, setup: Setup, needs: AbstractSet[Capability]) -> str:
        """Return what means nothing to another middleware, or can't be done to physical cards."""
        why = (self._emulated.unsupported(setup, needs), super().unsupported(setup, needs))
        return "; ".join(filter(None, why))

    def rehearsal(self) -> LibraryRehearsal:
        """Return the library above emulated cards, which are looked at as physical ones are."""
        return LibraryRehearsal(self._emulated.library)

    def make_bench(
        self, setup: Setup, hub: Hub, readers: Mapping[str, PhysicalReader], hardware: Hardware
    ) -> LibraryHardwareBench:
        """Make the bench."""
        return LibraryHardwareBench(setup, hub, readers, hardware, self._emulated.library)


class LibraryHardwareBench(HardwareBench):
    """The physical readers behind readers of ours, which programs with any library find.

    Args:
        setup: As the hardware bench's.
        hub: As the hardware bench's.
        readers: As the hardware bench's.
        hardware: As the hardware bench's.
        library: What the programs load.

    Raises:
        TargetError: As the hardware bench's.
        ReaderError: Another program uses a card.
    """

    def __init__(
        self,
        setup: Setup,
        hub: Hub,
        readers: Mapping[str, PhysicalReader],
        hardware: Hardware,
        library: str,
    ) -> None:
        self._launcher = Launcher(library)
        super().__init__(setup, hub, readers, hardware)

        try:
            for reader in self.names:
                self._add(reader)
        except BaseException as error:
            self.close()

            if isinstance(error, KeyboardInterrupt):
                name_states(error, self.guards.values())

            raise

    def _add(self, reader: str) -> None:
        """Add a reader of ours, with the card behind it; one that is to be without a card stays empty."""
        if (guard := self.guards.get(reader)) is None:
            self.manager.add_reader(reader)
            return

        passed = PassedReader(
            self.manager,
            self.names[reader],
            known_as=reader,
            around=lambda card: GuardedCard(card, guard, reader),
            hub=self.hub,
        )
        self.around.enter_context(passed)

        if self.manager.state(reader).mute:
            gone = f"the card in {reader!r} doesn't answer any more, or another program took it"
            raise TargetError(str(guard.refusal or gone))

    def tell_present(self, reader: str, atr: bytes) -> None:
        """Tell nothing: our readers tell of the cards that are passed on."""

    def make_context(self) -> Context:
        """Return a new program's view of the readers that are the scenario's."""
        return self.manager.context()

    def new_program(self, process: str) -> Program:
        """Start a process that loads the library.

        Raises:
            TargetError: It cannot be loaded.
        """
        return ToldProgram(self._launcher.start(self, process), process, self.hub)

    def close(self) -> None:
        """Take all down: the programs with their sockets first, then their logins."""
        self._launcher.close()

        for reader, guard in self.guards.items():
            if guard.logged_in:
                with suppress(PcscError):  # a card that is gone has no login
                    self.manager.reset(reader)

        super().close()
