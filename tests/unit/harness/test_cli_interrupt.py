"""Ctrl-C, as a terminal sends it: to the program and to all its workers."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

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


@pytest.mark.parametrize("processes", ["1", "2"])
def test_an_interrupt_has_its_own_status_and_leaves_a_report_and_nothing_else(
    tmp_path: Path, processes: str
) -> None:
    (tmp_path / "many.scenario.yaml").write_text(
        SCENARIO.format(numbers=", ".join(str(number) for number in range(400)))
    )
    (tmp_path / "temporary").mkdir()
    report = tmp_path / "out.xml"
    arguments = ["run", "-n", processes, "--junit", str(report), str(tmp_path)]
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
    os.killpg(program.pid, signal.SIGINT)
    _, errors = program.communicate(timeout=60)
    assert program.returncode == 130
    assert errors == "cardtwin: interrupted\n"
    assert 0 < len(ET.parse(report).getroot()[0]) < 400  # noqa: S314  # our own file
    assert [path for path in (tmp_path / "temporary").iterdir() if path.name.startswith("cardtwin")] == []
