"""Threads in tests, with bounded waits."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

BOUND = 20
"""Seconds after which a wait has failed."""


def in_thread(action: Callable[[], object]) -> threading.Thread:
    """Start a thread that does it."""
    thread = threading.Thread(target=action, daemon=True)
    thread.start()
    return thread


def joined(thread: threading.Thread) -> None:
    """Wait until the thread has ended."""
    thread.join(BOUND)
    assert not thread.is_alive()
