"""Worker processes: how they are started, and how they end."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

import cardtwin

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from multiprocessing.connection import Connection
    from multiprocessing.context import BaseContext
    from multiprocessing.process import BaseProcess

__all__ = ["bury", "context", "fresh_python", "leave_interrupts_to_the_parent", "start"]

_RUN: Final = (
    "import importlib, os, sys; sys.path.extend(sys.argv.pop(1).split(os.pathsep)); "
    "importlib.import_module(sys.argv.pop(1)).main()"
)
_ROOTS: Final = os.pathsep.join(str(Path(folder).resolve().parent) for folder in cardtwin.__path__)

_SOCKET_ROOM: Final = 70
"""How long the temporary folder's path may be for a fork server: its socket's path holds 107 bytes."""

_FAREWELL: Final = 10.0
"""Seconds that a worker gets to end before it is killed."""


def fresh_python(module: str, *arguments: str) -> list[str]:
    """Return the command line of a module's main() in a Python that inherits nothing from this process.

    It finds this package where this process has found it, and all else where it is installed: no module of
    the current folder, or beside a script, gets in the way.
    """
    return [sys.executable, "-P", "-c", _RUN, _ROOTS, module, *arguments]


def context(preload: str) -> BaseContext:
    """Return a way to start processes that copies no threads.

    Args:
        preload: The module that they need, imported once for all where that can be.
    """
    has_room = len(os.fsencode(tempfile.gettempdir())) <= _SOCKET_ROOM

    if not has_room or "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")

    found = multiprocessing.get_context("forkserver")
    found.set_forkserver_preload([preload])
    return found


def start(how: BaseContext, work: Callable[..., None], *arguments: object) -> tuple[BaseProcess, Connection]:
    """Start a process, and return it with our end of the pipe that is its first argument.

    The pipe is closed in the process when ours is, however we end.
    """
    ours, theirs = how.Pipe()
    process = how.Process(target=work, args=(theirs, *arguments), daemon=True)  # type: ignore[attr-defined]  # BaseContext's stub lacks it

    with _no_interrupt():
        process.start()

    theirs.close()
    return process, ours


def leave_interrupts_to_the_parent() -> None:
    """Do what a worker does first: an interrupt is its parent's business, and SIGTERM simply ends it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)


def bury(process: BaseProcess) -> None:
    """Wait for the end of a process that was told to end, and kill it where it doesn't."""
    process.join(_FAREWELL)

    if process.is_alive():
        process.kill()
        process.join()


@contextmanager
def _no_interrupt() -> Iterator[None]:
    """Hold interrupts back: what starts in the block never gets one, not even before it can ignore them."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})

    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
