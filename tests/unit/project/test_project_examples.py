"""The examples that the documents show do what they show."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import yaml
from click.testing import CliRunner

from cardtwin.cli import main

ROOT = Path(__file__).resolve().parents[3]


def test_the_scenario_of_the_readme_passes(tmp_path: Path) -> None:
    example = re.search(
        r"^```yaml\n(.*?)^```$", (ROOT / "README.md").read_text("utf-8"), re.MULTILINE | re.DOTALL
    )
    assert example
    scenario = tmp_path / "blank.scenario.yaml"
    scenario.write_text(example[1], encoding="utf-8")
    result = CliRunner().invoke(main, ["run", str(scenario)])
    assert result.exit_code == 0, result.output
    assert "2 passed" in result.output


def test_the_workflow_calls_cardtwin_as_it_can_be_called() -> None:
    workflow: Any = yaml.safe_load((ROOT / "docs" / "github-actions.yml").read_text("utf-8"))
    steps = workflow["jobs"]["scenarios"]["steps"]
    calls = [shlex.split(step["run"]) for step in steps if step.get("run", "").startswith("cardtwin ")]
    assert calls

    for _, command, *arguments in calls:
        context = main.make_context("cardtwin", [command, *arguments])
        found = main.get_command(context, command)
        assert found
        found.make_context(command, arguments, parent=context)
