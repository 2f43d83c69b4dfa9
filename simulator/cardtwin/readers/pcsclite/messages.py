"""The messages of pcsc-lite's protocol 4:4, as bytes.

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
    "EMPTY",
    "HEADER",
    "MAX_ATTRIBUTE",
    "MAX_BUFFER",
    "MAX_READERS",
    "VERSION",
    "WAIT_ANSWER",
    "Code",
    "Command",
    "pack_states",
]

VERSION: Final = (4, 4)
MAX_READERS: Final = 16
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
EMPTY: Final = struct.Struct("=")
WAIT_ANSWER: Final = struct.Struct("=II")

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
    Command.GET_READERS_STATE: EMPTY,
    Command.WAIT_READER_STATE_CHANGE: EMPTY,
    Command.STOP_WAITING_READER_STATE_CHANGE: EMPTY,
}
"""The body of each command. Where it isn't empty, its last field is the result."""

_READER: Final = struct.Struct("=128sIIi33s3xII")
_COUNTER_MASK: Final = 0xFFFF


def pack_states(states: Iterable[ReaderState]) -> bytes:
    """Return the array of 16 reader states; readers beyond the sixteenth cannot be told of in 4:4."""
    packed = [_pack(state) for state in states][:MAX_READERS]
    return b"".join(packed).ljust(MAX_READERS * _READER.size, b"\0")


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
