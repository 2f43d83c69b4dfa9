"""The constants of PKCS#11 in scenario files: by their names in the standard, or as numbers."""

from __future__ import annotations

import re
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Annotated, Any, Final

from pydantic import PlainValidator, WithJsonSchema

from cardtwin.cryptoki.constants import Ckm, Cku, SessionFlag, WaitFlag, name_of
from cardtwin.middleware import Ckr
from cardtwin.scenario.matchers import MATCHER_SCHEMA, Matcher, parse_matcher
from cardtwin.scenario.values import SCALAR, Number, parse_number
from cardtwin.source import closest

if TYPE_CHECKING:
    from collections.abc import Iterable
    from enum import IntEnum, IntFlag

__all__ = [
    "RvMatcher",
    "constant_field",
    "flag_field",
    "name_matcher",
    "names_matcher",
    "number_field",
    "parse_constant",
    "parse_name",
]

_NUMBER: Final = re.compile(r"[0-9]+|0[xX][0-9A-Fa-f]+")
_PREFIX: Final = re.compile(r"[A-Z]+_")


def _unknown(text: str, known: Iterable[str]) -> str:
    known = tuple(known)
    prefixes = sorted({_prefix(name) for name in known})
    hint = closest(text, known)
    found = f"{text!r} is neither a {' or '.join(f'{each}...' for each in prefixes)} nor a number"
    return f"{found}; {hint}" if hint else found


def _prefix(name: str) -> str:
    found = _PREFIX.match(name)
    return found[0] if found else name


def parse_constant(kind: type[IntEnum | IntFlag], value: Any) -> int:
    """Return the value of a constant's name, or of a number.

    Raises:
        ValueError: It is neither.
    """
    if isinstance(value, str) and value in kind.__members__:
        return int(kind[value])

    if isinstance(value, str) and _NUMBER.fullmatch(value):
        return parse_number(value)

    raise ValueError(_unknown(str(value), kind.__members__))


def parse_name(kind: type[IntEnum], value: Any) -> str:
    """Return a constant's name as results show it; for a number without one, its hex digits.

    Raises:
        ValueError: It is neither a name nor a number.
    """
    return name_of(kind, parse_constant(kind, value))


def _parse_flags(kind: type[IntFlag], value: Any) -> int:
    items = value if isinstance(value, list) else [value]
    return reduce(or_, (parse_constant(kind, item) for item in items), 0)


def _named(kind: type[IntEnum | IntFlag]) -> dict[str, Any]:
    # An editor proposes the names; a number of the vendor's is as good.
    return {"anyOf": [{"enum": list(kind.__members__)}, {"type": SCALAR, "pattern": "^[0-9]|^\\$\\("}]}


def constant_field(kind: type[IntEnum]) -> Any:
    """Return the type of a field that takes a constant."""
    return Annotated[
        int, PlainValidator(lambda value: parse_constant(kind, value)), WithJsonSchema(_named(kind))
    ]


def flag_field(kind: type[IntFlag]) -> Any:
    """Return the type of a field that takes flags, as a list."""
    schema = {"anyOf": [{"type": "array", "items": _named(kind)}, _named(kind)]}
    return Annotated[int, PlainValidator(lambda value: _parse_flags(kind, value)), WithJsonSchema(schema)]


_NUMBERS: Final[dict[str, Any]] = {
    "CK_MECHANISM_TYPE": constant_field(Ckm),
    "CK_USER_TYPE": constant_field(Cku),
}
_FLAGS: Final[dict[str, Any]] = {
    "C_OpenSession": flag_field(SessionFlag),
    "C_WaitForSlotEvent": flag_field(WaitFlag),
}


def number_field(function: str, c_type: str) -> Any:
    """Return the type of a field for a parameter that is a number, by its type in C."""
    return _FLAGS[function] if c_type == "CK_FLAGS" else _NUMBERS.get(c_type, Number)


def name_matcher(kind: type[IntEnum]) -> Any:
    """Return the type of a field that expects a constant."""
    return Annotated[
        Matcher,
        PlainValidator(lambda value: parse_matcher(value, lambda text: parse_name(kind, text))),
        WithJsonSchema({"anyOf": [_named(kind), MATCHER_SCHEMA]}),
    ]


def names_matcher(kind: type[IntEnum]) -> Any:
    """Return the type of a field that expects a list of constants."""

    def names(value: Any) -> tuple[str, ...]:
        if not isinstance(value, list):
            raise ValueError("a list or a matcher is expected")  # noqa: TRY004  # what pydantic collects

        return tuple(parse_name(kind, item) for item in value)

    schema = {"anyOf": [{"type": "array", "items": _named(kind)}, MATCHER_SCHEMA]}
    return Annotated[
        Matcher, PlainValidator(lambda value: parse_matcher(value, names)), WithJsonSchema(schema)
    ]


RvMatcher = name_matcher(Ckr)
"""Of a return value: one of the standard's names, or the number of a vendor's own."""
