"""SIGTERM as an interrupt: it takes down all that Ctrl-C does, and leaves no login on a physical card."""

from __future__ import annotations

import signal
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Terminated", "terminable"]


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
