from __future__ import annotations

import io
import json
import xml.etree.ElementTree as ET
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner, Result
from rich.console import Console

from cardtwin.cli import main
from cardtwin.report.console import ConsoleReport
from cardtwin.report.text import explain_failure
from cardtwin.scenario import StepResult, load, run
from support.traces import text_of

if TYPE_CHECKING:
    from pathlib import Path

    from support.fake_target import FakeTarget

pytestmark = pytest.mark.usefixtures("target")

GOOD = "- {apdu: 00 84 00 00 04, proves: PPA-01}\n- {card: reset}"
BAD = """\
- {apdu: 00 84 00 00 04}
- {apdu: 00 20 00 01 04 31 33 33 37, expect: 9000, proves: PPA-02}
- {card: reset}
"""


def cardtwin(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, ["run", *map(str, arguments)], env={"COLUMNS": "200"})


def test_all_passed_is_status_0(scenario: Any, tmp_path: Path) -> None:
    scenario(GOOD)
    result = cardtwin(tmp_path)
    assert result.exit_code == 0, result.output
    assert "1 passed" in result.output


def test_a_failed_scenario_is_status_1_and_is_explained(scenario: Any) -> None:
    result = cardtwin(scenario(BAD), scenario(GOOD, name="good"))
    assert result.exit_code == 1
    assert "1 passed, 1 failed" in result.output
    assert "step 2 at" in result.output
    assert "VERIFY" in result.output
    assert "31 33 33 37" not in result.output


@pytest.mark.parametrize(
    ("kept", "all_", "expected"),
    [(1, 1, "the APDU:"), (2, 2, "all 2 APDUs:"), (2, 3, "the last 2 of 3 APDUs:")],
)
def test_a_failure_says_which_of_its_apdus_it_shows(
    scenario: Any, target: FakeTarget, kept: int, all_: int, expected: str
) -> None:
    (instance,) = load(scenario(BAD))
    result = run(instance, target)
    step = result.steps[1]
    told = replace(step, exchanges=step.exchanges * kept, apdus=all_)
    assert f"\n  {expected}\n" in explain_failure(replace(result, steps=(told,)))


def test_brackets_in_names_are_shown_as_they_are(scenario: Any, tmp_path: Path) -> None:
    folder = tmp_path / "a[" / "red]"
    folder.mkdir(parents=True)
    path = folder / "demo.scenario.yaml"
    scenario(BAD).rename(path)
    result = cardtwin(path)
    assert result.exit_code == 1, result.output
    assert result.output.count("a[/red]") >= 3


def test_a_terminal_shows_the_whole_id_while_it_runs(scenario: Any) -> None:
    (instance,) = load(scenario(GOOD, matrix="{model: [a]}", readers="{R1: $(model)}"))
    console = Console(force_terminal=True, width=100, file=io.StringIO())
    report = ConsoleReport(console, 1)
    step = StepResult(1, "apdu", "apdu", "x:1:1")

    with report, console.capture() as shown:
        report.step(instance, step)
        console.print(report._status.renderable)

    assert "demo[a]: step 1 of 2" in shown.get()


def test_a_wrong_file_is_status_2_and_nothing_runs(scenario: Any) -> None:
    result = cardtwin(scenario("- {apud: 00}", name="wrong"), scenario(GOOD))
    assert result.exit_code == 2
    assert "did you mean 'apdu'?" in result.output
    assert "passed" not in result.output


def test_every_wrong_file_is_told(scenario: Any) -> None:
    result = cardtwin(scenario("- {apud: 00}", name="one"), scenario("- {kard: reset}", name="two"))
    assert "one.scenario.yaml:5" in result.output
    assert "two.scenario.yaml:5" in result.output


@pytest.mark.parametrize(
    "arguments", [["none.yaml"], [], ["-n", "0", "."], ["-k", "a b", "."], ["--nosuch", "."]]
)
def test_wrong_usage_is_status_2(
    arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert cardtwin(*arguments).exit_code == 2


def test_list_tells_what_would_run_and_runs_nothing(scenario: Any) -> None:
    path = scenario(BAD, matrix="{model: [a, b]}", readers="{R1: $(model)}")
    result = cardtwin("--list", path)
    assert result.exit_code == 0
    assert result.output.splitlines() == [f"{path}::demo[a]", f"{path}::demo[b]"]


def test_ids_and_tags_select(scenario: Any, tmp_path: Path) -> None:
    scenario(GOOD, matrix="{model: [a, b]}", readers="{R1: $(model)}", tags="[quick]")
    scenario(GOOD, name="other")
    listed = cardtwin("--list", "-k", "demo and not a]", tmp_path).output
    assert listed.splitlines() == [f"{tmp_path / 'demo.scenario.yaml'}::demo[b]"]
    assert cardtwin("--list", "--tag", "quick", tmp_path).output.count("\n") == 2


def test_fail_fast_stops_at_the_first_failure(scenario: Any, tmp_path: Path) -> None:
    scenario(BAD, name="a")
    scenario(GOOD, name="b")
    result = cardtwin("--fail-fast", tmp_path)
    assert result.exit_code == 1
    assert "passed" not in result.output.splitlines()[-1]


def test_junit_has_a_case_per_instance_with_its_steps(scenario: Any, tmp_path: Path) -> None:
    cardtwin(scenario(BAD), scenario(GOOD, name="good"), "--junit", tmp_path / "out.xml")
    suite = ET.parse(tmp_path / "out.xml").getroot()[0]  # noqa: S314  # our own file
    assert (suite.get("tests"), suite.get("failures")) == ("2", "1")
    bad, good = suite
    assert [p.get("name") for p in good.iter("property")] == ["target", "step 1", "step 2"]
    assert "proves PPA-01" in good.findtext("system-out", "")
    failure = bad.find("failure")
    assert failure is not None
    assert failure.get("message") == "step 2 (apdu): sw: not as expected"
    assert "31 33 33 37" not in (tmp_path / "out.xml").read_text()


def test_json_holds_every_step(scenario: Any, tmp_path: Path) -> None:
    cardtwin(scenario(BAD), "--json", tmp_path / "out.json")
    document = json.loads((tmp_path / "out.json").read_text())
    (found,) = document["scenarios"]
    assert document["format"] == 1
    assert [step["verdict"] for step in found["steps"]] == ["passed", "failed", "not run"]


def test_a_trace_is_masked_and_without_times(scenario: Any, tmp_path: Path) -> None:
    path = scenario(BAD)
    cardtwin(path, "--trace", tmp_path / "a.trace")
    cardtwin(path, "--trace", tmp_path / "b.trace")
    assert (tmp_path / "a.trace").read_text() == (tmp_path / "b.trace").read_text()
    text = text_of(tmp_path / "a.trace")
    assert "> R1: 00 20 00 01 04 ** ** ** **  VERIFY" in text
    assert text.splitlines()[0] == "## demo"


@pytest.mark.parametrize("option", ["--junit", "--json", "--trace"])
def test_a_report_in_no_folder_is_refused_before_the_run(scenario: Any, tmp_path: Path, option: str) -> None:
    result = cardtwin(scenario(GOOD), option, tmp_path / "nowhere" / "out")
    assert result.exit_code == 2
    assert "there is no folder" in result.output
    assert "passed" not in result.output


def test_help_lists_the_commands() -> None:
    result = CliRunner().invoke(main, ["--help"])
    assert result.exit_code == 0
    assert "coverage" in result.output


def test_an_unknown_command_is_status_2() -> None:
    assert CliRunner().invoke(main, ["rnu"]).exit_code == 2
