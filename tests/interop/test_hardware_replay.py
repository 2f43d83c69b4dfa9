"""A trace is replayed on the card in a reader of pcscd, past the guard."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from cardtwin.card import EmulatedCard, models
from cardtwin.entropy import SystemEntropy
from cardtwin.events import Exchange
from cardtwin.pcsc import Protocol
from cardtwin.readers import VpcdSlot
from cardtwin.trace import Recorder, write_traces
from support.hardware import PlayedCard
from support.hosted import environment, run
from support.pcscd import READERS, WAIT, started_daemon

if TYPE_CHECKING:
    from pathlib import Path

SENT = ("00A4000C023F00", "00CA018200")
KEPT_BACK = ("00200081", "0020FF81", "20CA018200", "8099000000", "00E40000025015")


def replayed(folder: Path, model: str) -> tuple[subprocess.CompletedProcess[str], PlayedCard]:
    """Replay a trace with commands that read, and such that do more to a card, or may."""
    recorder = Recorder()
    emulated = EmulatedCard(models.get(model), entropy=SystemEntropy())
    emulated.power_on(Protocol.ANY)

    for text in (SENT[0], *KEPT_BACK, SENT[1]):
        command = bytes.fromhex(text)
        response = emulated.process(command) if text in SENT else b"\x69\x00"
        recorder(Exchange(reader="R1", command=command, response=response))

    write_traces([recorder.trace("one")], folder / "one.jsonl")
    card = PlayedCard(EmulatedCard(models.get(model), entropy=SystemEntropy()))

    with started_daemon() as daemon, VpcdSlot(card, reader=READERS[0], port=daemon.port) as slot:
        assert slot.wait(20.0)
        variables: dict[str, Any] = {**daemon.environment, "CARDTWIN_LOCKS": str(folder)}
        waiting = [sys.executable, "-c", WAIT, READERS[0], "present"]
        subprocess.run(waiting, env=environment(**variables), check=True, timeout=60)
        target = ("--target", f"pcsc:{READERS[0]}")
        return run("replay", folder / "one.jsonl", *target, **variables), card


@pytest.mark.cardtwin_proves("RR-02", "HW-02", "HW-05")
def test_what_may_cost_a_try_or_is_not_known_is_not_replayed(tmp_path: Path) -> None:
    done, card = replayed(tmp_path, "cardos-4.4")
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"commands sent: 2, {len(KEPT_BACK)} left out; no difference" in done.stdout
    assert not set(card.commands) & set(KEPT_BACK)
    assert set(SENT) <= set(card.commands)
