"""Several connections to one card: share modes, protocols, transactions, resets, dispositions."""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

import pytest

from cardtwin.pcsc import (
    CancelledError,
    CardRemovedError,
    CardResetError,
    Disposition,
    InvalidHandleError,
    NoSmartCardError,
    NotTransactedError,
    PcscError,
    Protocol,
    ProtocolMismatchError,
    ReaderState,
    ShareMode,
    SharingViolationError,
    TimeoutExpiredError,
    UnknownReaderError,
)
from cardtwin.readers import ReaderManager, TransactionPendingError
from support.cards import ATR, LOGIN, OK, WHO_AM_I, ScriptedCard

if TYPE_CHECKING:
    from collections.abc import Callable

    from cardtwin.readers import ManagedConnection

READ = bytes.fromhex("00B0000000")
BOUND = 20


@pytest.fixture
def card() -> ScriptedCard:
    return ScriptedCard()


@pytest.fixture
def manager(card: ScriptedCard) -> ReaderManager:
    manager = ReaderManager()
    manager.add_reader("R1")
    manager.insert("R1", card)
    return manager


def in_thread(action: Callable[[], object]) -> threading.Thread:
    thread = threading.Thread(target=action, daemon=True)
    thread.start()
    return thread


def joined(thread: threading.Thread) -> None:
    thread.join(BOUND)
    assert not thread.is_alive()


# Share modes

S, X, D = ShareMode.SHARED, ShareMode.EXCLUSIVE, ShareMode.DIRECT


@pytest.mark.parametrize(
    ("first", "second", "goes"),
    [
        (S, S, True),
        (S, D, True),
        (S, X, False),
        (D, S, True),
        (D, D, True),
        (D, X, False),
        (X, S, False),
        (X, D, False),
        (X, X, False),
    ],
)
def test_share_modes_admit_or_refuse_a_second_connection(
    manager: ReaderManager, first: ShareMode, second: ShareMode, *, goes: bool
) -> None:
    manager.context().connect("R1", share=first)

    if goes:
        manager.context().connect("R1", share=second)
    else:
        with pytest.raises(SharingViolationError):
            manager.context().connect("R1", share=second)


def test_the_state_tells_how_the_card_is_shared(manager: ReaderManager) -> None:
    with manager.context() as context:
        exclusive = context.connect("R1", share=X)
        assert manager.state("R1").sharing == -1
        exclusive.reconnect(share=S)
        context.connect("R1")
        assert manager.state("R1").sharing == 2

        with pytest.raises(SharingViolationError):
            exclusive.reconnect(share=X)

    assert manager.state("R1").sharing == 0


def test_the_only_connection_may_become_exclusive(manager: ReaderManager) -> None:
    connection = manager.context().connect("R1")
    connection.reconnect(share=X)

    with pytest.raises(SharingViolationError):
        manager.context().connect("R1")


def test_an_empty_reader_has_no_card_to_connect_to() -> None:
    manager = ReaderManager()
    manager.add_reader("R1")

    with pytest.raises(NoSmartCardError):
        manager.context().connect("R1")


# Protocols


@pytest.mark.parametrize(
    ("card_speaks", "wanted", "spoken"),
    [
        (Protocol.T0, Protocol.ANY, Protocol.T0),
        (Protocol.T1, Protocol.ANY, Protocol.T1),
        (Protocol.ANY, Protocol.T1, Protocol.T1),
        (Protocol.ANY, Protocol.T0, Protocol.T0),
    ],
)
def test_the_protocol_is_one_that_both_speak(
    card_speaks: Protocol, wanted: Protocol, spoken: Protocol
) -> None:
    manager = ReaderManager()
    manager.add_reader("R1")
    manager.insert("R1", ScriptedCard(protocols=card_speaks))
    connection = manager.context().connect("R1", protocol=wanted)
    assert connection.protocol is spoken
    assert connection.transmit(READ) == OK


@pytest.mark.parametrize("wanted", [Protocol.T1, Protocol.RAW, Protocol.UNDEFINED])
def test_a_protocol_that_the_card_does_not_speak_is_refused_and_harms_nobody(wanted: Protocol) -> None:
    manager = ReaderManager()
    manager.add_reader("R1")
    manager.insert("R1", ScriptedCard(protocols=Protocol.T0))

    with pytest.raises(ProtocolMismatchError):
        manager.context().connect("R1", protocol=wanted)

    assert manager.state("R1").sharing == 0
    assert manager.context().connect("R1").transmit(READ) == OK


def test_a_protocol_in_use_stays(manager: ReaderManager) -> None:
    manager.context().connect("R1", protocol=Protocol.T0)

    with pytest.raises(ProtocolMismatchError):
        manager.context().connect("R1", protocol=Protocol.T1)


def test_a_direct_connection_may_send_once_another_has_settled_the_protocol(manager: ReaderManager) -> None:
    direct = manager.context().connect("R1", share=D)

    with pytest.raises(ProtocolMismatchError):
        direct.transmit(READ)

    manager.context().connect("R1")
    assert direct.transmit(READ) == OK


# Transactions


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


@pytest.mark.parametrize(
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


# Resets and dispositions


@pytest.mark.parametrize("disposition", [Disposition.RESET, Disposition.UNPOWER])
def test_a_reset_at_disconnect_is_told_to_the_others(
    manager: ReaderManager, disposition: Disposition
) -> None:
    first, second = manager.context().connect("R1"), manager.context().connect("R1")
    second.transmit(LOGIN)
    first.disconnect(disposition)

    for _ in range(2):
        with pytest.raises(CardResetError):
            second.transmit(WHO_AM_I)

    with pytest.raises(CardResetError):
        second.begin_transaction()

    second.reconnect()
    assert second.transmit(WHO_AM_I) == b"\0" + OK


@pytest.mark.parametrize("disposition", [Disposition.LEAVE, Disposition.EJECT])
def test_a_card_that_is_left_keeps_its_security_status(
    manager: ReaderManager, disposition: Disposition
) -> None:
    first, second = manager.context().connect("R1"), manager.context().connect("R1")
    first.transmit(LOGIN)
    first.disconnect(disposition)
    assert second.transmit(WHO_AM_I) == b"\1" + OK


@pytest.mark.parametrize("disposition", [Disposition.RESET, Disposition.UNPOWER])
def test_a_reset_at_reconnect_is_told_to_the_others_only(
    manager: ReaderManager, disposition: Disposition
) -> None:
    first, second = manager.context().connect("R1"), manager.context().connect("R1")
    first.transmit(LOGIN)
    first.reconnect(disposition)
    assert first.transmit(WHO_AM_I) == b"\0" + OK

    with pytest.raises(CardResetError):
        second.transmit(WHO_AM_I)


@pytest.mark.parametrize("disposition", [Disposition.RESET, Disposition.UNPOWER])
def test_a_reset_at_the_end_of_a_transaction_is_told_to_all(
    manager: ReaderManager, disposition: Disposition
) -> None:
    first, second = manager.context().connect("R1"), manager.context().connect("R1")

    with first.transaction(disposition):
        first.transmit(LOGIN)

    for connection in (first, second):
        with pytest.raises(CardResetError):
            connection.transmit(WHO_AM_I)

        connection.reconnect()
        assert connection.transmit(WHO_AM_I) == b"\0" + OK


def test_unpowering_takes_the_power_until_somebody_connects(
    manager: ReaderManager, card: ScriptedCard
) -> None:
    manager.context().connect("R1").disconnect(Disposition.UNPOWER)
    assert not card.powered
    assert manager.context().connect("R1").transmit(READ) == OK


def test_a_reconnect_meets_the_card_that_is_there_now(manager: ReaderManager) -> None:
    connection = manager.context().connect("R1")
    other = bytes.fromhex("3BD218008131FE58C90316")
    manager.remove("R1")

    with pytest.raises(CardRemovedError):
        connection.reconnect()

    manager.insert("R1", ScriptedCard(atr=other))
    assert connection.atr == ATR

    with pytest.raises(CardRemovedError):
        connection.transmit(READ)

    connection.reconnect()
    assert connection.atr == other
    assert connection.transmit(READ) == OK


# Contexts


def test_a_released_context_leaves_the_card_as_it_is(manager: ReaderManager) -> None:
    with manager.context() as context:
        context.connect("R1").transmit(LOGIN)

    assert manager.context().connect("R1").transmit(WHO_AM_I) == b"\1" + OK


@pytest.mark.parametrize("share", [S, X])
def test_a_context_released_while_it_holds_the_card_leaves_it_reset(
    manager: ReaderManager, share: ShareMode
) -> None:
    with manager.context() as context:
        connection = context.connect("R1", share=share)
        connection.begin_transaction()
        connection.transmit(LOGIN)

    assert manager.context().connect("R1").transmit(WHO_AM_I) == b"\0" + OK


def test_what_is_closed_is_of_no_use(manager: ReaderManager) -> None:
    context = manager.context()
    connection, forgotten = context.connect("R1"), context.connect("R1")
    connection.disconnect()
    connection.disconnect(Disposition.RESET)
    context.release()
    context.release()
    uses: list[Callable[[], object]] = [
        lambda: connection.transmit(READ),
        connection.reconnect,
        lambda: forgotten.transmit(READ),
        forgotten.begin_transaction,
        context.readers,
        lambda: context.state("R1"),
        lambda: context.connect("R1"),
        lambda: context.wait([], 0),
    ]

    for use in uses:
        with pytest.raises(InvalidHandleError):
            use()


# Waiting for changes


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
