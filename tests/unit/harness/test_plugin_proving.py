"""What a run of pytest leaves for ``cardtwin coverage``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from support.pytests import Run

TESTS = """\
import pytest


@pytest.mark.cardtwin_proves("RR-01", "RR-02")
def test_good():
    pass


@pytest.mark.cardtwin_proves("RR-01")
def test_bad():
    assert False


@pytest.mark.cardtwin_proves("RR-03")
def test_skipped():
    pytest.skip("not today")


def test_of_something_else():
    pass


@pytest.fixture
def broken():
    yield
    assert False


@pytest.mark.cardtwin_proves("RR-04")
def test_left_in_disorder(broken):
    pass
"""

SCENARIO = """\
format: 1
title: A card answers
matrix: {row: [{id: good, sw: 9000}, {id: bad, sw: 6A82}]}
readers: {R1: cardos-4.4}
steps:
  - {apdu: 00 A4 00 0C 02 3F 00, proves: A-01}
  - {apdu: 00 84 00 00 08, expect: $(row.sw), proves: [A-02, A-03]}
  - {card: reset, proves: A-04}
"""

ONCE_MORE = """\
import pytest
from _pytest.runner import runtestprotocol


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item, nextitem):
    for word in ("rerun", ""):
        reports = runtestprotocol(item, nextitem=nextitem, log=False)
        failed = any(report.failed for report in reports)

        for report in reports:
            if failed and word and report.when == "call":
                report.outcome = word

            item.ihook.pytest_runtest_logreport(report=report)

        if not failed:
            break

    return True


def pytest_report_teststatus(report):
    return ("rerun", "R", "RERUN") if report.outcome == "rerun" else None
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "test_it.py").write_text(TESTS)
    (tmp_path / "demo.scenario.yaml").write_text(SCENARIO)
    return tmp_path


def proved(path: Path) -> dict[str, dict[str, list[str]]]:
    """Return the verdicts in a file of proofs, by target and id."""
    document = json.loads(path.read_text("utf-8"))
    return {
        by: {id_: [entry["verdict"] for entry in entries] for id_, entries in ids.items()}
        for by, ids in document["proofs"].items()
    }


EVERYTHING = {
    "emulated": {
        "A-01": ["passed", "passed"],
        "A-02": ["failed", "passed"],
        "A-03": ["failed", "passed"],
        "A-04": ["not run", "passed"],
    },
    "tests": {
        "RR-01": ["failed", "passed"],
        "RR-02": ["passed"],
        "RR-03": ["not run"],
        "RR-04": ["failed"],
    },
}


def test_tests_and_steps_are_told_with_their_verdicts(folder: Path, run_pytest: Run) -> None:
    assert run_pytest("--cardtwin-proved", "proved.json").returncode == 1
    assert proved(folder / "proved.json") == EVERYTHING


def test_the_file_says_where_each_proof_is_found(folder: Path, run_pytest: Run) -> None:
    run_pytest("--cardtwin-proved", "proved.json")
    document = json.loads((folder / "proved.json").read_text("utf-8"))
    assert (document["format"], document["status"]) == (1, 1)
    assert document["proofs"]["tests"]["RR-02"] == [{"verdict": "passed", "test": "test_it.py::test_good"}]
    (step,) = document["proofs"]["emulated"]["A-02"][:1]
    assert step["test"] == "demo.scenario.yaml::demo[bad]"
    assert step["place"].endswith("demo.scenario.yaml:7:5")


@pytest.mark.parametrize("way", ["load", "loadgroup"])
def test_workers_tell_theirs_too(folder: Path, run_pytest: Run, way: str) -> None:
    pytest.importorskip("xdist")
    run_pytest("-n", "2", "--dist", way, "--cardtwin-proved", "proved.json")
    assert proved(folder / "proved.json") == EVERYTHING


def test_each_of_several_environments_counts(folder: Path, run_pytest: Run) -> None:
    pytest.importorskip("xdist")
    run_pytest("--tx", "2*popen", "--dist", "each", "-k", "good", "--cardtwin-proved", "proved.json")
    assert proved(folder / "proved.json")["tests"]["RR-02"] == ["passed", "passed"]


def test_a_worker_that_dies_has_failed_in_what_it_was_to_prove(tmp_path: Path, run_pytest: Run) -> None:
    pytest.importorskip("xdist")
    (tmp_path / "test_it.py").write_text(
        "import os, pytest\n\n@pytest.mark.cardtwin_proves('RR-01')\ndef test_it():\n    os._exit(1)\n"
    )
    run_pytest("-n", "1", "--cardtwin-proved", "proved.json")
    assert proved(tmp_path / "proved.json") == {"tests": {"RR-01": ["failed"]}}


def test_only_what_is_selected_proves(folder: Path, run_pytest: Run) -> None:
    assert run_pytest("-k", "good", "--cardtwin-proved", "proved.json").returncode == 0
    assert proved(folder / "proved.json") == {
        "emulated": {id_: ["passed"] for id_ in ("A-01", "A-02", "A-03", "A-04")},
        "tests": {"RR-01": ["passed"], "RR-02": ["passed"]},
    }


def test_of_a_test_that_is_run_again_the_last_time_counts(tmp_path: Path, run_pytest: Run) -> None:
    (tmp_path / "conftest.py").write_text(ONCE_MORE)
    (tmp_path / "test_it.py").write_text(
        "import pytest\n\ntimes = []\n\n\n@pytest.mark.cardtwin_proves('RR-01')\ndef test_it():\n"
        "    times.append(1)\n    assert len(times) == 2\n"
    )
    run_pytest("--cardtwin-proved", "proved.json")
    assert proved(tmp_path / "proved.json") == {"tests": {"RR-01": ["passed"]}}


@pytest.mark.parametrize("body", ["assert False", "pass"])
def test_a_test_that_is_known_to_fail_proves_only_when_it_passes(
    tmp_path: Path, run_pytest: Run, body: str
) -> None:
    (tmp_path / "test_it.py").write_text(
        "import pytest\n\n\n@pytest.mark.cardtwin_proves('RR-01')\n@pytest.mark.xfail(strict=False)\n"
        f"def test_it():\n    {body}\n"
    )
    assert run_pytest("--cardtwin-proved", "proved.json").returncode == 0
    verdict = "passed" if body == "pass" else "failed"
    assert proved(tmp_path / "proved.json") == {"tests": {"RR-01": [verdict]}}


def test_a_part_of_a_test_that_fails_takes_its_proof_away(tmp_path: Path, run_pytest: Run) -> None:
    (tmp_path / "test_it.py").write_text(
        "import pytest\n\n\n@pytest.mark.cardtwin_proves('RR-01')\ndef test_it(subtests):\n"
        "    with subtests.test():\n        assert False\n\n    with subtests.test():\n        pass\n"
    )
    run_pytest("--cardtwin-proved", "proved.json")
    assert proved(tmp_path / "proved.json") == {"tests": {"RR-01": ["failed"]}}


def test_a_folder_is_made_for_the_file(folder: Path, run_pytest: Run) -> None:
    run_pytest("--cardtwin-proved", "a/b/proved.json", "-k", "good")
    assert "tests" in proved(folder / "a/b/proved.json")


def test_a_file_that_cannot_be_written_is_refused_before_anything_is_collected(
    folder: Path, run_pytest: Run
) -> None:
    for path in (".", "test_it.py/proved.json"):
        result = run_pytest("--cardtwin-proved", path)
        assert result.returncode == pytest.ExitCode.USAGE_ERROR
        assert "can't be written" in result.stderr
        assert "collected" not in result.stdout

    assert (folder / "test_it.py").read_text() == TESTS


def test_a_run_that_comes_to_no_end_leaves_no_earlier_file(folder: Path, run_pytest: Run) -> None:
    (folder / "proved.json").write_text("of an earlier run")
    (folder / "test_it.py").write_text("import os\n\n\ndef test_it():\n    os._exit(3)\n")
    assert run_pytest("--cardtwin-proved", "proved.json", "test_it.py").returncode == 3
    assert [path.name for path in folder.iterdir() if "proved" in path.name] == []


def test_a_run_that_only_collects_leaves_an_earlier_file_alone(folder: Path, run_pytest: Run) -> None:
    (folder / "proved.json").write_text("of an earlier run")
    assert run_pytest("--cardtwin-proved", "proved.json", "--collect-only").returncode == 0
    assert (folder / "proved.json").read_text() == "of an earlier run"


@pytest.mark.parametrize("mark", ["cardtwin_proves", "cardtwin_proves(1)", "cardtwin_proves(id='RR-01')"])
def test_a_test_fails_whose_mark_names_no_requirement(tmp_path: Path, run_pytest: Run, mark: str) -> None:
    (tmp_path / "test_it.py").write_text(
        f"import pytest\n\n\n@pytest.mark.{mark}\ndef test_it():\n    pass\n"
    )
    output = run_pytest("--cardtwin-proved", "proved.json").stdout
    assert "1 error" in output
    assert "cardtwin_proves takes ids of requirements, as texts" in output
    assert proved(tmp_path / "proved.json") == {}


def test_the_mark_is_known_where_nothing_is_written(folder: Path, run_pytest: Run) -> None:
    assert "cardtwin_proves" in run_pytest("--markers").stdout
    assert run_pytest("-k", "good").returncode == 0
    assert not list(folder.glob("*.json"))
