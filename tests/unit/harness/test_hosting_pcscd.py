"""A host whose card is in the system's pcscd: here a driver that the test plays."""

from __future__ import annotations

import socket
import threading
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from cardtwin.card import models
from cardtwin.hosting import (
    CONTROL_VARIABLE,
    CardRefusedError,
    CardRequest,
    CommandRefusedError,
    Control,
    HostRequest,
)
from cardtwin.hosting import host as hosts
from cardtwin.hosting.host import Host
from cardtwin.targets import TargetError
from cardtwin.targets.pcscd import address
from support.hosts import READER, asked
from support.vpcd import ASK, BOUND, Driver

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SELECT = bytes.fromhex("00A4000C023F00")
OK = b"\x90\x00"
ATR = models.get("cardos-5.3").atr


class Seat:
    """A host with a card in pcscd."""

    def __init__(self, host: Host, ready: dict[str, Any], driver: Driver) -> None:
        self.host = host
        self.ready = ready
        self.driver = driver

    def control(self) -> Control:
        return Control(self.ready["environment"][CONTROL_VARIABLE])

    def see_it_go(self) -> None:
        with pytest.raises((EOFError, ConnectionError)):
            self.driver.ask(ASK)

    def see_it_come(self) -> None:
        self.driver.again()
        assert self.driver.ask(ASK) == ATR


@contextmanager
def seated(**contents: Any) -> Iterator[Seat]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(BOUND)
        port = listener.getsockname()[1]
        host = Host(asked(pcscd=str(port), **contents), lambda: None)
        drivers: list[Driver] = []

        def drive() -> None:
            drivers.append(Driver(listener))
            assert drivers[0].ask(ASK) == ATR

        thread = threading.Thread(target=drive)
        thread.start()
        ready = host.open()
        thread.join(BOUND)

        try:
            yield Seat(host, ready, drivers[0])
        finally:
            assert host.close() == {"stopped": {"problems": []}}
            drivers[0].close()


def test_the_card_is_in_pcscd_and_nowhere_else() -> None:
    with seated(profile="full", secrets={"PIN1": "271828"}) as seat:
        assert seat.ready["environment"].keys() == {CONTROL_VARIABLE}
        assert next(iter(seat.ready["readers"])).startswith("vpcd 127.0.0.1:")
        assert seat.ready["pins"][READER]["PIN1"] == "271828"
        assert seat.driver.ask(SELECT) == OK
        assert not any(state.present for state in seat.host.bench.manager.states())


def test_a_hand_takes_it_out_and_puts_it_in_again() -> None:
    with seated() as seat, seat.control() as control:
        control.remove()
        seat.see_it_go()
        (empty,) = control.status()["readers"]
        assert empty["card"] is None

        with pytest.raises(CommandRefusedError, match="no card"):
            control.remove()

        control.insert()
        seat.see_it_come()

        with pytest.raises(CommandRefusedError, match="already"):
            control.insert()


def test_a_reset_by_hand_is_a_removal_and_an_insertion() -> None:
    with seated() as seat, seat.control() as control:
        control.reset()
        seat.see_it_go()
        seat.see_it_come()


def test_power_is_pcscds_business() -> None:
    with seated() as seat, seat.control() as control:
        for switch in (control.power_on, control.power_off):
            with pytest.raises(CommandRefusedError, match="pcscd's business"):
                switch()

        (reader,) = control.status()["readers"]
        assert (reader["connections"], reader["card"]["powered"]) == (None, None)
        assert reader["card"]["model"] == "cardos-5.3"


def test_its_memory_is_saved_and_loaded(tmp_path: Path) -> None:
    with seated(profile="full") as seat, seat.control() as control:
        control.snapshot(tmp_path / "full.image")
        assert seat.driver.ask(bytes.fromhex("00A4080C025015")) == OK

    with seated() as seat, seat.control() as control:
        assert seat.driver.ask(bytes.fromhex("00A4080C025015")) != OK
        control.load(tmp_path / "full.image")
        seat.see_it_go()
        seat.see_it_come()
        assert seat.driver.ask(bytes.fromhex("00A4080C025015")) == OK


def test_the_image_of_another_model_leaves_the_card_in_its_reader(tmp_path: Path) -> None:
    with seated(model="cardos-5.3") as seat, seat.control() as control:
        other = tmp_path / "other.image"
        hosted = Host(asked(model="cardos-4.4"), lambda: None)
        hosted.open()

        try:
            with Control(hosted.environment[CONTROL_VARIABLE]) as four:
                four.snapshot(other)
        finally:
            hosted.close()

        with pytest.raises(CommandRefusedError):
            control.load(other)

        seat.see_it_go()
        seat.see_it_come()


def test_a_fault_takes_it_out_of_pcscd_too() -> None:
    with seated(faults=("do=remove at=00A4 after=1",)) as seat, seat.control() as control:
        assert seat.driver.ask(SELECT) == OK

        with pytest.raises((EOFError, ConnectionError)):
            seat.driver.ask(SELECT)

        (empty,) = control.status()["readers"]
        assert empty["card"] is None
        control.insert()
        seat.see_it_come()
        assert seat.driver.ask(SELECT) == OK


def test_without_a_vpcd_there_is_no_card(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hosts, "PATIENCE", 0.2)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]  # somebody listens, and asks for no card
        host = Host(asked(pcscd=f"127.0.0.1:{port}"), lambda: None)

        with pytest.raises(CardRefusedError, match=f"no vpcd answers at 127.0.0.1:{port} within 0.2 s"):
            host.open()


@pytest.mark.parametrize("text", ["", "x", "127.0.0.1", "127.0.0.1:", ":0", "h:65536", "h:1x"])
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(TargetError, match="no HOST:PORT"):
        address(text)

    with pytest.raises(CardRefusedError, match="no HOST:PORT"):
        Host(asked(pcscd=text), lambda: None).open()


@pytest.mark.parametrize(
    ("text", "found"),
    [("35963", ("127.0.0.1", 35963)), ("host:1", ("host", 1)), ("[::1]:65535", ("::1", 65535))],
)
def test_an_address_is_a_host_and_a_port_or_a_port(text: str, found: tuple[str, int]) -> None:
    assert address(text) == found


def test_several_readers_are_in_consecutive_slots() -> None:
    readers = {
        "Left": CardRequest(model="cardos-5.3"),
        "Spare": None,
        "Right": CardRequest(model="cardos-4.4"),
    }

    with consecutive_ports(3) as (port, listeners):
        found: dict[int, Driver] = {}

        def drive() -> None:
            for place in (0, 2):
                found[place] = Driver(listeners[place])
                found[place].ask(ASK)

        thread = threading.Thread(target=drive)
        thread.start()
        host = Host(HostRequest.arranged(readers, pcscd=str(port)), lambda: None)
        ready = host.open()
        thread.join(BOUND)

        try:
            assert list(ready["readers"]) == ["Left", "Spare", "Right"]
            assert [found[place].ask(ASK) for place in (0, 2)] == [
                models.get(model).atr for model in ("cardos-5.3", "cardos-4.4")
            ]

            with Control(ready["environment"][CONTROL_VARIABLE]) as control:
                control.remove(reader="Left")

                with pytest.raises((EOFError, ConnectionError)):
                    found[0].ask(ASK)

                control.insert("Left", reader="Spare")
                found[1] = Driver(listeners[1])
                assert found[1].ask(ASK) == ATR
                assert found[2].ask(SELECT) == OK
                control.arm("do=mute", reader="Spare")

                with pytest.raises(
                    (EOFError, ConnectionError)
                ):  # to the driver, a mute card is one taken out
                    found[1].ask(SELECT)

                control.remove_reader("Left")
                control.add_reader("Again")
                control.insert(CardRequest(model="cardos-5.0"), reader="Again")
                found[0].again()
                assert found[0].ask(ASK) == models.get("cardos-5.0").atr
        finally:
            assert host.close() == {"stopped": {"problems": []}}

            for driver in found.values():
                driver.close()


@contextmanager
def consecutive_ports(count: int) -> Iterator[tuple[int, list[socket.socket]]]:
    """Listen on ports that follow one another, and yield the first one's number with the sockets."""
    with ExitStack() as stack:
        while True:
            first = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
            port = first.getsockname()[1]

            try:
                others = [
                    stack.enter_context(socket.create_server(("127.0.0.1", port + place)))
                    for place in range(1, count)
                ]
            except (OSError, OverflowError):
                continue

            for listener in (first, *others):
                listener.settimeout(BOUND)

            yield port, [first, *others]
            return
