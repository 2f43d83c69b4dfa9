"""The socket: who comes, gets a session and a thread of its own."""

from __future__ import annotations

import os
import socket
import stat
import struct
import tempfile
import threading
import traceback
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

from cardtwin.events import Defect
from cardtwin.readers.errors import SocketPathError
from cardtwin.readers.pcsclite.handles import Handles
from cardtwin.readers.pcsclite.requests import HANDLERS
from cardtwin.readers.pcsclite.session import Session

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from types import TracebackType

    from cardtwin.readers.manager import ReaderManager

__all__ = ["ENVIRONMENT_VARIABLE", "PcscLiteServer", "private_directory"]

ENVIRONMENT_VARIABLE: Final = "PCSCLITE_CSOCK_NAME"
"""What libpcsclite takes the socket's path from (not in programs that run setuid)."""

_LONGEST_PATH: Final = 107
_PAUSE: Final = 0.05
"""Seconds until connections are accepted again after a failure."""

_PEER: Final = struct.Struct("=iII")


@contextmanager
def private_directory() -> Iterator[Path]:
    """Make a directory with a short path that nobody else may enter, and take it away afterwards."""
    with tempfile.TemporaryDirectory(prefix="ct-", dir=_short_root(), ignore_cleanup_errors=True) as path:
        yield Path(path)


class PcscLiteServer:
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

    def __init__(self, manager: ReaderManager, socket_path: str | Path) -> None:
        self.path = Path(socket_path).absolute()
        self._manager = manager
        self._handles = Handles()
        self._lock = threading.Lock()
        self._sessions: dict[Session, threading.Thread] = {}
        self._listener: socket.socket | None = None
        self._acceptor: threading.Thread | None = None
        self._stopping = threading.Event()
        size = len(os.fsencode(self.path))

        if size > _LONGEST_PATH:
            raise SocketPathError(
                f"{self.path}: a unix socket's path has at most {_LONGEST_PATH} bytes, this one {size}; "
                "take a shorter directory, such as private_directory() makes"
            )

    @property
    def environment(self) -> Mapping[str, str]:
        """The environment variable that leads a program here."""
        return {ENVIRONMENT_VARIABLE: str(self.path)}

    def start(self) -> None:
        """Make the socket and serve it, in threads of the server's own."""
        self._listener = _listen(self.path)
        self._stopping.clear()
        self._acceptor = threading.Thread(target=self._accept_all, name=f"pcsclite {self.path}", daemon=True)
        self._acceptor.start()

    def stop(self) -> None:
        """Close the sessions, wait for their threads, take the socket away. A second call does nothing."""
        if self._listener is None or self._acceptor is None:
            return

        self._stopping.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._acceptor.join()
        self._listener.close()
        self._listener = self._acceptor = None

        with self._lock:
            sessions = dict(self._sessions)

        for session in sessions:
            session.close()

        for thread in sessions.values():
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
        session = Session(self._manager, self._handles, HANDLERS, connection)
        name = _peer(connection)
        thread = threading.Thread(target=self._run, args=(session, name), name=name, daemon=True)

        with self._lock:
            self._sessions[session] = thread

        thread.start()

    def _run(self, session: Session, name: str) -> None:
        try:
            session.run(name)
        except Exception:
            hub = self._manager.hub

            if hub is not None:
                hub.emit(Defect(where=name, detail=traceback.format_exc()))

            raise
        finally:
            with self._lock:
                del self._sessions[session]


def _short_root() -> str | None:
    """Return the system's own folder for temporary files where TMPDIR leads to a long path."""
    return "/tmp" if len(tempfile.gettempdir()) > _LONGEST_PATH // 2 else None  # noqa: S108  # made private


def _listen(path: Path) -> socket.socket:
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _clear(path)
    except OSError as error:
        raise _impossible(path, error) from error

    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)

    try:
        # On Linux the file takes its mode from the socket: at no time may others connect.
        os.fchmod(listener.fileno(), 0o600)
        listener.bind(str(path))
        path.chmod(0o600)
        listener.listen(socket.SOMAXCONN)
    except OSError as error:
        listener.close()
        raise _impossible(path, error) from error

    return listener


def _impossible(path: Path, error: OSError) -> SocketPathError:
    return SocketPathError(
        f"{path}: no socket can be made there: {error.strerror}; choose a folder that you may write to"
    )


def _clear(path: Path) -> None:
    """Take away a socket that nobody serves any more."""
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return

    if not stat.S_ISSOCK(mode):
        raise SocketPathError(f"{path}: something else than a socket is there; choose another path")

    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(str(path))
        except ConnectionRefusedError:
            path.unlink()
            return

    raise SocketPathError(f"{path}: another server is listening there")


def _peer(connection: socket.socket) -> str:
    """Return the client's name for causes and threads: its process and program, where these are told."""
    if not hasattr(socket, "SO_PEERCRED"):
        return "client"

    pid, _, _ = _PEER.unpack(connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _PEER.size))

    try:
        # Any bytes: the kernel cuts names after 15 of them, also within a letter.
        program = Path(f"/proc/{pid}/comm").read_text(errors="backslashreplace").strip()
    except OSError:
        program = ""

    return f"client {pid} {program}".rstrip()
