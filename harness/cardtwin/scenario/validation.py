"""From a tree of texts to a pydantic model, every finding at its place in the file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeVar, get_args

from pydantic import BaseModel, ValidationError

from cardtwin.scenario.document import ListNode, MapNode, Node, TextNode, plain
from cardtwin.scenario.substitution import references
from cardtwin.source import Diagnostics, closest

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pydantic_core import ErrorDetails

    from cardtwin.source import Span

__all__ = ["place", "validate"]

_MOST_NAMED: Final = 40
"""Of more keys than these, the nearest alone is named."""

M = TypeVar("M", bound=BaseModel)


def validate(model: type[M], node: Node, diagnostics: Diagnostics) -> M | None:
    """Return the model, or None where the tree doesn't fit: why not goes to `diagnostics`.

    A text that refers to a name that has no value yet is not held against the tree; then the result is
    None without a finding.
    """
    if not isinstance(node, MapNode):
        diagnostics.error("not-a-mapping", "a mapping is expected here", node.span, expected="key: value")
        return None

    try:
        return model.model_validate(plain(node))
    except ValidationError as error:
        for finding in error.errors(include_url=False):
            _report(model, node, finding, diagnostics)

        return None


def place(node: Node, location: Sequence[int | str]) -> Node:
    """Return the node at a location, or the deepest one on the way that there is."""
    for step in location:
        match node:
            case MapNode():
                inner = node.get(str(step))
            case ListNode(items) if isinstance(step, int) and step < len(items):
                inner = items[step]
            case _:
                inner = None

        if inner is None:
            return node

        node = inner

    return node


def _report(model: type[BaseModel], root: MapNode, finding: ErrorDetails, diagnostics: Diagnostics) -> None:
    location = finding["loc"]
    node = place(root, location)

    match finding["type"]:
        case "extra_forbidden":
            _report_unknown_key(model, root, location, diagnostics)
        case "missing":
            diagnostics.error(
                "missing-key", f"{location[-1]!r} is missing", node.span, remedy=f"add '{location[-1]}: ...'"
            )
        case _ if location[-1:] == ("[key]",):
            message, expected, remedy = _explain(finding, str(location[-2]))
            span = _key_span(root, location[:-1])
            diagnostics.error("bad-value", message, span, expected=expected, remedy=remedy)
        case _ if node is not root and references(node):
            return  # checked again when the names have values
        case _:
            written = node.text if isinstance(node, TextNode) else "this"
            message, expected, remedy = _explain(finding, written)
            diagnostics.error("bad-value", message, node.span, expected=expected, remedy=remedy)


def _report_unknown_key(
    model: type[BaseModel], root: MapNode, location: Sequence[int | str], diagnostics: Diagnostics
) -> None:
    key = str(location[-1])
    span = _key_span(root, location)
    known = sorted({name for m in _models_at(model, location[:-1]) for name in m.model_fields})
    diagnostics.error(
        "unknown-key",
        f"{key!r} is no key here",
        span,
        expected=f"one of {', '.join(known)}" if 0 < len(known) <= _MOST_NAMED else "",
        remedy=closest(key, known),
    )


def _key_span(root: MapNode, location: Sequence[int | str]) -> Span:
    parent = place(root, location[:-1])
    return parent.key_span(str(location[-1])) if isinstance(parent, MapNode) else parent.span


def _explain(finding: ErrorDetails, written: str) -> tuple[str, str, str]:
    context = finding.get("ctx", {})

    match finding["type"]:
        case "value_error":
            return str(context["error"]), "", ""
        case "literal_error" | "enum":
            known = str(context["expected"]).replace("'", "").replace(" or ", ", ").split(", ")
            expected = f"{'one of ' if len(known) > 1 else ''}{', '.join(known)}"
            return f"{written!r} is not possible here", expected, closest(written, known)
        case "model_type" | "dict_type":
            return "a mapping is expected here", "key: value", ""
        case "list_type":
            return "a list is expected here", "- item", ""
        case "string_type":
            return "a text is expected here", "", ""
        case _:
            return finding["msg"][:1].lower() + finding["msg"][1:], "", ""


def _models_at(model: type[BaseModel], location: Sequence[int | str]) -> list[type[BaseModel]]:
    """Return the models that may stand at a location."""
    found = [model]

    for step in location:
        fields = [m.model_fields[str(step)].annotation for m in found if str(step) in m.model_fields]
        inner = [m for annotation in fields for m in _models_in(annotation)]
        found = inner or (found if not fields else [])

    return found


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation

    for argument in get_args(annotation):
        yield from _models_in(argument)
