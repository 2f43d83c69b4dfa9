"""The file that PERSINFO_PUT_PUBRSA_AND_SEC() fills: public keys beside the encrypted PINs. Ours.

::

    PersInfo ::= [PRIVATE 0] {                       -- E0
        version     INTEGER (0),
        publicKeys  [1] { NamedKey ... },            -- A1, in the order given
        sec         [2] { ContentInfo }              -- A2, the blob
    }
    NamedKey ::= SEQUENCE { name UTF8String, key SubjectPublicKeyInfo }

The keys come into being on the card, so the content has gaps until a driver fills them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from cardtwin.iso7816 import Tlv, TlvFormatError
from cardtwin.plan.blob import PinBlobError
from cardtwin.plan.content import Content, PublicKeyForm, PublicKeyOf, Wrapped

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["PersInfo", "content", "parse", "recognises"]

_PERSINFO: Final = 0xE0
_PUBLIC_KEYS: Final = 0xA1
_SEC: Final = 0xA2
_SEQUENCE: Final = 0x30
_UTF8_STRING: Final = 0x0C
_VERSION: Final = Tlv(0x02, b"\x00")


@dataclass(frozen=True, slots=True)
class PersInfo:
    """What the file holds.

    Attributes:
        public_keys: Names as the profile has them, and SubjectPublicKeyInfo in DER.
        sec: The blob, as the codec made it.
    """

    public_keys: tuple[tuple[str, bytes], ...]
    sec: bytes


def content(sec: bytes, keys: Iterable[str]) -> Content:
    """Return the file's content: the blob, and the public halves of the keys of those names."""
    named = tuple(
        Wrapped(
            _SEQUENCE,
            (Tlv(_UTF8_STRING, name.encode()).encode(), PublicKeyOf(name, PublicKeyForm.SPKI)),
        )
        for name in keys
    )
    parts = (_VERSION.encode(), Wrapped(_PUBLIC_KEYS, named), Wrapped(_SEC, (sec,)))
    return Content.of(Wrapped(_PERSINFO, parts))


def recognises(data: bytes) -> bool:
    """Whether the bytes begin as such a file does."""
    return data[:1] == bytes((_PERSINFO,))


def parse(data: bytes) -> PersInfo:
    """Read a file; what follows the structure, as padding does, is left alone.

    Raises:
        PinBlobError: It isn't such a file, or a broken one.
    """
    try:
        outer, _ = next(Tlv.walk(data), (Tlv(0), 0))
        version, keys, sec = outer.children()
        found = PersInfo(tuple(_named_key(entry) for entry in keys.children()), sec.value)
    except (TlvFormatError, ValueError):
        raise PinBlobError("the file with public keys and encrypted PINs is broken") from None

    if (outer.tag, version, keys.tag, sec.tag) != (_PERSINFO, _VERSION, _PUBLIC_KEYS, _SEC):
        raise PinBlobError("the file holds no public keys and encrypted PINs in cardtwin's form")

    return found


def _named_key(entry: Tlv) -> tuple[str, bytes]:
    name, key = entry.children()
    return name.value.decode(), key.encode()
