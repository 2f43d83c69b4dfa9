"""Where sockets are, and that nobody else reaches them."""

from __future__ import annotations

import os
import socket
import stat
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["SocketPathError", "checked", "listen", "private_directory"]

_LONGEST_PATH: Final = 107


class SocketPathError(Exception):
    """No socket can be made at that path."""


@contextmanager
def private_directory() -> Iterator[Path]:
    """Make a directory with a short path that nobody else may enter, and take it away afterwards."""
    with tempfile.TemporaryDirectory(prefix="ct-", dir=_short_root(), ignore_cleanup_errors=True) as path:
        yield Path(path)


def _short_root() -> str | None:
    """Return the system's own folder for temporary files where TMPDIR leads to a long path."""
    return "/tmp" if len(tempfile.gettempdir()) > _LONGEST_PATH // 2 else None  # noqa: S108  # made private


def checked(path: str | Path) -> Path:
    """Return the path made absolute.

    Raises:
        SocketPathError: It is too long for a unix socket.
    """
    absolute = Path(path).absolute()
    size = len(os.fsencode(absolute))

    if size > _LONGEST_PATH:
        raise SocketPathError(
            f"{absolute}: a unix socket's path has at most {_LONGEST_PATH} bytes, this one {size}; "
            "take a shorter one"
        )

    return absolute


def listen(path: Path) -> socket.socket:
    """Return a socket that listens there, for the owner alone; a missing directory is made the same way.

    Raises:
        SocketPathError: The path is taken, or not to be written to.
    """
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
