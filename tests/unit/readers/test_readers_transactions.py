"""Transactions: who waits, in which order, and how they end."""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

import pytest

from cardtwin.pcsc import (
    CardRemovedError,
    CardResetError,
    Disposition,
    InvalidHandleError,
    NotTransactedError,
    PcscError,
    SharingViolationError,
)
from cardtwin.readers import ReaderManager, TransactionPendingError
from support.cards import LOGIN, OK, WHO_AM_I, ScriptedCard
from support.threads import BOUND, in_thread, joined

if TYPE_CHECKING:
    from collections.abc import Callable

    from cardtwin.readers import ManagedConnection

READ = bytes.fromhex("00B0000000")


def test_a_command_waits_for_the_transaction_of_another(manager: ReaderManager, card: ScriptedCard) -> None:
    first, second = manager.context().connect("R1"), manager.context().connect("R1")

    with first.transaction():
        first.transmit(b"first 1")
        other = in_thread(lambda: second.transmit(b"second"))
        first.transmit(b"first 2")

    joined(other)
    assert card.log == [b"first 1", b"first 2", b"second"]


def test_connecting_waits_for_the_transaction_of_another(manager: ReaderManager, card: ScriptedCard) -> None:
    first = manager.context().connect("R1")

    with first.transaction():
        other = in_thread(lambda: manager.context().connect("R1").transmit(b"second"))
        first.transmit(b"first")

    joined(other)
    assert card.log == [b"first", b"second"]


def test_a_disposition_waits_for_the_transaction_of_another(manager: ReaderManager) -> None:
    first, second = manager.context().connect("R1"), manager.context().connect("R1")

    with first.transaction():
        first.transmit(LOGIN)
        other = in_thread(lambda: second.disconnect(Disposition.RESET))
        assert first.transmit(WHO_AM_I) == b"\1" + OK

    joined(other)

    with pytest.raises(CardResetError):
        first.transmit(WHO_AM_I)


WAITING_ACTS = pytest.mark.parametrize(
    "act",
    [
        lambda one: one.transmit(READ),
        lambda one: one.begin_transaction(),
        lambda one: one.reconnect(),
        lambda one: one.check(),
        lambda one: one.disconnect(Disposition.RESET),
    ],
    ids=["transmit", "begin", "reconnect", "check", "disconnect"],
)


@WAITING_ACTS
def test_releasing_a_context_ends_its_waits_and_closes_its_connections(
    manager: ReaderManager, card: ScriptedCard, act: Callable[[ManagedConnection], object]
) -> None:
    context = manager.context()
    waiting = context.connect("R1")
    holding = manager.context().connect("R1")
    deadline = time.monotonic() + BOUND
    told: list[Exception] = []

    def wait() -> None:
        try:
            act(waiting)
        except PcscError as error:
            told.append(error)

    with holding.transaction():
        other = in_thread(wait)

        while not manager.slot("R1").turns._queue:
            assert time.monotonic() < deadline

        context.release()
        joined(other)

    assert [type(error) for error in told] == [InvalidHandleError]
    assert manager.state("R1").sharing == 1

    with pytest.raises(InvalidHandleError):
        waiting.transmit(READ)

    assert holding.transmit(READ) == OK
    assert card.log == [READ]


@WAITING_ACTS
def test_patience_that_ends_is_told(
    manager: ReaderManager, act: Callable[[ManagedConnection], object]
) -> None:
    holding = manager.context().connect("R1")
    impatient = manager.context(patience=0).connect("R1")
    begun, end = threading.Event(), threading.Event()

    def hold() -> None:
        with holding.transaction():
            begun.set()
            end.wait(BOUND)

    other = in_thread(hold)
    assert begun.wait(BOUND)

    with pytest.raises(TransactionPendingError):
        act(impatient)

    end.set()
    joined(other)
    act(impatient)


def test_a_wait_that_could_never_end_is_refused(manager: ReaderManager) -> None:
    first, second = manager.context().connect("R1"), manager.context().connect("R1")

    with first.transaction():
        with pytest.raises(SharingViolationError, match="this thread"):
            second.transmit(READ)

        with pytest.raises(SharingViolationError, match="this thread"):
            manager.context().connect("R1")

    assert second.transmit(READ) == OK


def test_transactions_nest(manager: ReaderManager) -> None:
    first, second = manager.context().connect("R1"), manager.context().connect("R1")

    with first.transaction():
        with first.transaction():
            pass

        with pytest.raises(SharingViolationError):
            second.transmit(READ)

    assert second.transmit(READ) == OK


def test_a_transaction_ends_when_its_block_fails(manager: ReaderManager) -> None:
    first, second = manager.context().connect("R1"), manager.context().connect("R1")

    with pytest.raises(ZeroDivisionError), first.transaction():
        raise ZeroDivisionError

    assert second.transmit(READ) == OK


def test_the_error_of_a_block_is_not_hidden_by_the_removal_that_caused_it(manager: ReaderManager) -> None:
    connection = manager.context().connect("R1")

    def fail() -> None:
        with connection.transaction():
            manager.remove("R1")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()


def test_only_the_holder_ends_a_transaction(manager: ReaderManager) -> None:
    first, second = manager.context().connect("R1"), manager.context().connect("R1")

    with pytest.raises(NotTransactedError):
        first.end_transaction()

    with first.transaction(), pytest.raises(SharingViolationError):
        second.end_transaction()


def test_disconnecting_ends_the_transaction(manager: ReaderManager) -> None:
    first, second = manager.context().connect("R1"), manager.context().connect("R1")

    with first.transaction():
        first.disconnect()
        assert second.transmit(READ) == OK


def test_who_waits_longest_goes_first(manager: ReaderManager, card: ScriptedCard) -> None:
    first = manager.context().connect("R1")
    deadline = time.monotonic() + BOUND
    threads = []

    def connect_and_send(command: bytes) -> None:
        manager.context().connect("R1").transmit(command)

    with first.transaction():
        for number in range(5):
            threads.append(in_thread(partial(connect_and_send, bytes([number]) * 5)))

            while len(manager.slot("R1").turns._queue) <= number:
                assert time.monotonic() < deadline

    for thread in threads:
        joined(thread)

    assert [command[0] for command in card.log] == [0, 1, 2, 3, 4]


def test_a_removal_ends_the_transaction_and_the_next_card_is_free(manager: ReaderManager) -> None:
    first = manager.context().connect("R1")
    first.begin_transaction()
    manager.remove("R1")
    manager.insert("R1", ScriptedCard())
    assert manager.context().connect("R1").transmit(READ) == OK

    with pytest.raises(CardRemovedError):
        first.transmit(READ)

    with pytest.raises(CardRemovedError):
        first.end_transaction()


def test_a_reset_at_the_desk_inside_a_transaction_is_told_and_the_end_is_an_end(
    manager: ReaderManager,
) -> None:
    first, second = manager.context().connect("R1"), manager.context().connect("R1")
    first.begin_transaction()
    manager.reset("R1")

    with pytest.raises(CardResetError):
        first.transmit(READ)

    with pytest.raises(CardResetError):
        first.end_transaction()

    second.reconnect()
    assert second.transmit(READ) == OK


def test_many_threads_share_one_card_without_mixing_their_transactions(card: ScriptedCard) -> None:
    manager = ReaderManager()
    manager.add_reader("R1")
    manager.insert("R1", card)
    start = threading.Barrier(6)

    def work(who: int) -> None:
        with manager.context() as context, context.connect("R1") as connection:
            start.wait(BOUND)

            for turn in range(50):
                with suppress(CardResetError), connection.transaction():
                    for step in range(3):
                        connection.transmit(bytes([who, turn, step, 0]))

                if turn % 10 == 9:
                    connection.reconnect(Disposition.RESET)
                else:
                    connection.reconnect()

    threads = [in_thread(partial(work, who)) for who in range(6)]

    for thread in threads:
        joined(thread)

    held: tuple[int, int] | None = None

    for who, turn, step, _ in card.log:
        assert (who, turn) == held if step else True
        held = (who, turn)
