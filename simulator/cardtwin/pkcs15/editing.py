"""Entries of directory files with another label or identifier, TokenInfo with another serial number.

What another program has written may hold elements that have no class here. So the bytes are changed, and not
the values that were read of them: whatever else there is stays as it is.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from cardtwin.iso7816 import Tlv, TlvFormatError
from cardtwin.pkcs15.errors import Pkcs15Error

__all__ = ["relabelled", "renamed_id", "renamed_subject", "renumbered"]

_UTF8: Final = 0x0C
_NAME: Final = 0x30
_SUBCLASS: Final = 0xA0
_OCTETS: Final = 0x04


def relabelled(der: bytes, label: str) -> bytes:
    """Return an entry with another label: the first element of CommonObjectAttributes (8.2.2).

    Raises:
        Pkcs15Error: It is no entry.
    """
    entry, (common, *rest) = _parts(der)
    inner = _children(common)
    others = inner[1:] if inner and inner[0].tag == _UTF8 else inner
    changed = Tlv.constructed(common.tag, (Tlv(_UTF8, label.encode()), *others))
    return Tlv.constructed(entry.tag, (changed, *rest)).encode()


def renamed_id(der: bytes, identifier: bytes) -> bytes:
    """Return an entry of a key or certificate with another iD: the first element of its class attributes.

    Raises:
        Pkcs15Error: It is no such entry.
    """
    entry, (common, attributes, *rest) = _parts(der)
    inner = _children(attributes)

    if not inner or inner[0].tag != _OCTETS:
        raise Pkcs15Error("the entry has no identifier")

    changed = Tlv.constructed(attributes.tag, (replace(inner[0], value=identifier), *inner[1:]))
    return Tlv.constructed(entry.tag, (common, changed, *rest)).encode()


def renamed_subject(der: bytes, subject: bytes) -> bytes:
    """Return an entry of a key with another subjectName (8.4.1, 8.5.1), or none where that is empty.

    Raises:
        Pkcs15Error: It is no entry.
    """
    entry, (common, attributes, *rest) = _parts(der)
    found = rest.pop(0) if rest and rest[0].tag == _SUBCLASS else None
    inner = _children(found)[0] if found and found.value else Tlv(_NAME)
    others = [each for each in _children(inner) if each.tag != _NAME]
    names = [Tlv.parse(subject)] if subject else []
    outer = Tlv.constructed(_SUBCLASS, (Tlv.constructed(_NAME, (*names, *others)),))
    subclass = (outer,) if names or others else ()
    return Tlv.constructed(entry.tag, (common, attributes, *subclass, *rest)).encode()


def renumbered(content: bytes, serial: bytes) -> bytes:
    """Return a TokenInfo with another serialNumber (8.9), without what follows it in its file.

    Raises:
        Pkcs15Error: The content begins with no TokenInfo.
    """
    try:
        info, _ = next(Tlv.walk(content, padding=True))
    except (TlvFormatError, StopIteration):
        raise Pkcs15Error("the file does not begin with a TokenInfo") from None

    version, *rest = _children(info) or [Tlv(_OCTETS)]

    if info.tag != _NAME or not rest or rest[0].tag != _OCTETS:
        raise Pkcs15Error("the file does not begin with a TokenInfo")

    return Tlv.constructed(info.tag, (version, replace(rest[0], value=serial), *rest[1:])).encode()


def _parts(der: bytes) -> tuple[Tlv, list[Tlv]]:
    try:
        entry = Tlv.parse(der)
    except TlvFormatError as error:
        raise Pkcs15Error(f"the entry cannot be read: {error}") from error

    parts = _children(entry)

    if len(parts) < 2:
        raise Pkcs15Error("the entry has no attributes of its class")

    return entry, parts


def _children(element: Tlv) -> list[Tlv]:
    try:
        return list(element.children())
    except TlvFormatError as error:
        raise Pkcs15Error(f"the entry cannot be read: {error}") from error
