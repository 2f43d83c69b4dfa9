"""Values of scenario files: how a text becomes bytes, a number, a flag or a secret, and how it is shown."""

from __future__ import annotations

import re
from typing import Annotated, Any, Final, TypeAlias

from pydantic import PlainValidator, WithJsonSchema

from cardtwin.plan import Secret

__all__ = [
    "SCALAR",
    "Flag",
    "Hex",
    "Name",
    "NameList",
    "Number",
    "PinName",
    "ReaderName",
    "SecretText",
    "Value",
    "looks_like_a_pin",
    "parse_flag",
    "parse_hex",
    "parse_number",
    "show",
]

SCALAR: Final = ["string", "number", "boolean"]
"""The types of JSON Schema that an editor may see in a scalar; for the loader all are text."""

Value: TypeAlias = "str | bytes | int | bool | Secret | tuple[Value, ...] | dict[str, Value] | None"
"""What a step can observe."""

_FLAGS = {"yes": True, "true": True, "on": True, "no": False, "false": False, "off": False}
_LONGEST_NUMBER = 3
"""Digits of a number that is no PIN, such as a reference."""
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.\-]*")
_READER_NAME = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_.\-()\[\]:/, ]{0,125}[A-Za-z0-9_.\-)\]])?")


def _text(value: Any) -> str:
    if not isinstance(value, str):
        kind = "list" if isinstance(value, list) else "mapping"
        hint = "; an item of a list that a step has bound is $(name.0)" if kind == "list" else ""
        raise ValueError(f"a text is expected here, not a {kind}{hint}")  # noqa: TRY004  # what pydantic collects

    return value


def parse_hex(value: Any) -> bytes:
    """Return the bytes of a text such as ``00 A4 00 0C``.

    Raises:
        ValueError: It is no hex text.
    """
    text = _text(value)
    digits = "".join(text.split())

    if wrong := re.search(r"[^0-9A-Fa-f]", digits):
        raise ValueError(f"{wrong[0]!r} is no hex digit")

    if len(digits) % 2:
        raise ValueError(f"{len(digits)} hex digits are no whole number of bytes")

    return bytes.fromhex(digits)


def parse_number(value: Any) -> int:
    """Return the number of a text such as ``12`` or ``0x0C``.

    Raises:
        ValueError: It is no such text.
    """
    text = _text(value).strip()

    if not re.fullmatch(r"[0-9]+|0[xX][0-9A-Fa-f]+", text):
        raise ValueError(f"{text!r} is no number such as 12 or 0x0C")

    return int(text, 16 if text[:2] in {"0x", "0X"} else 10)


def parse_flag(value: Any) -> bool:
    """Return the flag of ``yes`` or ``no``.

    Raises:
        ValueError: It is neither.
    """
    text = _text(value).strip()

    if text.lower() not in _FLAGS:
        raise ValueError(f"{text!r} is neither yes nor no")

    return _FLAGS[text.lower()]


def _parse_name(value: Any) -> str:
    text = _text(value).strip()

    if not _NAME.fullmatch(text):
        raise ValueError(f"{text!r} is no name: letters, digits, '_', '-' and '.' make one")

    return text


def _parse_reader_name(value: Any) -> str:
    text = _text(value).strip()

    if not _READER_NAME.fullmatch(text):
        raise ValueError(
            f"{text!r} is no reader's name: letters, digits, blanks and '_-.,:/()[]' make one, 127 at most"
        )

    return text


def _parse_names(value: Any) -> tuple[str, ...]:
    items = value if isinstance(value, list) else _text(value).split(",")
    return tuple(_parse_name(item) for item in items if item)


def looks_like_a_pin(text: str) -> bool:
    """Whether a text that should be a PIN's name seems to be the PIN itself."""
    return text.isdecimal() and len(text) > _LONGEST_NUMBER


def _parse_pin_name(value: Any) -> str:
    text = _text(value)

    if looks_like_a_pin(text):
        raise ValueError(
            "the name of a PIN belongs here, its kind or its label; this looks like the PIN itself"
        )

    return text


def _parse_secret(value: Any) -> Secret:
    return Secret.of(_text(value))


Hex = Annotated[
    bytes,
    PlainValidator(parse_hex),
    WithJsonSchema(
        {"type": SCALAR, "pattern": r"^(\s*[0-9A-Fa-f]\s*[0-9A-Fa-f])*\s*$|\$\(", "description": "hex"}
    ),
]
Number = Annotated[
    int,
    PlainValidator(parse_number),
    WithJsonSchema({"type": SCALAR, "description": "12 or 0x0C"}),
]
Flag = Annotated[
    bool,
    PlainValidator(parse_flag),
    WithJsonSchema({"type": SCALAR, "description": "yes or no"}),
]
Name = Annotated[
    str,
    PlainValidator(_parse_name),
    WithJsonSchema({"type": SCALAR, "description": "a name"}),
]
ReaderName = Annotated[
    str,
    PlainValidator(_parse_reader_name),
    WithJsonSchema({"type": SCALAR, "description": "a reader's name"}),
]
PinName = Annotated[
    str,
    PlainValidator(_parse_pin_name),
    WithJsonSchema({"type": SCALAR, "description": "the kind or the label of a PIN"}),
]
NameList = Annotated[
    tuple[str, ...],
    PlainValidator(_parse_names),
    WithJsonSchema(
        {
            "oneOf": [
                {"type": SCALAR},
                {"type": "array", "items": {"type": SCALAR}},
            ],
            "description": "names, as a list or separated by commas",
        }
    ),
]
SecretText = Annotated[
    Secret,
    PlainValidator(_parse_secret),
    WithJsonSchema({"type": SCALAR, "description": "a secret, shown nowhere"}),
]


def show(value: Value) -> str:
    """Return a value as a person reads it; a secret as the fact that it is one."""
    match value:
        case tuple():
            return "[" + ", ".join(show(item) for item in value) + "]"
        case dict():
            return "{" + ", ".join(f"{key}: {show(item)}" for key, item in value.items()) + "}"
        case _:
            return _show_scalar(value)


def _show_scalar(value: str | bytes | int | Secret | None) -> str:
    match value:
        case None:
            return "absent"
        case bool():
            return "yes" if value else "no"
        case bytes():
            return value.hex(" ").upper() or "(no bytes)"
        case Secret():
            return "*** (secret)"
        case _:
            return str(value)
