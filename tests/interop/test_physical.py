"""The middleware's way to the system's readers: over our socket, and over a real pcscd."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from cardtwin.events import Hub
from cardtwin.pcsc import Protocol
from cardtwin.readers import ReaderManager
from cardtwin.readers.pcsclite import PcscLiteServer
from cardtwin.sockets import private_directory
from support.places import MODEL, Place, card, finished, in_pcscd, on_our_socket, opened
from support.reader_changes import act, told

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cardtwin.events import Event

PROGRAMS = Path(__file__).parent.parent / "support" / "physical_programs.py"
READER = "Reader"


@pytest.fixture(params=[on_our_socket, in_pcscd], ids=["socket", "pcscd"])
def place(request: pytest.FixtureRequest) -> Iterator[Place]:
    with opened(request.param) as found:
        yield found


def test_commands_reach_the_card(place: Place) -> None:
    (told,) = place.run(PROGRAMS, "use")
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
        (told,) = Place(server.environment, lambda _: None, lambda: None).run(PROGRAMS, "use")

    assert told.split()[-1] == str(longest)


def test_extended_commands_and_responses_pass(place: Place) -> None:
    assert place.run(PROGRAMS, "extended") == []


@pytest.mark.parametrize("name", ["share", "reset", "hold"])
def test_sharing_resets_and_transactions_are_those_of_pcsc(place: Place, name: str) -> None:
    assert place.run(PROGRAMS, name) == []


def test_a_card_that_is_passed_on_is_nobody_else_s_meanwhile(place: Place) -> None:
    assert place.run(PROGRAMS, "pass_on") == []


def test_a_card_that_comes_and_goes_is_waited_for(place: Place) -> None:
    with place.start(PROGRAMS, "wait") as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "remove\n"
        place.remove()
        assert process.stdout.readline() == "insert\n"
        place.insert()
        assert finished(process) == []


def test_what_happens_to_a_card_is_told_as_of_an_emulated_one(place: Place) -> None:
    hub = Hub()
    events: list[Event] = []
    hub.subscribe(events.append)
    manager = ReaderManager(hub)
    manager.add_reader(READER)
    manager.insert(READER, card())

    def person(what: str) -> None:
        if what == "remove":
            manager.remove(READER)
        else:
            manager.insert(READER, card())

    with manager.context() as one, manager.context() as other, manager.context() as outside:
        act(one, other, outside, person)

    with place.start(PROGRAMS, "changes") as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "remove\n"
        place.remove()
        assert process.stdout.readline() == "insert\n"
        place.insert()
        (line,) = finished(process)

    assert line.split(",") == told(events)
    assert [each.split()[0] for each in told(events)].count("reset") == 6


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
        place = Place(server.environment, lambda _: None, lambda: None)
        answers = place.run(PROGRAMS, "t0", told="00A40400023F0000\n00B0000000\n00A40000023F00\n")

    assert answers == [T0Card.CONTENT.hex() + "9000", "12349000", T0Card.CONTENT.hex() + "9000"]
    assert bytes.fromhex("00A40400023F00") in held.seen
    assert all(len(command) <= 5 or command[1] == 0xA4 for command in held.seen)
