"""What traces tell of arguments and results, read again: the texts that ``cryptoki.describe`` makes."""

from __future__ import annotations

import ast
import re
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Final

from pydantic import ValidationError

from cardtwin.cryptoki.constants import Cka, Ckm, SessionFlag, WaitFlag
from cardtwin.cryptoki.structures import structure_of
from cardtwin.drafting.layout import Tree, escaped
from cardtwin.scenario.pkcs11.attributes import Template, attributes

if TYPE_CHECKING:
    from enum import IntFlag

__all__ = ["flags", "length", "listed", "mechanism", "names", "room", "template"]

_ATTRIBUTE: Final = re.compile(
    r"(?P<name>\w+)=(?P<value>'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"|[^,]*)(?:, |$)"
)
_LENGTH: Final = re.compile(r"(\d+) bytes")
_ROOM: Final = re.compile(r"room for (less than )?(\d+)(?: or more)?")
_HEX: Final = re.compile(r"[0-9A-F]{2}(?: [0-9A-F]{2})*")
_CUT: Final = re.compile(r"(?P<shown>[0-9A-F ]+?) and (?P<more>\d+) bytes more")
_FLAGS: Final[dict[str, type[IntFlag]]] = {"C_OpenSession": SessionFlag, "C_WaitForSlotEvent": WaitFlag}
_FILLER: Final = "x"
_MASK: Final = "**"
_SECRETS_HAVE: Final = "00"
_BLOCK: Final = 16
_KEY_SIZES: Final = {"CKK_AES": 16, "CKK_DES": 8, "CKK_DES2": 16, "CKK_DES3": 24}
"""Lengths that keys of these types have: what is unknown has one of them too."""


def length(text: str) -> int | None:
    """Return the length of data that is told by its length."""
    match = _LENGTH.fullmatch(text)
    return None if match is None else int(match[1])


def filler(size: int) -> Tree:
    """Return data of a length, in the place of data that isn't known."""
    return {"text": _FILLER * size} if size else "NULL"


def listed(text: str) -> list[str] | None:
    """Return the numbers of an answer such as ``2: 1 2``; None where it has the number of them alone."""
    _, colon, items = text.partition(":")
    return items.split() if colon else None


def names(text: str) -> list[str]:
    """Return the items of a list, which may be ``none``."""
    return [] if text == "none" else text.split(", ")


def flags(function: str, text: str) -> Tree:
    """Return flags by their names, or as the number where one has none."""
    kind, number = _FLAGS.get(function), int(text)
    found = [] if kind is None else [flag for flag in kind if flag & number]
    known = reduce(or_, map(int, found), 0)
    return [str(flag.name) for flag in found] if found and known == number else text


def room(text: str, *, too_small: bool) -> str | None:
    """Return the room that a caller had for a result, where there wasn't enough; None where there was."""
    if text == "NULL":
        return text

    match = _ROOM.fullmatch(text)

    if match is None or not (too_small or match[1]):
        return None

    return str(int(match[2]) - 1) if match[1] else match[2]


def template(text: str) -> tuple[dict[str, Tree], list[str]]:
    """Return a template's attributes, and the names of those whose values the trace doesn't have."""
    found: dict[str, Tree] = {}
    unknown: list[str] = []

    for match in _ATTRIBUTE.finditer("" if text == "none" else text):
        name, value = match["name"], match["value"]

        if name not in Cka.__members__ or value == _MASK or _CUT.fullmatch(value):
            unknown.append(name)

        if name in Cka.__members__:
            found[name] = _attribute(name, value)

    if size := _KEY_SIZES.get(str(found.get("CKA_KEY_TYPE"))) if "CKA_VALUE" in unknown else None:
        found["CKA_VALUE"] = {"hex": " ".join([_SECRETS_HAVE] * size)}

    return found, unknown


def _attribute(name: str, value: str) -> Tree:
    """Return an attribute's value as scenarios have it; bytes where these have another form for it."""
    if value == _MASK:
        return {"hex": _SECRETS_HAVE}

    if value[:1] in {"'", '"'}:
        return escaped(str(ast.literal_eval(value)))

    if value in {"true", "false"}:
        return "yes" if value == "true" else "no"

    if cut := _CUT.fullmatch(value):
        value = f"{cut['shown']}{' 00' * int(cut['more'])}"

    return {"hex": value} if _HEX.fullmatch(value) and not _means(name, value) else value


def _means(name: str, value: str) -> bool:
    """Whether these digits, written as the attribute's value, are the bytes themselves, or its number."""
    try:
        (attribute,) = attributes(Template.model_validate({name: value}))
    except ValidationError:
        return False

    return attribute.value == bytes.fromhex(value) or (" " not in value and value == str(attribute.ulong))


def mechanism(text: str, size: int | None = None) -> tuple[Tree, str]:
    """Return a mechanism, and what is to be said of its parameter, which no trace has.

    Args:
        text: As the trace has it.
        size: The length of the digest that it is given, for one that names no hash itself.
    """
    kind = Ckm.__members__.get(text)
    parameter = None if kind is None else _parameter(kind, size)

    if parameter is None:
        return text, ""

    return {
        "mechanism": text,
        "pParameter": parameter,
    }, "the trace has no parameter of the mechanism: this is the usual one"


def _parameter(kind: Ckm, size: int | None) -> Tree | None:
    structure = structure_of(kind)
    hash_ = re.match(r"CKM_(SHA\d+)_", kind.name)
    sizes = {"SHA1": "20", "SHA224": "28", "SHA256": "32", "SHA384": "48", "SHA512": "64"}
    fitting = next((name for name, length in sizes.items() if length == str(size)), "SHA256")
    name = hash_[1] if hash_ else fitting
    digest = {"SHA1": "CKM_SHA_1"}.get(name, f"CKM_{name}")

    match structure.name if structure is not None else "":
        case "CK_RSA_PKCS_PSS_PARAMS":
            return {"hashAlg": digest, "mgf": f"CKG_MGF1_{name}", "sLen": sizes.get(name, "32")}
        case "CK_RSA_PKCS_OAEP_PARAMS":
            return {"hashAlg": "CKM_SHA_1", "mgf": "CKG_MGF1_SHA1", "source": "CKZ_DATA_SPECIFIED"}
        case "CK_ECDH1_DERIVE_PARAMS":
            return {"kdf": "CKD_NULL", "pPublicData": "00"}
        case _ if "_CBC" in kind.name:
            return " ".join(["00"] * (_BLOCK if "AES" in kind.name else _BLOCK // 2))
        case _:
            return None
