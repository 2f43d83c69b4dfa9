"""Packets for Wireshark: each a command with its response, in GSMTAP's form for SIM cards.

Wireshark reads APDUs with a card's contacts from there; its dissector knows the commands and status words of
ISO/IEC 7816-4 besides those of SIM cards. A packet is UDP to port 4729 over IPv4, from here to here.
The file is pcapng (IETF draft-ietf-opsawg-pcapng): one interface for each reader, remarks as comments.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final

from cardtwin.trace.exports.packets import ExportError, packets_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from cardtwin.trace.recorder import Trace

__all__ = ["content"]

_SECTION, _INTERFACE, _PACKET = 0x0A0D0D0A, 1, 6
_COMMENT, _NAME, _RESOLUTION = 1, 2, 9
_MAGIC: Final = 0x1A2B3C4D
_UNKNOWN_LENGTH: Final = -1
_RAW_IP: Final = 101
_MICROSECONDS: Final = b"\x06"
_PORT: Final = 4729
_GSMTAP: Final = bytes((2, 4, 4, 0, *(0,) * 12))
"""Version 2, four words of header, the type SIM; the fields of a radio are 0."""

_LOCAL: Final = bytes((127, 0, 0, 1))
_UDP: Final = 17
_LONGEST: Final = 0xFFFF


def content(traces: Sequence[Trace]) -> bytes:
    """Return the file: a section for each trace.

    Raises:
        ExportError: A command and its response are longer than a packet can be.
    """
    return b"".join(_section(trace) for trace in traces)


def _section(trace: Trace) -> bytes:
    packets = tuple(packets_of(trace))
    readers = {reader: number for number, reader in enumerate(dict.fromkeys(p.reader for p in packets))}
    header = struct.pack("<IHHq", _MAGIC, 1, 0, _UNKNOWN_LENGTH)
    blocks = [_block(_SECTION, header, ((_COMMENT, _text(trace.title)),))]

    for reader in readers:
        options = ((_NAME, _text(reader)), (_RESOLUTION, _MICROSECONDS))
        blocks.append(_block(_INTERFACE, struct.pack("<HHI", _RAW_IP, 0, 0), options))

    for packet in packets:
        data = _datagram(packet.command + packet.response)
        at = max(0, round(packet.at * 1_000_000))
        fields = (readers[packet.reader], at >> 32, at & 0xFFFF_FFFF, len(data), len(data))
        comments = [(_COMMENT, _text(remark)) for remark in packet.remarks]
        blocks.append(_block(_PACKET, struct.pack("<IIIII", *fields) + _padded(data), comments))

    return b"".join(blocks)


def _block(kind: int, body: bytes, options: Iterable[tuple[int, bytes]]) -> bytes:
    listed = b"".join(struct.pack("<HH", code, len(value)) + _padded(value) for code, value in options)
    content = body + (listed + bytes(4) if listed else b"")
    length = len(content) + 12
    return struct.pack("<II", kind, length) + content + struct.pack("<I", length)


def _text(text: str) -> bytes:
    """Return a text, or as much of it as an option has room for."""
    data = text.encode(errors="replace")
    return data if len(data) <= _LONGEST else data[: _LONGEST - 3].decode(errors="ignore").encode() + b"..."


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 4)


def _datagram(data: bytes) -> bytes:
    """Return an IPv4 packet with the APDU."""
    payload = _GSMTAP + data
    udp = struct.pack(">HHHH", _PORT, _PORT, 8 + len(payload), 0) + payload  # no sum: RFC 768 allows that
    length = 20 + len(udp)

    if length > _LONGEST:
        raise ExportError(
            f"a command and its response have {len(data)} bytes, and no packet has room for them"
        )

    header = struct.pack(">BBHHHBBH4s4s", 0x45, 0, length, 0, 0, 64, _UDP, 0, _LOCAL, _LOCAL)
    return header[:10] + struct.pack(">H", _sum(header)) + header[12:] + udp


def _sum(header: bytes) -> int:
    """Return the check sum of an IPv4 header (RFC 1071)."""
    total: int = sum(struct.unpack(f">{len(header) // 2}H", header))

    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)

    return ~total & 0xFFFF
