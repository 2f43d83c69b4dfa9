"""What each command of the protocol does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cardtwin.pcsc import (
    Disposition,
    InvalidHandleError,
    PcscError,
    Protocol,
    ProtocolMismatchError,
    ShareMode,
    UnknownReaderError,
    UnsupportedFeatureError,
)
from cardtwin.readers.errors import MalformedMessageError
from cardtwin.readers.pcsclite.attributes import attribute
from cardtwin.readers.pcsclite.messages import (
    EVENTS_ANSWER,
    MAX_ATTRIBUTE,
    MAX_BUFFER,
    SINCE,
    SIZE_ANSWER,
    VERSIONS,
    Code,
    Command,
    pack_states,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from enum import Enum
    from typing import TypeVar

    from cardtwin.readers.pcsclite.session import Fields, Handler, Session

    Choice = TypeVar("Choice", bound=Enum)

__all__ = ["HANDLERS"]

HANDLERS: Final[dict[Command, Handler]] = {}
"""The commands and what serves them."""

_ANY_OLD: Final = 0x1000
"""SCARD_PROTOCOL_ANY of old clients: whatever protocol is in use."""

_SCOPES: Final = range(4)
_EVENTS_MASK: Final = 0x7FFF


class _RefusedError(PcscError):
    """The request is refused with that result."""

    def __init__(self, code: Code) -> None:
        super().__init__()
        self.code = code


def _serves(command: Command) -> Callable[[Handler], Handler]:
    def register(handler: Handler) -> Handler:
        HANDLERS[command] = handler
        return handler

    return register


def _choice(kind: type[Choice], value: int) -> Choice:
    try:
        return kind(value)
    except ValueError:
        raise _RefusedError(Code.INVALID_VALUE) from None


def _protocols(wanted: int, share: ShareMode) -> Protocol:
    """Return the protocols that a client asks for."""
    if wanted & _ANY_OLD:
        return Protocol.ANY

    if share is not ShareMode.DIRECT and not wanted & (Protocol.ANY | Protocol.RAW):
        raise ProtocolMismatchError

    return Protocol(wanted & (Protocol.ANY | Protocol.RAW))


@_serves(Command.VERSION)
def _version(session: Session, fields: Fields) -> bytes:
    """Speak the client's version; to a client of another, tell ours, with which it may try again."""
    client = (fields[0], fields[1])

    if client not in VERSIONS:
        fields[:2] = VERSIONS[-1]
        raise _RefusedError(Code.SERVICE_STOPPED)

    session.version = client
    return b""


@_serves(Command.ESTABLISH_CONTEXT)
def _establish_context(session: Session, fields: Fields) -> bytes:
    if fields[0] not in _SCOPES:
        raise _RefusedError(Code.INVALID_VALUE)

    fields[1] = session.open_context()
    return b""


@_serves(Command.RELEASE_CONTEXT)
def _release_context(session: Session, fields: Fields) -> bytes:
    session.close_context(fields[0])
    return b""


@_serves(Command.CONNECT)
def _connect(session: Session, fields: Fields) -> bytes:
    handle, raw_name, mode, wanted = fields[:4]
    fields[4:6] = 0, 0
    share = _choice(ShareMode, mode)
    protocols = _protocols(wanted, share)
    context = session.context(handle)

    try:
        name = raw_name.split(b"\0")[0].decode()
    except UnicodeDecodeError:
        raise UnknownReaderError from None

    connection = session.patiently(lambda: context.connect(name, share=share, protocol=protocols))
    number = session.handles.new()
    session.connections[number] = connection
    fields[4:6] = number, connection.protocol
    return b""


@_serves(Command.RECONNECT)
def _reconnect(session: Session, fields: Fields) -> bytes:
    handle, mode, wanted, initialization = fields[:4]
    connection = session.connection(handle)
    fields[4] = 0
    disposition = _choice(Disposition, initialization)
    share = _choice(ShareMode, mode)

    if disposition is Disposition.EJECT:
        raise _RefusedError(Code.INVALID_VALUE)

    connection.reconnect(disposition, share=share, protocol=_protocols(wanted, share))
    fields[4] = connection.protocol
    return b""


@_serves(Command.DISCONNECT)
def _disconnect(session: Session, fields: Fields) -> bytes:
    handle, disposition = fields[0], fields[1]
    connection = session.connection(handle)
    wish = _choice(Disposition, disposition)
    session.patiently(lambda: connection.disconnect(wish))
    del session.connections[handle]
    return b""


@_serves(Command.BEGIN_TRANSACTION)
def _begin_transaction(session: Session, fields: Fields) -> bytes:
    session.connection(fields[0]).begin_transaction()
    return b""


@_serves(Command.END_TRANSACTION)
def _end_transaction(session: Session, fields: Fields) -> bytes:
    connection = session.connection(fields[0])
    connection.end_transaction(_choice(Disposition, fields[1]))
    return b""


@_serves(Command.TRANSMIT)
def _transmit(session: Session, fields: Fields) -> bytes:
    handle, protocol, _, length, _, _, room, _ = fields
    connection = session.connection(handle)

    if length > MAX_BUFFER:
        raise MalformedMessageError("more data than a command can hold")

    command = session.receive(length)
    fields[6] = 0

    if protocol not in {connection.protocol, _ANY_OLD}:
        connection.check()
        raise ProtocolMismatchError(connection.reader)

    response = connection.transmit(command)
    fields[6] = len(response)

    if len(response) > room:
        raise _RefusedError(Code.INSUFFICIENT_BUFFER)

    return response


@_serves(Command.CONTROL)
def _control(session: Session, fields: Fields) -> bytes:
    handle, code, length, room, _, _ = fields
    connection = session.connection(handle)

    if length > MAX_BUFFER:
        raise MalformedMessageError("more data than a control command can hold")

    fields[4] = 0
    answer = connection.control(code, session.receive(length))
    fields[4] = len(answer)

    if len(answer) > room:
        raise _RefusedError(Code.INSUFFICIENT_BUFFER)

    return answer


@_serves(Command.STATUS)
def _status(session: Session, fields: Fields) -> bytes:
    session.connection(fields[0]).check()
    return b""


@_serves(Command.GET_ATTRIB)
def _get_attrib(session: Session, fields: Fields) -> bytes:
    handle, number, _, room, _ = fields
    connection = session.connection(handle)

    if room > MAX_ATTRIBUTE:
        raise MalformedMessageError("more room than an attribute has")

    connection.check()
    value = attribute(number, session.manager.state(connection.reader), connection.max_command)

    if value is None:
        raise UnsupportedFeatureError(connection.reader)

    fields[3] = len(value)

    if len(value) > room:
        raise _RefusedError(Code.INSUFFICIENT_BUFFER)

    fields[2] = value
    return b""


@_serves(Command.SET_ATTRIB)
def _set_attrib(session: Session, fields: Fields) -> bytes:
    connection = session.connection(fields[0])

    if fields[3] > MAX_ATTRIBUTE:
        raise MalformedMessageError("more room than an attribute has")

    connection.check()
    raise UnsupportedFeatureError(connection.reader)


@_serves(Command.GET_READERS_STATE)
def _get_readers_state(session: Session, _fields: Fields) -> bytes:
    return pack_states(session.manager.states())


@_serves(Command.WAIT_READER_STATE_CHANGE)
def _wait_reader_state_change(session: Session, _fields: Fields) -> bytes:
    """Register for one change. The states follow; from 4:6 on, the client asks for them itself."""
    session.waiter.begin()

    if session.version < SINCE[Command.GET_READERS_STATE_ARRAY]:
        session.send(pack_states(session.manager.states()))
        session.waiter.answered()

    return b""


@_serves(Command.STOP_WAITING_READER_STATE_CHANGE)
def _stop_waiting_reader_state_change(session: Session, _fields: Fields) -> bytes:
    """Send the notice, unless an event or a cancellation has sent it before."""
    session.waiter.tell(Code.SUCCESS)
    return b""


@_serves(Command.GET_READER_EVENTS)
def _get_reader_events(session: Session, _fields: Fields) -> bytes:
    """Tell how often readers were attached or taken away, in 15 bits."""
    return EVENTS_ANSWER.pack(session.manager.reader_events & _EVENTS_MASK, Code.SUCCESS)


@_serves(Command.GET_READERS_STATE_SIZE)
def _get_readers_state_size(session: Session, _fields: Fields) -> bytes:
    """Tell how long the array will be. It never gets shorter: a client would not bear it."""
    session.array_size = session.handles.array_size(len(session.manager.readers()))
    return SIZE_ANSWER.pack(session.array_size)


@_serves(Command.GET_READERS_STATE_ARRAY)
def _get_readers_state_array(session: Session, _fields: Fields) -> bytes:
    session.send(pack_states(session.manager.states(), session.array_size))
    session.waiter.answered()
    return b""


@_serves(Command.CANCEL)
def _cancel(session: Session, fields: Fields) -> bytes:
    waiter = session.handles.find(fields[0])

    if waiter is None or not waiter.tell(Code.CANCELLED):
        raise InvalidHandleError

    return b""
