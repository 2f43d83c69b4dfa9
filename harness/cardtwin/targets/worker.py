"""The program that loads a PKCS#11 library on behalf of a program of a scenario.

Its arguments are a descriptor and the library. The descriptor is that of a socket by which calls come in and
results go out. Whatever the library does to its process, a crash included, it does to this one.
"""

from __future__ import annotations

import os
import signal
import sys
from multiprocessing import reduction
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING

from cardtwin.cryptoki.errors import LibraryMissingError
from cardtwin.cryptoki.foreign import ForeignModule, Returned
from cardtwin.plan import Secret
from cardtwin.targets.messages import Begin, Call, End, Failed, Fork, Forked, Revealed

if TYPE_CHECKING:
    from cardtwin.targets.messages import Message

__all__ = ["main"]


def main() -> None:
    """Load the library and serve until the socket is closed."""
    descriptor, library = sys.argv[1:]
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # an interrupt is the parent's business
    connection = Connection(int(descriptor))

    try:
        module = ForeignModule(Path(library))
    except LibraryMissingError as error:
        connection.send(Failed(str(error)))
    else:
        connection.send(Returned(0))
        _serve(module, connection)

    os._exit(0)  # what a library does at the end of a process is not asked about


def _serve(module: ForeignModule, connection: Connection) -> None:
    while (message := _next(connection)) is not None:
        match message:
            case Begin():
                connection.send(module.initialize())
            case End():
                connection.send(module.finalize())
            case Call(name, arguments):
                connection.send(module.call(name, [_hidden(each) for each in arguments]))
            case Fork():
                connection = _fork(connection)


def _next(connection: Connection) -> Message | None:
    try:
        message: Message = connection.recv()
    except (EOFError, OSError):
        return None

    return message


def _hidden(argument: object) -> object:
    return Secret(argument.value) if isinstance(argument, Revealed) else argument


def _fork(connection: Connection) -> Connection:
    """Fork, and return by which socket this process goes on: the child by the one that comes now."""
    theirs = Connection(reduction.recv_handle(connection))
    pid = os.fork()

    if pid == 0:
        connection.close()
        return theirs

    theirs.close()
    connection.send(Forked(pid))
    return connection
