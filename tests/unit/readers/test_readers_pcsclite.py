"""pcsc-lite's protocol on the socket, byte by byte."""

from __future__ import annotations

import struct
import threading

import pytest

from cardtwin.events import Exchange
from cardtwin.pcsc import Protocol
from cardtwin.readers.wrappers import Fault, FaultyCard, Removal
from support.cards import ATR, LOGIN, OK, WHO_AM_I, ScriptedCard
from support.pcsclite import (
    CANCELLED,
    INSUFFICIENT_BUFFER,
    INVALID_HANDLE,
    INVALID_VALUE,
    NO_SMARTCARD,
    NOT_TRANSACTED,
    PROTOCOL_MISMATCH,
    REMOVED,
    RESET,
    SERVICE_STOPPED,
    SHARING_VIOLATION,
    SUCCESS,
    UNKNOWN_READER,
    UNPOWERED,
    UNSUPPORTED,
    RawClient,
    World,
)
from support.threads import BOUND

READ = bytes.fromhex("00B0000000")

# Versions, contexts, readers


@pytest.mark.parametrize("minor", [4, 5, 6])
def test_the_clients_version_is_spoken(world: World, minor: int) -> None:
    with RawClient(world.server.path, greet=False) as client:
        assert client.call(0x11, "iiI", 4, minor, 7) == (4, minor, SUCCESS)


@pytest.mark.parametrize("version", [(4, 3), (4, 7), (3, 4), (5, 0)], ids=str)
def test_other_versions_are_told_ours_and_may_go_on_with_it(world: World, version: tuple[int, int]) -> None:
    with RawClient(world.server.path, greet=False) as client:
        assert client.call(0x11, "iiI", *version, 0) == (4, 6, SERVICE_STOPPED)
        assert client.call(0x11, "iiI", 4, 6, 0) == (4, 6, SUCCESS)


@pytest.mark.parametrize(("minor", "command"), [(4, 0x15), (4, 0x16), (4, 0x17), (5, 0x16), (5, 0x17)])
def test_a_command_of_a_later_version_is_none(world: World, minor: int, command: int) -> None:
    with world.client(minor) as client:
        client.ask(command)
        assert client.closed


@pytest.mark.parametrize("minor", [5, 6])
def test_the_attaching_and_removing_of_readers_is_counted(world: World, minor: int) -> None:
    with world.client(minor) as client:
        client.ask(0x15)
        assert client.read(8) == struct.pack("=II", 1, SUCCESS)
        world.manager.add_reader("R2")
        world.manager.remove_reader("R1")
        client.ask(0x15)
        assert client.read(8) == struct.pack("=II", 3, SUCCESS)


def test_all_readers_are_seen_since_4_6_in_an_array_that_never_shrinks(world: World) -> None:
    def seen(client: RawClient) -> tuple[int, list[str]]:
        client.ask(0x16)
        (size,) = struct.unpack("=i", client.read(4))
        client.ask(0x17)
        return size, [state[0] for state in client.read_states(size)]

    with world.client(6) as client:
        assert seen(client) == (16, ["R1"])
        names = [f"R{number}" for number in range(1, 21)]

        for name in names[1:]:
            world.manager.add_reader(name)

        assert seen(client) == (20, names)
        world.manager.remove_reader("R20")
        assert seen(client) == (20, names[:-1])


def test_a_notice_waits_until_the_states_are_asked_for_since_4_6(world: World) -> None:
    with world.client(6) as client:
        client.ask(0x13)
        client.ask(0x16)
        assert client.read(4) == struct.pack("=i", 16)
        world.manager.remove("R1")
        client.ask(0x17)
        assert client.read_states()[0][1] == 2
        assert client.read(8) == struct.pack("=II", 0, SUCCESS)


def test_a_scope_that_is_none_is_refused(world: World) -> None:
    with world.client() as client:
        assert client.call(0x01, "III", 4, 0, 0)[-1] == INVALID_VALUE


def test_a_context_is_released_once(world: World) -> None:
    with world.client() as client:
        context = client.establish()
        assert client.call(0x02, "II", context, 0)[-1] == SUCCESS
        assert client.call(0x02, "II", context, 0)[-1] == INVALID_HANDLE
        assert client.connect(context)[2] == INVALID_HANDLE


def test_the_states_are_those_of_the_readers(world: World) -> None:
    world.manager.add_reader("Leser ä")
    world.manager.add_reader("R3")
    world.manager.insert("R3", ScriptedCard(mute=True))

    with world.client() as client:
        assert client.states() == [
            ("R1", 1, 0x34, 0, ATR, 0),
            ("Leser ä", 0, 0x02, 0, b"", 0),
            ("R3", 1, 0x0C, 0, b"", 0),
        ]
        client.connect(client.establish(), share=1)
        assert client.states()[0] == ("R1", 1, 0x34, -1, ATR, 1)
        world.manager.power("R1", on=False)
        assert client.states()[0] == ("R1", 1, 0x04, -1, ATR, 0)


def test_the_first_sixteen_readers_are_seen(world: World) -> None:
    for number in range(2, 20):
        world.manager.add_reader(f"R{number}")

    with world.client() as client:
        assert [state[0] for state in client.states()] == [f"R{number}" for number in range(1, 17)]


# Connections


@pytest.mark.parametrize(
    ("reader", "share", "protocols", "result"),
    [
        ("R1", 2, 3, SUCCESS),
        ("R1", 2, 0x1000, SUCCESS),
        ("R1", 3, 0, SUCCESS),
        ("R9", 2, 3, UNKNOWN_READER),
        ("empty", 2, 3, NO_SMARTCARD),
        ("empty", 3, 0, SUCCESS),
        ("mute", 2, 3, UNPOWERED),
        ("R1", 4, 3, INVALID_VALUE),
        ("R1", 2, 0, PROTOCOL_MISMATCH),
        ("R1", 2, 4, PROTOCOL_MISMATCH),
    ],
)
def test_connecting_gives_a_handle_or_the_reason(
    world: World, reader: str, share: int, protocols: int, result: int
) -> None:
    world.manager.add_reader("empty")
    world.manager.add_reader("mute")
    world.manager.insert("mute", ScriptedCard(mute=True))

    with world.client() as client:
        handle, _, given_result = client.connect(client.establish(), reader, share, protocols)
        assert given_result == result
        assert (handle > 0) == (result == SUCCESS)


def test_a_reader_name_that_is_no_text_is_unknown(world: World) -> None:
    with world.client() as client:
        answer = client.call(0x04, "I128sIIiII", client.establish(), b"\xff\xfe", 2, 3, 0, 0, 0)
        assert answer[-1] == UNKNOWN_READER


def test_commands_go_through_short_and_extended(world: World) -> None:
    client, card = world.connected()
    longest = bytes.fromhex("00D6000000FFFF") + bytes(65535) + bytes(2)
    assert client.transmit(card, READ) == (SUCCESS, OK)
    assert client.transmit(card, longest) == (SUCCESS, OK)
    world.card.answer = lambda _: bytes(65536) + OK
    assert client.transmit(card, READ) == (SUCCESS, bytes(65536) + OK)


def test_an_answer_that_is_too_long_for_the_client_is_told_its_length(world: World) -> None:
    client, card = world.connected()
    world.card.answer = lambda _: bytes(10) + OK
    answer = client.call(0x09, "iIIIIIII", card, 1, 16, 5, 1, 16, 11, 0, data=READ)
    assert answer[6:] == (12, INSUFFICIENT_BUFFER)
    assert client.transmit(card, READ) == (SUCCESS, bytes(10) + OK)


def test_a_command_in_another_protocol_is_refused(world: World) -> None:
    client, card = world.connected()
    assert client.transmit(card, READ, protocol=2) == (PROTOCOL_MISMATCH, b"")
    assert client.transmit(card, READ, protocol=0x1000) == (SUCCESS, OK)


def test_a_mute_card_is_not_transacted_with(world: World) -> None:
    client, card = world.connected()
    world.card.mute = True
    assert client.transmit(card, READ) == (NOT_TRANSACTED, b"")


def test_resets_and_removals_are_told(world: World) -> None:
    client, card = world.connected()
    world.manager.reset("R1")
    assert client.transmit(card, READ)[0] == RESET
    assert client.call(0x0B, "iI", card, 0)[-1] == RESET
    assert client.call(0x05, "iIIIII", card, 2, 3, 0, 9, 0)[4:] == (Protocol.T0, SUCCESS)
    assert client.call(0x0B, "iI", card, 0)[-1] == SUCCESS
    world.manager.remove("R1")
    assert client.transmit(card, READ)[0] == REMOVED
    assert client.call(0x05, "iIIIII", card, 2, 3, 0, 9, 0)[4:] == (0, NO_SMARTCARD)


def test_a_reset_by_another_client_is_told(world: World) -> None:
    client, card = world.connected()
    other, others_card = world.connected()
    client.transmit(card, LOGIN)
    assert other.call(0x06, "iII", others_card, 1, 0)[-1] == SUCCESS
    assert client.transmit(card, WHO_AM_I)[0] == RESET


@pytest.mark.parametrize("command", [0x05, 0x06, 0x08], ids=["reconnect", "disconnect", "end"])
def test_a_disposition_that_is_none_is_refused(world: World, command: int) -> None:
    client, card = world.connected()
    layout, fields = {
        0x05: ("iIIIII", (card, 2, 3, 4, 0, 0)),
        0x06: ("iII", (card, 4, 0)),
        0x08: ("iII", (card, 4, 0)),
    }[command]
    assert client.call(command, layout, *fields)[-1] == INVALID_VALUE


def test_reconnecting_does_not_eject(world: World) -> None:
    client, card = world.connected()
    assert client.call(0x05, "iIIIII", card, 2, 3, 3, 0, 0)[-1] == INVALID_VALUE


def test_transactions_exclude_other_clients(world: World) -> None:
    first, first_card = world.connected()
    second, second_card = world.connected()
    assert first.call(0x07, "iI", first_card, 0)[-1] == SUCCESS
    assert second.transmit(second_card, READ)[0] == SHARING_VIOLATION
    assert second.call(0x07, "iI", second_card, 0)[-1] == SHARING_VIOLATION
    assert second.call(0x0B, "iI", second_card, 0)[-1] == SHARING_VIOLATION
    assert second.call(0x08, "iII", second_card, 0, 0)[-1] == SHARING_VIOLATION
    assert first.call(0x08, "iII", first_card, 0, 0)[-1] == SUCCESS
    assert first.call(0x08, "iII", first_card, 0, 0)[-1] == NOT_TRANSACTED
    assert second.transmit(second_card, READ) == (SUCCESS, OK)


def test_connecting_waits_until_the_transaction_of_another_client_ends(world: World) -> None:
    first, first_card = world.connected()
    assert first.call(0x07, "iI", first_card, 0)[-1] == SUCCESS
    second = world.client()
    context = second.establish()
    second.ask(0x04, struct.pack("=I128sIIiII", context, b"R1", 2, 3, 0, 0, 0))
    assert first.transmit(first_card, b"first") == (SUCCESS, OK)
    assert first.call(0x08, "iII", first_card, 0, 0)[-1] == SUCCESS
    assert struct.unpack("=I128sIIiII", second.read(152))[-1] == SUCCESS


def test_a_client_that_dies_in_a_transaction_leaves_the_card_reset_and_free(world: World) -> None:
    dying, dying_card = world.connected()
    other, card = world.connected()
    assert dying.call(0x07, "iI", dying_card, 0)[-1] == SUCCESS
    assert dying.transmit(dying_card, LOGIN) == (SUCCESS, OK)
    dying.socket.close()

    while (result := other.transmit(card, WHO_AM_I)[0]) == SHARING_VIOLATION:
        pass

    assert result == RESET
    assert other.call(0x05, "iIIIII", card, 2, 3, 0, 0, 0)[-1] == SUCCESS
    assert other.transmit(card, WHO_AM_I) == (SUCCESS, b"\0" + OK)


def test_a_client_that_dies_waiting_for_a_transaction_is_forgotten(world: World) -> None:
    holding, card = world.connected()
    assert holding.call(0x07, "iI", card, 0)[-1] == SUCCESS
    dying = world.client()
    dying.ask(0x04, struct.pack("=I128sIIiII", dying.establish(), b"R1", 2, 3, 0, 0, 0))
    dying.socket.close()
    assert holding.call(0x08, "iII", card, 0, 0)[-1] == SUCCESS
    world.server.stop()
    assert world.manager.state("R1").sharing == 0


def test_the_cause_of_an_exchange_is_the_client(world: World) -> None:
    client, card = world.connected()
    client.transmit(card, READ)
    (exchange,) = [event for event in world.events if isinstance(event, Exchange)]
    assert exchange.cause is not None
    assert exchange.cause.what.startswith("client ")


# Attributes and control


@pytest.mark.parametrize(
    ("number", "value"),
    [
        (0x00010100, b"cardtwin\0"),
        (0x00090303, ATR),
        (0x7FFF0003, b"R1\0"),
        (0x7FFF0004, b"R1\0"),
        (0x00080201, struct.pack("=I", 1)),
        (0x00090300, b"\2"),
        (0x00090301, b"\1"),
        (0x00010103, b"A791366F\0"),
        (0x00020110, struct.pack("=I", 0x00F00000)),
        (0x00030120, struct.pack("=I", 3)),
        (0x0007A007, struct.pack("=I", 65535 + 9)),
    ],
)
def test_attributes_are_told(world: World, number: int, value: bytes) -> None:
    client, card = world.connected()
    answer = client.call(0x0F, "iI264sII", card, number, b"", 264, 0)
    assert (answer[2][: answer[3]], answer[4]) == (value, SUCCESS)
    short = client.call(0x0F, "iI264sII", card, number, b"", len(value) - 1, 0)
    assert short[3:] == (len(value), INSUFFICIENT_BUFFER)


def test_unknown_attributes_and_features_are_not_supported(world: World) -> None:
    client, card = world.connected()
    assert client.call(0x0F, "iI264sII", card, 0xFFFF, b"", 264, 0)[-1] == UNSUPPORTED
    assert client.call(0x10, "iI264sII", card, 0x00010100, b"x", 1, 0)[-1] == UNSUPPORTED
    answer = client.call(0x0A, "iIIIII", card, 0x42000D47, 2, 264, 9, 0, data=b"ab")
    assert answer[4:] == (0, UNSUPPORTED)
    assert client.transmit(card, READ) == (SUCCESS, OK)


def test_too_little_room_for_the_features_is_told_with_what_it_takes(world: World) -> None:
    client, card = world.connected()
    answer = client.call(0x0A, "iIIIII", card, 0x42000D48, 0, 5, 0, 0)
    assert answer[4:] == (6, INSUFFICIENT_BUFFER)
    assert client.transmit(card, READ) == (SUCCESS, OK)


# Waiting


def test_a_change_is_told_once_to_who_waits(world: World) -> None:
    with world.client() as client:
        client.ask(0x13)
        assert client.read_states()[0][2] == 0x34
        world.manager.remove("R1")
        world.manager.insert("R1", world.card)
        assert client.read(8) == struct.pack("=II", 0, SUCCESS)
        assert client.states()[0][1] == 3


def test_a_wait_that_is_stopped_is_answered_once(world: World) -> None:
    with world.client() as client:
        client.ask(0x13)
        client.read_states()
        client.ask(0x14)
        assert client.read(8) == struct.pack("=II", 0, SUCCESS)
        client.ask(0x14)
        assert client.states()[0][0] == "R1"


def test_a_wait_is_cancelled_through_another_connection(world: World) -> None:
    with world.client() as waiting, RawClient(world.server.path, greet=False) as other:
        context = waiting.establish()
        assert other.call(0x0D, "II", context, 0)[-1] == INVALID_HANDLE
        waiting.ask(0x13)
        waiting.read_states()

        while (result := other.call(0x0D, "II", context, 0)[-1]) == INVALID_HANDLE:
            pass

        assert result == SUCCESS
        assert waiting.read(8) == struct.pack("=II", 0, CANCELLED)
        assert other.call(0x0D, "II", 999, 0)[-1] == INVALID_HANDLE


def test_changes_under_way_are_never_missed(world: World) -> None:
    """A change at the very time when a wait begins is in the states, or a notice follows them."""
    rounds = 100
    start = threading.Barrier(2)

    def change() -> None:
        for _ in range(rounds):
            start.wait(BOUND)
            world.manager.remove("R1")
            start.wait(BOUND)
            world.manager.insert("R1", world.card)

    changing = threading.Thread(target=change)
    changing.start()

    with world.client() as client:
        for expected in range(2, 2 + 2 * rounds):
            start.wait(BOUND)
            client.ask(0x13)

            if client.read_states()[0][1] != expected:
                assert client.read(8) == struct.pack("=II", 0, SUCCESS)
            else:
                client.ask(0x14)
                assert client.read(8) == struct.pack("=II", 0, SUCCESS)

            assert client.states()[0][1] == expected

    changing.join(BOUND)


def test_a_card_that_goes_during_a_command_and_one_that_has_gone_are_told_apart(world: World) -> None:
    world.manager.remove("R1")
    leaving = FaultyCard(ScriptedCard(), [Fault(Removal())], remove=lambda: world.manager.remove("R1"))
    world.manager.insert("R1", leaving)
    client, card = world.connected()
    assert client.transmit(card, READ)[0] == NO_SMARTCARD
    assert client.transmit(card, READ)[0] == REMOVED
