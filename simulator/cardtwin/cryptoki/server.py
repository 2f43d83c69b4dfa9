"""The server: the C library's calls come in by a socket, and each program has an Application of its own."""

from __future__ import annotations

import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from cardtwin.cryptoki.calls import Client
from cardtwin.cryptoki.calls import registry as all_functions
from cardtwin.cryptoki.dispatch import Caller, Outcome
from cardtwin.cryptoki.errors import CryptokiError, MalformedFrameError
from cardtwin.cryptoki.functions import BY_NAME
from cardtwin.cryptoki.wire import LONGEST_FRAME, Greeting, decode_call, encode_answer, function_of
from cardtwin.events import Hub, SharedCause
from cardtwin.middleware import Ckr
from cardtwin.sockets import SocketServer

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable
    from pathlib import Path

    from cardtwin.cryptoki.calls import Application, Registry
    from cardtwin.cryptoki.functions import Function
    from cardtwin.sockets import Peer

__all__ = ["ENVIRONMENT_VARIABLE", "CryptokiServer"]

ENVIRONMENT_VARIABLE: Final = "CARDTWIN_SOCKET"
"""Where the C library takes the socket's path from (not in programs that run setuid)."""

_CHUNK: Final = 1 << 16
_LENGTH: Final = 4
_INITIALIZE: Final = BY_NAME["C_Initialize"]
_FINALIZE: Final = BY_NAME["C_Finalize"]
_DONE: Final = Outcome(Ckr.CKR_OK)


class CryptokiServer(SocketServer):
    """Answers the calls of programs that have loaded the C library.

    A program reaches it when the environment variable CARDTWIN_SOCKET names the socket; `environment` has it.
    Programs of other users are refused. Each C_Initialize has an Application, which C_Finalize or the end of
    the program closes. So does :meth:`stop`, after which the programs see CKR_DEVICE_ERROR.

    Args:
        socket_path: Where the socket is made; at most 107 bytes. A missing directory is made, for the user
            alone.
        make_application: Makes the Application of a program; what it raises, C_Initialize returns.
        functions: The functions that can be called.
        hub: Who is told of calls and bugs.
        program: The name that all programs go by, instead of that of their executable.
        cause: The cause of what is called; None makes each program that of its own calls.

    Raises:
        SocketPathError: The path is too long; at :meth:`start`, it is taken, or not to be written to.
    """

    def __init__(
        self,
        socket_path: str | Path,
        make_application: Callable[[Client], Application],
        *,
        functions: Registry = all_functions,
        hub: Hub | None = None,
        program: str | None = None,
        cause: SharedCause | None = None,
    ) -> None:
        super().__init__(socket_path, self._serve_program, variable=ENVIRONMENT_VARIABLE)
        self._make_application = make_application
        self._functions = functions
        self._hub = hub or Hub()
        self._program = program
        self._cause = cause
        self._table = threading.Lock()
        self._callers: dict[tuple[int, int], Caller] = {}
        self._clients: dict[tuple[int, int], Client] = {}

    @property
    def clients(self) -> tuple[Client, ...]:
        """The programs between C_Initialize and C_Finalize, in the order in which they came."""
        with self._table:
            return tuple(self._clients.values())

    def _serve_program(self, connection: socket.socket, peer: Peer) -> None:
        cause = self._cause or SharedCause(str(peer))

        with suppress(MalformedFrameError, OSError):
            greeting = self._greeted(connection)
            key = (peer.pid, greeting.instance)

            if greeting.control:
                self._serve_control(connection, peer, key, cause)
            else:
                self._serve_calls(connection, key, cause)

    def _greeted(self, connection: socket.socket) -> Greeting:
        try:
            return Greeting.parse(_receive(connection))
        except MalformedFrameError:
            connection.sendall(encode_answer(_INITIALIZE, Outcome(Ckr.CKR_GENERAL_ERROR)))
            raise

    def _serve_control(
        self, connection: socket.socket, peer: Peer, key: tuple[int, int], cause: SharedCause
    ) -> None:
        """Serve the connection by which a program begins and ends: with it, its Application goes."""
        connection.sendall(encode_answer(_INITIALIZE, _DONE))
        _expect(connection, _INITIALIZE)
        client = Client(peer.pid, self._program or peer.program)

        with cause.take():
            caller, outcome = Caller.begin(
                lambda: self._make_application(client), self._functions, self._hub, client.program
            )

        if caller is None:
            connection.sendall(encode_answer(_INITIALIZE, outcome))
            return

        with self._table:
            self._callers[key] = caller
            self._clients[key] = client

        try:
            connection.sendall(encode_answer(_INITIALIZE, outcome))
            _expect(connection, _FINALIZE)

            with cause.take():
                caller.close()
        finally:
            with self._table:
                self._callers.pop(key, None)
                self._clients.pop(key, None)

            with cause.take():
                caller.close(gone=True)

        connection.sendall(encode_answer(_FINALIZE, _DONE))

    def _serve_calls(self, connection: socket.socket, key: tuple[int, int], cause: SharedCause) -> None:
        with self._table:
            caller = self._callers.get(key)

        if caller is None:
            # Of a program that was initialised with another server, which is gone.
            connection.sendall(encode_answer(_INITIALIZE, Outcome(Ckr.CKR_DEVICE_ERROR)))
            return

        connection.sendall(encode_answer(_INITIALIZE, _DONE))

        while True:
            body = _receive(connection)

            with cause.take():
                answer = _answer(caller, body)

            connection.sendall(answer)


def _answer(caller: Caller, body: bytes) -> bytes:
    function = function_of(body)

    if function.local:
        raise MalformedFrameError(f"{function.name} has a connection of its own")

    try:
        arguments = decode_call(function, body)
    except CryptokiError as error:
        return encode_answer(function, caller.refuse(function, error))

    return encode_answer(function, caller.call(function.name, arguments))


def _expect(connection: socket.socket, function: Function) -> None:
    body = _receive(connection)

    if function_of(body) is not function:
        raise MalformedFrameError(f"{function.name} was to come")

    decode_call(function, body)


def _receive(connection: socket.socket) -> bytes:
    """Receive one frame; return what follows its length.

    Raises:
        ConnectionError: The program is gone.
        MalformedFrameError: It is too long, or more than one.
    """
    data = _some(connection)

    while len(data) < _LENGTH:
        data += _some(connection)

    wanted = _LENGTH + int.from_bytes(data[:_LENGTH], "little")

    if wanted > _LENGTH + LONGEST_FRAME:
        raise MalformedFrameError("a frame is too long")

    if len(data) < wanted:
        data = _filled(connection, data, wanted)

    if len(data) > wanted:
        raise MalformedFrameError("a call comes before the answer to another")

    return data[_LENGTH:]


def _filled(connection: socket.socket, data: bytes, wanted: int) -> bytes:
    collected = bytearray(data)

    while len(collected) < wanted:
        collected += _some(connection)

    return bytes(collected)


def _some(connection: socket.socket) -> bytes:
    data = connection.recv(_CHUNK)

    if not data:
        raise ConnectionResetError

    return data
