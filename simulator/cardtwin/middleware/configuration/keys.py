"""The keys of Personal.cfg that are known, in one table."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Final

from cardtwin.provenance import Basis

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["KEYS", "PROGRAMS", "SECTIONS", "Form", "Key", "mistake"]


class Form(Enum):
    """What a key takes, in words for messages."""

    FLAG = "0 or 1"
    NUMBER = "a whole number from 0 to 9999999999"
    PATTERN = "a regular expression"
    NAMES = "names of programs, divided by ;"


@dataclass(frozen=True, slots=True)
class Key:
    """One key.

    Attributes:
        section: The section that it stands in.
        name: Its name; case doesn't matter.
        form: What it takes.
        default: What holds where no file has it. All defaults are cardtwin's own.
        meaning: What it does, in a sentence.
        basis: How well founded the meaning is.
        source: A requirement's id, or where else it is known from.
        per_program: Whether a program's own section may have it too.
        repeatable: Whether several lines of one file count, and not the last one alone.
    """

    section: str
    name: str
    form: Form
    default: str
    meaning: str
    basis: Basis
    source: str
    per_program: bool = False
    repeatable: bool = False

    def __str__(self) -> str:
        return f"[{self.section}] {self.name}"


_PIN_CACHING: Final = "the vendor's page on PIN caching"
_QUOTED: Final = 40

KEYS: Final = (
    Key(
        "Cache",
        "CacheValidity",
        Form.NUMBER,
        "0",
        "How long content that was read from a card is shown again without being read; 0 keeps none.",
        Basis.STATED,
        "MW-02",
    ),
    Key(
        "Reader",
        "SkipReader",
        Form.PATTERN,
        "",
        "Readers whose name matches are not there for the client. An empty value matches none.",
        Basis.STATED,
        "MW-04",
        repeatable=True,
    ),
    Key(
        "CSP_PKCS11",
        "Sections",
        Form.NAMES,
        "",
        "The programs that have a section of their own.",
        Basis.STATED,
        "MW-07, MW-08",
    ),
    Key(
        "CSP_PKCS11",
        "P11_LogoutAfterSign",
        Form.FLAG,
        "0",
        "A signature through PKCS#11 ends the login.",
        Basis.STATED,
        "MW-06",
        per_program=True,
    ),
    Key(
        "CSP_PKCS11",
        "P11_EnableCachePIN",
        Form.FLAG,
        "0",
        "The PIN of a login is kept per program and token; each private operation through PKCS#11 logs in "
        "with it, and out again.",
        Basis.STATED,
        _PIN_CACHING,
        per_program=True,
    ),
    Key(
        "CSP_PKCS11",
        "MD_EnableCachePIN",
        Form.FLAG,
        "0",
        "The same for the Windows minidriver, which cardtwin doesn't emulate: nothing follows from it.",
        Basis.STATED,
        _PIN_CACHING,
        per_program=True,
    ),
    Key(
        "CSP_PKCS11",
        "CSP_EnableCachePIN",
        Form.FLAG,
        "0",
        "The same for the older Windows interface, which cardtwin doesn't emulate: nothing follows from it.",
        Basis.STATED,
        _PIN_CACHING,
        per_program=True,
    ),
)

SECTIONS: Final = tuple(dict.fromkeys(key.section for key in KEYS))
"""The sections that are not a program's."""

PROGRAMS: Final = next(key for key in KEYS if key.form is Form.NAMES)
"""The key that lists the programs with a section of their own."""


def _no_pattern(value: str) -> str:
    try:
        re.compile(value)
    except (re.error, OverflowError, RecursionError) as error:
        return f"{_quoted(value)} is no {Form.PATTERN.value.removeprefix('a ')}: {error}"

    return ""


def _unless(pattern: str, form: Form) -> Callable[[str], str]:
    return lambda value: "" if re.fullmatch(pattern, value) else f"{_quoted(value)} is not {form.value}"


def _quoted(value: str) -> str:
    return repr(value if len(value) <= _QUOTED else f"{value[:_QUOTED]}...")


_MISTAKES: Final[Mapping[Form, Callable[[str], str]]] = {
    Form.FLAG: _unless(r"[01]", Form.FLAG),
    Form.NUMBER: _unless(r"[0-9]{1,10}", Form.NUMBER),
    Form.PATTERN: _no_pattern,
    Form.NAMES: lambda _value: "",
}


def mistake(key: Key, value: str) -> str:
    """Return what is wrong with a key's value; an empty text where nothing is."""
    return _MISTAKES[key.form](value)
