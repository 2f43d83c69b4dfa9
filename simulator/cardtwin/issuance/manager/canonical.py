"""A token procedure as text that is the same for the same procedure: what is kept, and what officers sign."""

from __future__ import annotations

import json
from dataclasses import fields
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from cardtwin.issuance.manager.model import (
    IssuerCertificates,
    NumberRange,
    ProcedureState,
    StorageProfile,
    TokenProcedure,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

__all__ = ["letter_order", "read_procedure", "to_be_signed", "written"]

_FORMAT: Final = "cardtwin token procedure request 1"
_ORDER: Final = "cardtwin PIN letter order 1"
_KINDS: Final[Mapping[str, Callable[[Any], object]]] = {
    "state": ProcedureState,
    "storage_profile": StorageProfile,
    "issuer_certificates": IssuerCertificates,
    "serial_range": lambda ends: NumberRange(*ends),
}


def written(procedure: TokenProcedure) -> str:
    """Return a procedure as JSON: keys in order, no blanks."""
    values = {field.name: _plain(getattr(procedure, field.name)) for field in fields(procedure)}
    return _json(values)


def read_procedure(text: str) -> TokenProcedure:
    """Return the procedure that was written."""
    values: dict[str, Any] = json.loads(text)
    return TokenProcedure(**{name: _value(name, value) for name, value in values.items()})


def to_be_signed(request: int, revision: int, procedure: str) -> bytes:
    """Return what officers sign: the written procedure, as that revision of that request."""
    form = {
        "format": _FORMAT,
        "request": request,
        "revision": revision,
        "procedure": json.loads(procedure),
    }
    return _json(form).encode()


def letter_order(copies: Sequence[tuple[str, int]]) -> bytes:
    """Return what an officer signs to have PIN letters printed: IDs, and which copy of each it is."""
    return _json({"format": _ORDER, "letters": [list(copy) for copy in copies]}).encode()


def _json(values: object) -> str:
    return json.dumps(values, ensure_ascii=False, separators=(",", ":"), sort_keys=True)


def _plain(value: object) -> object:
    match value:
        case StrEnum():
            return value.value
        case NumberRange():
            return [value.first, value.last]
        case _:
            return value


def _value(name: str, value: Any) -> Any:
    if value is None:
        return None

    if isinstance(value, list) and name not in _KINDS:
        return tuple(value)

    return _KINDS[name](value) if name in _KINDS else value
