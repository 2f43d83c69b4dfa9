"""Matchers: a literal, ``{any: n}``, ``{match: RE}``, ``{bind: name}``.

The field that holds a matcher gives it the kind of value that it compares with; so a literal that cannot
be right is found when the file is read.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Any, Final, TypeAlias

from pydantic import PlainValidator, WithJsonSchema

from cardtwin.plan import Secret
from cardtwin.scenario.values import SCALAR, Value, parse_flag, parse_hex, parse_number, show
from cardtwin.source import closest

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = [
    "ABSENT",
    "MATCHER_SCHEMA",
    "AnyLength",
    "Bind",
    "FlagMatcher",
    "HexMatcher",
    "Literal",
    "Matcher",
    "Matchers",
    "NumberMatcher",
    "PrivateTextMatcher",
    "Regex",
    "SecretMatcher",
    "TextListMatcher",
    "TextMatcher",
    "is_matcher",
    "parse_matcher",
]

ABSENT: Final = "absent"
"""The literal that stands for a value that isn't there."""

_KINDS = ("any", "match", "bind")


class Matcher:
    """An expectation of one value."""

    def matches(self, value: Value) -> bool:
        """Whether the value is as expected."""
        raise NotImplementedError

    def describe(self) -> str:
        """Return the expectation as a person reads it; a secret is not shown."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class Literal(Matcher):
    """Exactly this value.

    Attributes:
        value: The value.
        private: Whether it may be a secret where there is no value that says so.
    """

    value: Value
    private: bool = False

    def matches(self, value: Value) -> bool:
        """Whether it is equal; a text also to a secret of these characters, and ``absent`` to no value."""
        if value is None:
            return self.value == ABSENT

        if isinstance(value, Secret) and isinstance(self.value, str):
            return value == Secret.of(self.value)

        return type(value) is type(self.value) and value == self.value

    def describe(self) -> str:
        """Return the value."""
        return show(self.value)


@dataclass(frozen=True, slots=True)
class AnyLength(Matcher):
    """Anything of that length: bytes, characters or items."""

    length: int

    def matches(self, value: Value) -> bool:
        """Whether it has that length."""
        return isinstance(value, bytes | str | Secret | tuple | dict) and len(value) == self.length

    def describe(self) -> str:
        """Return the length."""
        return f"anything of length {self.length}"


@dataclass(frozen=True, slots=True)
class Regex(Matcher):
    """A text that the regular expression matches as a whole; bytes are taken as upper-case hex."""

    pattern: re.Pattern[str]

    def matches(self, value: Value) -> bool:
        """Whether the whole text matches."""
        text = _as_text(value)
        return text is not None and self.pattern.fullmatch(text) is not None

    def describe(self) -> str:
        """Return the expression."""
        return f"a match of {self.pattern.pattern}"


@dataclass(frozen=True, slots=True)
class Bind(Matcher):
    """Anything that is there; it gets a name for later steps."""

    name: str

    def matches(self, value: Value) -> bool:
        """Whether there is a value."""
        return value is not None

    def describe(self) -> str:
        """Return the name."""
        return f"anything, bound to {self.name!r}"


def _as_text(value: Value) -> str | None:
    match value:
        case bytes():
            return value.hex().upper()
        case Secret():
            return value.reveal().decode("utf-8", errors="replace")
        case None | tuple() | dict():
            return None
        case _:
            return show(value)


Matchers: TypeAlias = "Mapping[str, Matcher | Matchers]"
"""Matchers by the names of values, nested as the values are."""


def is_matcher(value: Any) -> bool:
    """Whether a mapping of a scenario file is a matcher, and no mapping of fields."""
    return isinstance(value, dict) and len(value) == 1 and next(iter(value)) in _KINDS


def parse_matcher(value: Any, literal: Callable[[Any], Value]) -> Matcher:
    """Return the matcher that a value of a scenario file stands for; `literal` reads a literal.

    Raises:
        ValueError: It is neither a matcher nor such a literal.
    """
    if not isinstance(value, dict):
        return Literal(ABSENT if value == ABSENT else literal(value))

    if len(value) != 1 or next(iter(value)) not in _KINDS:
        keys = ", ".join(value)
        hint = closest(next(iter(value), ""), _KINDS)
        raise ValueError(
            f"{{{keys}}} is no matcher: one of {{any: n}}, {{match: RE}}, {{bind: name}}"
            + (f"; {hint}" if hint else "")
        )

    ((kind, argument),) = value.items()

    if not isinstance(argument, str):
        raise ValueError(f"{{{kind}: ...}} takes a text")  # noqa: TRY004  # what pydantic collects

    return _MAKERS[kind](argument)


def _regex(argument: str) -> Matcher:
    try:
        return Regex(re.compile(argument, re.DOTALL))
    except re.error as error:
        raise ValueError(f"{argument!r} is no regular expression: {error}") from None


def _bind(argument: str) -> Matcher:
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_\-]*", argument):
        raise ValueError(f"{argument!r} is no name for a value")

    return Bind(argument)


_MAKERS: dict[str, Callable[[str], Matcher]] = {
    "any": lambda argument: AnyLength(parse_number(argument)),
    "match": _regex,
    "bind": _bind,
}


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("a text or a matcher is expected here")  # noqa: TRY004  # what pydantic collects

    return value


def _private(matcher: Matcher) -> Matcher:
    """Return the matcher; its literal is then not shown beside a value that isn't there."""
    if isinstance(matcher, Literal) and matcher.value != ABSENT:
        return replace(matcher, private=True)

    return matcher


def _texts(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise ValueError("a list of texts or a matcher is expected")  # noqa: TRY004  # what pydantic collects

    return tuple(_text(item) for item in value)


MATCHER_SCHEMA: Final[dict[str, Any]] = {
    "type": "object",
    "minProperties": 1,
    "maxProperties": 1,
    "additionalProperties": False,
    "properties": {
        "any": {"type": SCALAR, "description": "anything of that length"},
        "match": {"type": "string", "description": "a regular expression for the whole value"},
        "bind": {"type": "string", "description": "anything; the value gets that name"},
    },
}


def _schema(literal: dict[str, Any]) -> WithJsonSchema:
    return WithJsonSchema({"oneOf": [literal, MATCHER_SCHEMA]})


_SCALAR_SCHEMA = _schema({"type": SCALAR})


TextMatcher = Annotated[
    Matcher,
    PlainValidator(lambda value: parse_matcher(value, _text)),
    _SCALAR_SCHEMA,
]
PrivateTextMatcher = Annotated[
    Matcher,
    PlainValidator(lambda value: _private(parse_matcher(value, _text))),
    _SCALAR_SCHEMA,
]
"""Of a text or a secret: only the value that is there tells which."""

HexMatcher = Annotated[Matcher, PlainValidator(lambda value: parse_matcher(value, parse_hex)), _SCALAR_SCHEMA]
NumberMatcher = Annotated[
    Matcher, PlainValidator(lambda value: parse_matcher(value, parse_number)), _SCALAR_SCHEMA
]
FlagMatcher = Annotated[
    Matcher, PlainValidator(lambda value: parse_matcher(value, parse_flag)), _SCALAR_SCHEMA
]
SecretMatcher = Annotated[
    Matcher,
    PlainValidator(lambda value: parse_matcher(value, lambda text: Secret.of(_text(text)))),
    _SCALAR_SCHEMA,
]
TextListMatcher = Annotated[
    Matcher,
    PlainValidator(lambda value: parse_matcher(value, _texts)),
    _schema({"type": "array", "items": {"type": SCALAR}}),
]
