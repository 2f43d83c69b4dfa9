"""Attributes in scenario files: templates, what is asked of an object, and what is expected of it.

The models have a field for each CKA_* of the standard, so what is wrong in one is told at its place. How a
value is written follows from the attribute; ``{hex: ...}`` gives the bytes of any, right or wrong.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, PlainValidator, WithJsonSchema, create_model

from cardtwin.cryptoki.constants import (
    ARRAY_OF_ATTRIBUTES,
    SECRET_ATTRIBUTES,
    Cka,
    Ckc,
    CkcCategory,
    Ckk,
    Ckm,
    Cko,
    name_of,
)
from cardtwin.cryptoki.values import ULONG_SIZE, Attribute, Query
from cardtwin.plan import Secret
from cardtwin.scenario.matchers import MATCHER_SCHEMA, Matcher, parse_matcher
from cardtwin.scenario.pkcs11.constants import parse_constant, parse_name
from cardtwin.scenario.step import Expectation
from cardtwin.scenario.values import SCALAR, parse_flag, parse_hex, parse_number

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from enum import IntEnum

    from cardtwin.cryptoki.values import Reading
    from cardtwin.scenario.values import Value

__all__ = ["AttributesExpectation", "Template", "attributes", "parse_queries", "read_attribute", "readings"]

_ENOUGH: Final = 1 << 16
_CERTIFICATE: Final = bytes.fromhex("3082")
_CMS: Final = bytes.fromhex("06092A864886F70D0107")
"""The object identifiers of CMS content types begin so."""


@dataclass(frozen=True, slots=True)
class Form:
    """How values of an attribute are written.

    Attributes:
        parse: Makes what results show of what is written, and of what is expected.
        encode: Makes the bytes of that.
        read: Makes that of bytes; None where they are no value of this form.
    """

    parse: Callable[[Any], Value]
    encode: Callable[[Any], bytes]
    read: Callable[[bytes], Value]


def _ulong(value: int) -> bytes:
    return value.to_bytes(ULONG_SIZE, "little")


def _number(value: bytes) -> int | None:
    return int.from_bytes(value, "little") if len(value) == ULONG_SIZE else None


def _named(kind: type[IntEnum]) -> Form:
    def read(value: bytes) -> str | None:
        number = _number(value)
        return None if number is None else name_of(kind, number)

    return Form(lambda value: parse_name(kind, value), lambda name: _ulong(parse_constant(kind, name)), read)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("a text is expected here")  # noqa: TRY004  # what pydantic collects

    return value


def _decoded(value: bytes) -> str | None:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return None


def _mechanisms(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise ValueError("a list of mechanisms is expected")  # noqa: TRY004  # what pydantic collects

    return tuple(parse_name(Ckm, item) for item in value)


def _read_mechanisms(value: bytes) -> tuple[str, ...] | None:
    if len(value) % ULONG_SIZE:
        return None

    parts = (value[at : at + ULONG_SIZE] for at in range(0, len(value), ULONG_SIZE))
    return tuple(name_of(Ckm, int.from_bytes(part, "little")) for part in parts)


_BOOL: Final = Form(
    parse_flag,
    lambda value: bytes([value]),
    lambda value: value != b"\x00" if len(value) == 1 else None,
)
_ULONG: Final = Form(parse_number, _ulong, _number)
_TEXT: Final = Form(_text, str.encode, _decoded)
_BYTES: Final = Form(parse_hex, bytes, bytes)
_SECRET: Final = Form(lambda value: Secret(parse_hex(value)), lambda value: value.reveal(), Secret)
_MECHANISMS: Final = Form(
    _mechanisms,
    lambda names: b"".join(_ulong(parse_constant(Ckm, name)) for name in names),
    _read_mechanisms,
)

_BOOLS: Final = (
    "TOKEN PRIVATE TRUSTED SENSITIVE ENCRYPT DECRYPT WRAP UNWRAP SIGN SIGN_RECOVER VERIFY VERIFY_RECOVER "
    "DERIVE EXTRACTABLE LOCAL NEVER_EXTRACTABLE ALWAYS_SENSITIVE MODIFIABLE COPYABLE DESTROYABLE "
    "SECONDARY_AUTH ALWAYS_AUTHENTICATE WRAP_WITH_TRUSTED OTP_USER_FRIENDLY_MODE RESET_ON_INIT HAS_RESET "
    "COLOR"
)
_ULONGS: Final = (
    "JAVA_MIDP_SECURITY_DOMAIN MODULUS_BITS PRIME_BITS SUBPRIME_BITS VALUE_BITS VALUE_LEN AUTH_PIN_FLAGS "
    "OTP_FORMAT OTP_LENGTH OTP_TIME_INTERVAL OTP_CHALLENGE_REQUIREMENT OTP_TIME_REQUIREMENT "
    "OTP_COUNTER_REQUIREMENT OTP_PIN_REQUIREMENT HW_FEATURE_TYPE PIXEL_X PIXEL_Y RESOLUTION CHAR_ROWS "
    "CHAR_COLUMNS BITS_PER_PIXEL"
)
_TEXTS: Final = (
    "LABEL UNIQUE_ID APPLICATION URL START_DATE END_DATE OTP_USER_IDENTIFIER OTP_SERVICE_IDENTIFIER"
)

_FORMS: Final[Mapping[int, Form]] = {
    **{Cka[f"CKA_{name}"]: _BOOL for name in _BOOLS.split()},
    **{Cka[f"CKA_{name}"]: _ULONG for name in _ULONGS.split()},
    **{Cka[f"CKA_{name}"]: _TEXT for name in _TEXTS.split()},
    **dict.fromkeys(SECRET_ATTRIBUTES, _SECRET),
    Cka.CKA_CLASS: _named(Cko),
    Cka.CKA_KEY_TYPE: _named(Ckk),
    Cka.CKA_CERTIFICATE_TYPE: _named(Ckc),
    Cka.CKA_CERTIFICATE_CATEGORY: _named(CkcCategory),
    Cka.CKA_KEY_GEN_MECHANISM: _named(Ckm),
    Cka.CKA_MECHANISM_TYPE: _named(Ckm),
    Cka.CKA_ALLOWED_MECHANISMS: _MECHANISMS,
}
_KINDS: Final = tuple(kind for kind in Cka if kind not in ARRAY_OF_ATTRIBUTES | {Cka.CKA_VENDOR_DEFINED})
"""Templates in templates are not for cards."""


def _form(kind: int) -> Form:
    return _FORMS.get(kind, _BYTES)


def _encoded(kind: Cka, value: Any) -> bytes | Secret:
    """Return the bytes of a value as it is written; a secret one as secret."""
    if isinstance(value, dict) and set(value) == {"hex"}:
        content = parse_hex(value["hex"])
    else:
        form = _form(kind)
        content = form.encode(form.parse(value))

    return Secret(content) if kind in SECRET_ATTRIBUTES else content


def read_attribute(kind: int, value: bytes) -> Value:
    """Return the value of an attribute; as a secret where it may be one, as bytes where it is malformed."""
    if kind in SECRET_ATTRIBUTES:
        return value if _is_public(value) else Secret(value)

    found = _form(kind).read(value)
    return value if found is None else found


def _is_public(value: bytes) -> bool:
    """Whether the value of an object is a certificate or a CMS message, and no secret."""
    if not value.startswith(_CERTIFICATE) or int.from_bytes(value[2:4]) + 4 != len(value):
        return False

    return value[4:6] == _CERTIFICATE or value[4:].startswith(_CMS)


class _OfAttributes(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)


_VALUE_SCHEMA: Final = {
    "anyOf": [
        {"type": SCALAR},
        {"type": "array", "items": {"type": SCALAR}},
        {
            "type": "object",
            "properties": {"hex": {"type": SCALAR}},
            "required": ["hex"],
            "additionalProperties": False,
        },
    ]
}


def _value_field(kind: Cka) -> Any:
    value = PlainValidator(lambda written: _encoded(kind, written))
    return Annotated[Any, value, WithJsonSchema(_VALUE_SCHEMA)]


def _expected(kind: Cka, value: Any) -> Matcher:
    form = _form(kind)

    def literal(written: Any) -> Value:
        if kind is Cka.CKA_VALUE:
            found = parse_hex(written)
            return read_attribute(kind, found)

        return form.parse(written)

    return parse_matcher(value, literal)


def _matcher_field(kind: Cka) -> Any:
    schema = {"anyOf": [{"type": SCALAR}, {"type": "array", "items": {"type": SCALAR}}, MATCHER_SCHEMA]}
    value = PlainValidator(lambda written: _expected(kind, written))
    return Annotated[Matcher | None, value, WithJsonSchema(schema)]


_VALUES: Final[dict[str, Any]] = {kind.name: (_value_field(kind), None) for kind in _KINDS}
_MATCHERS: Final[dict[str, Any]] = {kind.name: (_matcher_field(kind), None) for kind in _KINDS}
Template: type[BaseModel] = create_model(
    "Template", __base__=_OfAttributes, __doc__="Attributes of an object, by their names.", **_VALUES
)
AttributesExpectation: type[Expectation] = create_model(
    "AttributesExpectation",
    __base__=Expectation,
    __doc__="The values of attributes, by their names; ``absent`` for what cannot be read.",
    **_MATCHERS,
)


def attributes(template: BaseModel) -> tuple[Attribute, ...]:
    """Return the attributes that a template in a scenario gives."""
    given = [
        (kind, getattr(template, kind.name)) for kind in _KINDS if kind.name in template.model_fields_set
    ]
    return tuple(
        Attribute(kind, value.reveal() if isinstance(value, Secret) else value) for kind, value in given
    )


def parse_queries(value: Any) -> tuple[Query, ...]:
    """Return what is asked for: names, or a mapping of names to the rooms there are, NULL for none.

    Raises:
        ValueError: It is something else.
    """
    match value:
        case str():
            return (_query(value, str(_ENOUGH)),)
        case list():
            return tuple(_query(name, str(_ENOUGH)) for name in value)
        case dict():
            return tuple(_query(name, room) for name, room in value.items())
        case _:
            raise ValueError("names of attributes are expected, or a mapping of names to rooms")


def _query(name: Any, room: Any) -> Query:
    return Query(parse_constant(Cka, name), None if room == "NULL" else parse_number(room))


def readings(queries: Sequence[Query], found: Sequence[Reading]) -> dict[str, Value]:
    """Return the values that were read, by the attributes' names."""
    return {
        name_of(Cka, query.type): None if reading.value is None else read_attribute(query.type, reading.value)
        for query, reading in zip(queries, found, strict=True)
    }
