"""A server of one socket: whoever comes gets a thread."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Final, Self

from cardtwin.sockets.paths import checked, listen
from cardtwin.sockets.peer import Peer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path
    from types import TracebackType

__all__ = ["SocketServer"]

_PAUSE: Final = 0.05
"""Seconds until connections are accepted again after a failure."""


class SocketServer:
    """Serves a unix socket that belongs to this user alone.

    Attributes:
        path: Where the socket is.
        environment: The environment variable that leads a program there.

    Args:
        path: Where the socket is made; at most 107 bytes. A missing directory is made, for the user alone.
        serve: Serves one connection from its beginning to its end, in a thread of its own. It ends when
            the connection does, which :meth:`stop` brings about.
        variable: The environment variable by which programs find the socket, if there is one.

    Raises:
        SocketPathError: The path is too long; at :meth:`start`, it is taken, or not to be written to.
    """

    def __init__(
        self, path: str | Path, serve: Callable[[socket.socket, Peer], None], *, variable: str | None = None
    ) -> None:
        self.path = checked(path)
        self.environment: Mapping[str, str] = {variable: str(self.path)} if variable else {}
        self._serve = serve
        self._lock = threading.Lock()
        self._connections: dict[socket.socket, threading.Thread] = {}
        self._listener: socket.socket | None = None
        self._acceptor: threading.Thread | None = None
        self._stopping = threading.Event()

    def start(self) -> None:
        """Make the socket and serve it, in threads of the server's own."""
        self._listener = listen(self.path)
        self._stopping.clear()
        self._acceptor = threading.Thread(target=self._accept_all, name=str(self.path), daemon=True)
        self._acceptor.start()

    def stop(self) -> None:
        """End the connections, wait for their threads, take the socket away. A second call does nothing."""
        if self._listener is None or self._acceptor is None:
            return

        self._stopping.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._acceptor.join()
        self._listener.close()
        self._listener = self._acceptor = None

        with self._lock:
            connections = dict(self._connections)

            for connection in connections:
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)

        for thread in connections.values():
            thread.join()

        self.path.unlink(missing_ok=True)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def _accept_all(self) -> None:
        listener = self._listener
        assert listener is not None

        while not self._stopping.is_set():
            try:
                connection, _ = listener.accept()
            except OSError:
                # A client that is gone again, or no file descriptor free: those who come later are served.
                self._stopping.wait(_PAUSE)
            else:
                self._open(connection)

    def _open(self, connection: socket.socket) -> None:
        peer = Peer.of(connection)

        if not peer.is_own:
            connection.close()
            return

        thread = threading.Thread(target=self._run, args=(connection, peer), name=str(peer), daemon=True)

        with self._lock:
            self._connections[connection] = thread

            try:
                thread.start()
            except RuntimeError:
                # The system gives no more threads: this one isn't served, those who come later may be.
                del self._connections[connection]
                connection.close()

    def _run(self, connection: socket.socket, peer: Peer) -> None:
        try:
            self._serve(connection, peer)
        finally:
            with self._lock:
                del self._connections[connection]
                connection.close()
