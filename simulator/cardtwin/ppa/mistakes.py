"""What a token in the wrong place means, in human words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cardtwin.source import Diagnostic

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

    from cardtwin.source import Span

__all__ = ["MISTAKES", "unexpected"]

_WORDS: Final = {
    "NAME": "a name",
    "STRING": "a 'text'",
    "NUMBER": "a number",
    "BYTES": "bytes such as 0x{3F 00}",
    "EQUAL": "'='",
    "LPAR": "'('",
    "COMMA": "','",
    "RPAR": "')'",
    "_NL": "the end of the line",
}

# Tokens that are wrong wherever they stand: code, message, remedy. {text} is the token, {inner} what it
# encloses.
_WRONG_ANYWHERE: Final = {
    "UNCLOSED_STRING": (
        "unclosed-string",
        "this text has no end",
        "close it with ' on the same line",
    ),
    "UNCLOSED_BYTES": (
        "unclosed-bytes",
        "these bytes have no end",
        "close them with }}; only hexadecimal digits and comments stand between the braces",
    ),
    "BAD_NUMBER": (
        "bad-number",
        "'{text}' is no number",
        "write decimal digits, 0x and hexadecimal digits, or 0x{{ }} around bytes",
    ),
    "QUOTED": ("double-quotes", "texts stand in single quotes", "write '{inner}'"),
    "PLACEHOLDER": (
        "placeholder",
        "a placeholder stands where a value has to be",
        "write a value, for example SECRANDOM(8)",
    ),
    "BACKSLASH": (
        "stray-backslash",
        "a backslash continues a line only as its last character",
        "put what follows it, comments too, on the next line",
    ),
}

MISTAKES: Final = (*_WRONG_ANYWHERE, "OTHER")
"""The terminals that no line may hold."""


def unexpected(span: Span, terminal: str, text: str, accepted: AbstractSet[str]) -> Diagnostic:
    """Return the finding for a token that cannot stand where it stands.

    Args:
        span: Its place.
        terminal: The name of its terminal.
        text: The token, as it may be shown.
        accepted: The names of the terminals that could have stood there.
    """
    if terminal in _WRONG_ANYWHERE:
        code, message, remedy = _WRONG_ANYWHERE[terminal]
        inner = text.strip('"')
        return Diagnostic(code, message.format(text=text), span, remedy=remedy.format(inner=inner))

    message = "the line ends too early" if terminal == "_NL" else f"{text!r} cannot stand here"
    return Diagnostic("unexpected", message, span, _any_of(accepted), _remedy(terminal, accepted))


def _any_of(accepted: AbstractSet[str]) -> str:
    words = [words for terminal, words in _WORDS.items() if terminal in accepted]
    return " or ".join(filter(None, (", ".join(words[:-1]), *words[-1:])))


def _remedy(terminal: str, accepted: AbstractSet[str]) -> str:
    if terminal == "_NL":
        return "to go on in the next line, end this one with a backslash"

    if terminal == "NAME" and accepted == {"_NL"}:
        return "each statement stands on a line of its own"

    return ""
