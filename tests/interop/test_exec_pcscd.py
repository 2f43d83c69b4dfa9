"""`cardtwin exec --pcscd`: the card in the system's own PC/SC service, and other people's programs there."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import pytest

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
