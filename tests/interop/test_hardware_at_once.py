"""Two runs at once on one reader of the system: the second leaves it alone until the first has done."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING, Final

from cardtwin.card import CardView, EmulatedCard, models
from cardtwin.entropy import SystemEntropy
from cardtwin.readers import VpcdSlot
from support.hardware import PlayedCard
from support.hosted import PROFILES, environment
from support.pcscd import READERS, started_daemon

if TYPE_CHECKING:
    from pathlib import Path

    from support.pcscd import Daemon

MODEL: Final = models.get("cardos-5.3")
WAIT: Final = 60
SCENARIO: Final = f"""\
format: 1
title: A token, and a wrong PIN
files:
  token.cpf: {{path: {PROFILES}/cardos-5.3-full.cpf}}
  pin.crt: {{path: {PROFILES.parent}/scenarios/keys/pin-a.crt}}
readers: {{R1: cardos-5.3}}
steps:
  - {{personalise: token.cpf, certificate: pin.crt, secrets: {{PIN1: 1234, PUK: 12345678}}}}
  - {{verify_pin: user, pin: "9999", expect: CKR_PIN_INCORRECT}}
  - {{verify_pin: user, pin: "1234"}}
"""
# Notes each connection and its end, and says when the reader's lock is asked for.
PROGRAM: Final = """
import fcntl, os, sys
from smartcard import scard
calls = os.open("calls", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
name, connect, release, lock = sys.argv.pop(1), scard.SCardConnect, scard.SCardReleaseContext, fcntl.flock

def noted(what, function):
    def call(*arguments):
        os.write(calls, f"{name} {what}\\n".encode())
        return function(*arguments)

    return call

def asked(*arguments):
    sys.stderr.write("asks\\n")
    sys.stderr.flush()
    fcntl.flock = lock
    return lock(*arguments)

scard.SCardConnect, scard.SCardReleaseContext = noted("connects", connect), noted("releases", release)
fcntl.flock = asked
from cardtwin.cli import main
main(prog_name="cardtwin")
"""


def started(folder: Path, daemon: Daemon, name: str) -> subprocess.Popen[str]:
    options = ("--allow-destructive", "--allow-unverified-commands", "--allow-irreversible", "PUT DATA FCI")
    target = ("--target", f"pcsc:{READERS[0]}", "--ledger", "ledger")
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, name, "run", "token.scenario.yaml", *target, *options],
        cwd=folder,
        env=environment(**daemon.environment, CARDTWIN_LOCKS=str(folder)),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def see_it_pass(program: subprocess.Popen[str]) -> None:
    output, errors = program.communicate(timeout=WAIT)
    assert program.returncode == 0, output + errors


def test_two_runs_on_one_reader_come_one_after_the_other_and_both_are_right(tmp_path: Path) -> None:
    (tmp_path / "token.scenario.yaml").write_text(SCENARIO)
    card = PlayedCard(EmulatedCard(MODEL, entropy=SystemEntropy()))
    later: list[subprocess.Popen[str]] = []

    with started_daemon() as daemon, VpcdSlot(card, reader="hardware", port=daemon.port) as slot:
        assert slot.wait(WAIT)

        def let_another_come(place: int) -> None:
            if place == 0:
                later.append(started(tmp_path, daemon, "second"))
                assert later[0].stderr is not None
                assert later[0].stderr.readline() == "asks\n"

        card.on_command = let_another_come
        first = started(tmp_path, daemon, "first")

        see_it_pass(first)
        (second,) = later
        see_it_pass(second)

    calls = (tmp_path / "calls").read_text().split("\n")[:-1]
    last = max(place for place, call in enumerate(calls) if call.startswith("first"))
    assert calls[last] == "first releases"
    assert "second connects" not in calls[:last]
    assert "second connects" in calls[last:]
    assert CardView(card.card.image).pins["3F00", 1].tries_left == 3
