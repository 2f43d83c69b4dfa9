"""The JSON Schema of scenario files and of step lists, for editors."""

from __future__ import annotations

import inspect
from typing import Any, Final

from cardtwin.scenario.matchers import MATCHER_SCHEMA
from cardtwin.scenario.model import ScenarioModel
from cardtwin.scenario.step import Step, all_verbs
from cardtwin.scenario.values import SCALAR

__all__ = ["json_schema"]

_MANY: Final = 30
"""Names of a list that is written once only."""

_REFERENCE = {"type": "string", "pattern": r"^\$\([^()]+\)$", "description": "$(name)"}
_USE = {
    "type": "object",
    "properties": {"use": {"type": "string", "description": "a list in a file, relative to the scenario"}},
    "required": ["use"],
    "additionalProperties": False,
}


def json_schema() -> dict[str, Any]:
    """Return the schema (draft 2020-12). It is a little wider than the loader: it cannot follow names."""
    definitions: dict[str, Any] = {}
    steps = [_verb(step, definitions) for step in all_verbs().values()]
    schema = ScenarioModel.model_json_schema(mode="validation")
    definitions |= schema.pop("$defs", {})
    definitions["step"] = {"oneOf": [*steps, _USE]}
    properties = schema["properties"]
    properties["steps"] = {"type": "array", "items": {"$ref": "#/$defs/step"}}
    properties["requires"] = {"type": "object", "description": "the fields of 'check', for the start"}
    properties["matrix"] = _MATRIX
    matcher = _opened(MATCHER_SCHEMA)
    names: dict[str, Any] = {}
    definitions = {
        name: _shared(_opened(definition), matcher, names) for name, definition in definitions.items()
    }
    definitions |= {"matcher": matcher, **names}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **_opened(schema),
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
                _USE,
            ]
        },
    },
}


def _verb(step: type[Step], definitions: dict[str, Any]) -> dict[str, str]:
    """Enter a verb's schema in the definitions, and return a reference to it."""
    name = f"verb-{step.verb}"
    forms = step.forms()

    if forms == (step,):
        return _hoisted(step, name, definitions)

    each = [_hoisted(form, f"{name}-{form.__name__}", definitions) for form in forms]
    # Any of them: a name that is replaced may stand for each of several functions.
    definitions[name] = {"description": inspect.cleandoc(step.__doc__ or ""), "anyOf": each}
    return {"$ref": f"#/$defs/{name}"}


def _hoisted(step: type[Step], name: str, definitions: dict[str, Any]) -> dict[str, str]:
    schema = step.model_json_schema(mode="validation")

    for model, definition in schema.pop("$defs", {}).items():
        if definitions.setdefault(model, definition) != definition:
            raise ValueError(f"two verbs have a model {model!r}: the schema has room for one")

    definitions[name] = schema
    return {"$ref": f"#/$defs/{name}"}


def _opened(schema: Any) -> Any:
    """Let every value be a ``$(name)`` as well, and every text be what an editor takes for a number."""
    match schema:
        case {"enum": list(values), **rest}:
            # An editor reads 32 as a number: what looks like one may be one.
            numbers = [int(value) for value in values if isinstance(value, str) and value.isdecimal()]
            untyped = {key: value for key, value in rest.items() if key != "type"}
            return {**untyped, "enum": [*values, *numbers]}
        case {"type": "string", **rest} if not rest.keys() & {"enum", "const", "pattern"}:
            return {**rest, "type": SCALAR}
        case dict():
            return {key: _opened_keyword(key, value) for key, value in schema.items()}
        case list():
            return [_opened(inner) for inner in schema]
        case _:
            return schema


def _opened_keyword(key: str, value: Any) -> Any:
    if key == "properties":
        return {name: _or_reference(inner) for name, inner in value.items()}

    if key in {"items", "additionalProperties"} and isinstance(value, dict):
        return _or_reference(value)

    return _opened(value)


def _shared(schema: Any, matcher: Any, names: dict[str, Any]) -> Any:
    """Let references stand for matchers and for long lists of names, which would be there hundreds of times.

    The lists go to `names`, each called by the prefix of its first name.
    """
    if schema == matcher:
        return {"$ref": "#/$defs/matcher"}

    match schema:
        case {"enum": list(values)} if len(schema) == 1 and len(values) >= _MANY:
            name = f"names-{values[0].partition('_')[0]}"

            if names.setdefault(name, schema) != schema:
                raise ValueError(f"two lists would be called {name!r}: the schema has room for one")

            return {"$ref": f"#/$defs/{name}"}
        case dict():
            return {key: _shared(value, matcher, names) for key, value in schema.items()}
        case list():
            return [_shared(value, matcher, names) for value in schema]
        case _:
            return schema


def _or_reference(schema: dict[str, Any]) -> dict[str, Any]:
    return {"anyOf": [_opened(schema), _REFERENCE]}
