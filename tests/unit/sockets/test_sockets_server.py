"""A private socket and its server: who is served, who is told to be there, and how it ends."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path

import pytest

from cardtwin.sockets import Peer, SocketPathError, SocketServer, private_directory
from support.threads import BOUND, joined

PROGRAM = """
import socket, sys
with socket.socket(socket.AF_UNIX) as line:
    line.connect(sys.argv[1])
    print(line.recv(1000).decode())
"""


def tell_name(connection: socket.socket, peer: Peer) -> None:
    with suppress(ConnectionError):
        connection.sendall(str(peer).encode())


def test_a_program_is_known_by_its_process_and_executable() -> None:
    with private_directory() as folder, SocketServer(folder / "s", tell_name) as server:
        process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, str(server.path)], stdout=subprocess.PIPE, text=True
        )
        output, _ = process.communicate(timeout=BOUND)

    assert output.strip() == f"client {process.pid} {Path(sys.executable).resolve().name}"


@pytest.mark.parametrize("name", ["java.exe", "zwölf", "weiß gut"])
def test_an_executable_is_known_by_any_name_even_when_it_was_deleted(name: str, tmp_path: Path) -> None:
    sleep = shutil.which("sleep")
    assert sleep is not None
    copy = tmp_path / name
    shutil.copy(sleep, copy)

    with subprocess.Popen([copy, "60"]) as process:
        assert _peer_of(process.pid).program == name
        copy.unlink()
        assert _peer_of(process.pid).program == name
        process.kill()


def _peer_of(pid: int) -> Peer:
    class Connection(socket.socket):
        def getsockopt(self, *_: object) -> bytes:  # type: ignore[override]
            return b"".join(each.to_bytes(4, sys.byteorder) for each in (pid, os.geteuid(), 0))

    with Connection() as connection:
        return Peer.of(connection)


def test_a_process_that_cannot_be_looked_at_has_no_name() -> None:
    assert str(_peer_of(0)) == "client 0"


def test_another_user_is_not_served(monkeypatch: pytest.MonkeyPatch) -> None:
    served: list[Peer] = []
    monkeypatch.setattr("os.geteuid", lambda: 54321)

    with (
        private_directory() as folder,
        SocketServer(folder / "s", lambda _, peer: served.append(peer)) as server,
        socket.socket(socket.AF_UNIX) as line,
    ):
        line.settimeout(BOUND)
        line.connect(str(server.path))
        assert line.recv(1) == b""

    assert served == []


def test_stopping_ends_the_connections_and_their_threads() -> None:
    began, threads = threading.Barrier(3), list[threading.Thread]()

    def wait(connection: socket.socket, peer: Peer) -> None:
        threads.append(threading.current_thread())
        began.wait(BOUND)
        assert connection.recv(1) == b""

    with private_directory() as folder:
        server = SocketServer(folder / "s", wait)
        server.start()

        with socket.socket(socket.AF_UNIX) as one, socket.socket(socket.AF_UNIX) as other:
            one.connect(str(server.path))
            other.connect(str(server.path))
            began.wait(BOUND)
            server.stop()

            for thread in threads:
                joined(thread)

        server.start()
        server.stop()
        server.stop()
        assert not server.path.exists()


def test_two_servers_never_share_a_path() -> None:
    with private_directory() as folder, SocketServer(folder / "s", tell_name) as server:
        other = SocketServer(server.path, tell_name)

        with pytest.raises(SocketPathError, match="another server is listening there"):
            other.start()


def test_a_thread_that_cannot_be_had_shuts_out_nobody_who_comes_later(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with private_directory() as folder, SocketServer(folder / "s", tell_name) as server:
        start, failures = threading.Thread.start, [RuntimeError("can't start new thread")]

        def fails_first(thread: threading.Thread) -> None:
            if failures:
                raise failures.pop()

            start(thread)

        monkeypatch.setattr(threading.Thread, "start", fails_first)
        answers = []

        for _ in range(2):
            with socket.socket(socket.AF_UNIX) as line:
                line.settimeout(BOUND)
                line.connect(str(server.path))
                answers.append(line.recv(1000).decode())

    assert answers[0] == ""
    assert answers[1].startswith("client ")
