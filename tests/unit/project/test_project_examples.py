"""The examples that the documents show do what they show."""

from __future__ import annotations

import re
import shlex
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from cardtwin.cli import main

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.parametrize("page", ["README.md", "docs/scenarios.md", "docs/digital-access.md"])
def test_a_scenario_that_a_page_shows_passes(page: str, tmp_path: Path) -> None:
    text = (ROOT / page).read_text("utf-8")
    example = re.search(r"^```yaml\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    assert example

    for folder in ("profiles", "scenarios/keys"):
        shutil.copytree(ROOT / folder, tmp_path / folder)

    scenario = tmp_path / "scenarios" / "example.scenario.yaml"
    scenario.write_text(example[1], encoding="utf-8")
    result = CliRunner().invoke(main, ["run", str(scenario)])
    assert result.exit_code == 0, result.output
    assert "passed" in result.output


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
