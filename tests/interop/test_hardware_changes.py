"""What a run does to a card beside commands is in its trace, in a reader of pcscd as in an emulated one."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING, Any, Final

import pytest

from cardtwin.card import EmulatedCard, models
from cardtwin.entropy import SystemEntropy
from cardtwin.events import ReaderChanged
from cardtwin.readers import VpcdSlot
from cardtwin.trace import MaskedExchange, read_traces
from support.hosted import environment, run
from support.pcscd import READERS, WAIT, started_daemon

if TYPE_CHECKING:
    from pathlib import Path

MODEL: Final = "cardos-5.3"
SCENARIO: Final = f"""\
format: 1
title: Resets
readers: {{R1: {MODEL}}}
steps:
  - {{apdu: 00A4000C023F00}}
  - {{pcsc: reconnect, disposition: reset}}
  - {{apdu: 00A40000023F0000}}
  - {{pcsc: reconnect, disposition: unpower}}
  - {{apdu: 00A4000C023F00}}
  - {{pcsc: transaction, disposition: reset}}
  - {{pcsc: reconnect}}
  - {{apdu: 00A4000C023F00}}
  - {{pcsc: disconnect, disposition: unpower}}
  - {{pcsc: connect}}
  - {{apdu: 00A40000023F0000}}
"""


def changes(trace: Path) -> list[tuple[str, str, str]]:
    """Return what happened to the card, with the command before; the guard's own ones don't count."""
    (one,) = read_traces(trace)
    found, last = [], ""

    for event in one.events:
        if isinstance(event, ReaderChanged):
            found.append((last, event.change.value, event.atr.hex()))
        elif isinstance(event, MaskedExchange) and event.cause is not None:
            last = last if "the guard" in event.cause.chain() else event.command

    return found


@pytest.mark.cardtwin_proves("RR-01", "RR-06")
def test_resets_and_powerings_are_in_the_trace_of_either_target(tmp_path: Path) -> None:
    (tmp_path / "resets.scenario.yaml").write_text(SCENARIO)
    scenario = ("resets.scenario.yaml",)
    emulated = run("run", *scenario, "--trace", "emulated.jsonl", folder=tmp_path)
    assert emulated.returncode == 0, emulated.stdout + emulated.stderr
    card = EmulatedCard(models.get(MODEL), entropy=SystemEntropy())

    with started_daemon() as daemon, VpcdSlot(card, reader="hardware", port=daemon.port) as slot:
        assert slot.wait(20.0)
        variables: dict[str, Any] = {**daemon.environment, "CARDTWIN_LOCKS": str(tmp_path)}
        waiting = [sys.executable, "-c", WAIT, READERS[0], "present"]
        subprocess.run(waiting, env=environment(**variables), check=True, timeout=60)
        target = ("--target", f"pcsc:{READERS[0]}", "--ledger", str(tmp_path / "ledger"))
        physical = run("run", *scenario, *target, "--trace", "physical.jsonl", folder=tmp_path, **variables)
        both = run("compare", *scenario, "--target", "emulated", *target, folder=tmp_path, **variables)
        again = run("replay", "physical.jsonl", *target[:2], folder=tmp_path, **variables)

    assert physical.returncode == 0, physical.stdout + physical.stderr
    assert both.returncode == 0, both.stdout + both.stderr
    assert "no differences" in again.stdout, again.stdout + again.stderr

    told = changes(tmp_path / "physical.jsonl")
    assert told == changes(tmp_path / "emulated.jsonl")
    assert [change for _, change, _ in told] == [
        *(
            "inserted",
            "powered on",
            "reset",
            "powered off",
            "powered on",
            "reset",
            "powered off",
            "powered on",
        )
    ]
