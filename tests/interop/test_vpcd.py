"""Cards in the system's own pcscd, by vpcd: what OpenSC and pyscard see there."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from cardtwin.card import EmulatedCard, models
from cardtwin.entropy import SystemEntropy
from cardtwin.events import Defect, Event, Exchange, Hub
from cardtwin.readers import VpcdSlot
from support.interop import TIMEOUT, program
from support.pcscd import READERS, WAIT, Daemon, started_daemon
from support.programs import encoded

if TYPE_CHECKING:
    from collections.abc import Iterator


class Slots:
    """A pcscd and cards in its reader."""

    def __init__(self, daemon: Daemon) -> None:
        self.daemon = daemon
        self.events: list[Event] = []

    def card(self, model: str, place: int = 0) -> VpcdSlot:
        hub = Hub()
        hub.subscribe(self.events.append)
        card = EmulatedCard(
            models.get(model), image=encoded(model), entropy=SystemEntropy(), hub=hub, reader=READERS[place]
        )
        return VpcdSlot(card, reader=READERS[place], port=self.daemon.port + place, hub=hub)

    def run(self, *command: str) -> str:
        done = subprocess.run(
            command,
            env={"PATH": "/usr/bin:/bin", "LC_ALL": "C", **self.daemon.environment},
            capture_output=True,
            text=True,
            timeout=TIMEOUT,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def wait(self, state: str, place: int = 0) -> None:
        """Wait until programs see a card, or none."""
        self.run(sys.executable, "-c", WAIT, READERS[place], state)


@pytest.fixture
def slots() -> Iterator[Slots]:
    with started_daemon() as daemon:
        found = Slots(daemon)
        yield found
        assert not [event for event in found.events if isinstance(event, Defect)]


@pytest.mark.parametrize("model", ["cardos-4.4", "cardos-5.3"])
def test_opensc_reads_an_encoded_card_in_pcscd(slots: Slots, model: str) -> None:
    with slots.card(model):
        slots.wait("present")
        listed = slots.run(program("pkcs15-tool"), "--list-keys", "--list-pins")
        atr = slots.run(program("opensc-tool"), "--atr")

    assert "Digital Signature" in listed
    assert atr.strip().replace(":", "") == models.get(model).atr.hex()
    assert any(isinstance(event, Exchange) for event in slots.events)


def test_programs_see_a_card_come_and_go(slots: Slots) -> None:
    slots.wait("empty")

    with slots.card("cardos-5.3"):
        slots.wait("present")

    slots.wait("empty")

    with slots.card("cardos-4.4"):
        slots.wait("present")
        assert models.get("cardos-4.4").atr.hex(":") in slots.run(program("opensc-tool"), "--atr")


def test_two_cards_are_in_two_slots(slots: Slots) -> None:
    with slots.card("cardos-4.4"), slots.card("cardos-5.3", 1):
        slots.wait("present")
        slots.wait("present", 1)

        for place, model in enumerate(("cardos-4.4", "cardos-5.3")):
            atr = slots.run(program("opensc-tool"), "--reader", str(place), "--atr")
            assert models.get(model).atr.hex(":") in atr


def test_a_card_is_there_again_after_pcscd_was_started_anew(slots: Slots) -> None:
    with slots.card("cardos-5.3"):
        slots.wait("present")
        slots.daemon.stop()
        slots.daemon.start()
        slots.wait("present")
        assert "Digital Signature" in slots.run(program("pkcs15-tool"), "--list-keys")
