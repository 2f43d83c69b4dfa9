"""Interrupts while things are taken down: they wait until that is done."""

from __future__ import annotations

import signal
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["undisturbed"]

_INTERRUPTS: Final = (signal.SIGINT, signal.SIGTERM)


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
