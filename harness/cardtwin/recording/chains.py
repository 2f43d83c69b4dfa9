"""Which commands of a trace are the pieces of one (ISO/IEC 7816-4:2020, 5.3.3)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from cardtwin.decode import logical_channel
from cardtwin.events import ReaderChanged
from cardtwin.iso7816 import CommandApdu
from cardtwin.trace import MaskedExchange

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from cardtwin.events import Event

__all__ = ["Chain", "chains"]

_HEADER: Final = 11
"""Of a command in hex, the characters of CLA, INS, P1 and P2."""

_CHAINED: Final = 0x10
_TAKEN: Final = "90 00"


@dataclass(slots=True)
class Chain:
    """A command in its pieces, or in one.

    Attributes:
        header: CLA, INS, P1 and P2, without the bit that announces more pieces.
        pieces: The pieces, in their order.
        whole: Whether the last one is there.
        after_refusal: Whether the card has refused a piece with the same header just before: this may be
            what was to come behind it, or the whole command instead.
    """

    header: bytes
    pieces: list[MaskedExchange] = field(default_factory=list)
    whole: bool = False
    after_refusal: bool = False


def chains(events: Iterable[Event]) -> Iterator[Chain]:
    """Yield the commands among events, each with all of its pieces.

    A chain that is refused, or is followed by another command on its channel, or by a reset, ends there.
    """
    channels: dict[tuple[str, int], Chain] = {}

    for event in events:
        if isinstance(event, ReaderChanged):
            yield from _ended(channels, event.reader)
        elif isinstance(event, MaskedExchange):
            yield from _continued(channels, event)

    yield from (chain for chain in channels.values() if chain.pieces)


def _ended(channels: dict[tuple[str, int], Chain], reader: str) -> Iterator[Chain]:
    for place in [each for each in channels if each[0] == reader]:
        if (chain := channels.pop(place)).pieces:
            yield chain


def _continued(channels: dict[tuple[str, int], Chain], event: MaskedExchange) -> Iterator[Chain]:
    """Put an exchange to the chain that it belongs to, and yield what is complete."""
    apdu = _apdu(event)
    place = (event.reader, logical_channel(apdu.cla))
    header = bytes((apdu.cla & ~_CHAINED,)) + apdu.header[1:] if apdu.chained else apdu.header
    chain = channels.pop(place, None)

    if chain is not None and chain.header != header:
        if chain.pieces:
            yield chain

        chain = None

    chain = chain or Chain(header)
    chain.pieces.append(event)

    if not apdu.chained:
        chain.whole = True
        yield chain
    elif event.response == _TAKEN:
        channels[place] = chain
    else:
        yield chain
        channels[place] = Chain(header, after_refusal=True)


def _apdu(event: MaskedExchange) -> CommandApdu:
    """Return the header of a command; that of one without one is all zeros."""
    digits = event.command[:_HEADER].replace(" ", "")
    header = bytes.fromhex(digits) if "*" not in digits else b""
    return CommandApdu.parse(header.ljust(4, b"\0"))
