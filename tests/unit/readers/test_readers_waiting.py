"""Waiting for a reader's state to change."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import pytest

from cardtwin.pcsc import (
    CancelledError,
    InvalidHandleError,
    PcscError,
    ReaderState,
    TimeoutExpiredError,
    UnknownReaderError,
)
from support.threads import BOUND, in_thread, joined

if TYPE_CHECKING:
    from collections.abc import Callable

    from cardtwin.readers import ReaderManager


READ = bytes.fromhex("00B0000000")


def test_a_wrong_belief_is_corrected_at_once(manager: ReaderManager) -> None:
    assert manager.context().wait([ReaderState("R1")], None) == (manager.state("R1"),)


def test_a_wait_ends_in_time(manager: ReaderManager) -> None:
    with pytest.raises(TimeoutExpiredError):
        manager.context().wait([manager.state("R1")], 0.001)


def test_a_wait_for_an_unknown_reader_is_refused(manager: ReaderManager) -> None:
    with pytest.raises(UnknownReaderError):
        manager.context().wait([ReaderState("R9")], None)


@pytest.mark.parametrize(
    "change",
    [
        lambda manager: manager.remove("R1"),
        lambda manager: manager.context().connect("R1"),
        lambda manager: manager.power("R1", on=False),
    ],
    ids=["removal", "connection", "power"],
)
def test_a_wait_ends_with_a_change(manager: ReaderManager, change: Callable[[ReaderManager], object]) -> None:
    before = manager.state("R1")
    seen: list[tuple[ReaderState, ...]] = []
    waiting = in_thread(lambda: seen.append(manager.context().wait([before], BOUND)))
    change(manager)
    joined(waiting)
    assert seen
    assert seen[0][0] != before


def test_a_wait_ends_when_its_reader_is_taken_away(manager: ReaderManager) -> None:
    before = manager.state("R1")
    errors: list[Exception] = []

    def wait() -> None:
        try:
            state = before

            while True:
                (state,) = manager.context().wait([state], BOUND)
        except PcscError as error:
            errors.append(error)

    waiting = in_thread(wait)
    manager.remove_reader("R1")
    joined(waiting)
    assert isinstance(errors[0], UnknownReaderError)


def test_a_context_that_is_released_just_before_a_wait_does_not_wait(manager: ReaderManager) -> None:
    context = manager.context()
    before = manager.state("R1")

    class ReleasesFirst(threading.Condition):
        """Lets the release come in between, at the last moment before the wait has the lock."""

        def __enter__(self) -> bool:
            manager.changed = changed
            context.release()
            return super().__enter__()

    changed = manager.changed
    manager.changed = ReleasesFirst()

    with pytest.raises(InvalidHandleError):
        context.wait([before], 0.01)


@pytest.mark.parametrize("how", ["cancel", "release"])
def test_a_wait_ends_when_cancelled_from_another_thread(manager: ReaderManager, how: str) -> None:
    context = manager.context()
    errors: list[Exception] = []
    before = manager.state("R1")

    def wait() -> None:
        try:
            context.wait([before], BOUND)
        except PcscError as error:
            errors.append(error)

    waiting = in_thread(wait)
    deadline = time.monotonic() + BOUND

    while waiting.is_alive():
        assert time.monotonic() < deadline
        getattr(context, how)()

    assert isinstance(errors[0], CancelledError | InvalidHandleError)
