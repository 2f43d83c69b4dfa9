from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from click.testing import CliRunner

from cardtwin.cli import main
from cardtwin.scenario import all_verbs, load
from cardtwin.scenario.document import parse_yaml, plain
from cardtwin.scenario.schema import json_schema
from cardtwin.source import SourceText

SCENARIOS = Path(__file__).parents[3] / "scenarios"


@pytest.fixture(scope="module")
def validator() -> Any:
    jsonschema.Draft202012Validator.check_schema(json_schema())
    return jsonschema.Draft202012Validator(json_schema())


class AsAnEditor(yaml.SafeLoader):
    """YAML 1.2, as editors have it: 32 is a number, ``true`` a flag, ``on`` a text."""


AsAnEditor.yaml_implicit_resolvers = {
    sign: [(tag, pattern) for tag, pattern in resolvers if not tag.endswith((":bool", ":timestamp"))]
    for sign, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
AsAnEditor.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile("true|false"), list("tf"))


def errors(validator: Any, text: str) -> list[str]:
    return [error.json_path for error in validator.iter_errors(plain(parse_yaml(SourceText("demo", text))))]


HEAD = "format: 1\ntitle: x\nreaders: {R1: cardos-4.4}\n"


@pytest.mark.parametrize(
    "steps",
    [
        "- {apdu: 00 84 00 00 04, expect: 9000}",
        "- {apdu: 00840000, expect: {sw: 6E00, data: {any: 3}}, bind: x, proves: [PPA-01], id: a}",
        "- {apdu: $(x), expect: $(row.expect)}",
        "- {card: reset, on: R1}",
        "- {use: a.steps.yaml}",
        "- {apdu: 1e10}",
    ],
)
def test_what_the_loader_takes_is_valid(validator: Any, steps: str) -> None:
    assert errors(validator, f"{HEAD}steps:\n{steps}") == []


@pytest.mark.parametrize(
    "text",
    [
        HEAD + "steps:\n- {apud: 00}",
        HEAD + "steps:\n- {apdu: 0G}",
        HEAD + "steps:\n- {apdu: 00, expekt: 9000}",
        HEAD + "steps:\n- {apdu: 00, expect: {sw: {anny: 2}}}",
        HEAD + "steps:\n- {card: instert}",
        HEAD + "stepps: []",
        "format: 2\ntitle: x\nreaders: {}\nsteps: []",
        "title: x\nreaders: {}\nsteps: []",
        HEAD + "matrix: {model: []}\nsteps: []",
        HEAD + "matrix: {model: [{use: a.values.yaml, on: R1}]}\nsteps: []",
    ],
)
def test_what_the_loader_refuses_is_invalid(validator: Any, text: str) -> None:
    assert errors(validator, text)


@pytest.mark.thorough
@pytest.mark.parametrize(
    "path",
    sorted(SCENARIOS.rglob("*.scenario.yaml")),
    ids=lambda path: path.relative_to(SCENARIOS).as_posix(),
)
def test_the_projects_own_scenarios_are_valid(validator: Any, path: Path) -> None:
    assert errors(validator, path.read_text()) == []


@pytest.mark.thorough
@pytest.mark.parametrize(
    "path",
    sorted(SCENARIOS.rglob("*.scenario.yaml")),
    ids=lambda path: path.relative_to(SCENARIOS).as_posix(),
)
def test_the_projects_own_scenarios_are_valid_as_an_editor_reads_them(validator: Any, path: Path) -> None:
    read = yaml.load(path.read_text(), Loader=AsAnEditor)  # noqa: S506  # a safe loader with fewer types
    assert [error.json_path for error in validator.iter_errors(read)] == []


@pytest.mark.thorough
@pytest.mark.parametrize(
    "path",
    sorted(SCENARIOS.rglob("*.scenario.yaml")),
    ids=lambda path: path.relative_to(SCENARIOS).as_posix(),
)
def test_the_loader_takes_the_projects_own_scenarios(path: Path) -> None:
    assert load(path)


def test_every_verb_is_in_the_schema_with_a_description() -> None:
    definitions = json_schema()["$defs"]
    assert all(definitions[f"verb-{name}"]["description"] for name in all_verbs())


def test_the_command_prints_the_schema() -> None:
    result = CliRunner().invoke(main, ["schema"])
    assert json.loads(result.output) == json_schema()
