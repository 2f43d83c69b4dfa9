from __future__ import annotations

import select
import socket
import threading
from contextlib import ExitStack, closing, contextmanager, suppress
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cardtwin.events import Defect, Event, Exchange, Hub, PowerChange, ReaderChanged
from cardtwin.pcsc import CardMuteError, Protocol
from cardtwin.readers import VpcdSlot
from support.vpcd import ASK, BOUND, OFF, ON, RESET, Driver

if TYPE_CHECKING:
    from collections.abc import Iterator

ATR = bytes.fromhex("3B80800101")


class EchoCard:
    """Answers a command by itself and 9000, and counts how often it was powered."""

    protocol = Protocol.T1

    def __init__(self, *, mute: bool = False) -> None:
        self.ons = self.offs = 0
        self.mute = mute

    def power_on(self, protocol: Protocol) -> bytes:
        assert protocol is Protocol.ANY
        self.ons += 1
        return ATR

    def power_off(self) -> None:
        self.offs += 1

    def process(self, command: bytes) -> bytes:
        if self.mute:
            raise CardMuteError

        if command == b"defect":
            raise ZeroDivisionError

        return command + b"\x90\x00"


def test_a_driver_that_never_takes_the_call_keeps_nobody_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cardtwin.readers.vpcd._PATIENCE", 0.1)

    # A full backlog: the kernel lets further connections wait.
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener, ExitStack() as stack:
        address = listener.getsockname()

        with suppress(TimeoutError):
            while True:
                stack.enter_context(socket.create_connection(address, 0.2))

        slot = VpcdSlot(EchoCard(), reader="R", port=address[1])
        slot.start()
        assert not slot.wait(0.3)
        stopping = threading.Thread(target=slot.stop, daemon=True)
        stopping.start()
        stopping.join(BOUND)
        assert not stopping.is_alive()


@contextmanager
def plugged(card: EchoCard, hub: Hub | None = None) -> Iterator[Driver]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(BOUND)

        with (
            VpcdSlot(card, reader="R", port=listener.getsockname()[1], hub=hub),
            closing(Driver(listener)) as driver,
        ):
            yield driver


def test_the_driver_is_told_the_atr_before_and_after_power_up() -> None:
    card = EchoCard()

    with plugged(card) as driver:
        assert driver.ask(ASK) == ATR
        driver.send(ON)
        assert driver.ask(ASK) == ATR
        driver.send(OFF)
        assert driver.ask(ASK) == ATR


def test_each_reset_and_power_up_resets_the_card() -> None:
    card, hub = EchoCard(), Hub()
    events: list[Event] = []
    hub.subscribe(events.append)

    with plugged(card, hub) as driver:
        driver.send(ON)
        driver.send(RESET)
        driver.send(OFF)
        driver.send(ON)
        driver.ask(ASK)
        assert card.ons == 4

    assert [event.change for event in events if isinstance(event, ReaderChanged)] == [
        PowerChange.INSERTED,
        PowerChange.POWERED_ON,
        PowerChange.RESET,
        PowerChange.RESET,
        PowerChange.POWERED_OFF,
        PowerChange.POWERED_ON,
        PowerChange.REMOVED,
    ]


@given(st.lists(st.binary(min_size=2, max_size=70), max_size=8))
def test_commands_reach_the_card_and_the_observers_whole(commands: list[bytes]) -> None:
    hub = Hub()
    events: list[Event] = []
    hub.subscribe(events.append)

    with plugged(EchoCard(), hub) as driver:
        assert [driver.ask(command) for command in commands] == [each + b"\x90\x00" for each in commands]

    assert [event.command for event in events if isinstance(event, Exchange)] == commands


def test_a_message_in_pieces_is_one_message() -> None:
    with plugged(EchoCard()) as driver:
        for piece in (b"\x00", b"\x05", b"\x00\xa4", b"\x00\x00\x00"):
            driver.connection.sendall(piece)

        assert driver.answer() == bytes.fromhex("00A40000009000")


def test_the_longest_extended_command_passes() -> None:
    with plugged(EchoCard()) as driver:
        longest = bytes(65533)
        assert driver.ask(longest) == longest + b"\x90\x00"


def test_the_card_comes_back_when_pcscd_was_started_anew() -> None:
    with plugged(EchoCard()) as driver:
        driver.ask(ASK)
        driver.again()

        assert driver.ask(ASK) == ATR


def test_a_card_waits_for_a_driver_that_is_not_there_yet() -> None:
    with socket.create_server(("127.0.0.1", 0)) as found:
        port = found.getsockname()[1]

    with (
        VpcdSlot(EchoCard(), reader="R", port=port) as slot,
        socket.create_server(("127.0.0.1", port)) as late,
    ):
        late.settimeout(BOUND)

        with closing(Driver(late)) as driver:
            assert driver.ask(ASK) == ATR
            assert slot.wait(BOUND)


@pytest.mark.parametrize("end", ["mute", "defect"])
def test_a_card_that_does_not_answer_is_taken_out_and_put_in_again(end: str) -> None:
    hub = Hub()
    events: list[Event] = []
    hub.subscribe(events.append)
    card = EchoCard(mute=end == "mute")

    with plugged(card, hub) as driver:
        with pytest.raises(EOFError):
            driver.ask(b"defect")

        driver.again()
        assert driver.ask(ASK) == ATR

    assert any(isinstance(event, Defect) for event in events) == (end == "defect")


def test_a_command_without_power_is_not_answered() -> None:
    with plugged(EchoCard()) as driver:
        driver.send(OFF)

        with pytest.raises(EOFError):
            driver.ask(bytes(5))


def test_taking_the_card_out_closes_the_slot() -> None:
    card = EchoCard()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(BOUND)
        slot = VpcdSlot(card, reader="R", port=listener.getsockname()[1])
        slot.start()

        with closing(Driver(listener)) as driver:
            driver.ask(ASK)
            slot.stop()
            slot.stop()

            with pytest.raises(EOFError):
                driver.answer()

    assert card.offs


def test_a_card_that_takes_itself_out_during_a_command_gives_no_answer() -> None:
    events: list[Event] = []
    hub = Hub()
    hub.subscribe(events.append)

    class Leaving(EchoCard):
        def process(self, command: bytes) -> bytes:
            slot.stop()
            return b""

    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(BOUND)

        with (
            VpcdSlot(Leaving(), reader="R", port=listener.getsockname()[1], hub=hub) as slot,
            closing(Driver(listener)) as driver,
            pytest.raises((EOFError, ConnectionError)),
        ):
            driver.ask(bytes.fromhex("00A4000C023F00"))

    assert not [event for event in events if isinstance(event, Defect)]
    (exchange,) = [event for event in events if isinstance(event, Exchange)]
    assert exchange.unanswered == "the card was taken out"
    assert events[-1] == ReaderChanged(reader="R", change=PowerChange.REMOVED)


def test_a_card_that_takes_itself_out_leaves_when_its_call_has_returned() -> None:
    """Else who hears of the removal may be faster than whoever has to note that the reader is empty."""
    heard: list[object] = []

    class Leaving(EchoCard):
        def process(self, command: bytes) -> bytes:
            slot.stop()
            heard.append(select.select([driver.connection], [], [], 0)[0])
            return b""

    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(BOUND)

        with (
            VpcdSlot(Leaving(), reader="R", port=listener.getsockname()[1]) as slot,
            closing(Driver(listener)) as driver,
            pytest.raises((EOFError, ConnectionError)),
        ):
            driver.ask(bytes.fromhex("00A4000C023F00"))

    assert heard == [[]]
