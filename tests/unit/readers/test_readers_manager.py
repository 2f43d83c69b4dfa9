"""The desk's side of the manager: readers, insertion, removal, power, and what observers are told."""

from __future__ import annotations

import pytest

from cardtwin.events import Event, Exchange, Hub, PowerChange, ReaderChanged, because
from cardtwin.pcsc import (
    CardMuteError,
    CardRemovedError,
    CardResetError,
    NoSmartCardError,
    Protocol,
    ShareMode,
    UnknownReaderError,
)
from cardtwin.readers import (
    CommandTooLongError,
    ReaderError,
    ReaderManager,
    ReaderNameError,
    ReaderOccupiedError,
    ReaderUnavailableError,
)
from support.cards import ATR, LOGIN, OK, WHO_AM_I, ScriptedCard

READ = bytes.fromhex("00B0000000")


@pytest.fixture
def manager() -> ReaderManager:
    manager = ReaderManager()
    manager.add_reader("R1")
    return manager


def test_readers_are_listed_in_the_order_in_which_they_were_added(manager: ReaderManager) -> None:
    manager.add_reader("R9")
    manager.add_reader("R2")
    manager.remove_reader("R1")
    assert manager.context().readers() == ("R9", "R2")


@pytest.mark.parametrize("name", ["", "R1", "two\nlines", "ä" * 64])
def test_a_name_that_is_none_or_taken_is_refused(manager: ReaderManager, name: str) -> None:
    with pytest.raises(ReaderNameError):
        manager.add_reader(name)


@pytest.mark.parametrize("size", [0, 254, 65536])
def test_a_reader_that_cannot_be_is_refused(manager: ReaderManager, size: int) -> None:
    with pytest.raises(ReaderError):
        manager.add_reader("R2", max_command_data=size)


def test_a_name_that_is_no_unicode_is_refused(manager: ReaderManager) -> None:
    with pytest.raises(ReaderNameError, match="all printable"):
        manager.add_reader("R\udcff")


def test_a_card_does_not_get_into_a_reader_that_is_taken_away_at_that_time(manager: ReaderManager) -> None:
    slot = manager.slot("R1")  # what `insert` has in hand when the other thread comes first
    manager.remove_reader("R1")
    card = ScriptedCard()

    with pytest.raises(UnknownReaderError, match="R1"):
        slot.insert(card)

    assert slot.card is None
    assert not slot.state.powered


def test_an_unknown_reader_is_named(manager: ReaderManager) -> None:
    with pytest.raises(UnknownReaderError, match="R7"):
        manager.context().connect("R7")

    with pytest.raises(UnknownReaderError, match="R7"):
        manager.context().state("R7")


def test_a_card_is_powered_on_at_insertion(manager: ReaderManager) -> None:
    card = ScriptedCard()
    manager.insert("R1", card)
    state = manager.state("R1")
    assert card.powered
    assert (state.present, state.powered, state.mute, state.atr) == (True, True, False, ATR)
    assert state.protocol is Protocol.UNDEFINED


def test_insertions_and_removals_are_counted(manager: ReaderManager) -> None:
    manager.insert("R1", ScriptedCard())
    manager.remove("R1")
    manager.insert("R1", ScriptedCard())
    assert manager.state("R1").events == 3


def test_a_reader_takes_one_card_and_gives_it_back(manager: ReaderManager) -> None:
    card = ScriptedCard()
    manager.insert("R1", card)

    with pytest.raises(ReaderOccupiedError, match="R1"):
        manager.insert("R1", ScriptedCard())

    assert manager.card("R1") is card
    assert manager.remove("R1") is card
    assert not card.powered
    assert manager.card("R1") is None


def test_an_empty_reader_has_nothing_to_remove_reset_or_power(manager: ReaderManager) -> None:
    for action in (manager.remove, manager.reset, lambda name: manager.power(name, on=True)):
        with pytest.raises(NoSmartCardError):
            action("R1")


def test_a_mute_card_stays_in_and_answers_once_it_is_mute_no_longer(manager: ReaderManager) -> None:
    card = ScriptedCard(mute=True)
    manager.insert("R1", card)
    assert manager.state("R1").mute
    assert manager.state("R1").atr == b""

    with pytest.raises(CardMuteError):
        manager.context().connect("R1")

    card.mute = False
    assert manager.context().connect("R1").transmit(READ) == OK
    assert not manager.state("R1").mute


def test_a_card_that_falls_mute_in_a_command_is_told_so(manager: ReaderManager) -> None:
    card = ScriptedCard()
    manager.insert("R1", card)
    connection = manager.context().connect("R1")
    card.mute = True

    with pytest.raises(CardMuteError):
        connection.transmit(READ)


def test_a_reset_at_the_desk_takes_the_security_status(manager: ReaderManager) -> None:
    manager.insert("R1", ScriptedCard())
    connection = manager.context().connect("R1")
    connection.transmit(LOGIN)
    manager.reset("R1")

    with pytest.raises(CardResetError):
        connection.transmit(WHO_AM_I)

    connection.reconnect()
    assert connection.transmit(WHO_AM_I) == b"\0" + OK


def test_power_off_is_a_reset_for_those_connected_and_connecting_brings_it_back(
    manager: ReaderManager,
) -> None:
    card = ScriptedCard()
    manager.insert("R1", card)
    connection = manager.context().connect("R1")
    manager.power("R1", on=False)
    assert not card.powered
    assert not manager.state("R1").powered

    with pytest.raises(CardResetError):
        connection.transmit(READ)

    connection.reconnect()
    assert connection.transmit(READ) == OK


def test_power_on_leaves_a_powered_card_alone(manager: ReaderManager) -> None:
    manager.insert("R1", ScriptedCard())
    connection = manager.context().connect("R1")
    connection.transmit(LOGIN)
    manager.power("R1", on=True)
    assert connection.transmit(WHO_AM_I) == b"\1" + OK


def test_a_reader_taken_away_takes_its_card_and_its_connections_along(manager: ReaderManager) -> None:
    card = ScriptedCard()
    manager.insert("R1", card)
    connection = manager.context().connect("R1")
    manager.remove_reader("R1")
    assert not card.powered

    with pytest.raises(ReaderUnavailableError):
        connection.transmit(READ)

    with pytest.raises(ReaderUnavailableError):
        connection.reconnect()

    connection.disconnect()


def test_a_short_reader_carries_short_commands_only(manager: ReaderManager) -> None:
    manager.add_reader("short", max_command_data=255)
    manager.insert("short", ScriptedCard())
    connection = manager.context().connect("short")
    longest = bytes.fromhex("00D60000FF") + bytes(255) + b"\0"
    assert connection.max_command_data == 255
    assert connection.transmit(longest) == OK

    with pytest.raises(CommandTooLongError):
        connection.transmit(longest + b"\0")


def test_a_reader_that_does_not_say_how_long_commands_may_be_carries_the_longest(
    manager: ReaderManager,
) -> None:
    manager.add_reader("untold", max_command_data=None)
    manager.insert("untold", ScriptedCard())
    connection = manager.context().connect("untold")
    command = bytes.fromhex("00D6000000FFFF") + bytes(65535) + bytes(2)
    assert connection.max_command_data == 255
    assert connection.transmit(command) == OK
    assert not connection.features()


def test_an_extended_reader_carries_the_longest_command(manager: ReaderManager) -> None:
    manager.insert("R1", ScriptedCard())
    command = bytes.fromhex("00D6000000FFFF") + bytes(65535) + bytes(2)
    assert manager.context().connect("R1").transmit(command) == OK


def test_observers_are_told_of_everything_in_order_with_its_cause() -> None:
    hub = Hub()
    events: list[Event] = []
    hub.subscribe(events.append)
    manager = ReaderManager(hub)
    manager.add_reader("R1")

    with because("test"):
        manager.insert("R1", ScriptedCard())
        manager.context().connect("R1").transmit(READ)
        manager.reset("R1")
        manager.power("R1", on=False)
        manager.power("R1", on=True)
        manager.remove("R1")

    changes = [event.change for event in events if isinstance(event, ReaderChanged)]
    exchanges = [event for event in events if isinstance(event, Exchange)]
    assert changes == [
        PowerChange.INSERTED,
        PowerChange.POWERED_ON,
        PowerChange.RESET,
        PowerChange.POWERED_OFF,
        PowerChange.POWERED_ON,
        PowerChange.REMOVED,
    ]
    assert [(one.reader, one.command, one.response) for one in exchanges] == [("R1", READ, OK)]
    assert events.index(exchanges[0]) == 2
    assert all(event.cause is not None and event.cause.what == "test" for event in events)


def test_an_observer_may_remove_the_card_in_the_midst_of_things() -> None:
    hub = Hub()
    manager = ReaderManager(hub)
    manager.add_reader("R1")
    manager.insert("R1", ScriptedCard())
    connection = manager.context().connect("R1")

    def remove_after_the_command(event: Event) -> None:
        if isinstance(event, Exchange):
            manager.remove("R1")

    hub.subscribe(remove_after_the_command)
    assert connection.transmit(READ) == OK

    with pytest.raises(CardRemovedError):
        connection.transmit(READ)


def test_a_card_removed_during_a_command_gives_no_answer(manager: ReaderManager) -> None:
    def answer(_command: bytes) -> bytes:
        manager.remove("R1")
        return OK

    manager.insert("R1", ScriptedCard(answer))
    connection = manager.context().connect("R1")

    with pytest.raises(CardRemovedError):
        connection.transmit(READ)


def test_a_watcher_hears_of_changes_until_it_unwatches(manager: ReaderManager) -> None:
    heard: list[str] = []
    unwatch = manager.watch(lambda: heard.append("changed"))
    manager.insert("R1", ScriptedCard())
    assert heard
    unwatch()
    unwatch()
    heard.clear()
    manager.remove("R1")
    assert not heard


def test_a_direct_connection_needs_no_card(manager: ReaderManager) -> None:
    connection = manager.context().connect("R1", share=ShareMode.DIRECT)
    assert connection.protocol is Protocol.UNDEFINED

    with pytest.raises(NoSmartCardError):
        connection.transmit(READ)


def test_an_insertion_and_a_removal_are_one_change_each(manager: ReaderManager) -> None:
    seen: list[tuple[bool, int]] = []

    def look() -> None:
        state = manager.state("R1")
        seen.append((state.present, state.events))

    manager.watch(look)
    manager.insert("R1", ScriptedCard())
    manager.remove("R1")
    assert seen == [(True, 1), (False, 2)]
