"""What messages quote of a scenario file: its lines, with stars for the secrets in them."""

from __future__ import annotations

import difflib
import re
from functools import cache
from typing import TYPE_CHECKING, Any

import yaml

from cardtwin.cryptoki.constants import SECRET_ATTRIBUTES
from cardtwin.cryptoki.functions import FUNCTIONS, Kind
from cardtwin.plan import SecretName
from cardtwin.scenario.values import looks_like_a_pin
from cardtwin.source import SourceText

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["masked", "roughly_masked"]

_SECRET_KEYS = frozenset(
    {"pin", "puk", "old", "new", "current", "repeated", "encrypted", "secrets", "dialog", "enter"}
)
"""Keys whose values no message quotes."""

_ALIKE = frozenset({"pins", "count"})
"""Keys that are no slip of the pen for one of them."""

_SECRET_ARGUMENTS = frozenset(
    name.casefold()
    for name in (
        *(
            parameter.names[0]
            for each in FUNCTIONS
            for parameter in each.parameters
            if parameter.kind is Kind.PIN
        ),
        *(attribute.name for attribute in SECRET_ATTRIBUTES),
    )
)
"""Names of PKCS#11 whose values are as secret."""

_SECRET_VALUE = re.compile(
    rf"\b(?P<key>(?i:{'|'.join(sorted(_SECRET_KEYS | _SECRET_ARGUMENTS))})|{'|'.join(SecretName)})"
    r"[ \t]*:[ \t]*"
    r"""(?P<value>\{[^}\n]*|\[[^\]\n]*|"[^"\n]*|'[^'\n]*|[^\s,}\]]+)"""
)
"""What stands behind such a key where the text is no YAML and has no tree."""


def roughly_masked(source: SourceText) -> SourceText:
    """Return the text, which has no tree to go by, with stars for what looks like a secret."""

    def stars(found: re.Match[str]) -> str:
        value = found["value"]
        return found[0][: -len(value)] + "*" * len(value)

    return SourceText(source.name, _SECRET_VALUE.sub(stars, source.text))


@cache
def _is_secret(key: str) -> bool:
    """Whether a key is one of the secret ones, or meant to be."""
    folded = key.casefold()
    return folded in _SECRET_KEYS | _SECRET_ARGUMENTS or (
        folded not in _ALIKE and bool(difflib.get_close_matches(folded, _SECRET_KEYS, n=1, cutoff=0.65))
    )


def _is_misplaced(key: str, value: object) -> bool:
    """Whether a PIN seems to stand where its name belongs: ``verify_pin: 1234``."""
    named = "pin" in key or "puk" in key
    return named and isinstance(value, str) and looks_like_a_pin(value)


def masked(source: SourceText, root: yaml.Node | None) -> SourceText:
    """Return the text with stars in the place of secrets, of the same length."""
    lines = source.text.split("\n")

    for start, end in _secret_marks(root, secret=False, seen=set()):
        for number in range(start.line, min(end.line + 1, len(lines))):
            line = lines[number]
            first = start.column if number == start.line else len(line) - len(line.lstrip())
            last = end.column if number == end.line else len(line)
            lines[number] = line[:first] + "*" * (last - first) + line[last:]

    return SourceText(source.name, "\n".join(lines))


def _secret_marks(node: yaml.Node | None, *, secret: bool, seen: set[int]) -> Iterator[tuple[Any, Any]]:
    """Yield where scalars under secret keys begin and end; names that are replaced are none."""
    if id(node) in seen:
        return

    seen.add(id(node))

    match node:
        case yaml.ScalarNode() if secret and "$(" not in node.value:
            yield node.start_mark, node.end_mark
        case yaml.SequenceNode():
            for item in node.value:
                yield from _secret_marks(item, secret=secret, seen=seen)
        case yaml.MappingNode():
            for key, value in node.value:
                name = key.value if isinstance(key, yaml.ScalarNode) else ""
                inside = secret or _is_secret(name) or _is_misplaced(name, value.value)
                yield from _secret_marks(value, secret=inside, seen=seen)
        case _:
            pass
