"""Ctrl-C and SIGTERM: both take all down that there is, and wait where something can't be left half way."""

from __future__ import annotations

import signal
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Terminated", "terminable", "undisturbed"]

_INTERRUPTS: Final = (signal.SIGINT, signal.SIGTERM)


class Terminated(KeyboardInterrupt):
    """SIGTERM: an interrupt for all that has to be taken down."""


@contextmanager
def terminable() -> Iterator[None]:
    """Let SIGTERM end the block as an interrupt does; only the first one, so that nothing ends the end."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(_number: int, _frame: object) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        raise Terminated

    before = signal.signal(signal.SIGTERM, stop)

    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def undisturbed(*, dropped: bool = False) -> Iterator[None]:
    """Let an interrupt (SIGINT, SIGTERM) that comes in the block take effect after it.

    In other threads than the main one nothing is done: no interrupt is raised there.

    Args:
        dropped: Whether it has no effect at all: one has come before, and the end is what it asked for.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    came: list[int] = []
    # What is ignored, or handled outside Python, stays so.
    before = {number: signal.getsignal(number) for number in _INTERRUPTS}
    held = {number: handler for number, handler in before.items() if callable(handler)}

    for number in held:
        signal.signal(number, lambda number, _frame: came.append(number))

    try:
        yield
    finally:
        for number, handler in held.items():
            signal.signal(number, handler)

    if came and not dropped:
        signal.raise_signal(signal.Signals(came[0]))
