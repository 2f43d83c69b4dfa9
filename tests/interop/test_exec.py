"""Other people's programs with `cardtwin exec` and `cardtwin serve`."""

from __future__ import annotations

import re
import subprocess
from typing import TYPE_CHECKING

import pytest

from support.hosted import TIMEOUT, command, encoding, environment, run
from support.interop import program

if TYPE_CHECKING:
    from pathlib import Path

FULL = ("--card", "cardos-5.3", "--profile", "full")
OBJECTS = """\
"$0" --module "$CARDTWIN_MODULE" --login --pin env:CARDTWIN_PIN1 -O &&
"$0" --module "$CARDTWIN_MODULE" -L
"""


def tool(name: str) -> str:
    return str(program(name))


@pytest.mark.parametrize("model", ["cardos-4.4", "cardos-5.3"])
def test_pkcs11_tool_logs_in_with_a_pin_that_no_process_list_shows(model: str) -> None:
    result = run("exec", "--card", model, "--profile", "full", "sh", "-c", OBJECTS, tool("pkcs11-tool"))
    assert result.returncode == 0, result.stderr
    assert re.search(r"Private Key Object; RSA[\s\S]*label:\s+Digital Signature", result.stdout)


def test_pkcs11_tool_is_called_without_a_shell() -> None:
    library = run("module").stdout.strip()
    pin = ("--secret", "PIN1=271828")
    arguments = ("--module", library, "--login", "--pin", "271828", "-O")
    result = run("exec", *FULL, *pin, "--", tool("pkcs11-tool"), *arguments)
    assert result.returncode == 0, result.stderr
    assert "Private Key Object" in result.stdout
    result = run("exec", *FULL, *pin, "--", tool("pkcs11-tool"), *arguments[:-2], "999999", "-O")
    assert result.returncode == 1
    assert "CKR_PIN_INCORRECT" in result.stderr


def test_an_encoding_makes_the_token_that_pkcs11_tool_shows(tmp_path: Path) -> None:
    fields = ("--fields", "PIN=env:THE_PIN", "--fields", "PUK=31415926")
    given = ("--card", "cardos-5.3", "--encoding", encoding(tmp_path), *fields)
    result = run("exec", *given, "sh", "-c", OBJECTS, tool("pkcs11-tool"), THE_PIN="271828")
    assert result.returncode == 0, result.stderr
    assert re.search(r"token label\s*: Made by an encoding", result.stdout)


def test_opensc_tool_finds_the_reader_by_pcsc() -> None:
    result = run(
        "exec", "--card", "cardos-4.4", "--reader", "My reader", tool("opensc-tool"), "--list-readers"
    )
    assert result.returncode == 0, result.stderr
    assert "My reader" in result.stdout


def test_a_client_sees_the_card_go_and_come(tmp_path: Path) -> None:
    socket = tmp_path / "control"
    serving = subprocess.Popen(
        command("serve", *FULL, "--socket", socket, "--shell"),
        env=environment(),
        stdout=subprocess.PIPE,
        text=True,
    )

    with serving:
        assert serving.stdout is not None
        lines = [serving.stdout.readline() for _ in range(4)]
        variables = dict(line.removeprefix("export ").strip().split("=", 1) for line in lines)
        assert shown(variables) == 2

        for moved, slots in (("remove", 0), ("insert", 2)):
            assert run("ctl", "--socket", socket, moved).returncode == 0
            assert shown(variables) == slots

        run("ctl", "--socket", socket, "stop")
        assert serving.wait(TIMEOUT) == 0


def shown(variables: dict[str, str]) -> int:
    """Return how many tokens pkcs11-tool shows."""
    listed = subprocess.run(
        [tool("pkcs11-tool"), "--module", variables["CARDTWIN_MODULE"], "-L"],
        env=environment(**variables),
        capture_output=True,
        text=True,
        check=False,
        timeout=TIMEOUT,
    )
    return listed.stdout.count("token label")


TWO_READERS = """\
"$0" --module "$CARDTWIN_MODULE" -L &&
"$0" --module "$CARDTWIN_MODULE" --slot-index 0 --login --pin env:CARDTWIN_LEFT_PIN1 -O &&
"$0" --module "$CARDTWIN_MODULE" --slot-index 3 --login --pin env:CARDTWIN_RIGHT_PIN1 -O
"""


def test_programs_find_every_reader_with_its_card() -> None:
    words = ("--reader", "Left=cardos-5.3 profile=full label=One", "--reader", "Spare=empty")
    given = (*words, "--reader", "Right=cardos-4.4 profile=full label=Two")
    result = run("exec", *given, "sh", "-c", TWO_READERS, tool("pkcs11-tool"))
    assert result.returncode == 0, result.stderr
    assert re.findall(r"^Slot \d+ \(0x\d+\): (\w+)$", result.stdout, re.MULTILINE) == [
        "Left",
        "Left",
        "Spare",
        "Right",
        "Right",
    ]
    labels = re.findall(r"token label +: (\w+)$", result.stdout, re.MULTILINE)
    assert labels[0] == "One"
    assert "Two" in labels
    assert result.stdout.count("Private Key Object; RSA") == 2
    listed = run("exec", *given, tool("opensc-tool"), "--list-readers")
    assert re.findall(r"(Yes|No) .*(Left|Spare|Right)$", listed.stdout, re.MULTILINE) == [
        ("Yes", "Left"),
        ("No", "Spare"),
        ("Yes", "Right"),
    ]
