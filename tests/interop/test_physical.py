"""The middleware's way to the system's readers: over our socket, and over a real pcscd."""

from __future__ import annotations

import subprocess
import sys
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from cardtwin.card import EmulatedCard, models
from cardtwin.entropy import SystemEntropy
from cardtwin.pcsc import Protocol
from cardtwin.readers import ReaderManager, VpcdSlot
from cardtwin.readers.pcsclite import PcscLiteServer
from cardtwin.sockets import private_directory
from support.interop import TIMEOUT
from support.pcscd import started_daemon

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

PROGRAMS = Path(__file__).parent.parent / "support" / "physical_programs.py"
READER = "Reader"
MODEL = models.get("cardos-5.3")


class Place:
    """A reader with a card that can be taken out and put in."""

    def __init__(
        self, environment: Mapping[str, str], insert: Callable[[], object], remove: Callable[[], object]
    ) -> None:
        self.environment = environment
        self.insert = insert
        self.remove = remove

    def start(self, name: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, str(PROGRAMS), name],
            env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", **_PYTHON, **self.environment},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, name: str, told: str = "") -> list[str]:
        with self.start(name) as process:
            return finished(process, told)


_PYTHON = {"PYTHONPATH": ":".join(path for path in sys.path if path)}


def finished(process: subprocess.Popen[str], told: str | None = None) -> list[str]:
    try:
        output, _ = process.communicate(told, timeout=TIMEOUT)
    finally:
        process.kill()

    assert process.returncode == 0, output
    *lines, last = output.splitlines()
    assert last == "done"
    return lines


def card() -> EmulatedCard:
    return EmulatedCard(MODEL, entropy=SystemEntropy(), reader=READER)


@contextmanager
def on_our_socket() -> Iterator[Place]:
    manager = ReaderManager()
    manager.add_reader(READER)

    with private_directory() as folder, PcscLiteServer(manager, folder / "pcsc") as server:
        yield Place(
            server.environment, lambda: manager.insert(READER, card()), lambda: manager.remove(READER)
        )


@contextmanager
def in_pcscd() -> Iterator[Place]:
    with started_daemon() as daemon, ExitStack() as stack:
        held: list[VpcdSlot] = []

        def insert() -> None:
            held.append(VpcdSlot(card(), reader=READER, port=daemon.port))
            stack.enter_context(held[-1])
            assert held[-1].wait(TIMEOUT)

        yield Place(daemon.environment, insert, lambda: held.pop().stop())


@pytest.fixture(params=[on_our_socket, in_pcscd], ids=["socket", "pcscd"])
def place(request: pytest.FixtureRequest) -> Iterator[Place]:
    with request.param() as found:
        found.insert()
        yield found


def test_commands_reach_the_card(place: Place) -> None:
    (told,) = place.run("use")
    atr, protocol, longest = told.split()
    assert bytes.fromhex(atr) == MODEL.atr
    assert protocol == "T1"
    assert int(longest) >= 255


@pytest.mark.parametrize("longest", [255, 65535])
def test_our_readers_tell_how_long_commands_may_be(longest: int) -> None:
    manager = ReaderManager()
    manager.add_reader(READER, max_command_data=longest)
    manager.insert(READER, card())

    with private_directory() as folder, PcscLiteServer(manager, folder / "pcsc") as server:
        (told,) = Place(server.environment, lambda: None, lambda: None).run("use")

    assert told.split()[-1] == str(longest)


@pytest.mark.parametrize("name", ["share", "reset", "hold"])
def test_sharing_resets_and_transactions_are_those_of_pcsc(place: Place, name: str) -> None:
    assert place.run(name) == []


def test_a_card_that_comes_and_goes_is_waited_for(place: Place) -> None:
    with place.start("wait") as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "remove\n"
        place.remove()
        assert process.stdout.readline() == "insert\n"
        place.insert()
        assert finished(process) == []


class T0Card:
    """A card that speaks T=0 as ISO/IEC 7816-3 has it: what it has to say is fetched with GET RESPONSE."""

    protocol = Protocol.T0
    CONTENT = bytes(range(200)) * 2

    def __init__(self) -> None:
        self.rest = b""
        self.seen: list[bytes] = []

    def power_on(self, protocol: Protocol) -> bytes:
        del protocol
        return bytes.fromhex("3B00")

    def power_off(self) -> None:
        self.rest = b""

    def process(self, command: bytes) -> bytes:
        self.seen.append(command)

        if command[1] == 0xC0:
            length = command[4] or 256
            self.rest, data = self.rest[length:], self.rest[:length]
            more = bytes((0x61, min(len(self.rest), 0xFF))) if self.rest else b"\x90\x00"
            return data + more

        if command[1] == 0xA4:
            self.rest = self.CONTENT
            return bytes((0x61, 0xFF))

        return b"\x6c\x02" if command[4] != 2 else b"\x12\x34\x90\x00"


def test_whole_commands_pass_over_t0() -> None:
    held = T0Card()
    manager = ReaderManager()
    manager.add_reader(READER)
    manager.insert(READER, held)

    with private_directory() as folder, PcscLiteServer(manager, folder / "pcsc") as server:
        place = Place(server.environment, lambda: None, lambda: None)
        answers = place.run("t0", "00A40400023F0000\n00B0000000\n00A40000023F00\n")

    assert answers == [T0Card.CONTENT.hex() + "9000", "12349000", T0Card.CONTENT.hex() + "9000"]
    assert bytes.fromhex("00A40400023F00") in held.seen
    assert all(len(command) <= 5 or command[1] == 0xA4 for command in held.seen)
