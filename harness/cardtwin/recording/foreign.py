"""Any PKCS#11 library behind ours: programs call our library, each call is told, and goes on to the other."""

from __future__ import annotations

import itertools
import threading
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING, Final, cast

from cardtwin.cryptoki.calls import Implementation, Registry
from cardtwin.cryptoki.errors import CryptokiError
from cardtwin.cryptoki.functions import BY_NAME
from cardtwin.events import SharedCause
from cardtwin.middleware import Ckr
from cardtwin.readers.pcsclite import PcscLiteServer
from cardtwin.targets import TargetError
from cardtwin.targets.remote import RemoteProgram

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from cardtwin.cryptoki.calls import Client
    from cardtwin.cryptoki.foreign import Returned
    from cardtwin.readers import ReaderManager

__all__ = ["ForeignLibrary", "passed_on"]

_WAIT: Final = "C_WaitForSlotEvent"
_DONT_BLOCK: Final = 1
_GLANCE: Final = 0.1
"""Seconds between two looks whether something has happened at a slot."""

_PATIENT: Final = 7 * 24 * 3600.0
"""Seconds that a call may take: a person may be at a PIN pad, and who waits is the program."""


class _PassedOn(Registry):
    """Every function that can be called, done by another library."""

    def find(self, name: str) -> Implementation | None:
        """Return what passes a function on."""
        function = BY_NAME.get(name)

        if function is None or function.local:
            return None

        def run(application: ForeignApplication, *arguments: object) -> object:
            return application.call(name, arguments)

        return Implementation(function, run, alone=name != _WAIT)


passed_on: Final = _PassedOn()
"""The functions, each done by the application's library."""


class ForeignApplication:
    """One program's view of the other library, which a process of its own has loaded.

    Args:
        program: That process.
        sockets: Closed with it.
    """

    def __init__(self, program: RemoteProgram, sockets: ExitStack) -> None:
        self._program = program
        self._sockets = sockets
        self._turn = threading.Lock()
        self._over = threading.Event()

    def call(self, name: str, arguments: Sequence[object]) -> object:
        """Call a function; what it gives back is what a function of ours returns.

        Raises:
            CryptokiError: It returned something else than CKR_OK, or the library's process is gone.
        """
        returned = self._awaited(arguments) if _blocks(name, arguments) else self._once(name, arguments)
        results = returned.results

        if returned.rv != Ckr.CKR_OK and not results:
            raise CryptokiError(_named(returned.rv))

        return results if len(BY_NAME[name].results) > 1 else next(iter(results), None)

    def _once(self, name: str, arguments: Sequence[object]) -> Returned:
        with self._turn:
            try:
                return self._program.call(name, arguments)
            except TargetError as error:
                raise CryptokiError(Ckr.CKR_GENERAL_ERROR, str(error)) from None

    def _awaited(self, arguments: Sequence[object]) -> Returned:
        """Ask again and again, so that the program's other calls get through meanwhile."""
        flags, *others = cast("Sequence[int]", arguments)

        while True:
            returned = self._once(_WAIT, (flags | _DONT_BLOCK, *others))

            if returned.rv != Ckr.CKR_NO_EVENT:
                return returned

            if self._over.wait(_GLANCE):
                raise CryptokiError(Ckr.CKR_CRYPTOKI_NOT_INITIALIZED)

    def abandon(self) -> None:
        """Let what waits for an event end soon."""
        self._over.set()

    def close(self) -> None:
        """Call C_Finalize, and end the library's process."""
        self._over.set()

        with self._turn:
            with suppress(TargetError):
                self._program.finalize()

            self._program.close()

        self._sockets.close()

    def notes(self, name: str, rv: Ckr) -> bool:  # noqa: ARG002  # Application's
        """Whether a log tells of a call: none of ours does."""
        return False

    def note(self, call: str, rv: Ckr, reason: str) -> None:
        """Tell no log."""


class ForeignLibrary:
    """A library that is loaded anew for each program.

    Args:
        path: Where it is.
        manager: The readers that it finds.
        environment: What leads it elsewhere than to the readers.
        folder: Where the sockets are made.
    """

    def __init__(
        self, path: str, manager: ReaderManager, environment: Mapping[str, str], folder: Path
    ) -> None:
        self._path = path
        self._manager = manager
        self._environment = environment
        self._folder = folder
        self._numbers = itertools.count(1)

    def application(self, client: Client) -> ForeignApplication:
        """Load the library for a program, and call C_Initialize.

        Raises:
            CryptokiError: It doesn't load, or refuses.
        """
        cause = SharedCause(f"client {client.pid} {client.program}")  # as the server has it of its calls

        with ExitStack() as stack:
            socket = self._folder / f"readers-{next(self._numbers)}"
            readers = stack.enter_context(PcscLiteServer(self._manager, socket, cause=cause))

            try:
                program = self._started(client.program, {**self._environment, **readers.environment}, cause)
                stack.callback(program.close)
                returned = program.initialize()
            except TargetError as error:
                raise CryptokiError(Ckr.CKR_GENERAL_ERROR, str(error)) from None

            if returned.rv != Ckr.CKR_OK:
                raise CryptokiError(_named(returned.rv))

            return ForeignApplication(program, stack.pop_all())

    def _started(self, name: str, environment: Mapping[str, str], cause: SharedCause) -> RemoteProgram:
        return RemoteProgram.start(name, self._path, environment, cause=cause, limit=_PATIENT)


def _blocks(name: str, arguments: Sequence[object]) -> bool:
    return name == _WAIT and not cast("int", arguments[0]) & _DONT_BLOCK


def _named(rv: int) -> Ckr:
    """Return a return value as the table has it; one of the vendor's own gets its digits for a name."""
    try:
        return Ckr(rv)
    except ValueError:
        member = int.__new__(Ckr, rv)
        member._name_, member._value_ = f"0x{rv:08X}", rv
        return member
