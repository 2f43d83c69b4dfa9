"""One scenario at a time per reader: a file for each, locked while a bench uses the reader."""

from __future__ import annotations

import fcntl
import hashlib
import os
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from cardtwin.targets.errors import TargetError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["FOLDER_VARIABLE", "PATIENCE", "held"]

FOLDER_VARIABLE: Final = "CARDTWIN_LOCKS"
"""The variable of the environment that names the folder of the files."""

PATIENCE: Final = 60.0
"""Seconds to wait for who has the reader."""

_FOLDER: Final = "/run/lock"
_ELSEWHERE: Final = "/tmp"  # noqa: S108  # what all users share; TMPDIR may be one's own
_AGAIN: Final = 0.1
_EVERYBODY: Final = 0o666


@contextmanager
def held(reader: str, patience: float = PATIENCE) -> Iterator[None]:
    """Have a reader alone among all benches of this machine.

    A lock ends with its process, however that ends; the file stays and is nobody's then.

    Args:
        reader: What the PC/SC service calls it.
        patience: Seconds to wait for who has it.

    Raises:
        TargetError: It is still taken then, or there is no place for the file.
    """
    path = _path(reader)

    try:
        descriptor = _opened(path)
    except OSError as error:
        raise TargetError(f"{path}: the reader can't be locked: {error.strerror}") from None

    try:
        _lock(descriptor, reader, patience)
        os.truncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(descriptor)


def _path(reader: str) -> Path:
    folder = os.environ.get(FOLDER_VARIABLE)
    folder = folder or next((each for each in (_FOLDER, _ELSEWHERE) if os.access(each, os.W_OK)), _ELSEWHERE)
    return Path(folder, f"cardtwin-reader-{hashlib.sha256(reader.encode()).hexdigest()[:16]}")


def _opened(path: Path) -> int:
    """Return a descriptor of the file, which another user may have made."""
    flags = os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC

    with suppress(FileNotFoundError):
        return os.open(path, flags)

    try:
        descriptor = os.open(path, flags | os.O_CREAT | os.O_EXCL, _EVERYBODY)
    except FileExistsError:
        return os.open(path, flags)

    os.fchmod(descriptor, _EVERYBODY)
    return descriptor


def _lock(descriptor: int, reader: str, patience: float) -> None:
    end = time.monotonic() + patience

    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > end:
                who = os.pread(descriptor, 20, 0).decode("ascii", "replace").strip() or "unknown"
                raise TargetError(f"another scenario uses the reader {reader!r}: process {who}") from None
        else:
            return

        time.sleep(_AGAIN)
