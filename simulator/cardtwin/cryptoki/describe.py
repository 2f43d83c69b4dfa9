"""Calls as text that is fit to be shown: names instead of numbers, and no secrets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cardtwin.cryptoki.constants import SECRET_ATTRIBUTES, Cka, Ckm, Cku, name_of
from cardtwin.cryptoki.functions import Kind
from cardtwin.cryptoki.values import Answer, Attribute, Buffer, Mechanism, NamedValue, Query, Reading
from cardtwin.events import Call
from cardtwin.middleware import Ckr
from cardtwin.plan import Secret

if TYPE_CHECKING:
    from collections.abc import Sequence
    from enum import IntEnum

    from cardtwin.cryptoki.functions import Function, Parameter

__all__ = ["INTERFACE", "described"]

INTERFACE: Final = "PKCS#11"

_NAMED: Final[dict[str, type[IntEnum]]] = {"CK_MECHANISM_TYPE": Ckm, "CK_USER_TYPE": Cku}
_MASK: Final = "**"
_LONGEST: Final = 64


def described(
    function: Function, arguments: Sequence[object], rv: Ckr, results: Sequence[object] = ()
) -> Call:
    """Return the event of a call. Data is told by its length, PINs and values of keys not at all."""
    given = [
        (parameter.names[0], _text(parameter, value))
        for parameter, value in zip(function.arguments, arguments, strict=True)
    ]
    gotten = [
        (f"*{parameter.names[0]}", _text(parameter, value))
        for parameter, value in zip(function.results, results, strict=False)
    ]
    return Call(interface=INTERFACE, name=function.name, arguments=(*given, *gotten), result=rv.name)


def _text(parameter: Parameter, value: object) -> str:  # noqa: PLR0911  # one line for each kind of value
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
            secret = item.type in SECRET_ATTRIBUTES or item.type >= Cka.CKA_VENDOR_DEFINED
            shown = _MASK if secret else item.value[:_LONGEST].hex(" ")
            return f"{name_of(Cka, item.type)}={shown}"
        case Query():
            return name_of(Cka, item.type)
        case Reading():
            return str(item.length) if item.rv is Ckr.CKR_OK else item.rv.name
        case NamedValue():
            return f"{item.name}={_MASK}"
        case _:
            return str(item)
