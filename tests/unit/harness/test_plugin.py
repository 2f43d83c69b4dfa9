from __future__ import annotations

import subprocess
import sys
import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from support.pytests import Run

SCENARIO = """\
format: 1
title: A card answers
tags: [quick]
matrix: {row: [{id: good, sw: 9000}, {id: bad, sw: 6A82}]}
readers: {R1: cardos-4.4}
steps:
  - {apdu: 00 A4 00 0C 02 3F 00}
  - {apdu: 00 84 00 00 08, expect: $(row.sw)}
  - {card: reset}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "demo.scenario.yaml").write_text(SCENARIO)
    return tmp_path


@pytest.mark.usefixtures("folder")
def test_every_instance_is_an_item(run_pytest: Run) -> None:
    output = run_pytest("--collect-only", "-q").stdout
    assert "demo.scenario.yaml::demo[good]" in output
    assert "demo.scenario.yaml::demo[bad]" in output


@pytest.mark.usefixtures("folder")
def test_a_failure_shows_the_step_and_no_traceback(run_pytest: Run) -> None:
    result = run_pytest("-q")
    assert result.returncode == 1
    assert "1 failed, 1 passed" in result.stdout
    assert "expected  sw: 6A 82" in result.stdout
    assert "GET CHALLENGE" in result.stdout
    assert "1 more step was not run" in result.stdout
    assert "Traceback" not in result.stdout
    assert "runner.py" not in result.stdout


@pytest.mark.usefixtures("folder")
def test_ids_and_tags_select(run_pytest: Run) -> None:
    assert "1 passed, 1 deselected" in run_pytest("-k", "good").stdout
    assert "1 failed, 1 passed" in run_pytest("-k", "quick").stdout


def test_junit_shows_the_steps(folder: Path, run_pytest: Run) -> None:
    run_pytest("-q", "--junit-xml", "out.xml")
    root = ET.parse(folder / "out.xml").getroot()  # noqa: S314  # our own file
    cases = {case.get("name"): case for case in root.iter("testcase")}
    steps = [p.get("value") for p in cases["demo[bad]"].iter("property")]
    assert [str(step).partition(":")[0] for step in steps] == ["passed", "failed", "not run"]


def test_options_put_other_cards_and_another_target(tmp_path: Path, run_pytest: Run) -> None:
    # CardOS 5.3 tells its free memory in four bytes, CardOS 4.4 in two.
    (tmp_path / "free.scenario.yaml").write_text(
        "format: 1\ntitle: Free memory\nreaders: {R1: cardos-4.4}\n"
        "steps: [{apdu: 00 CA 01 8A 00, expect: {data: {any: 4}}}]\n"
    )
    assert "1 failed" in run_pytest().stdout
    assert "1 passed" in run_pytest("--cardtwin-card", "cardos-5.3").stdout
    skipped = run_pytest("-rs", "--cardtwin-target", "module").stdout
    assert "1 skipped" in skipped
    assert "no step calls a function of PKCS#11" in skipped


@pytest.mark.parametrize(
    ("option", "name", "message"),
    [
        ("--cardtwin-target", "emulatd", "did you mean 'emulated'"),
        ("--cardtwin-card", "cardos-5.33", "cardos-5.3"),
        ("--cardtwin-quirk", "drop_pin_on_selct", "drop_pin_on_select"),
    ],
)
@pytest.mark.usefixtures("folder")
def test_options_that_name_nothing_are_wrong_usage(
    run_pytest: Run, option: str, name: str, message: str
) -> None:
    result = run_pytest(option, name)
    assert result.returncode == pytest.ExitCode.USAGE_ERROR
    assert message in result.stderr


@pytest.mark.usefixtures("folder")
def test_it_runs_in_parallel(run_pytest: Run) -> None:
    pytest.importorskip("xdist")
    assert "1 failed, 1 passed" in run_pytest("-n", "2").stdout


def test_users_fixtures_work(folder: Path, run_pytest: Run) -> None:
    (folder / "conftest.py").write_text(
        "import pytest\n\n@pytest.fixture(autouse=True)\ndef told(request):\n"
        "    print('before', request.node.name)\n    yield\n    print('after')\n"
    )
    output = run_pytest("-s", "-k", "good").stdout
    assert "before demo[good]" in output
    assert "after" in output


def test_a_wrong_file_is_told_without_a_traceback(folder: Path, run_pytest: Run) -> None:
    (folder / "wrong.scenario.yaml").write_text(SCENARIO.replace("apdu:", "apud:"))
    result = run_pytest("-q")
    assert result.returncode == 2
    assert "did you mean 'apdu'?" in result.stdout
    assert "Traceback" not in result.stdout


def test_other_yaml_is_left_alone_however_broken(tmp_path: Path, run_pytest: Run) -> None:
    for name in ("broken.yaml", "test_x.yml", "a.steps.yaml"):
        (tmp_path / name).write_text("{[: broken")

    (tmp_path / "test_other.py").write_text("def test_it():\n    assert True\n")
    result = run_pytest("-q")
    assert result.returncode == 0
    assert "1 passed" in result.stdout


@pytest.mark.parametrize("module", ["cardtwin.plugin", "cardtwin.cli"])
def test_importing_it_is_cheap(module: str) -> None:
    heavy = {
        "yaml",
        "pydantic",
        "rich",
        "lark",
        "cryptography",
        "asn1crypto",
        "cardtwin.scenario",
        "cardtwin.card",
    }
    code = f"import sys, {module}; print(*sorted({heavy!r} & set(sys.modules)))"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == ""
