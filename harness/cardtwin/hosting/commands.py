"""What a server of cards can be told, whichever way the words go."""

from __future__ import annotations

import os
import socket
import threading
from abc import ABC, abstractmethod
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self, cast

from cardtwin.hosting.errors import CommandRefusedError, HostLostError, NoServerError, ProtocolError
from cardtwin.hosting.messages import Channel
from cardtwin.sockets import Peer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cardtwin.hosting.messages import Message
    from cardtwin.hosting.request import CardRequest

__all__ = ["CONTROL_VARIABLE", "Commands", "Control", "Inserted"]

CONTROL_VARIABLE: Final = "CARDTWIN_CONTROL"
"""The environment variable that names the control socket."""

_PATIENCE: Final = 60.0
"""Seconds that an answer may take."""


@dataclass(frozen=True, slots=True)
class Inserted:
    """A card that was put into a reader.

    Attributes:
        card: What it is called.
        pins: Of a new card, the PINs and PUKs that its profile has put on it.
        warnings: Of a new card, what was noticed in its files.
    """

    card: str
    pins: Mapping[str, str] = field(default_factory=dict, repr=False)
    warnings: tuple[str, ...] = ()


class Commands(ABC):
    """Cards and their readers, from another process.

    `reader` is the reader's name, which need not be said where there is one only. Each method raises
    CommandRefusedError where the server says no, HostLostError where it is gone, and ProtocolError where it
    is of another version.
    """

    @abstractmethod
    def call(self, command: str, **arguments: object) -> Any:
        """Let the server carry out a command, and return its result."""

    def insert(self, card: str | CardRequest | None = None, *, reader: str | None = None) -> Inserted:
        """Put a card into a reader.

        Args:
            card: The name of one of the server's cards, or a new card, which is called as its reader, with a
                number where that is taken. None means the card that was in the reader, or the only one that
                is in none.
            reader: The reader.
        """
        __tracebackhide__ = True  # pytest shows arguments, and PINs may be among them

        if isinstance(card, str) or card is None:
            told = self.call("insert", reader=reader, card=card)
        else:
            told = self.call("insert", reader=reader, new=asdict(card.located(Path.cwd())))

        return Inserted(told["card"], told["pins"], tuple(told["warnings"]))

    def remove(self, *, reader: str | None = None) -> None:
        """Take the card out of the reader."""
        self.call("remove", reader=reader)

    def reset(self, *, reader: str | None = None) -> None:
        """Reset the card."""
        self.call("reset", reader=reader)

    def power_on(self, *, reader: str | None = None) -> None:
        """Power the card."""
        self.call("power-on", reader=reader)

    def power_off(self, *, reader: str | None = None) -> None:
        """Take the card's power away. A program that connects gives it back."""
        self.call("power-off", reader=reader)

    def arm(self, fault: str, *, reader: str | None = None) -> None:
        """Let something go wrong with the card, such as ``do=mute at=002A``; commands count from now on."""
        self.call("arm", reader=reader, fault=fault)

    def disarm(self, *, reader: str | None = None) -> None:
        """Let nothing go wrong with the card any more; a silent one answers again after a reset."""
        self.call("disarm", reader=reader)

    def add_reader(self, reader: str, *, pinpad: bool = False) -> None:
        """Attach an empty reader, maybe one with a PIN pad."""
        self.call("add-reader", reader=reader, pinpad=pinpad)

    def remove_reader(self, reader: str) -> None:
        """Take a reader away. The card in it is in no reader then."""
        self.call("remove-reader", reader=reader)

    def enter(self, *entries: str, reader: str | None = None) -> None:
        """Enter something at the reader's PIN pad when it is next asked for: one thing for each prompt.

        A program that waits for it goes on; otherwise it is kept until one asks.

        Args:
            entries: The digits of a PIN; ``cancel``; or ``timeout``, where nothing is entered.
            reader: The reader.
        """
        __tracebackhide__ = True  # pytest shows arguments, and PINs may be among them
        self.call("enter", reader=reader, entries=list(entries))

    def status(self) -> Mapping[str, Any]:
        """Return what is in the readers: see docs/running-programs.md. It shows no secret."""
        return cast("Mapping[str, Any]", self.call("status"))

    def snapshot(self, path: str | os.PathLike[str], *, reader: str | None = None) -> None:
        """Save the card's memory to a file. PINs and keys are in it, so only its owner may read it."""
        self.call("snapshot", reader=reader, path=os.fspath(Path(path).absolute()))

    def load(self, path: str | os.PathLike[str], *, reader: str | None = None) -> None:
        """Make a saved memory that of the card; whoever uses the card sees a reset."""
        self.call("load", reader=reader, path=os.fspath(Path(path).absolute()))

    def server_environment(self) -> Mapping[str, str]:
        """Return the environment variables that lead programs to the readers."""
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
        __tracebackhide__ = True  # pytest shows arguments, and PINs may be among them
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
        __tracebackhide__ = True  # pytest shows arguments, and PINs may be among them

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
