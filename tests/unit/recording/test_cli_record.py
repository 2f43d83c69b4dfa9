"""``cardtwin record`` and ``cardtwin replay``: statuses, what goes into the trace, what is refused."""

from __future__ import annotations

import json
import signal
import subprocess
from pathlib import Path

import pytest

from support.hosted import TIMEOUT, command, environment, run

BLANK = ("--card", "cardos-5.3")


def kinds(path: Path) -> list[str]:
    return [json.loads(line)["kind"] for line in path.read_text().splitlines()]


@pytest.mark.parametrize(("script", "status"), [("exit 0", 0), ("exit 3", 3), ("kill -TERM $$", 143)])
def test_the_status_is_the_commands(script: str, status: int, tmp_path: Path) -> None:
    result = run("record", *BLANK, "-o", tmp_path / "t", "--", "sh", "-c", script)
    assert (result.returncode, result.stderr) == (status, "")


def test_the_trace_begins_with_the_card_and_its_atr(tmp_path: Path) -> None:
    run("record", *BLANK, "--times", "true", folder=tmp_path)
    lines = [json.loads(line) for line in (tmp_path / "trace.jsonl").read_text().splitlines()]
    assert lines[0] | {"title": "true", "times": True} == lines[0]
    assert [line.get("change") for line in lines[1:]] == ["inserted", "powered on"]
    assert lines[2]["atr"] == "3B D2 18 00 81 31 FE 58 C9 03 16"


def test_a_command_line_is_in_no_trace(tmp_path: Path) -> None:
    run("record", *BLANK, "-o", tmp_path / "t", "echo", "271828")
    assert "271828" not in (tmp_path / "t").read_text()


def test_a_command_that_is_not_there_is_told_as_shells_do(tmp_path: Path) -> None:
    result = run("record", *BLANK, "no-such-command", folder=tmp_path)
    assert (result.returncode, result.stderr) == (
        127,
        "cardtwin: no-such-command: No such file or directory\n",
    )


@pytest.mark.parametrize(
    "given",
    [("record", *BLANK, "-o", "trace.jsonl"), ("exec", *BLANK, "--trace", "trace.jsonl")],
    ids=["record", "exec"],
)
@pytest.mark.parametrize(("name", "status"), [("./no-such-command", 127), ("./trace.jsonl", 126)])
def test_an_earlier_trace_stays_when_the_command_cannot_be_run(
    given: tuple[str, ...], name: str, status: int, tmp_path: Path
) -> None:
    (tmp_path / "trace.jsonl").write_text("an earlier trace\n")
    assert run(*given, name, folder=tmp_path).returncode == status
    assert (tmp_path / "trace.jsonl").read_text() == "an earlier trace\n"


def test_signals_are_the_commands(tmp_path: Path) -> None:
    script = "trap 'exit 9' USR1; echo ready; while :; do read line; done"
    started = subprocess.Popen(
        command("record", *BLANK, "-o", tmp_path / "t", "sh", "-c", script),
        env=environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )

    with started:
        assert started.stdout is not None
        assert started.stdout.readline() == "ready\n"
        started.send_signal(signal.SIGUSR1)
        assert started.wait(TIMEOUT) == 9


@pytest.mark.cardtwin_proves("RR-01")
def test_what_a_profile_put_on_the_card_is_in_the_environment_and_not_in_the_trace(tmp_path: Path) -> None:
    script = 'test "$CARDTWIN_PIN1" = 271828 && test -f "$CARDTWIN_MODULE"'
    made = (*BLANK, "--profile", "full", "--secret", "PIN1=271828")
    result = run("record", *made, "-o", tmp_path / "t", "sh", "-c", script)
    assert (result.returncode, result.stderr) == (0, "")
    assert kinds(tmp_path / "t") == ["trace", "reader", "reader"]


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ((*BLANK, "--image", "none"), "none: No such file or directory"),
        ((*BLANK, "--limit", "10"), "10 bytes leave no room for a trace"),
        ((*BLANK, "--module", "/none.so"), "there is no PKCS#11 library /none.so"),
        (("--reader", "Nowhere"), "the system's readers can't be used"),
    ],
)
def test_what_cannot_be_recorded_is_told_and_nothing_runs(
    given: tuple[str, ...], told: str, tmp_path: Path
) -> None:
    (tmp_path / "trace.jsonl").write_text("an earlier trace\n")
    result = run("record", *given, "echo", "ran", folder=tmp_path, PCSCLITE_CSOCK_NAME=str(tmp_path / "none"))
    assert (result.returncode, result.stdout) == (125, "")
    assert told in result.stderr
    assert (tmp_path / "trace.jsonl").read_text() == "an earlier trace\n"


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (("--pcscd", *BLANK), "--pcscd"),
        (("--pinpad",), "--pinpad"),
        (("--reader", "A", "--reader", "B"), "give --reader once"),
    ],
)
def test_what_contradicts_itself_is_wrong_usage(given: tuple[str, ...], told: str, tmp_path: Path) -> None:
    given = tuple("--pcscd=127.0.0.1:1" if each == "--pcscd" else each for each in given)
    result = run("record", *given, "true", folder=tmp_path)
    assert result.returncode == 2
    assert told in result.stderr


def trace(folder: Path, *exchanges: tuple[str, str]) -> str:
    """Write a trace of commands and answers, and return its path."""
    lines = [{"kind": "trace", "version": 1, "title": "one", "recorder": ""}]
    lines += [
        {"kind": "exchange", "reader": "R1", "meaning": "", "command": sent, "response": got, "status": ""}
        for sent, got in exchanges
    ]
    (folder / "t").write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    return str(folder / "t")


SELECT = "00 A4 00 0C 02 3F 00"
VERIFY = "00 20 00 81 08 ** ** ** ** ** ** ** **"


@pytest.mark.cardtwin_proves("RR-02")
def test_a_trace_that_the_card_answers_the_same_has_no_differences(tmp_path: Path) -> None:
    result = run("replay", trace(tmp_path, (SELECT, "90 00")), *BLANK)
    assert (result.returncode, result.stdout) == (0, "commands sent: 1; no differences\n")


def test_that_a_trace_was_cut_is_told(tmp_path: Path) -> None:
    path = Path(trace(tmp_path, (SELECT, "90 00")))
    path.write_text(path.read_text() + '{"kind": "cut", "limit": 400}\n')
    result = run("replay", str(path), *BLANK)

    assert (result.returncode, result.stdout) == (0, "commands sent: 1; no differences\n")
    assert "this trace was cut at its limit" in result.stderr


@pytest.mark.cardtwin_proves("RR-02")
def test_differences_are_told_and_are_the_status(tmp_path: Path) -> None:
    result = run("replay", trace(tmp_path, (SELECT, "6A 82"), (VERIFY, "90 00")), *BLANK)
    assert result.returncode == 1
    assert "APDU 1: 00 A4 00 0C : status word: 6A82 (file not found) against 9000 (success)" in result.stdout
    assert (
        "APDU 2: 00 20 00 81 : not sent: it has a hidden secret; --secret PIN:81=... gives it"
        in result.stdout
    )
    assert result.stdout.endswith("commands sent: 1, 1 left out; 1 difference\n")


def test_secrets_come_from_where_nobody_sees_them(tmp_path: Path) -> None:
    made = (*BLANK, "--profile", "full", "--secret", "PIN1=271828")
    path = trace(tmp_path, (VERIFY, "90 00"))
    result = run("replay", path, *made, "--secret", "PIN:81=env:THE_PIN", THE_PIN="271828")
    assert (result.returncode, result.stdout) == (0, "commands sent: 1; no differences\n")
    assert "others see" not in result.stderr


@pytest.mark.parametrize("value", ["271828", "text:271828", "hex:3237313832380000"])
def test_a_secret_on_the_command_line_is_warned_about_once(value: str, tmp_path: Path) -> None:
    made = (*BLANK, "--profile", "full", "--secret", "PIN1=271828")
    given = (
        "--secret",
        f"PIN:81={value}",
        "--secret",
        f"CHANGE:81={value}",
        "--secret",
        "UNBLOCK:81=env:PUK",
    )
    result = run("replay", trace(tmp_path, (VERIFY, "90 00")), *made, *given, PUK="87654321")
    warning = (
        "cardtwin: others see the command line, and on it PIN:81, CHANGE:81: "
        "env:, file: and prompt show no value\n"
    )

    assert (result.returncode, result.stdout) == (0, "commands sent: 1; no differences\n")
    assert result.stderr.count(warning) == result.stderr.count("others see") == 1
    assert "271828" not in result.stderr


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (("--title", "two"), "which trace? --title gives it; there are: one"),
        (("--target", "moon"), "a trace is replayed on emulated or pcsc[:READER]"),
        (("--secret", "PIN:81=hex:0"), "PIN:81: behind hex: stand hex digits"),
        (("--secret", "PIN:81=123456789"), "PIN:81 is longer than what the trace hides"),
        (("--pad", "FFF"), "hex is expected"),
    ],
)
def test_what_cannot_be_replayed_is_told(given: tuple[str, ...], told: str, tmp_path: Path) -> None:
    result = run("replay", trace(tmp_path, (VERIFY, "90 00")), *BLANK, *given)
    assert result.returncode == 2
    assert told in result.stderr.replace("\n", " ")
    assert "123456789" not in result.stderr


ATR = ("--atr", "3BD218008131FE58C90316")


@pytest.mark.cardtwin_proves("RR-03")
@pytest.mark.parametrize(
    ("given", "script", "status", "told"),
    [
        ((), "exit 0", 0, ""),
        ((), "exit 3", 3, ""),
        (("--strict",), "exit 0", 1, "cardtwin: R1: the trace has 1 more APDUs that did not come"),
        (("--strict",), "exit 3", 3, "cardtwin: R1: the trace has 1 more APDUs that did not come"),
    ],
)
def test_as_card_the_status_is_the_commands_unless_something_was_not_as_in_the_trace(
    given: tuple[str, ...], script: str, status: int, told: str, tmp_path: Path
) -> None:
    path = trace(tmp_path, (SELECT, "90 00"))
    result = run("replay", path, *ATR, "--as-card", *given, "--", "sh", "-c", script)
    assert (result.returncode, result.stderr[: len(told)]) == (status, told)
    assert bool(result.stderr) == bool(told)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (("--as-card", *ATR), "--as-card runs a command"),
        (("--", "true"), "--as-card runs a command"),
        (("--strict", *BLANK), "--strict and --atr are for --as-card"),
        (("--as-card", *ATR, *BLANK, "--", "true"), "--as-card takes readers and cards from the trace"),
        (("--as-card", "--", "true"), "the trace has no ATR of the card in 'R1'; --atr gives it"),
        (("--as-card", "--atr", "3B0", "--", "true"), "hex is expected"),
    ],
)
def test_as_card_what_cannot_be_is_told(given: tuple[str, ...], told: str, tmp_path: Path) -> None:
    result = run("replay", trace(tmp_path, (SELECT, "90 00")), *given)
    assert result.returncode == 2
    assert told in result.stderr
