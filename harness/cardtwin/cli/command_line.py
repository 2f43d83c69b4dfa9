"""Another program's command line, run as a shell would run it: its signals, its terminal, its status."""

from __future__ import annotations

import os
import shutil
import signal
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from cardtwin.cli.messages import tell

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

__all__ = ["end_without_program", "run_command", "run_or_tell", "signals_forwarded"]

NOT_FOUND: Final = 127
CANNOT_RUN: Final = 126
_BY_SIGNAL: Final = 128
"""What is added to a signal's number to make a status."""

_FORWARDED: Final = (
    signal.SIGHUP,
    signal.SIGINT,
    signal.SIGQUIT,
    signal.SIGTERM,
    signal.SIGUSR1,
    signal.SIGUSR2,
    signal.SIGWINCH,
    signal.SIGALRM,
)
_KERNEL: Final = 0x80
"""SI_KERNEL: the terminal sends the signal, to the whole process group; the program has it already."""

_RESTORED: Final = (signal.SIGPIPE, signal.SIGXFSZ)
"""What Python ignores for itself, and other programs don't."""


@contextmanager
def signals_forwarded() -> Iterator[set[int]]:
    """Block in this thread, and in those that it starts in the block, what run_command() passes on.

    Yields what was blocked before, which is run_command()'s mask.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {*_FORWARDED, signal.SIGCHLD})

    try:
        yield set(map(int, before))
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def run_command(
    arguments: Sequence[str],
    environment: Mapping[str, str],
    on_child: Callable[[], object],
    *,
    mask: Iterable[int] | None = None,
) -> int:
    """Run a program to its end, and return its status; 128 and the signal's number if one has ended it.

    Signals to this process go to the program. From here on this process gets none itself.

    Args:
        arguments: Its name, which is looked for along PATH, and what follows it.
        environment: Its whole environment.
        on_child: Called when another child of this process has ended or stopped.
        mask: The signals that are blocked for the program; None takes those of this thread. Of a process
            with more threads, all of these have to block what is forwarded: :func:`signals_forwarded`.

    Raises:
        FileNotFoundError: There is no such program.
        OSError: It can't be run.
    """
    awaited = {*_FORWARDED, signal.SIGCHLD}
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    before = signal.pthread_sigmask(signal.SIG_BLOCK, awaited)
    blocked = before if mask is None else mask
    program = os.posix_spawnp(
        arguments[0], list(arguments), dict(environment), setsigmask=blocked, setsigdef=_RESTORED
    )

    while True:
        received = signal.sigwaitinfo(awaited)

        if received.si_signo != signal.SIGCHLD:
            _forward(received, program)
            continue

        ended, status = os.waitpid(program, os.WNOHANG)

        if ended:
            code = os.waitstatus_to_exitcode(status)
            return code if code >= 0 else _BY_SIGNAL - code

        on_child()


def end_without_program(arguments: Sequence[str]) -> None:
    """End this process as shells do, where there is no such program to run; do nothing where there is.

    To be called before anything is opened for the program: an earlier trace stays where it is.
    """
    if shutil.which(arguments[0]) is None:
        sys.exit(run_or_tell(arguments, os.environ))


def run_or_tell(
    arguments: Sequence[str],
    environment: Mapping[str, str],
    mask: Iterable[int] | None = None,
    on_child: Callable[[], object] = lambda: None,
) -> int:
    """Run a program as run_command() does; where there is none, say so, and return what shells give."""
    try:
        return run_command(arguments, environment, on_child, mask=mask)
    except OSError as error:
        tell(f"{arguments[0]}: {error.strerror}")
        return NOT_FOUND if isinstance(error, FileNotFoundError) else CANNOT_RUN


def _forward(received: signal.struct_siginfo, program: int) -> None:
    if received.si_code != _KERNEL:
        os.kill(program, received.si_signo)
