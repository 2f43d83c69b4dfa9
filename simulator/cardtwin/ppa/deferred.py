"""DER with gaps: structures that hold values which only the card knows.

Encoders take bytes. A stand-in goes in where the value will be, and is found again in the encoding.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from cardtwin.iso7816 import Tlv
from cardtwin.plan import Content, Wrapped

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cardtwin.plan import Part

__all__ = ["open_gaps", "stand_in"]


def stand_in(name: str) -> bytes:
    """Return 20 bytes that stand for a value, and that nothing else is equal to."""
    return hashlib.sha256(f"cardtwin stand-in\0{name}".encode()).digest()[:20]


def open_gaps(der: bytes, gaps: Mapping[bytes, Part]) -> Content:
    """Return the contents that the data objects make, with parts in the place of their stand-ins.

    Args:
        der: Data objects, one after the other.
        gaps: Parts by stand-in; a stand-in is the whole value of a primitive data object.
    """
    return Content(_join(tuple(_part(found, gaps) for found in Tlv.parse_all(der))))


def _part(found: Tlv, gaps: Mapping[bytes, Part]) -> Part:
    if found.value in gaps:
        return Wrapped(found.tag, (gaps[found.value],))

    if not found.is_constructed:
        return found.encode()

    inner = _join(tuple(_part(child, gaps) for child in found.children()))
    return found.encode() if all(isinstance(part, bytes) for part in inner) else Wrapped(found.tag, inner)


def _join(parts: tuple[Part, ...]) -> tuple[Part, ...]:
    """Put neighbouring bytes together."""
    joined: list[Part] = []

    for part in parts:
        if isinstance(part, bytes) and joined and isinstance(joined[-1], bytes):
            joined[-1] += part
        else:
            joined.append(part)

    return tuple(joined)
