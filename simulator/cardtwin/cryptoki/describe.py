"""Calls as text that is fit to be shown: names instead of numbers, and no secrets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cardtwin.cryptoki.constants import (
    ARRAY_OF_ATTRIBUTES,
    SECRET_ATTRIBUTES,
    Cka,
    Ckc,
    Ckk,
    Ckm,
    Cko,
    Cku,
    name_of,
)
from cardtwin.cryptoki.functions import Kind
from cardtwin.cryptoki.values import (
    ULONG_SIZE,
    Answer,
    Attribute,
    Buffer,
    Mechanism,
    NamedValue,
    Query,
    Reading,
)
from cardtwin.middleware import Ckr
from cardtwin.plan import Secret

if TYPE_CHECKING:
    from collections.abc import Sequence
    from enum import IntEnum

    from cardtwin.cryptoki.functions import Function, Parameter

__all__ = ["INTERFACE", "arguments_of", "in_line", "results_of", "text_of"]

Texts = tuple[tuple[str, str], ...]
"""Names and values, fit to be shown."""

INTERFACE: Final = "PKCS#11"

_NAMED: Final[dict[str, type[IntEnum]]] = {"CK_MECHANISM_TYPE": Ckm, "CK_USER_TYPE": Cku}
_PUBLIC: Final = set(Cka) - SECRET_ATTRIBUTES - ARRAY_OF_ATTRIBUTES - {Cka.CKA_VENDOR_DEFINED}
_ENUMERATED: Final[dict[int, type[IntEnum]]] = {
    Cka.CKA_CLASS: Cko,
    Cka.CKA_KEY_TYPE: Ckk,
    Cka.CKA_CERTIFICATE_TYPE: Ckc,
    Cka.CKA_KEY_GEN_MECHANISM: Ckm,
}
_TEXTS: Final = {Cka.CKA_LABEL, Cka.CKA_APPLICATION, Cka.CKA_URL}
_NUMBERS: Final = {Cka.CKA_MODULUS_BITS, Cka.CKA_VALUE_LEN, Cka.CKA_CERTIFICATE_CATEGORY}
_FLAGS: Final = {
    Cka.CKA_TOKEN,
    Cka.CKA_PRIVATE,
    Cka.CKA_TRUSTED,
    Cka.CKA_SENSITIVE,
    Cka.CKA_ENCRYPT,
    Cka.CKA_DECRYPT,
    Cka.CKA_WRAP,
    Cka.CKA_UNWRAP,
    Cka.CKA_SIGN,
    Cka.CKA_SIGN_RECOVER,
    Cka.CKA_VERIFY,
    Cka.CKA_VERIFY_RECOVER,
    Cka.CKA_DERIVE,
    Cka.CKA_EXTRACTABLE,
    Cka.CKA_LOCAL,
    Cka.CKA_NEVER_EXTRACTABLE,
    Cka.CKA_ALWAYS_SENSITIVE,
    Cka.CKA_MODIFIABLE,
    Cka.CKA_COPYABLE,
    Cka.CKA_DESTROYABLE,
    Cka.CKA_ALWAYS_AUTHENTICATE,
    Cka.CKA_WRAP_WITH_TRUSTED,
}
_MASK: Final = "**"
_LONGEST: Final = 64


def arguments_of(function: Function, arguments: Sequence[object]) -> Texts:
    """Return the arguments of a call. Data is told by its length, PINs and values of keys not at all.

    A call that was refused for its arguments has none.
    """
    return tuple(
        (parameter.names[0], text_of(parameter, value))
        for parameter, value in zip(function.arguments, arguments, strict=False)
    )


def results_of(function: Function, results: Sequence[object]) -> Texts:
    """Return what a call gave back, likewise."""
    return tuple(
        (f"*{parameter.names[0]}", text_of(parameter, value))
        for parameter, value in zip(function.results, results, strict=False)
    )


def in_line(name: str, arguments: Texts) -> str:
    """Return a call as one would write it."""
    return f"{name}({', '.join(f'{each}={text}' for each, text in arguments)})"


def text_of(parameter: Parameter, value: object) -> str:  # noqa: PLR0911  # one line for each kind of value
    """Return an argument or a result as text. A Secret is masked, and so are attributes that may hold one."""
    match value:
        case None:
            return "NULL"
        case Secret():
            return _MASK
        case bytes():
            return f"{len(value)} bytes"
        case Mechanism():
            return value.name
        case Buffer():
            return "NULL" if value.capacity is None else f"room for {value.capacity}"
        case Answer():
            return _answer(value)
        case bool():
            return "true" if value else "false"
        case int():
            return name_of(_NAMED[parameter.c_type], value) if parameter.c_type in _NAMED else str(value)
        case tuple() | list():
            return _listed(parameter, value)
        case _:
            return type(value).__name__


def _answer(answer: Answer[bytes] | Answer[Sequence[int]]) -> str:
    if isinstance(answer.content, bytes) or answer.content is None:
        return f"{answer.length}"

    return f"{answer.length}: {' '.join(map(str, answer.content))}"


def _listed(parameter: Parameter, values: Sequence[object]) -> str:
    if parameter.kind is Kind.FOUND_OUT:
        return " ".join(map(str, values)) or "none"

    return ", ".join(map(_item, values)) or "none"


def _item(item: object) -> str:
    match item:
        case Attribute():
            return f"{name_of(Cka, item.type)}={_value(item)}"
        case Query():
            return name_of(Cka, item.type)
        case Reading():
            return str(item.length) if item.rv is Ckr.CKR_OK else item.rv.name
        case NamedValue():
            return f"{item.name}={_MASK}"
        case _:
            return str(item)


def _value(attribute: Attribute) -> str:
    """Return an attribute's value; what is not known to be public is masked."""
    kind, value = attribute.type, attribute.value

    if kind not in _PUBLIC:
        return _MASK

    if len(value) == ULONG_SIZE and kind in _ENUMERATED:
        return name_of(_ENUMERATED[kind], attribute.ulong)

    if len(value) == ULONG_SIZE and kind in _NUMBERS:
        return str(attribute.ulong)

    if len(value) == 1 and kind in _FLAGS:
        return "true" if attribute.boolean else "false"

    if kind in _TEXTS:
        return repr(value.decode(errors="replace")[:_LONGEST])

    more = f" and {len(value) - _LONGEST} bytes more" if len(value) > _LONGEST else ""
    return value[:_LONGEST].hex(" ").upper() + more
