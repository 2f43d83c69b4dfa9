"""`cardtwin exec --pcscd`: the card in the system's own PC/SC service, and other people's programs there."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any

import pytest

from cardtwin.card import models
from support.hosted import run as hosted
from support.interop import program
from support.pcscd import READERS, WAIT, Daemon, started_daemon

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator

CTL = f"""cardtwin() {{ {sys.executable} -c 'from cardtwin.cli import main; main()' "$@"; }}
"""
OUT_AND_IN = (
    CTL
    + """
set -e
cardtwin ctl remove; "$@" empty
cardtwin ctl insert; "$@" present
pkcs15-tool --list-keys
"""
)


def run(daemon: Daemon, *given: str) -> subprocess.CompletedProcess[str]:
    leading: dict[str, Any] = dict(daemon.environment)
    return hosted("exec", "--pcscd", str(daemon.port), *given, **leading)


@pytest.fixture
def daemon() -> Iterator[Daemon]:
    with started_daemon() as found:
        yield found


def test_opensc_finds_the_card_in_the_systems_reader(daemon: Daemon) -> None:
    given = ("--card", "cardos-5.3", "--profile", "full")
    tool = str(program("pkcs15-tool"))
    result = run(daemon, *given, tool, "--list-keys")
    assert result.returncode == 0, result.stderr
    assert "Digital Signature" in result.stdout
    assert READERS[0] in result.stderr


def test_nothing_leads_programs_elsewhere(daemon: Daemon) -> None:
    given = ("--card", "cardos-4.4")
    result = run(daemon, *given, "env")
    assert f"PCSCLITE_CSOCK_NAME={daemon.environment['PCSCLITE_CSOCK_NAME']}\n" in result.stdout
    assert "CARDTWIN_CONTROL=" in result.stdout
    assert "CARDTWIN_SOCKET" not in result.stdout
    assert "CARDTWIN_MODULE" not in result.stdout


def test_the_card_is_taken_out_and_put_in_by_hand(daemon: Daemon) -> None:
    given = ("--card", "cardos-5.3", "--profile", "full")
    wait = (sys.executable, "-c", WAIT, READERS[0])
    result = run(daemon, *given, "sh", "-c", OUT_AND_IN, "sh", *wait)
    assert result.returncode == 0, result.stdout + result.stderr
    assert "Digital Signature" in result.stdout


def test_a_fault_happens_there_too(daemon: Daemon) -> None:
    given = ("--card", "cardos-5.3", "--fault", "do=answer at=00A4 sw=6F00 times=always")
    tool = str(program("opensc-tool"))
    result = run(daemon, *given, tool, "-s", "00A4000C023F00")
    assert "SW1=0x6F, SW2=0x00" in result.stdout


def test_two_readers_are_in_two_slots(daemon: Daemon) -> None:
    given = ("--reader", "Left=cardos-4.4", "--reader", "Right=cardos-5.3 fault='do=answer at=00A4 sw=6F00'")
    script = 'set -e; "$0" --reader 0 --atr; "$0" --reader 1 -s 00A4000C023F00'
    result = run(daemon, *given, "sh", "-c", script, str(program("opensc-tool")))
    assert result.returncode == 0, result.stdout + result.stderr
    assert models.get("cardos-4.4").atr.hex(":") in result.stdout
    assert "SW1=0x6F, SW2=0x00" in result.stdout


def test_a_slow_card_is_slow_there_too(daemon: Daemon) -> None:
    script = 'for round in 1 2 3 4 5 6 7 8; do echo -s 00A4000C023F00; done | xargs "$0"'
    given = ("--card", "cardos-5.3", "--fault", "do=delay seconds=0.1 times=always at=00A4000C023F00")
    began = time.monotonic()
    result = run(daemon, *given, "sh", "-c", script, str(program("opensc-tool")))
    assert result.returncode == 0, result.stderr
    assert time.monotonic() - began > 0.8


def test_a_mute_card_fails_its_command_and_answers_when_it_was_put_in_again(daemon: Daemon) -> None:
    given = ("--card", "cardos-5.3", "--fault", "do=mute at=00A4000C023F00")
    select = "opensc-tool -s 00A4000C023F00"
    again = 'cardtwin ctl remove; "$@" empty; cardtwin ctl insert; "$@" present'
    script = f"{CTL}\n! {select} || exit 1; set -e; {again}; {select}"
    wait = (sys.executable, "-c", WAIT, READERS[0])
    result = run(daemon, *given, "sh", "-c", script, "sh", *wait)
    assert result.stdout.count("SW1=0x90, SW2=0x00") == 1, result.stdout + result.stderr
    assert result.returncode == 0
