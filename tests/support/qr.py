"""Reads a QR code from an image, as a camera does that sees it perfectly (ISO/IEC 18004)."""

from __future__ import annotations

import zlib
from itertools import chain
from typing import TYPE_CHECKING, Any, Final

from segno.consts import ALIGNMENT_POS, ECC

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_QUIET: Final = 4
_FORMAT_MASK: Final = 0x5412
_BYTE_MODE: Final = 0b0100
_MASKS: Final[tuple[Callable[[int, int], int], ...]] = (
    lambda y, x: (y + x) % 2,
    lambda y, _: y % 2,
    lambda _, x: x % 3,
    lambda y, x: (y + x) % 3,
    lambda y, x: (y // 2 + x // 3) % 2,
    lambda y, x: y * x % 2 + y * x % 3,
    lambda y, x: (y * x % 2 + y * x % 3) % 2,
    lambda y, x: ((y + x) % 2 + y * x % 3) % 2,
)

Matrix = list[list[bool]]


def read_qr(png: bytes, scale: int = 4) -> str:
    """Return the text of a QR code in byte mode."""
    matrix = _matrix(png, scale)
    size = len(matrix)
    version = (size - 17) // 4
    level, mask = _format(matrix)
    bits = [matrix[y][x] ^ (_MASKS[mask](y, x) == 0) for y, x in _places(size, version)]
    data = _data(_octets(bits), version, level)
    return _text(data, version)


def _matrix(png: bytes, scale: int) -> Matrix:
    """Return the modules, dark ones True, of a PNG with one bit a dot, or with a palette of that."""
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    chunks: dict[bytes, bytes] = {}
    place = 8

    while place < len(png):
        length, kind = int.from_bytes(png[place : place + 4]), png[place + 4 : place + 8]
        content = png[place + 8 : place + 8 + length]
        assert zlib.crc32(kind + content) == int.from_bytes(png[place + 8 + length : place + 12 + length])
        chunks[kind] = chunks.get(kind, b"") + content
        place += 12 + length

    width, height = (int.from_bytes(chunks[b"IHDR"][at : at + 4]) for at in (0, 4))
    assert chunks[b"IHDR"][8:] == b"\x01\x00\x00\x00\x00", "one bit a dot, greyscale, not interlaced"
    raw, line = zlib.decompress(chunks[b"IDAT"]), 1 + (width + 7) // 8
    rows = [raw[at : at + line] for at in range(0, len(raw), line)]
    assert len(rows) == height
    dots = _unfiltered(rows)
    middle = range(_QUIET * scale + scale // 2, width - _QUIET * scale, scale)
    return [[not dots[y][x >> 3] >> (7 - x % 8) & 1 for x in middle] for y in middle]


def _unfiltered(rows: list[bytes]) -> list[bytes]:
    """Undo the filters None and Up (PNG, 9.2)."""
    found: list[bytes] = []

    for row in rows:
        assert row[0] in {0, 2}
        above = found[-1] if found and row[0] == 2 else bytes(len(row) - 1)
        found.append(bytes((a + b) & 0xFF for a, b in zip(row[1:], above, strict=True)))

    return found


def _format(matrix: Matrix) -> tuple[int, int]:
    """Return the level of error correction and the mask, from beside the upper left finder pattern."""
    places = [(8, x) for x in (0, 1, 2, 3, 4, 5, 7, 8)] + [(y, 8) for y in (7, 5, 4, 3, 2, 1, 0)]
    value = 0

    for y, x in places:
        value = value << 1 | matrix[y][x]

    value ^= _FORMAT_MASK
    return value >> 13, value >> 10 & 7


def _reserved(y: int, x: int, size: int, version: int) -> bool:
    """Whether a module is no data: finders, separators, format, timing, alignment, version."""
    if (y <= 8 and (x <= 8 or x >= size - 8)) or (y >= size - 8 and x <= 8) or 6 in {y, x}:
        return True

    if version >= 7 and ((y < 6 and x >= size - 11) or (x < 6 and y >= size - 11)):
        return True

    centres = ALIGNMENT_POS[version - 2] if version >= 2 else ()
    corners = {(6, 6), (6, size - 7), (size - 7, 6)}
    return any(
        abs(y - cy) <= 2 and abs(x - cx) <= 2 for cy in centres for cx in centres if (cy, cx) not in corners
    )


def _places(size: int, version: int) -> Iterator[tuple[int, int]]:
    """Yield the modules that hold data, in their order: pairs of columns from the right, up and down."""
    columns = [x for x in range(size - 1, 6, -2)] + [x for x in range(5, 0, -2)]  # noqa: C416  # two ranges

    for number, right in enumerate(columns):
        for y in range(size) if number % 2 else range(size - 1, -1, -1):
            for x in (right, right - 1):
                if not _reserved(y, x, size, version):
                    yield y, x


def _octets(bits: list[bool]) -> bytes:
    whole = len(bits) // 8 * 8
    return bytes(int("".join("01"[bit] for bit in bits[at : at + 8]), 2) for at in range(0, whole, 8))


def _data(interleaved: bytes, version: int, level: int) -> bytes:
    """Return the data codewords of all blocks one after the other."""
    groups: Any = ECC
    lengths = [group.num_data for group in groups[version][level] for _ in range(group.num_blocks)]
    blocks: list[list[int]] = [[] for _ in lengths]
    octets = iter(interleaved)

    for turn in range(max(lengths)):
        for block, length in zip(blocks, lengths, strict=True):
            if turn < length:
                block.append(next(octets))

    return bytes(chain.from_iterable(blocks))


def _text(data: bytes, version: int) -> str:
    bits = int.from_bytes(data)
    total = 8 * len(data)
    width = 8 if version < 10 else 16
    assert bits >> (total - 4) == _BYTE_MODE
    length = bits >> (total - 4 - width) & ((1 << width) - 1)
    content = bits >> (total - 4 - width - 8 * length) & ((1 << 8 * length) - 1)
    return content.to_bytes(length).decode()
