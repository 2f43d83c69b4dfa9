"""Scenario files as text: a step on a line where it fits, and comments where a person should look."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from textwrap import wrap
from typing import TYPE_CHECKING, Final, TypeAlias

import yaml

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

__all__ = ["Entry", "Tree", "escaped", "file_text"]

Tree: TypeAlias = "str | list[Tree] | dict[str, Tree]"
"""What a file holds: every scalar is a text."""

_PLAIN: Final = re.compile(r"[A-Za-z0-9_$./(][A-Za-z0-9_$./()<>;+=\-]*( [A-Za-z0-9_$./()<>;+=\-]+)*")
_REFERENCE: Final = re.compile(r"\$\([^()\n]*\)")
_WIDTH: Final = 118


@dataclass(frozen=True, slots=True)
class Entry:
    """An item of a list, or a key and its value.

    Attributes:
        value: It, or what stands under the key.
        notes: Comments that stand before it.
    """

    value: Tree
    notes: tuple[str, ...] = field(default=())


def escaped(text: str) -> str:
    """Return a text of a trace so that no loader takes a part of it for a reference to a name."""
    return _REFERENCE.sub(lambda match: f"${match[0]}", text)


def file_text(head: Mapping[str, Entry], steps: Iterable[Entry], tail: Mapping[str, Entry]) -> str:
    """Return a scenario file: some keys, its steps, and keys that are better read last."""
    parts = [
        *(line for key, entry in head.items() for line in _keyed(key, entry)),
        "steps:",
        *(line for step in steps for line in _item(step)),
        *(line for key, entry in tail.items() for line in _keyed(key, entry)),
    ]
    return "".join(f"{line}\n" for line in parts)


def _keyed(key: str, entry: Entry, indent: str = "") -> Iterator[str]:
    yield from _comments(entry.notes, indent)

    match entry.value:
        case str() as text if "\n" in text and _is_block(text):
            yield f"{indent}{_scalar(key)}: |{'' if text.endswith(chr(10)) else '-'}"
            yield from (f"{indent}  {line}" if line else "" for line in text.removesuffix("\n").split("\n"))
        case dict() as inner if inner and not _fits(key, inner, indent):
            yield f"{indent}{_scalar(key)}:"

            for name, value in inner.items():
                yield from _keyed(name, Entry(value), f"{indent}  ")
        case list() as items if items and not _fits(key, items, indent):
            yield f"{indent}{_scalar(key)}:"

            for item in items:
                yield from _item(Entry(item), f"{indent}  ")
        case value:
            yield f"{indent}{_scalar(key)}: {_flow(value)}"


def _item(entry: Entry, indent: str = "  ") -> Iterator[str]:
    yield from _comments(entry.notes, indent)

    flow = _flow(entry.value)

    if not isinstance(entry.value, dict) or len(indent) + 2 + len(flow) <= _WIDTH:
        yield f"{indent}- {flow}"
        return

    lines = [line for key, value in entry.value.items() for line in _keyed(key, Entry(value), f"{indent}  ")]
    yield f"{indent}- {lines[0].lstrip()}"
    yield from lines[1:]


def _comments(notes: Iterable[str], indent: str) -> Iterator[str]:
    for note in notes:
        width = _WIDTH - len(indent) - 2
        lines = wrap(_printable(note), width, break_long_words=False, break_on_hyphens=False)
        yield from (f"{indent}# {line}" for line in lines)


def _printable(note: str) -> str:
    """Return a comment that stays one, whatever a trace calls things."""
    return "".join(sign if sign.isprintable() else "?" for sign in " ".join(note.split()))


def _fits(key: str, value: Tree, indent: str) -> bool:
    return len(indent) + len(key) + 2 + len(_flow(value)) <= _WIDTH and not _has_block(value)


def _has_block(value: Tree) -> bool:
    match value:
        case str():
            return "\n" in value
        case list():
            return any(map(_has_block, value))
        case dict():
            return any(map(_has_block, value.values()))


def _is_block(text: str) -> bool:
    """Whether a literal block gives the same text back."""
    lines = text.split("\n")
    return (
        not lines[0].startswith((" ", "\t"))
        and all(line == line.rstrip() and line.isprintable() for line in lines)
        and not text.endswith("\n\n")
        and bool(lines[0])
    )


def _flow(value: Tree) -> str:
    match value:
        case str():
            return _scalar(value)
        case list():
            return f"[{', '.join(map(_flow, value))}]"
        case dict():
            return f"{{{', '.join(f'{_scalar(key)}: {_flow(inner)}' for key, inner in value.items())}}}"


def _scalar(text: str) -> str:
    if _PLAIN.fullmatch(text):
        return text

    quoted: str = yaml.dump(text, default_style='"', allow_unicode=True, width=1 << 30)
    return quoted.rstrip("\n")
