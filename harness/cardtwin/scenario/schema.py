"""The JSON Schema of scenario files and of step lists, for editors."""

from __future__ import annotations

from typing import Any

from cardtwin.scenario.model import ScenarioModel
from cardtwin.scenario.step import Step, all_verbs
from cardtwin.scenario.values import SCALAR

__all__ = ["json_schema"]

_REFERENCE = {"type": "string", "pattern": r"^\$\([^()]+\)$", "description": "$(name)"}
_USE = {
    "type": "object",
    "properties": {"use": {"type": "string", "description": "a list of steps, relative to the scenario"}},
    "required": ["use"],
    "additionalProperties": False,
}


def json_schema() -> dict[str, Any]:
    """Return the schema (draft 2020-12). It is a little wider than the loader: it cannot follow names."""
    definitions: dict[str, Any] = {}
    steps = [_hoisted(step, definitions) for step in all_verbs().values()]
    schema = ScenarioModel.model_json_schema(mode="validation")
    definitions |= schema.pop("$defs", {})
    definitions["step"] = {"oneOf": [*steps, _USE]}
    properties = schema["properties"]
    properties["steps"] = {"type": "array", "items": {"$ref": "#/$defs/step"}}
    properties["requires"] = {"type": "object", "description": "the fields of 'check', for the start"}
    properties["matrix"] = _MATRIX
    definitions = {name: _open_to_references(definition) for name, definition in definitions.items()}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **_open_to_references(schema),
        "title": "cardtwin scenario, format 1",
        "$defs": dict(sorted(definitions.items())),
    }


_MATRIX = {
    "type": "object",
    "additionalProperties": {
        "type": "array",
        "minItems": 1,
        "items": {
            "oneOf": [
                {"type": SCALAR},
                {"type": "object", "required": ["id"]},
            ]
        },
    },
}


def _hoisted(step: type[Step], definitions: dict[str, Any]) -> dict[str, str]:
    """Enter a verb's schema in the definitions, and return a reference to it."""
    schema = step.model_json_schema(mode="validation")

    for name, definition in schema.pop("$defs", {}).items():
        if definitions.setdefault(name, definition) != definition:
            raise ValueError(f"two verbs have a model {name!r}: the schema has room for one")

    definitions[f"verb-{step.verb}"] = schema
    return {"$ref": f"#/$defs/verb-{step.verb}"}


def _open_to_references(schema: dict[str, Any]) -> dict[str, Any]:
    """Let every property be a ``$(name)`` as well, and every text be what an editor takes for a number."""
    schema = _widened(schema)
    properties = schema.get("properties")

    if not isinstance(properties, dict):
        return schema

    opened = {name: {"anyOf": [inner, _REFERENCE]} for name, inner in properties.items()}
    return {**schema, "properties": opened}


def _widened(schema: Any) -> Any:
    match schema:
        case {"type": "string", **rest} if not rest.keys() & {"enum", "const", "pattern"}:
            return {**rest, "type": SCALAR}
        case dict():
            return {key: _widened(inner) for key, inner in schema.items()}
        case list():
            return [_widened(inner) for inner in schema]
        case _:
            return schema
