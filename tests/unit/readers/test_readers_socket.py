"""The socket: where it is, how it ends, what bad clients can do to it, and many clients at once."""

from __future__ import annotations

import errno
import socket
import stat
import struct
import threading
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cardtwin.readers import ReaderManager
from cardtwin.readers.pcsclite import PcscLiteServer
from cardtwin.sockets import SocketPathError, private_directory
from support.cards import OK, ScriptedCard
from support.pcsclite import (
    INVALID_HANDLE,
    SHARING_VIOLATION,
    SUCCESS,
    RawClient,
    World,
)
from support.threads import BOUND

READ = bytes.fromhex("00B0000000")

# The socket itself


def test_the_socket_is_the_users_own_and_goes_with_the_server() -> None:
    with private_directory() as base:
        path = base / "deeper" / "pcscd"

        with PcscLiteServer(ReaderManager(), path) as server:
            assert stat.S_IMODE(path.stat().st_mode) == 0o600
            assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
            assert stat.S_IMODE(base.stat().st_mode) == 0o700
            assert server.environment == {"PCSCLITE_CSOCK_NAME": str(path)}

        assert not path.exists()

    assert not base.exists()


def test_a_path_that_is_too_long_for_a_socket_is_refused_with_a_remedy(tmp_path: Path) -> None:
    with pytest.raises(SocketPathError, match="at most 107 bytes"):
        PcscLiteServer(ReaderManager(), tmp_path / ("x" * 108))


def test_a_folder_that_cannot_be_is_refused_with_a_remedy() -> None:
    with private_directory() as base:
        (base / "file").write_text("mine")

        with pytest.raises(SocketPathError, match="choose a folder"):
            PcscLiteServer(ReaderManager(), base / "file" / "pcscd").start()


def test_a_failure_to_accept_shuts_out_nobody_who_comes_later(monkeypatch: pytest.MonkeyPatch) -> None:
    accept = socket.socket.accept
    failures = [OSError(errno.EMFILE, "too many open files"), OSError(errno.ECONNABORTED, "gone")]

    def fails_first(listener: socket.socket) -> tuple[socket.socket, object]:
        if failures:
            raise failures.pop()

        return accept(listener)

    monkeypatch.setattr(socket.socket, "accept", fails_first)

    with private_directory() as base, PcscLiteServer(ReaderManager(), base / "pcscd") as server:
        RawClient(server.path).socket.close()

    assert not failures


def test_a_client_whose_name_is_no_text_is_served(world: World) -> None:
    comm = Path("/proc/self/comm")
    name = comm.read_bytes()

    try:
        comm.write_bytes(b"Schl\xc3")
        assert world.client().states()
    finally:
        comm.write_bytes(name)


def test_a_path_that_is_taken_is_refused(world: World) -> None:
    with pytest.raises(SocketPathError, match="another server"):
        PcscLiteServer(ReaderManager(), world.server.path).start()

    other = world.server.path.with_name("file")
    other.write_text("mine")

    with pytest.raises(SocketPathError, match="something else"):
        PcscLiteServer(ReaderManager(), other).start()

    assert other.read_text() == "mine"


def test_a_socket_that_nobody_serves_is_replaced() -> None:
    with private_directory() as base:
        path = base / "pcscd"

        with socket.socket(socket.AF_UNIX) as left_over:
            left_over.bind(str(path))

        with PcscLiteServer(ReaderManager(), path), RawClient(path):
            pass


def test_a_stop_ends_all_sessions_and_threads() -> None:
    before = set(threading.enumerate())

    with private_directory() as base:
        world = World(base)

        with world.server:
            idle = world.client()
            holding, card = world.connected()
            assert holding.call(0x07, "iI", card, 0)[-1] == SUCCESS
            waiting = world.client()
            waiting.ask(0x04, struct.pack("=I128sIIiII", waiting.establish(), b"R1", 2, 3, 0, 0, 0))
            world.server.stop()
            world.server.stop()

        for client in (idle, holding, waiting):
            assert client.closed

        world.close_clients()

    assert set(threading.enumerate()) <= before


# What is no message


@pytest.mark.parametrize(
    "message",
    [
        struct.pack("=II", 0, 0x00),
        struct.pack("=II", 0, 0x03),
        struct.pack("=II", 0, 0x18),
        struct.pack("=II", 11, 0x11),
        struct.pack("=II", 0xFFFFFFFF, 0x04),
        struct.pack("=II", 4, 0x12) + b"abcd",
        struct.pack("=IIiII", 12, 0x06, 77, 0, 0),
        struct.pack("=IIiI", 8, 0x07, -1, 0),
    ],
    ids=["0", "unused", "later", "short", "huge", "body", "foreign-card", "no-card"],
)
def test_what_is_no_message_closes_that_client_only(world: World, message: bytes) -> None:
    other, card = world.connected()

    with world.client() as client:
        client.send(message)
        assert client.closed

    assert other.transmit(card, READ) == (SUCCESS, OK)


def test_a_control_command_with_a_handle_of_others_closes_that_client_only(world: World) -> None:
    owner, card = world.connected()

    with RawClient(world.server.path) as other:
        other.ask(0x0A, struct.pack("=iIIIII", card, 0x42000D48, 0, 264, 0, 0))
        assert other.closed

    assert owner.transmit(card, READ) == (SUCCESS, OK)


@pytest.mark.parametrize("command", [0x09, 0x0A], ids=["transmit", "control"])
def test_more_data_than_fits_closes_the_client(world: World, command: int) -> None:
    client, card = world.connected()
    layout, fields = {
        0x09: ("=iIIIIIII", (card, 1, 16, 65549, 1, 16, 99, 0)),
        0x0A: ("=iIIIII", (card, 1, 65549, 99, 0, 0)),
    }[command]
    client.ask(command, struct.pack(layout, *fields))
    assert client.closed


@pytest.mark.parametrize("command", [0x0F, 0x10], ids=["get", "set"])
def test_an_attribute_with_too_much_room_closes_the_client(world: World, command: int) -> None:
    client, card = world.connected()
    client.ask(command, struct.pack("=iI264sII", card, 0x00010100, b"", 265, 0))
    assert client.closed


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    data=st.binary(max_size=200)
    | st.builds(
        lambda size, command, body: struct.pack("=II", size, command) + body,
        st.integers(0, 300),
        st.integers(0, 0x18),
        st.binary(max_size=300),
    )
)
def test_any_bytes_leave_the_server_whole(world: World, data: bytes) -> None:
    with world.client() as client:
        with suppress(BrokenPipeError):
            client.send(data)
            client.socket.shutdown(socket.SHUT_WR)

        assert client.closed

    with world.client() as client:
        assert client.states()[0][0] == "R1"


def test_a_client_that_reads_nothing_holds_up_nobody(world: World) -> None:
    deaf = world.client()
    deaf.socket.settimeout(0)

    try:
        while True:
            deaf.ask(0x13)
    except BlockingIOError:
        pass

    world.manager.remove("R1")
    world.manager.insert("R1", ScriptedCard())
    client, card = world.connected()
    assert client.transmit(card, READ) == (SUCCESS, OK)


# Many clients


def test_many_clients_at_once_keep_their_transactions_apart(world: World) -> None:
    failures: list[str] = []

    def work(who: int) -> None:
        client, card = world.connected()

        for turn in range(20):
            while client.call(0x07, "iI", card, 0)[-1] == SHARING_VIOLATION:
                pass

            answers = [client.transmit(card, bytes([who, turn, step, 0])) for step in range(3)]
            failures.extend(f"{who} {turn}" for answer in answers if answer != (SUCCESS, OK))
            client.call(0x08, "iII", card, 0, 0)

    threads = [threading.Thread(target=work, args=(who,)) for who in range(8)]

    for thread in threads:
        thread.start()

    for thread in threads:
        thread.join(BOUND)

    assert not failures
    assert len(world.card.log) == 8 * 20 * 3
    groups = [world.card.log[at : at + 3] for at in range(0, len(world.card.log), 3)]
    assert all(len({command[:2] for command in group}) == 1 for group in groups)


def test_a_context_that_was_released_cancels_no_wait_of_its_client(world: World) -> None:
    waiting = world.client()
    released, kept = waiting.establish(), waiting.establish()
    assert waiting.call(0x02, "II", released, 0)[-1] == SUCCESS
    waiting.ask(0x13)
    waiting.read_states()

    with RawClient(world.server.path, greet=False) as other:
        assert other.call(0x0D, "II", released, 0)[-1] == INVALID_HANDLE
        assert other.call(0x0D, "II", kept, 0)[-1] == SUCCESS
