"""The messages of pcsc-lite's protocol, versions 4:4 to 4:6, as bytes.

A request is a header (size of the body, command) and a body of fixed size; the answer is the body again,
filled in, without a header. Everything is in the machine's own byte order: client and server share it.
"""

from __future__ import annotations

import struct
from enum import IntEnum, IntFlag
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cardtwin.pcsc import ReaderState

__all__ = [
    "BODIES",
    "EVENTS_ANSWER",
    "HEADER",
    "MAX_ATTRIBUTE",
    "MAX_BUFFER",
    "READERS",
    "SINCE",
    "SIZE_ANSWER",
    "VERSIONS",
    "WAIT_ANSWER",
    "Code",
    "Command",
    "pack_states",
]

VERSIONS: Final = ((4, 4), (4, 5), (4, 6))
"""The versions that are spoken. 4:5 came with pcsc-lite 2.3.0, 4:6 with 2.5.0."""

READERS: Final = 16
"""How many reader states an array holds: always, up to 4:5; at least, from 4:6 on."""

MAX_ATTRIBUTE: Final = 264
MAX_BUFFER: Final = 4 + 3 + 65536 + 3 + 2


class Command(IntEnum):
    """The commands, with their codes."""

    ESTABLISH_CONTEXT = 0x01
    RELEASE_CONTEXT = 0x02
    CONNECT = 0x04
    RECONNECT = 0x05
    DISCONNECT = 0x06
    BEGIN_TRANSACTION = 0x07
    END_TRANSACTION = 0x08
    TRANSMIT = 0x09
    CONTROL = 0x0A
    STATUS = 0x0B
    CANCEL = 0x0D
    GET_ATTRIB = 0x0F
    SET_ATTRIB = 0x10
    VERSION = 0x11
    GET_READERS_STATE = 0x12
    WAIT_READER_STATE_CHANGE = 0x13
    STOP_WAITING_READER_STATE_CHANGE = 0x14
    GET_READER_EVENTS = 0x15
    GET_READERS_STATE_SIZE = 0x16
    GET_READERS_STATE_ARRAY = 0x17


class Code(IntEnum):
    """Results that no error class of ``cardtwin.pcsc`` stands for."""

    SUCCESS = 0
    INTERNAL_ERROR = 0x80100001
    CANCELLED = 0x80100002
    INVALID_HANDLE = 0x80100003
    INSUFFICIENT_BUFFER = 0x80100008
    NO_SMARTCARD = 0x8010000C
    INVALID_VALUE = 0x80100011
    NOT_TRANSACTED = 0x80100016
    SERVICE_STOPPED = 0x8010001E
    UNPOWERED_CARD = 0x80100067


class _State(IntFlag):
    """A reader's state on the wire."""

    ABSENT = 0x02
    PRESENT = 0x04
    SWALLOWED = 0x08
    POWERED = 0x10
    NEGOTIABLE = 0x20


HEADER: Final = struct.Struct("=II")
_EMPTY: Final = struct.Struct("=")
WAIT_ANSWER: Final = struct.Struct("=II")
EVENTS_ANSWER: Final = struct.Struct("=II")
SIZE_ANSWER: Final = struct.Struct("=i")

BODIES: Final = {
    Command.ESTABLISH_CONTEXT: struct.Struct("=III"),
    Command.RELEASE_CONTEXT: struct.Struct("=II"),
    Command.CONNECT: struct.Struct("=I128sIIiII"),
    Command.RECONNECT: struct.Struct("=iIIIII"),
    Command.DISCONNECT: struct.Struct("=iII"),
    Command.BEGIN_TRANSACTION: struct.Struct("=iI"),
    Command.END_TRANSACTION: struct.Struct("=iII"),
    Command.TRANSMIT: struct.Struct("=iIIIIIII"),
    Command.CONTROL: struct.Struct("=iIIIII"),
    Command.STATUS: struct.Struct("=iI"),
    Command.CANCEL: struct.Struct("=II"),
    Command.GET_ATTRIB: struct.Struct(f"=iI{MAX_ATTRIBUTE}sII"),
    Command.SET_ATTRIB: struct.Struct(f"=iI{MAX_ATTRIBUTE}sII"),
    Command.VERSION: struct.Struct("=iiI"),
    Command.GET_READERS_STATE: _EMPTY,
    Command.WAIT_READER_STATE_CHANGE: _EMPTY,
    Command.STOP_WAITING_READER_STATE_CHANGE: _EMPTY,
    Command.GET_READER_EVENTS: _EMPTY,
    Command.GET_READERS_STATE_SIZE: _EMPTY,
    Command.GET_READERS_STATE_ARRAY: _EMPTY,
}
"""The body of each command. Where it isn't empty, its last field is the result."""

SINCE: Final = {
    Command.GET_READER_EVENTS: (4, 5),
    Command.GET_READERS_STATE_SIZE: (4, 6),
    Command.GET_READERS_STATE_ARRAY: (4, 6),
}
"""The version that brought a command, where it isn't the first."""

_READER: Final = struct.Struct("=128sIIi33s3xII")
_COUNTER_MASK: Final = 0xFFFF


def pack_states(states: Iterable[ReaderState], size: int = READERS) -> bytes:
    """Return an array of that many reader states: the first ones, and empty ones where there are fewer."""
    packed = [_pack(state) for state in states][:size]
    return b"".join(packed).ljust(size * _READER.size, b"\0")


def _pack(state: ReaderState) -> bytes:
    return _READER.pack(
        state.name.encode(),
        state.events & _COUNTER_MASK,
        _bits(state),
        state.sharing,
        state.atr,
        len(state.atr),
        state.protocol,
    )


def _bits(state: ReaderState) -> _State:
    if not state.present:
        return _State.ABSENT

    if state.mute:
        return _State.PRESENT | _State.SWALLOWED

    return _State.PRESENT | (_State.POWERED | _State.NEGOTIABLE if state.powered else _State(0))
