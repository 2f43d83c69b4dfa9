"""Who is at the other end of a unix socket, as the kernel tells it."""

from __future__ import annotations

import os
import socket
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

__all__ = ["Peer"]

_CREDENTIALS: Final = struct.Struct("=iII")
_DELETED: Final = " (deleted)"


@dataclass(frozen=True, slots=True)
class Peer:
    """The process that connected, as it was then (SO_PEERCRED).

    Attributes:
        pid: Its number; 0 where it belongs to a namespace of processes that isn't ours.
        uid: Its user.
        program: The file name of its executable; empty where that isn't told.
    """

    pid: int
    uid: int
    program: str

    @classmethod
    def of(cls, connection: socket.socket) -> Self:
        """Return who is at the other end of a connected unix socket."""
        told = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
        pid, uid, _ = _CREDENTIALS.unpack(told)
        return cls(pid, uid, _program(pid))

    @property
    def is_own(self) -> bool:
        """Whether it runs as the same user as this process."""
        return self.uid == os.geteuid()

    def __str__(self) -> str:
        return f"client {self.pid} {self.program}".rstrip()


def _program(pid: int) -> str:
    try:
        path = os.readlink(f"/proc/{pid}/exe")
    except OSError:
        return ""

    # Any bytes may stand in a file's name; it goes into texts.
    name = os.fsencode(Path(path.removesuffix(_DELETED)).name)
    return name.decode(errors="backslashreplace")
