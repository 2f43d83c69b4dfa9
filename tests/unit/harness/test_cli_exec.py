"""``cardtwin exec``: the command's status, signals and terminal, and that nothing is left."""

from __future__ import annotations

import os
import pty
import re
import signal
import stat
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import CliRunner

from cardtwin.cli import command_line, main
from support.hosted import TIMEOUT, command, encoding, environment, run
from support.traces import text_of

BLANK = ("--card", "cardos-5.3")
FULL = (*BLANK, "--profile", "full")


@pytest.mark.parametrize(
    ("script", "status"), [("exit 0", 0), ("exit 3", 3), ("kill -9 $$", 137), ("kill -TERM $$", 143)]
)
def test_the_status_is_the_commands(script: str, status: int) -> None:
    result = run("exec", *BLANK, "--", "sh", "-c", script)
    assert (result.returncode, result.stderr) == (status, "")


def test_a_command_that_is_not_there_or_cannot_run_is_told_as_shells_do(tmp_path: Path) -> None:
    result = run("exec", *BLANK, "no-such-command")
    assert (result.returncode, result.stderr) == (
        127,
        "cardtwin: no-such-command: No such file or directory\n",
    )
    result = run("exec", *BLANK, tmp_path)
    assert (result.returncode, result.stderr) == (126, f"cardtwin: {tmp_path}: Permission denied\n")


def test_input_output_and_arguments_are_the_commands() -> None:
    result = run(
        "exec", *BLANK, "sh", "-c", 'cat; echo "$@" >&2', "sh", "--card", "--", "-x", entered="hello"
    )
    assert (result.stdout, result.stderr) == ("hello", "--card -- -x\n")


def test_the_command_finds_its_way_to_the_card() -> None:
    sockets = ("PCSCLITE_CSOCK_NAME", "CARDTWIN_SOCKET", "CARDTWIN_CONTROL")
    script = "".join(f'test -S "${name}" && ' for name in sockets) + 'echo "$CARDTWIN_MODULE"'
    result = run("exec", *BLANK, "sh", "-c", script)
    assert result.stdout.strip() == run("module").stdout.strip()


def test_nothing_is_left_afterwards(tmp_path: Path) -> None:
    script = 'echo "$PCSCLITE_CSOCK_NAME"'
    result = run("exec", *FULL, "sh", "-c", script, TMPDIR=str(tmp_path))
    assert result.returncode == 0, result.stderr
    assert not Path(result.stdout.strip()).parents[1].exists()
    assert list(tmp_path.iterdir()) == []


def test_the_card_of_a_card_that_cannot_be_is_told_and_nothing_runs(tmp_path: Path) -> None:
    description = encoding(tmp_path)
    given = ("--encoding", description, "--field", "PIN=271828")

    for arguments, reason in [
        (("--card", "cardos-9"), "there is no card model 'cardos-9'"),
        ((*BLANK, *given), rf"{description}:14:12: error: InitialPUK"),
        (("--card", "cardos-4.4", *given, "--fields", "PUK=31415926"), "the encoding failed: CKR_TOKEN_NOT"),
        ((*FULL, "--encoding", description), "give one of them"),
        ((*BLANK, "--secret", "PIN1=271828"), "secrets: without a profile"),
        ((), "which card"),
    ]:
        result = run("exec", *arguments, "--", "echo", "ran")
        assert result.returncode == 125
        assert re.search(reason, result.stderr)
        assert result.stdout == ""
        assert "271828" not in result.stderr


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("--secret", "PIN1"), "NAME=VALUE is expected"),
        (("--secret", "PIN1=271828", "--secret", "PIN1=314159"), "PIN1 is given twice"),
        (("--secret", "PIN1=env:NO_SUCH"), "PIN1: the environment has no variable 'NO_SUCH'"),
        (("--secret", "PIN1=file:no-such"), "PIN1: 'no-such': No such file"),
        (("--param", "A=0x1"), "hex digits"),
        (("--answer", "one=271828"), "'one' is no dialog's number"),
    ],
)
def test_wrong_usage_is_status_2(arguments: tuple[str, ...], reason: str) -> None:
    result = CliRunner().invoke(main, ["exec", *FULL, *arguments, "--", "echo", "ran"])
    assert (result.exit_code, result.stdout) == (2, "")
    assert reason in result.stderr
    assert "271828" not in result.stderr


def test_secrets_come_from_elsewhere_and_reach_the_command_by_its_environment(tmp_path: Path) -> None:
    (tmp_path / "puk").write_text("31415926\r\nanother line")
    texts = ("PIN1=env:MY_PIN", f"PUK=file:{tmp_path / 'puk'}", "OP=text:env:1")
    given = [part for text in texts for part in ("--secret", text)]
    names = ("PIN1", "PUK", "OP", "PIN2")
    script = 'tr "\\0" " " <"/proc/$PPID/cmdline" >&2; echo ' + " ".join(
        f"$CARDTWIN_{name}" for name in names
    )
    result = run("exec", *FULL, *given, "sh", "-c", script, MY_PIN="271828")
    assert re.fullmatch(r"271828 31415926 env:1 \d{6}\n", result.stdout), result.stderr
    assert "PIN1=env:MY_PIN" in result.stderr
    assert "271828" not in result.stderr


def test_warnings_are_told_before_the_command_runs(tmp_path: Path) -> None:
    path = tmp_path / "Personal.cfg"
    path.write_text("[CSP_PKCS11]\nSectons=java.exe\n")
    result = run("exec", *BLANK, "--config", path, "sh", "-c", "echo ran >&2")
    assert re.fullmatch(rf"cardtwin: {path}:2:1: warning: [\s\S]*\nran\n", result.stderr)


def test_a_trace_is_there_when_all_is_over(tmp_path: Path) -> None:
    run("exec", *BLANK, "--trace", tmp_path / "trace", "sh", "-c", '"$0" -c "$1"', sys.executable, RESETTER)
    assert "reset" in text_of(tmp_path / "trace")


RESETTER = """
import os
from cardtwin.hosting import Control

with Control(os.environ["CARDTWIN_CONTROL"]) as control:
    control.reset()
"""


KILLER = """
for child in $(cat /proc/$PPID/task/$PPID/children); do
    test $child = $$ || kill -9 $child
    test $child = $$ || while test -d /proc/$child; do :; done
done
echo done
"""


def test_the_loss_of_the_card_is_told_and_the_command_goes_on() -> None:
    result = run("exec", *BLANK, "sh", "-c", KILLER)
    assert (result.returncode, result.stdout) == (0, "done\n")
    assert "cardtwin: the card's process has ended; the command goes on without a card\n" in result.stderr


def started(*arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        command("exec", *BLANK, *arguments),
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize("name", ["HUP", "INT", "QUIT", "TERM", "USR1", "USR2"])
def test_a_signal_goes_to_the_command(name: str) -> None:
    script = f"trap 'echo got {name}; exit 7' {name}; echo ready; while :; do sleep 0.01; done"

    with started("sh", "-c", script) as program:
        assert program.stdout is not None
        assert program.stdout.readline() == "ready\n"
        program.send_signal(signal.Signals[f"SIG{name}"])
        output, errors = program.communicate(timeout=TIMEOUT)

    assert (program.returncode, output, errors) == (7, f"got {name}\n", "")


def ignored_and_blocked(told: str) -> set[int]:
    """Return the numbers of signals in lines of /proc/self/status, without those that are glibc's own."""
    masks = [int(line.split()[1], 16) for line in told.splitlines()]
    return {number for mask in masks for number in signal.valid_signals() if mask >> (number - 1) & 1}


LOOK = ("grep", "-E", "Sig(Blk|Ign)", "/proc/self/status")


def test_the_command_has_the_signals_that_a_shell_would_give_it() -> None:
    assert ignored_and_blocked(run("exec", *BLANK, *LOOK).stdout) == set()


def test_what_is_ignored_stays_ignored() -> None:
    ignoring = ["sh", "-c", "trap '' HUP; exec \"$@\"", "sh", *command("exec", *BLANK, *LOOK)]
    told = subprocess.run(ignoring, env=environment(), capture_output=True, text=True, check=True).stdout
    assert ignored_and_blocked(told) == {signal.SIGHUP}


def test_an_interrupt_of_the_terminal_reaches_the_command_once_and_cardtwin_not() -> None:
    trap = "trap 'echo caught; n=1' INT; test -t 0 && echo ready; "
    script = trap + 'while test -z "$n"; do sleep 0.01; done; sleep 0.05'
    pid, terminal = pty.fork()

    if pid == 0:
        line = command("exec", *BLANK, "sh", "-c", script)
        os.execvpe(line[0], line, environment())  # noqa: S606  # the program under test

    output = b""

    while b"ready" not in output:
        output += os.read(terminal, 1000)

    os.write(terminal, b"\x03")

    with suppress(OSError):  # the terminal's end
        while more := os.read(terminal, 1000):
            output += more

    _, status = os.waitpid(pid, 0)
    os.close(terminal)
    assert os.waitstatus_to_exitcode(status) == 0
    assert output.count(b"caught") == 1


@pytest.mark.parametrize(("code", "told"), [(0x80, []), (0, [(7, signal.SIGINT)])])
def test_what_the_terminal_sends_to_all_is_not_passed_on(
    code: int, told: list[tuple[int, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    passed_on: list[tuple[int, int]] = []
    monkeypatch.setattr(os, "kill", lambda pid, number: passed_on.append((pid, number)))
    received: Any = SimpleNamespace(si_code=code, si_signo=signal.SIGINT)
    command_line._forward(received, 7)
    assert passed_on == told


def test_the_module_and_its_header_are_files_and_the_missing_module_is_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert stat.S_ISREG(Path(run("module").stdout.strip()).stat().st_mode)
    assert "cardtwin_" in Path(run("module", "--header").stdout.strip()).read_text()
    monkeypatch.setattr("cardtwin.cryptoki.native.LIBRARY_NAME", "no-such-library.so")
    result = CliRunner().invoke(main, ["module"])
    assert result.exit_code == 2
    assert "no C compiler could make it" in result.stderr
