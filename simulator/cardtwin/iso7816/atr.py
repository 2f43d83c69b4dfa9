"""The answer to reset (ISO/IEC 7816-3:2006, 8.2)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from operator import xor

__all__ = ["Atr", "AtrFormatError"]


class AtrFormatError(ValueError):
    """Bytes are no answer to reset."""


@dataclass(frozen=True, slots=True)
class Atr:
    """An answer to reset, taken apart.

    Attributes:
        raw: All bytes, TS to TCK.
        interface: The interface bytes by name: ``{"TA1": 0x18, "TD1": 0x81}``, in order.
        protocols: The T values offered, the first one first; (0,) where none is named.
        historical: The historical bytes.
    """

    raw: bytes
    interface: tuple[tuple[str, int], ...]
    protocols: tuple[int, ...]
    historical: bytes

    @classmethod
    def parse(cls, raw: bytes) -> Atr:
        """Read an ATR, its check byte included.

        Raises:
            AtrFormatError: It is cut off, too long, or the check byte TCK is missing, wrong or too much.
        """
        if len(raw) < 2 or raw[0] not in {0x3B, 0x3F}:
            raise AtrFormatError("an ATR begins with 3B or 3F and has at least 2 bytes")

        interface, named, at = _interface_bytes(raw)
        end = at + (raw[1] & 0x0F)

        if end > len(raw):
            raise AtrFormatError(f"{raw[1] & 0x0F} historical bytes announced, {len(raw) - at} are there")

        _check_tck(raw, end, needed=any(named))
        protocols = tuple(dict.fromkeys(t for t in named if t != 15)) or (0,)
        return cls(raw, tuple(interface), protocols, raw[at:end])

    def __str__(self) -> str:
        return self.raw.hex(" ").upper()


def _interface_bytes(raw: bytes) -> tuple[list[tuple[str, int]], list[int], int]:
    present, at, group = raw[1] >> 4, 2, 1
    interface: list[tuple[str, int]] = []
    named: list[int] = []

    while present:
        for place, letter in enumerate("ABCD"):
            if not present & 1 << place:
                continue

            if at >= len(raw):
                raise AtrFormatError(f"T{letter}{group} is announced and missing")

            interface.append((f"T{letter}{group}", raw[at]))
            at += 1

        if not present & 8:
            break

        named.append(raw[at - 1] & 0x0F)
        present = raw[at - 1] >> 4
        group += 1

    return interface, named, at


def _check_tck(raw: bytes, end: int, *, needed: bool) -> None:
    rest = raw[end:]

    if not needed and not rest:
        return

    if len(rest) != 1:
        raise AtrFormatError(
            f"expected one check byte TCK behind the historical bytes, found {len(rest)} bytes"
        )

    if reduce(xor, raw[1:]):
        right = reduce(xor, raw[1:-1])
        raise AtrFormatError(f"TCK is {raw[-1]:02X}, but the bytes give {right:02X}")
