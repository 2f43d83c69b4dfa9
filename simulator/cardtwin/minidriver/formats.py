"""The files of a minidriver's card as values: cardcf, cmapfile, and certificates.

Numbers are little-endian, as Windows writes them (Smart Card Minidriver Specification 7.07, "File system
requirements"). How certificates are compressed, and the tables in which a GIDS card keeps its files and keys,
are published by OpenSC alone.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass, replace
from enum import Enum, IntFlag
from typing import Final, Self

from cardtwin.minidriver.errors import ContentError

__all__ = [
    "CardCache",
    "ContainerFlags",
    "ContainerRecord",
    "KeySpec",
    "compressed",
    "decompressed",
    "encode_containers",
    "parse_containers",
]

_CACHE: Final = struct.Struct("<BBHH")
_WORD: Final = 1 << 16
_BYTE: Final = 1 << 8
_CONTAINER: Final = struct.Struct("<80sBBHH")
_LONGEST_NAME: Final = 39
_COMPRESSION: Final = b"\x01\x00"
_HEADER: Final = 4


class KeySpec(Enum):
    """What a key is for, as CryptoAPI numbers it; a key for exchange signs too."""

    EXCHANGE = 1
    SIGNATURE = 2


class ContainerFlags(IntFlag):
    """The flags of a container's record."""

    NONE = 0
    VALID = 1
    DEFAULT = 2


@dataclass(frozen=True, slots=True)
class CardCache:
    """The counters by which programs see that the card's content has changed (file cardcf).

    Attributes:
        version: The format's version; 0.
        pins: Counts changes of PINs, in one byte.
        containers: Counts changes of containers, in two bytes.
        files: Counts changes of files, in two bytes.
    """

    version: int = 0
    pins: int = 0
    containers: int = 0
    files: int = 0

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Read the file.

        Raises:
            ContentError: It hasn't the length of a cardcf.
        """
        if len(data) != _CACHE.size:
            raise ContentError(f"a cardcf has {_CACHE.size} bytes, not {len(data)}")

        return cls(*_CACHE.unpack(data))

    def encode(self) -> bytes:
        """Return the file's bytes."""
        return _CACHE.pack(self.version, self.pins, self.containers, self.files)

    def touched(self, *, pins: int = 0, containers: int = 0, files: int = 0) -> Self:
        """Return the counters after so many changes; behind their greatest value they begin at 0."""
        return replace(
            self,
            pins=(self.pins + pins) % _BYTE,
            containers=(self.containers + containers) % _WORD,
            files=(self.files + files) % _WORD,
        )


@dataclass(frozen=True, slots=True)
class ContainerRecord:
    r"""One record of the container map (file mscp\cmapfile). A record that isn't valid is a free place.

    Attributes:
        name: The container's name, 39 UTF-16 units at most; Windows takes a GUID.
        flags: Whether it is valid, and the card's default container.
        signature_bits: The size of the key that only signs; 0 is none.
        exchange_bits: The size of the key that deciphers too; 0 is none.
    """

    name: str = ""
    flags: ContainerFlags = ContainerFlags.NONE
    signature_bits: int = 0
    exchange_bits: int = 0

    def __post_init__(self) -> None:
        if len(self.name.encode("utf-16-le")) // 2 > _LONGEST_NAME or "\0" in self.name:
            raise ContentError(f"a container's name has at most {_LONGEST_NAME} characters, and none is NUL")

    @property
    def is_valid(self) -> bool:
        """Whether there is a container."""
        return ContainerFlags.VALID in self.flags

    @property
    def is_default(self) -> bool:
        """Whether it is the card's default container."""
        return self.is_valid and ContainerFlags.DEFAULT in self.flags

    @property
    def spec(self) -> KeySpec:
        """What its key is for."""
        return KeySpec.SIGNATURE if self.signature_bits else KeySpec.EXCHANGE

    @property
    def bits(self) -> int:
        """The size of its key."""
        return self.signature_bits or self.exchange_bits

    def encode(self) -> bytes:
        """Return the record's bytes."""
        name = self.name.encode("utf-16-le")
        return _CONTAINER.pack(name, self.flags, 0, self.signature_bits, self.exchange_bits)


def parse_containers(data: bytes) -> tuple[ContainerRecord, ...]:
    """Read a container map; the place of a record is the container's index.

    Raises:
        ContentError: It isn't made of whole records, or a name isn't one.
    """
    if len(data) % _CONTAINER.size:
        raise ContentError(f"a container map is made of records of {_CONTAINER.size} bytes, not {len(data)}")

    return tuple(_record(*fields) for fields in _CONTAINER.iter_unpack(data))


def _record(
    name: bytes, flags: int, _reserved: int, signature_bits: int, exchange_bits: int
) -> ContainerRecord:
    try:
        text = name.decode("utf-16-le").split("\0")[0]
    except UnicodeDecodeError:
        raise ContentError("the name of a container is no UTF-16") from None

    return ContainerRecord(text, ContainerFlags(flags & 3), signature_bits, exchange_bits)


def encode_containers(records: tuple[ContainerRecord, ...]) -> bytes:
    """Return the bytes of a container map."""
    return b"".join(record.encode() for record in records)


def compressed(certificate: bytes) -> bytes:
    """Return a certificate as it lies in a file: 01 00, its length in two bytes, its zlib stream.

    Raises:
        ContentError: It is longer than two bytes can say.
    """
    if len(certificate) >= _WORD:
        raise ContentError(f"a certificate has less than {_WORD} bytes, not {len(certificate)}")

    return _COMPRESSION + len(certificate).to_bytes(2, "little") + zlib.compress(certificate, 9)


def decompressed(data: bytes) -> bytes:
    """Return the certificate in a file.

    Raises:
        ContentError: The file has another form, or its length isn't the one that it says.
    """
    if data[:2] != _COMPRESSION or len(data) < _HEADER:
        raise ContentError("the file of a certificate begins with 01 00 and its length")

    length = int.from_bytes(data[2:4], "little")

    try:
        # Not more than one byte beyond what it says: a small file could hold a very long stream.
        certificate = zlib.decompressobj().decompress(data[_HEADER:], length + 1)
    except zlib.error:
        raise ContentError("the file of a certificate holds no zlib stream") from None

    if len(certificate) != length:
        raise ContentError(f"the file of a certificate says {length} bytes, and holds another number")

    return certificate
