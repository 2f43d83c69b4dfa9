"""The socket: who comes, gets a session and a thread of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cardtwin.events import Defect, SharedCause
from cardtwin.readers.pcsclite.handles import Handles
from cardtwin.readers.pcsclite.requests import HANDLERS
from cardtwin.readers.pcsclite.session import Session
from cardtwin.sockets import SocketServer

if TYPE_CHECKING:
    import socket
    from pathlib import Path

    from cardtwin.readers.manager import ReaderManager
    from cardtwin.sockets import Peer

__all__ = ["ENVIRONMENT_VARIABLE", "PcscLiteServer"]

ENVIRONMENT_VARIABLE: Final = "PCSCLITE_CSOCK_NAME"
"""What libpcsclite takes the socket's path from (not in programs that run setuid)."""


class PcscLiteServer(SocketServer):
    """Puts a manager's readers on a unix socket that speaks pcsc-lite's protocol.

    A program that uses libpcsclite reaches it when the environment variable PCSCLITE_CSOCK_NAME names the
    socket; `environment` has it. No root, no daemon, no driver. Up to 16 readers can be seen, or all of them
    with pcsc-lite 2.5 and later.

    Args:
        manager: The readers.
        socket_path: Where the socket is made; at most 107 bytes. A missing directory is made, for the user
            alone.

    Raises:
        SocketPathError: The path is too long, taken, or not to be written to.
    """

    def __init__(
        self, manager: ReaderManager, socket_path: str | Path, *, cause: SharedCause | None = None
    ) -> None:
        super().__init__(socket_path, self._serve_program, variable=ENVIRONMENT_VARIABLE)
        self._manager = manager
        self._cause = cause
        self._handles = Handles()

    def _serve_program(self, connection: socket.socket, peer: Peer) -> None:
        try:
            cause = self._cause or SharedCause(str(peer))
            Session(self._manager, self._handles, HANDLERS, connection).run(cause)
        except Exception as error:
            hub = self._manager.hub

            if hub is not None:
                hub.emit(Defect.of(str(peer), error))

            raise
