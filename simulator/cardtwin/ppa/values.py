"""What expressions amount to."""

from __future__ import annotations

from cardtwin.plan import Content, Secret

__all__ = ["Value", "kind_of"]

Value = str | int | bytes | Secret | Content
"""A text, a number, bytes, a secret, or contents with gaps that only the card can fill."""


def kind_of(value: Value) -> str:
    """Return what a message calls a value of that kind."""
    match value:
        case str():
            return "a text"
        case int():
            return "a number"
        case bytes():
            return "bytes"
        case Secret():
            return "a secret"
        case _:
            return "file contents"
