"""Messages over a socket: JSON objects, one to a line, each with the version of what they say.

A request has ``command`` and what it needs; the answer has ``result``, or ``error`` with the reason. The
server's last message has ``stopped``.
"""

from __future__ import annotations

import json
import select
from typing import TYPE_CHECKING, Any, Final, Self

from cardtwin.hosting.errors import HostLostError, ProtocolError

if TYPE_CHECKING:
    import socket
    from collections.abc import Mapping
    from types import TracebackType

__all__ = ["VERSION", "Channel", "Message"]

VERSION: Final = 1
_VERSION: Final = "cardtwin"
_LONGEST: Final = 1 << 24

Message = dict[str, Any]


class Channel:
    """One end of a connection. Closing it closes the socket."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._lines = connection.makefile("rb")

    def send(self, message: Mapping[str, object]) -> None:
        """Send a message.

        Raises:
            HostLostError: The other end is gone.
        """
        line = json.dumps({_VERSION: VERSION, **message}).encode() + b"\n"

        try:
            self._connection.sendall(line)
        except OSError:
            raise HostLostError("the other end of the connection is gone") from None

    def receive(self, timeout: float | None = None) -> Message:
        """Return the next message.

        Args:
            timeout: Seconds to wait for it; None waits as long as it takes. Afterwards nothing more can be
                received.

        Raises:
            HostLostError: The other end is gone, or the time is over.
            ProtocolError: It is no message, or one of another version.
        """
        self._connection.settimeout(timeout)

        try:
            line = self._lines.readline(_LONGEST)
        except TimeoutError:
            raise HostLostError(f"no answer for {timeout:g} seconds") from None
        except OSError:
            line = b""

        if not line.endswith(b"\n"):
            raise HostLostError("the other end of the connection is gone")

        return _message(line)

    def is_readable(self, timeout: float | None) -> bool:
        """Wait for a message or the end of the connection; tell whether either came within these seconds."""
        poll = select.poll()
        poll.register(self._connection, select.POLLIN)
        return bool(poll.poll(None if timeout is None else timeout * 1000))

    def close(self) -> None:
        """Close the connection. A second call does nothing."""
        self._lines.close()
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def _message(line: bytes) -> Message:
    try:
        message = json.loads(line)
    except (ValueError, RecursionError):
        message = None

    if not isinstance(message, dict):
        raise ProtocolError("what came is no message of cardtwin")

    if (version := message.pop(_VERSION, None)) != VERSION:
        raise ProtocolError(
            f"the message is of version {version}, and version {VERSION} is understood here: "
            "use the same cardtwin at both ends"
        )

    return message
