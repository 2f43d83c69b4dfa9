"""The session of one client: its socket, its contexts, its connections."""

from __future__ import annotations

import socket
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from cardtwin.events import because
from cardtwin.pcsc import CardMuteError, CardRemovedError, InvalidHandleError, PcscError
from cardtwin.readers.errors import CardLostError, MalformedMessageError, TransactionPendingError
from cardtwin.readers.pcsclite.messages import (
    BODIES,
    HEADER,
    READERS,
    SINCE,
    VERSIONS,
    WAIT_ANSWER,
    Code,
    Command,
)
from cardtwin.readers.pcsclite.waiter import Waiter

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cardtwin.events import SharedCause
    from cardtwin.readers.connection import ManagedConnection
    from cardtwin.readers.context import ManagedContext
    from cardtwin.readers.manager import ReaderManager
    from cardtwin.readers.pcsclite.handles import Handles

__all__ = ["ClientGone", "Fields", "Handler", "Session"]

Fields = list[Any]
"""The fields of a body, the result last; a handler fills them in."""

_PATIENCE: Final = 0.1
"""Seconds until a client is told that the card is in another's transaction. Its library then asks again."""

_CODES: Final[Mapping[tuple[Command, type[PcscError]], Code]] = {
    (Command.CONNECT, CardMuteError): Code.UNPOWERED_CARD,
    (Command.RECONNECT, CardRemovedError): Code.NO_SMARTCARD,
    (Command.TRANSMIT, CardLostError): Code.NO_SMARTCARD,
    (Command.TRANSMIT, CardMuteError): Code.NOT_TRANSACTED,
}
"""Where pcscd 1.9.9 gives another code than the error's own."""


class ClientGone(Exception):  # noqa: N818  # no error: the client closed its end, or was closed
    """The session is over."""


class Session:
    """One client. `run` is its thread's body.

    Attributes:
        manager: The readers.
        handles: What all clients' contexts are found by.
        connections: This client's connections, by handle.
        waiter: Its registration for a change.
        version: The version of the protocol that it speaks.
        array_size: How many reader states it expects, from 4:6 on.
    """

    def __init__(
        self,
        manager: ReaderManager,
        handles: Handles,
        handlers: Mapping[Command, Handler],
        connection: socket.socket,
    ) -> None:
        self.manager = manager
        self.handles = handles
        self.connections: dict[int, ManagedConnection] = {}
        self.waiter = Waiter(self._notify)
        self.version = VERSIONS[0]
        self.array_size = READERS
        self._handlers = handlers
        self._contexts: dict[int, ManagedContext] = {}
        self._socket = connection
        self._stream = connection.makefile("rb")

    def run(self, cause: SharedCause) -> None:
        """Serve the client until it goes, is closed, or speaks something else.

        Args:
            cause: The cause of what it asks for.
        """
        unwatch = self.manager.watch(lambda: self.waiter.tell(Code.SUCCESS))

        try:
            with suppress(ClientGone, MalformedMessageError, OSError):
                self._serve_all(cause)
        finally:
            unwatch()
            self._clean_up(cause.name)

    def close(self) -> None:
        """End the session, from any thread; `run` returns soon after."""
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)

    # For the handlers

    def receive(self, size: int) -> bytes:
        """Read exactly that many bytes."""
        data = self._stream.read(size)

        if len(data) != size:
            raise ClientGone

        return data

    def send(self, data: bytes) -> None:
        """Send all of it."""
        self._socket.sendall(data)

    def open_context(self) -> int:
        """Establish a context and return its handle."""
        handle = self.handles.enter(self.waiter)
        self._contexts[handle] = self.manager.context(patience=_PATIENCE, check=self._check_there)
        return handle

    def context(self, handle: int) -> ManagedContext:
        """Return one of this client's contexts."""
        try:
            return self._contexts[handle]
        except KeyError:
            raise InvalidHandleError from None

    def close_context(self, handle: int) -> None:
        """Release a context, with its connections."""
        self.context(handle).release()
        del self._contexts[handle]
        self.handles.leave(handle)
        self.connections = {key: one for key, one in self.connections.items() if not one.closed}

    def connection(self, handle: int) -> ManagedConnection:
        """Return one of this client's connections; a handle of others ends the session, as with pcscd."""
        try:
            return self.connections[handle]
        except KeyError:
            raise MalformedMessageError("no handle of this client") from None

    def patiently(self, action: Callable[[], Any]) -> Any:
        """Do what waits for the transactions of others for as long as the client is there."""
        while True:
            try:
                return action()
            except TransactionPendingError:
                self._check_there()

    # The loop

    def _serve_all(self, cause: SharedCause) -> None:
        while True:
            size, number = HEADER.unpack(self.receive(HEADER.size))
            command = self._command(number)
            body = BODIES[command]

            if size != body.size:
                raise MalformedMessageError(f"{command.name} of {size} bytes")

            fields = list(body.unpack(self.receive(size)))

            with cause.take():
                answer = self._answer(command, fields)

            self.send(answer)

    def _command(self, number: int) -> Command:
        if number not in self._handlers or self.version < SINCE.get(Command(number), VERSIONS[0]):
            raise MalformedMessageError(f"no command {number:#x}")

        return Command(number)

    def _answer(self, command: Command, fields: Fields) -> bytes:
        code, trailing = Code.SUCCESS.value, b""

        try:
            trailing = self._handlers[command](self, fields)
        except PcscError as error:
            code = _CODES.get((command, type(error)), error.code)

        if fields:
            fields[-1] = code

        return BODIES[command].pack(*fields) + trailing

    def _notify(self, result: int) -> None:
        """Tell a waiting client. One that doesn't even take these eight bytes is closed."""
        try:
            sent = self._socket.send(WAIT_ANSWER.pack(0, result), socket.MSG_DONTWAIT)
        except OSError:
            sent = 0

        if sent != WAIT_ANSWER.size:
            self.close()

    def _check_there(self) -> None:
        try:
            if not self._socket.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT):
                raise ClientGone
        except BlockingIOError:
            pass

    def _clean_up(self, name: str) -> None:
        with self._socket, self._stream, because(f"{name} is gone"):
            for handle in tuple(self._contexts):
                self.close_context(handle)


Handler = Callable[[Session, Fields], bytes]
"""Serves one command: fills in the fields and returns what trails the answer."""
