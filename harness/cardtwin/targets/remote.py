"""A program of a scenario that is a process of its own, with a PKCS#11 library loaded."""

from __future__ import annotations

import os
import signal
import subprocess
from contextlib import suppress
from multiprocessing import Pipe, reduction
from typing import TYPE_CHECKING, Final, Self

from cardtwin.cryptoki.foreign import Returned
from cardtwin.plan import Secret
from cardtwin.targets.errors import TargetError
from cardtwin.targets.messages import Begin, Call, End, Failed, Fork, Forked, Message, Revealed
from cardtwin.targets.processes import fresh_python

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from multiprocessing.connection import Connection

    from cardtwin.events import SharedCause

__all__ = ["LIMIT", "RemoteProgram"]

LIMIT: Final = 30.0
"""Seconds that a call may take."""

_WORKER: Final = "cardtwin.targets.worker"


class RemoteProgram:
    """A process that calls a library, seen from here.

    Args:
        name: What the scenario calls it, for messages.
        pid: The process.
        connection: Where calls go.
        cause: By which the cause of a call becomes that of what the library does at the bench's sockets.
        limit: Seconds that a call may take.
    """

    def __init__(self, name: str, pid: int, connection: Connection, cause: SharedCause, limit: float) -> None:
        self._name = name
        self._cause = cause
        self._limit = limit
        self._connection = connection
        self._process = os.pidfd_open(pid)
        self._popen: subprocess.Popen[bytes] | None = None
        self._gone = ""

    @classmethod
    def start(
        cls,
        name: str,
        library: str,
        environment: Mapping[str, str],
        *,
        cause: SharedCause,
        limit: float = LIMIT,
    ) -> Self:
        """Start a process and let it load a library.

        Raises:
            TargetError: It cannot.
        """
        ours, theirs = Pipe()
        popen = subprocess.Popen(  # noqa: S603  # this Python, and the library that the user names
            fresh_python(_WORKER, str(theirs.fileno()), library),
            env={**os.environ, **environment},
            stdin=subprocess.DEVNULL,
            pass_fds=[theirs.fileno()],
        )
        theirs.close()
        program = cls(name, popen.pid, ours, cause, limit)
        program._popen = popen

        try:
            program._see_loaded(library)
        except BaseException:
            program.close()
            raise

        return program

    def _see_loaded(self, library: str) -> None:
        loaded = self._receive(f"{library} was loaded", max(self._limit, LIMIT))

        if isinstance(loaded, Failed):
            raise TargetError(loaded.message)

    def initialize(self) -> Returned:
        """Call C_Initialize.

        Raises:
            TargetError: The process is gone, by this call or before.
        """
        return self._returned(Begin(), "C_Initialize")

    def finalize(self) -> Returned:
        """Call C_Finalize; errors as initialize()."""
        return self._returned(End(), "C_Finalize")

    def call(self, name: str, arguments: Sequence[object]) -> Returned:
        """Call another function; errors as initialize()."""
        return self._returned(Call(name, tuple(map(_revealed, arguments))), name)

    def fork(self) -> RemoteProgram:
        """Let the process fork, and return the child; errors as initialize()."""
        ours, theirs = Pipe()
        self._send(Fork())

        with suppress(OSError):  # then there is no answer either
            reduction.send_handle(self._connection, theirs.fileno(), 0)

        theirs.close()
        answer = self._receive("it forked")
        assert isinstance(answer, Forked)
        return RemoteProgram(f"the child of {self._name}", answer.pid, ours, self._cause, self._limit)

    def close(self) -> None:
        """End the process. A second call does nothing."""
        self._end("it was closed")

    def _returned(self, message: Message, name: str) -> Returned:
        with self._cause.share():
            self._send(message)
            answer = self._receive(f"{name} ran")

        assert isinstance(answer, Returned)
        return answer

    def _send(self, message: Message) -> None:
        if self._gone:
            raise TargetError(f"{self._name} is gone: {self._gone}")

        with suppress(BrokenPipeError):  # it is gone: there is no answer either
            self._connection.send(message)

    def _receive(self, during: str, limit: float | None = None) -> object:
        """Return the answer, which takes `limit` seconds, or else as long as a call may.

        Raises:
            TargetError: There is none: the process has ended, or takes too long and is ended.
        """
        limit = self._limit if limit is None else limit

        try:
            if self._connection.poll(limit):
                return self._connection.recv()
        except (EOFError, OSError):
            raise self._lost(f"{self._how_it_ended()} while {during}") from None
        except BaseException:
            self._end("a call was interrupted")
            raise

        raise self._lost(f"it had to be ended: after {limit:g} s there was no answer while {during}")

    def _lost(self, why: str) -> TargetError:
        self._end(why)
        return TargetError(f"{self._name}: {why}")

    def _how_it_ended(self) -> str:
        if self._popen is None:
            return "it ended"

        try:
            status = self._popen.wait(self._limit)
        except subprocess.TimeoutExpired:
            return "it closed its socket"

        return (
            f"it was killed by {signal.Signals(-status).name}"
            if status < 0
            else f"it ended with status {status}"
        )

    def _end(self, why: str) -> None:
        if self._gone:
            return

        self._gone = why
        self._connection.close()

        with suppress(ProcessLookupError):
            signal.pidfd_send_signal(self._process, signal.SIGKILL)

        os.close(self._process)

        if self._popen is not None:
            self._popen.wait()


def _revealed(argument: object) -> object:
    return Revealed(argument.reveal()) if isinstance(argument, Secret) else argument
