"""The files of an IDPrime's minidriver applet: index, container map, key references, certificates.

Their forms are those that OpenSC's driver idprime reads. All lie beside each other, below the applet.
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = [
    "CARD_ID",
    "CONTAINER_MAP",
    "INDEX",
    "KEY_REFERENCES",
    "MAX_LABEL",
    "MAX_NAME",
    "TOKEN_LABEL",
    "ContainerEntry",
    "IndexEntry",
    "KeyReference",
    "compressed",
    "delivered",
    "encode_container_map",
    "encode_index",
    "encode_key_references",
    "encode_label",
]

KEY_REFERENCES: Final = b"\x00\x05"
INDEX: Final = b"\x01\x01"
CARD_ID: Final = b"\x02\x01"
CONTAINER_MAP: Final = b"\x02\x04"
TOKEN_LABEL: Final = b"\x03\x01"
"""The identifier of the file of the token's label; ours, since the index tells it."""

MAX_NAME: Final = 39
"""The most characters of a container's name."""

MAX_LABEL: Final = 0xFE
"""The most bytes of the token's label, in UTF-8: with the 00 behind them they are counted in one byte."""

_FIELD: Final = 8
_NAME_FIELD: Final = 80
_VALID, _DEFAULT = 0x01, 0x02
_COMPRESSED: Final = b"\x01\x00"
_KEY_PRESENT: Final = 0x01


class IndexEntry(NamedTuple):
    """A file in the index: its identifier, its size, its name and the directory that it is in for Windows."""

    file_id: bytes
    size: int
    name: str
    directory: str


class ContainerEntry(NamedTuple):
    """A container in the container map: its name, and the bits of its keys for signing and for exchange."""

    name: str
    signing: int
    exchange: int


class KeyReference(NamedTuple):
    """Which key of the card a container has: its number, the key's reference, and which PIN guards it."""

    container: int
    reference: int
    pin: int


def encode_index(entries: Iterable[IndexEntry]) -> bytes:
    """Return the index: the number of entries, then 21 bytes for each."""
    told = [
        entry.file_id + entry.size.to_bytes(2) + _field(entry.name) + _field(entry.directory) + b"\0"
        for entry in entries
    ]
    return bytes((len(told),)) + b"".join(told)


def _field(text: str) -> bytes:
    return text.encode("ascii").ljust(_FIELD, b"\0")


def encode_container_map(containers: Iterable[ContainerEntry]) -> bytes:
    """Return the container map: 86 bytes for each container, of which the first is the default one."""
    told = b""

    for place, entry in enumerate(containers):
        flags = _VALID | (0 if place else _DEFAULT)
        name = entry.name.encode("utf-16-le").ljust(_NAME_FIELD, b"\0")
        told += name + bytes((flags, 0)) + entry.signing.to_bytes(2, "little")
        told += entry.exchange.to_bytes(2, "little")

    return told or bytes(_NAME_FIELD + 6)


def encode_key_references(keys: Iterable[KeyReference]) -> bytes:
    """Return the file of key references: eight bytes for each key."""
    told = (bytes((_KEY_PRESENT, key.reference, key.container, 0, 0, 0, 0, key.pin)) for key in keys)
    return b"".join(told) or bytes(_FIELD)


def encode_label(label: str) -> bytes:
    """Return the file of the token's label: 01, the length, the text and a 00."""
    text = label.encode() + b"\0"
    return bytes((0x01, len(text))) + text


def compressed(certificate: bytes) -> bytes:
    """Return the file of a certificate: 01 00, the length from the right, and zlib's form."""
    return _COMPRESSED + len(certificate).to_bytes(2, "little") + zlib.compress(certificate, 9)


def delivered(card_id: bytes) -> Mapping[bytes, bytes]:
    """Return the files that are on a card without containers, by identifier."""
    container_map = encode_container_map(())
    entries = (
        IndexEntry(CARD_ID, len(card_id), "cardid", ""),
        IndexEntry(CONTAINER_MAP, len(container_map), "cmapfile", "mscp"),
    )
    return {
        KEY_REFERENCES: encode_key_references(()),
        INDEX: encode_index(entries),
        CARD_ID: card_id,
        CONTAINER_MAP: container_map,
    }
