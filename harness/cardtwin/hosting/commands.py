"""What a server of a card can be told, whichever way the words go."""

from __future__ import annotations

import os
import socket
import threading
from abc import ABC, abstractmethod
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self, cast

from cardtwin.hosting.errors import CommandRefusedError, HostLostError, NoServerError, ProtocolError
from cardtwin.hosting.messages import Channel
from cardtwin.sockets import Peer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cardtwin.hosting.messages import Message

__all__ = ["CONTROL_VARIABLE", "Commands", "Control"]

CONTROL_VARIABLE: Final = "CARDTWIN_CONTROL"
"""The environment variable that names the control socket."""

_PATIENCE: Final = 60.0
"""Seconds that an answer may take."""


class Commands(ABC):
    """The card and its reader, from another process.

    Each method raises CommandRefusedError where the server says no, HostLostError where it is gone, and
    ProtocolError where it is of another version.
    """

    @abstractmethod
    def call(self, command: str, **arguments: object) -> Any:
        """Let the server carry out a command, and return its result."""

    def insert(self) -> None:
        """Put the card into the reader."""
        self.call("insert")

    def remove(self) -> None:
        """Take the card out of the reader."""
        self.call("remove")

    def reset(self) -> None:
        """Reset the card."""
        self.call("reset")

    def power_on(self) -> None:
        """Power the card."""
        self.call("power-on")

    def power_off(self) -> None:
        """Take the card's power away. A program that connects gives it back."""
        self.call("power-off")

    def enter(self, *entries: str) -> None:
        """Enter something at the reader's PIN pad when it is next asked for: one thing for each prompt.

        A program that waits for it goes on; otherwise it is kept until one asks.

        Args:
            entries: The digits of a PIN; ``cancel``; or ``timeout``, where nothing is entered.
        """
        self.call("enter", entries=list(entries))

    def status(self) -> Mapping[str, Any]:
        """Return what is in the reader: see docs/running-programs.md. It shows no secret."""
        return cast("Mapping[str, Any]", self.call("status"))

    def snapshot(self, path: str | os.PathLike[str]) -> None:
        """Save the card's memory to a file. PINs and keys are in it, so only its owner may read it."""
        self.call("snapshot", path=os.fspath(Path(path).absolute()))

    def load(self, path: str | os.PathLike[str]) -> None:
        """Make a saved memory that of the card; whoever uses the card sees a reset."""
        self.call("load", path=os.fspath(Path(path).absolute()))

    def server_environment(self) -> Mapping[str, str]:
        """Return the environment variables that lead programs to the card."""
        return cast("Mapping[str, str]", self.call("environment"))


class Control(Commands):
    """A connection to the control socket of a server that somebody else has started.

    Args:
        path: Where the socket is.

    Raises:
        NoServerError: Nobody listens there, or another user's program does.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)

        try:
            connection.connect(os.fspath(path))
        except OSError as error:
            connection.close()
            reason = error.strerror or "the path is too long for a socket"
            raise NoServerError(
                f"no server listens at {os.fspath(path)}: {reason}; `cardtwin serve` starts one"
            ) from None

        if not Peer.of(connection).is_own:
            connection.close()
            raise NoServerError(f"the server at {os.fspath(path)} is another user's, and is told nothing")

        self._conversation = Conversation(Channel(connection))

    def call(self, command: str, **arguments: object) -> Any:
        """Let the server carry out a command, and return its result."""
        return self._conversation.call(command, **arguments)

    def stop(self) -> None:
        """End the server."""
        self.call("stop")

    def close(self) -> None:
        """Close the connection; the server goes on."""
        self._conversation.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Conversation:
    """Requests and their answers, one after the other, also where several threads have something to say."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._turn = threading.Lock()
        self.ending: Message | None = None

    def call(self, command: str, **arguments: object) -> Any:
        """Send a command, and return its result; errors as in :class:`Commands`."""
        with self._turn:
            if self.ending is not None:
                raise HostLostError("the server has been stopped")

            self._channel.send({"command": command, **arguments})
            answer = self.receive(_PATIENCE)

        if self.ending is not None:
            raise HostLostError("the server has been stopped")

        if (reason := answer.get("error")) is not None:
            raise CommandRefusedError(str(reason))

        if "result" not in answer:
            raise ProtocolError("what came is no answer")

        return answer["result"]

    def receive(self, timeout: float | None = None) -> Message:
        """Return the next message, and keep the last one as `ending`."""
        message = self._channel.receive(timeout)

        if "stopped" in message:
            self.ending = message

        return message

    def send(self, message: Message) -> None:
        """Send a message that is no command."""
        self._channel.send(message)

    def is_readable(self, timeout: float | None) -> bool:
        """Wait for a message or the end of the connection; tell whether either came in time."""
        return self._channel.is_readable(timeout)

    def close(self) -> None:
        """Close the connection."""
        self._channel.close()
