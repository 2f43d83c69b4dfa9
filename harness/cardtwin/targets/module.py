"""Targets whose programs call a PKCS#11 library, each in a process of its own: ours, or anybody's."""

from __future__ import annotations

import os
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Final

from cardtwin.cryptoki.errors import LibraryMissingError
from cardtwin.cryptoki.native import library_path
from cardtwin.events import Hub, SharedCause
from cardtwin.targets.clock import pass_time
from cardtwin.targets.emulated import EmulatedBench, EmulatedTarget
from cardtwin.targets.errors import TargetError
from cardtwin.targets.interface import Capability, ProcessSetup, Setup
from cardtwin.targets.outlets import Outlets
from cardtwin.targets.remote import LIMIT, RemoteProgram
from cardtwin.targets.told import ToldProgram

if TYPE_CHECKING:
    from collections.abc import Iterator
    from collections.abc import Set as AbstractSet

    from cardtwin.targets.clock import Sleep
    from cardtwin.targets.interface import Program

__all__ = ["ForeignBench", "ForeignTarget", "Launcher", "ModuleBench", "ModuleTarget", "try_library"]

_OURS: Final = ("cryptoki.", "middleware.")
"""The areas of the switches that a foreign library doesn't read."""

_TRIAL: Final = "a trial of the library"
_LIBRARY_REMEDY: Final = "give the path of a PKCS#11 library of this machine's architecture"
_NOTHING_TO_DO: Final = "no step calls a function of PKCS#11: there is nothing for the library to do"


class ModuleTarget(EmulatedTarget):
    """Programs load our own PKCS#11 library, which leads back to the bench.

    Raises:
        TargetError: The library is not there.
    """

    name = "module"

    def __init__(self) -> None:
        try:
            self._library = str(library_path())
        except LibraryMissingError as error:
            raise TargetError(str(error)) from None

    def unsupported(self, setup: Setup, needs: AbstractSet[Capability]) -> str:  # noqa: ARG002  # Target's
        """Return why the library would have nothing to do."""
        return "" if Capability.PKCS11 in needs else _NOTHING_TO_DO

    def open(self, setup: Setup, hub: Hub) -> ModuleBench:
        """Set up the bench.

        Raises:
            TargetError: A card's image cannot be read.
        """
        return ModuleBench(setup, hub, self._library)


class ForeignTarget(EmulatedTarget):
    """Programs load any PKCS#11 library, above the bench's readers.

    Attributes:
        library: The library.

    Raises:
        TargetError: There is no such file. A name without a slash is left to the system's search.
    """

    capabilities = frozenset(Capability) - {Capability.OWN, Capability.CLOCK}

    def __init__(self, library: str) -> None:
        if os.sep in library and not Path(library).is_file():
            raise TargetError(f"there is no PKCS#11 library {library}")

        self.library = library

    @property
    def name(self) -> str:  # type: ignore[override]  # it depends on the library
        """The name that reports use."""
        return f"module:{self.library}"

    def unsupported(self, setup: Setup, needs: AbstractSet[Capability]) -> str:
        """Return what of a setup means nothing to another middleware than ours."""
        return "; ".join(_meant_for_ours(setup, needs))

    def open(self, setup: Setup, hub: Hub, *, limit: float = LIMIT) -> ForeignBench:
        """Set up the bench; a call of the library may take `limit` seconds.

        Raises:
            TargetError: A card's image cannot be read.
        """
        return ForeignBench(setup, hub, self.library, limit=limit, sleep=pass_time)


def try_library(library: str, *, limit: float = LIMIT) -> None:
    """Load a library and initialize it once, in a process of its own above no readers.

    What C_Initialize returns is left to scenarios: without readers it may well be an error.

    Args:
        library: The library, as :class:`ForeignTarget` takes it.
        limit: Seconds that loading and initializing may take, each.

    Raises:
        TargetError: It can't be loaded, is none of PKCS#11, or crashes or hangs while this is done.
    """
    setup = Setup({}, {}, {_TRIAL: ProcessSetup(_TRIAL)})

    try:
        with ForeignTarget(library).open(setup, Hub(), limit=limit) as bench:
            bench.program(_TRIAL).initialize()
    except TargetError as error:
        raise TargetError(f"{library} can't be used: {error}; {_LIBRARY_REMEDY}") from None


def _meant_for_ours(setup: Setup, needs: AbstractSet[Capability]) -> Iterator[str]:
    if Capability.PKCS11 not in needs:
        yield _NOTHING_TO_DO

    for name, process in setup.processes.items():
        if process.config is not None or process.user_config is not None:
            yield f"{name} has a Personal.cfg, which only cardtwin's middleware reads"

    for switch in setup.switches:
        if switch.startswith(_OURS):
            yield f"the switch {switch} is one of cardtwin's middleware"


class Launcher:
    """Starts processes that load a library, each with sockets of its own that lead to a bench.

    Args:
        library: What they load.
        limit: Seconds that a call may take.
    """

    def __init__(self, library: str, *, limit: float = LIMIT) -> None:
        self._library = library
        self._limit = limit
        self._stack = ExitStack()

    def start(self, bench: EmulatedBench, process: str) -> RemoteProgram:
        """Start one; its calls come back under the program's name.

        Raises:
            TargetError: The library cannot be loaded.
        """
        cause = SharedCause(process)
        outlets = self._stack.enter_context(Outlets(bench, program=process, cause=cause))
        program = RemoteProgram.start(
            process, self._library, outlets.environment, cause=cause, limit=self._limit
        )
        self._stack.callback(program.close)
        return program

    def close(self) -> None:
        """End all of them, and take their sockets away. A second call does nothing."""
        self._stack.close()


class ModuleBench(EmulatedBench):
    """The emulated bench, with programs that are processes of their own.

    Args:
        setup: What is on the desk.
        hub: Who is told what happens.
        library: What the programs load.
        limit: Seconds that a call may take.
        sleep: As the emulated bench's.
    """

    def __init__(
        self,
        setup: Setup,
        hub: Hub,
        library: str,
        *,
        limit: float = LIMIT,
        sleep: Sleep | None = None,
    ) -> None:
        self._launcher = Launcher(library, limit=limit)
        super().__init__(setup, hub, sleep=sleep)

    def new_program(self, process: str) -> Program:
        """Start a process that loads the library; its calls come back under the program's name.

        Raises:
            TargetError: It cannot be loaded.
        """
        return self._launcher.start(self, process)

    def close(self) -> None:
        """Take all down: each program with its sockets, and the bench."""
        self._launcher.close()
        super().close()


class ForeignBench(ModuleBench):
    """The same with a library that isn't ours: its calls are told where they are made."""

    def new_program(self, process: str) -> Program:
        """Start a process that loads the library; errors as ModuleBench's."""
        return ToldProgram(super().new_program(process), process, self._hub)
