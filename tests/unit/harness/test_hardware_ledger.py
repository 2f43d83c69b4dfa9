"""The ledger of spent tries and the lock of a reader: processes that are killed, and several at a time."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Final

import pytest

from cardtwin.targets import TargetError
from cardtwin.targets.hardware import Ledger
from cardtwin.targets.hardware.lock import held
from support.hosted import environment

if TYPE_CHECKING:
    from pathlib import Path

SERIAL: Final = bytes.fromhex("0102030405060708")

# A process spends tries, and is killed as soon as it has called as many functions of the system as it is told
# to; the next one calls one more, in a folder of its own, until one comes to its end. Of each is told how
# many tries it might have presented, and how it ended.
KILLED: Final = """
import os, signal, sys
from pathlib import Path
from cardtwin.targets.hardware import Ledger

left, tell, really = 0, os.write, {}

def counted(name):
    def call(*arguments, **named):
        global left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return really[name](*arguments, **named)
    return call

def spend(folder, told):
    ledger = Ledger(folder)
    for name in ("open", "mkdir", "close", "fsync", "replace", "write", "unlink"):
        really[name] = getattr(os, name)
        setattr(os, name, counted(name))
    for _ in range(3):
        ledger.spend(bytes.fromhex("0102030405060708"), "PIN 1")
        tell(told, b"x")
    os._exit(0)

status = None
while status != 0:
    calls = left = left + 1
    output, told = os.pipe()
    if (process := os.fork()) == 0:
        spend(Path(sys.argv[1], str(calls)), told)
    os.close(told)
    status = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
    print(calls, len(os.read(output, 10)), status, flush=True)
    os.close(output)
"""
SPENDS_MANY: Final = """
import sys
from pathlib import Path
from cardtwin.targets.hardware import Ledger

ledger = Ledger(Path(sys.argv[1]))

for number in range(20):
    ledger.spend(bytes.fromhex("0102030405060708"), sys.argv[2])
    ledger.spend(bytes.fromhex("0102030405060708"), "PIN 1")
    ledger.give_back(bytes.fromhex("0102030405060708"), sys.argv[2])
"""
HOLDS: Final = """
import sys
from cardtwin.targets.hardware.lock import held

with held("a reader", patience=0):
    print("held", flush=True)
    sys.stdin.read()
"""


def started(program: str, *arguments: str, **variables: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", program, *arguments],
        env=environment(**variables),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


@pytest.mark.cardtwin_proves("HW-02")
def test_a_try_that_may_have_been_presented_is_in_the_ledger_wherever_the_process_is_killed(
    tmp_path: Path,
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", KILLED, str(tmp_path)],
        env=environment(),
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    ends = [tuple(map(int, line.split())) for line in done.stdout.splitlines()]
    assert [status for _, _, status in ends] == [-signal.SIGKILL] * (len(ends) - 1) + [0]
    assert len(ends) > 20
    assert ends[-1][1] == 3

    for calls, presented, _ in ends:
        ledger = Ledger(tmp_path / str(calls))
        entered = ledger.spent(SERIAL).get("PIN 1", 0)
        assert presented <= entered <= presented + 1

        # The next run goes on with it: neither a lock nor half a file is left.
        ledger.spend(SERIAL, "PIN 1")
        assert ledger.spent(SERIAL) == {"PIN 1": entered + 1}


@pytest.mark.cardtwin_proves("HW-02")
def test_processes_that_share_a_ledger_lose_no_try(tmp_path: Path) -> None:
    programs = [started(SPENDS_MANY, str(tmp_path / "ledger"), f"key {number}") for number in range(2)]

    for program in programs:
        program.communicate(timeout=60)
        assert program.returncode == 0

    assert Ledger(tmp_path / "ledger").spent(SERIAL) == {"PIN 1": 40}
    (path,) = (tmp_path / "ledger").glob("*.json")
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700


def test_a_ledger_that_is_broken_is_no_empty_one(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path)

    for text in ("", "{}", json.dumps({"format": 1, "spent": {"PIN 1": -1}}), '{"format": 2, "spent": {}}'):
        ledger.path(SERIAL).write_text(text)

        with pytest.raises(TargetError):
            ledger.spend(SERIAL, "PIN 1")

        assert ledger.path(SERIAL).read_text() == text


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM])
def test_a_reader_is_free_again_when_the_process_that_has_it_is_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, end: signal.Signals
) -> None:
    monkeypatch.setenv("CARDTWIN_LOCKS", str(tmp_path))

    with started(HOLDS, CARDTWIN_LOCKS=str(tmp_path)) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        again = held("a reader", patience=0)

        with pytest.raises(TargetError, match=re.escape(f"process {other.pid}")):
            again.__enter__()

        os.kill(other.pid, end)
        other.wait()

    with held("a reader", patience=0):
        pass
