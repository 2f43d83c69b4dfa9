"""Entries of directory files with another label or identifier; whatever else they hold stays as it is.

An entry that another program has written may hold elements that have no class here. So the bytes are changed,
and not the values that were read of them.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from cardtwin.iso7816 import Tlv, TlvFormatError
from cardtwin.pkcs15.errors import Pkcs15Error

__all__ = ["relabelled", "renamed_id"]

_UTF8: Final = 0x0C
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
