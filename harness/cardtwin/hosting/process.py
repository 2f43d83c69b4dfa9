"""The cards' process: it serves until it is told to end, or whoever started it is gone."""

from __future__ import annotations

import os
import select
import shutil
import signal
import socket
import tempfile
import threading
from contextlib import suppress
from typing import TYPE_CHECKING

from cardtwin.events import Defect
from cardtwin.hosting.errors import CardRefusedError, HostingError
from cardtwin.hosting.host import Host
from cardtwin.hosting.messages import Channel
from cardtwin.hosting.request import HostRequest

if TYPE_CHECKING:
    from cardtwin.hosting.messages import Message

__all__ = ["main"]


class _End:
    """The end of the process: wanted by somebody, or brought about by the end of another process.

    Args:
        parent: That process.
    """

    def __init__(self, parent: int) -> None:
        self._reader, self._writer = os.pipe()
        self._awaited = [self._reader]

        # Older kernels don't have it: then the end of the channel has to do.
        with suppress(OSError):
            self._awaited.append(os.pidfd_open(parent))

        if os.getppid() != parent:
            self.bring()

    def bring(self) -> None:
        """Want it. May be called in any thread, and in a signal's handler."""
        os.write(self._writer, b".")

    def wait(self) -> None:
        """Wait for it."""
        poll = select.poll()

        for descriptor in self._awaited:
            poll.register(descriptor, select.POLLIN)

        poll.poll()


def main() -> None:
    """Serve the cards that are asked for by the first message on the socket that is standard input."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    connection = socket.socket(fileno=os.dup(0))

    with Channel(connection) as channel, suppress(HostingError):
        first = channel.receive()
        tempfile.tempdir = first["folder"]

        try:
            _serve(channel, HostRequest.from_message(first["request"]), _End(first["parent"]))
        finally:
            shutil.rmtree(first["folder"], ignore_errors=True)  # its maker may be gone


def _serve(channel: Channel, request: HostRequest, end: _End) -> None:
    host = Host(request, end.bring)
    threading.excepthook = host.note_failed_thread
    signal.signal(signal.SIGTERM, lambda *_: end.bring())
    ready = _opened(host)

    if "refused" in ready:
        channel.send(ready)
        return

    try:
        channel.send(ready)
        _be_silent()
        threading.Thread(target=_serve_starter, args=(host, channel, end), daemon=True).start()
        end.wait()
    finally:
        ending = host.close()

    channel.send(ending)


def _opened(host: Host) -> Message:
    """Return the message that the cards are ready, or why it will not be."""
    try:
        return {"ready": host.open()}
    except CardRefusedError as error:
        return {"refused": str(error)}
    except Exception as error:  # noqa: BLE001  # its text may hold a secret: where it was has to do
        return {"refused": f"a bug of cardtwin showed, please report it:\n{Defect.of('', error).detail}"}


def _serve_starter(host: Host, channel: Channel, end: _End) -> None:
    host.serve(channel)
    end.bring()


def _be_silent() -> None:
    """Let go of what belongs to the starter, from here on all is told by messages."""
    null = os.open(os.devnull, os.O_RDWR)

    for descriptor in (0, 2):
        os.dup2(null, descriptor)

    os.close(null)
