"""Several connections to one card: share modes, protocols, resets, dispositions, contexts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cardtwin.pcsc import (
    CardRemovedError,
    CardResetError,
    Disposition,
    InvalidHandleError,
    NoSmartCardError,
    Protocol,
    ProtocolMismatchError,
    ShareMode,
    SharingViolationError,
)
from cardtwin.readers import ReaderManager
from support.cards import ATR, LOGIN, OK, WHO_AM_I, ScriptedCard

if TYPE_CHECKING:
    from collections.abc import Callable


READ = bytes.fromhex("00B0000000")

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


def test_who_has_the_card_exclusively_is_not_waited_for(manager: ReaderManager) -> None:
    with (
        manager.context().connect("R1", share=X).transaction(),
        pytest.raises(SharingViolationError, match="exclusively"),
    ):
        manager.context().connect("R1")


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


def test_a_reader_with_a_motor_throws_the_card_out_and_all_hear_of_it(manager: ReaderManager) -> None:
    out: list[bool] = []
    manager.let_eject("R1", lambda: out.append(manager.card("R1") is None))
    first, second = manager.context().connect("R1"), manager.context().connect("R1")
    first.disconnect(Disposition.LEAVE)
    assert out == []

    third = manager.context().connect("R1", share=ShareMode.DIRECT)
    third.disconnect(Disposition.EJECT)
    assert out == [True]
    assert not manager.state("R1").present

    with pytest.raises(CardRemovedError):
        second.transmit(WHO_AM_I)

    manager.insert("R1", ScriptedCard())
    second.reconnect()
    assert second.transmit(WHO_AM_I) == b"\0" + OK


def test_so_it_does_at_the_end_of_a_transaction(manager: ReaderManager) -> None:
    manager.let_eject("R1", lambda: None)
    connection = manager.context().connect("R1")

    with connection.transaction(Disposition.EJECT):
        connection.transmit(LOGIN)

    assert manager.card("R1") is None

    with pytest.raises(CardRemovedError):
        connection.transmit(WHO_AM_I)


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
