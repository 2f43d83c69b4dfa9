"""A dump as apdu4j writes and replays it: a command and its response on a line each, remarks behind ``#``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cardtwin.events import ReaderChanged
from cardtwin.iso7816 import Atr, AtrFormatError
from cardtwin.trace.exports.packets import ExportError, packets_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cardtwin.trace.exports.packets import Packet
    from cardtwin.trace.recorder import Trace

__all__ = ["content"]

_HEADER, _STATUS = 4, 2
_CONTROL: Final = str.maketrans(dict.fromkeys(map(chr, range(32)), " "))


def content(traces: Sequence[Trace]) -> bytes:
    """Return the dump.

    Raises:
        ExportError: The traces have several readers, and a dump has one; or no command was answered.
    """
    packets = [(trace.title, packet) for trace in traces for packet in packets_of(trace)]
    readers = sorted({packet.reader for _, packet in packets})

    if not any(_is_pair(packet) for _, packet in packets):
        raise ExportError("a dump has pairs of a command and its response, and this trace has none")

    if len(readers) > 1:
        raise ExportError(
            f"a dump has one reader, and this trace has {', '.join(readers)}: choose one (--reader)"
        )

    lines = [
        *_head(traces, readers[0]),
        *(line for title, packet in packets for line in _lines(title, packet)),
    ]
    return "".join(f"{line.translate(_CONTROL)}\n" for line in lines).encode()


def _head(traces: Sequence[Trace], reader: str) -> Iterator[str]:
    yield f"# Using {reader}"
    atrs = (e.atr for trace in traces for e in trace.events if isinstance(e, ReaderChanged) and e.atr)

    if atr := next(atrs, b""):
        yield f"# ATR: {atr.hex().upper()}"
        yield from _protocol(atr)


def _protocol(atr: bytes) -> Iterator[str]:
    """Yield the protocol that the card offers first: a trace doesn't tell which one was used."""
    try:
        yield f"# PROTOCOL: T={Atr.parse(atr).protocols[0]}"
    except AtrFormatError:
        return


def _lines(title: str, packet: Packet) -> Iterator[str]:
    yield "#"
    yield f"# {title}"
    yield from (f"# {remark}" for remark in packet.remarks)

    if _is_pair(packet):
        yield packet.command.hex().upper()
        yield packet.response.hex().upper()
        return

    yield f"# sent {packet.command.hex().upper()}"  # a command alone would be paired with the next one

    if packet.response:
        yield f"# received {packet.response.hex().upper()}"


def _is_pair(packet: Packet) -> bool:
    """Whether these are a command and a response, as far as their lengths go: others a dump can't have."""
    return len(packet.command) >= _HEADER and len(packet.response) >= _STATUS
