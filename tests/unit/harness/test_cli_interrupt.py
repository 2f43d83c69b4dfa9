"""Ctrl-C, as a terminal sends it, to the program and to all its workers; and SIGTERM to the program alone."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

import cardtwin.cli
import cardtwin.source

ROOTS = [str(Path(module.__path__[0]).parents[1]) for module in (cardtwin.cli, cardtwin.source)]
SCENARIO = """\
format: 1
title: A step that makes a folder
matrix: {{n: [{numbers}]}}
readers: {{R1: cardos-4.4}}
files: {{token.cpf: x}}
steps:
  - {{image: load, name: token.cpf}}
"""


def started(tmp_path: Path, processes: str) -> subprocess.Popen[str]:
    """Return the program, with its first scenario done."""
    (tmp_path / "many.scenario.yaml").write_text(
        SCENARIO.format(numbers=", ".join(str(number) for number in range(400)))
    )
    (tmp_path / "temporary").mkdir()
    arguments = ["run", "-n", processes, "--junit", str(tmp_path / "out.xml"), str(tmp_path)]
    program = subprocess.Popen(
        [sys.executable, "-c", "from cardtwin.cli import main; main()", *arguments],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(ROOTS), "TMPDIR": str(tmp_path / "temporary")},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert program.stdout is not None
    assert "1/400" in program.stdout.readline()
    return program


def check_the_end(program: subprocess.Popen[str], tmp_path: Path, status: int, message: str) -> None:
    _, errors = program.communicate(timeout=60)
    assert program.returncode == status
    assert errors == message
    assert 0 < len(ET.parse(tmp_path / "out.xml").getroot()[0]) < 400  # noqa: S314  # our own file
    assert [path for path in (tmp_path / "temporary").iterdir() if path.name.startswith("cardtwin")] == []


@pytest.mark.parametrize("processes", ["1", "2"])
def test_an_interrupt_has_its_own_status_and_leaves_a_report_and_nothing_else(
    tmp_path: Path, processes: str
) -> None:
    program = started(tmp_path, processes)
    os.killpg(program.pid, signal.SIGINT)
    check_the_end(program, tmp_path, 130, "cardtwin: interrupted\n")


@pytest.mark.parametrize("processes", ["1", "2"])
def test_termination_has_its_own_status_and_leaves_a_report_and_nothing_else(
    tmp_path: Path, processes: str
) -> None:
    program = started(tmp_path, processes)
    program.terminate()
    check_the_end(program, tmp_path, 143, "cardtwin: terminated\n")


@pytest.mark.cardtwin_proves("HW-07")
def test_an_interrupt_tells_in_what_state_it_has_left_cards(monkeypatch: pytest.MonkeyPatch) -> None:
    @click.command()
    def command() -> None:
        error = KeyboardInterrupt()
        error.add_note("R1: card 01 02; nothing was sent that changes it")
        raise error

    monkeypatch.setattr("cardtwin.cli.module.command", command)
    result = CliRunner().invoke(cardtwin.cli.main, ["module"])

    assert result.exit_code == 130
    assert result.stderr == "cardtwin: interrupted\nR1: card 01 02; nothing was sent that changes it\n"


def test_an_interrupt_while_a_command_is_imported_waits_for_the_end_of_that(tmp_path: Path) -> None:
    (tmp_path / "interrupting.py").write_text(
        "import os, signal\n"
        "class Name:\n"
        "    def __set_name__(self, owner, name):\n"
        "        os.kill(os.getpid(), signal.SIGINT)\n"
        "class Model:\n"
        "    field = Name()\n"
        "from cardtwin.cli.schema import command\n"
    )
    start = (
        "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); from cardtwin import cli; "
        "cli._COMMANDS['schema'] = ('interrupting', ''); cli.main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", start, "schema"],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([*ROOTS, str(tmp_path)])},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "cardtwin: interrupted\n")
