"""Cards in a process of their own, from the side of whoever starts it."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, Self

from cardtwin.hosting.commands import Commands, Conversation
from cardtwin.hosting.errors import CardRefusedError, HostingError, HostLostError, UncleanEndError
from cardtwin.hosting.messages import Channel
from cardtwin.sockets import private_directory
from cardtwin.targets.processes import fresh_python

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from types import TracebackType

    from cardtwin.hosting.commands import Inserted
    from cardtwin.hosting.messages import Message
    from cardtwin.hosting.request import CardRequest, HostRequest
    from cardtwin.plan import Secret

__all__ = ["HostedCards"]

_PROGRAM: Final = "cardtwin.hosting.process"
_FAREWELL: Final = 30.0
"""Seconds that the process gets to end before it is killed."""


class HostedCards(Commands):
    """Cards in readers, with the middleware above them, in a process of their own.

    The process ends with :meth:`close`, with the block, or with the process that started it, however that
    ends. Nothing it has made is left.

    Attributes:
        environment: The environment variables that lead a program to the readers.
        readers: The card in each reader at first, by the readers' names; None where there was none. One in
            pcscd, which names its readers itself, is called as it was in the request, or where it is.
        warnings: What was noticed in the files that were given, and stopped nothing.

    Raises:
        CardRefusedError: What is asked for cannot be set up.
        HostLostError: The process ended before all was ready.
    """

    def __init__(self, request: HostRequest) -> None:
        request.check()
        self._closed = False

        with ExitStack() as stack:
            folder = stack.enter_context(private_directory())
            connection, theirs = socket.socketpair()
            self._conversation = Conversation(Channel(connection))
            stack.callback(self._conversation.close)

            with theirs:
                self._process = _started(theirs)

            stack.callback(self._bury)
            ready = self._set_up(request, str(folder))
            self._stack = stack.pop_all()

        self.readers: Mapping[str, str | None] = MappingProxyType(ready["readers"])
        self.environment: Mapping[str, str] = MappingProxyType(ready["environment"])
        self.warnings: tuple[str, ...] = tuple(ready["warnings"])
        self._library: str | None = ready["library"]
        self._pins: dict[str, Mapping[str, str]] = ready["pins"]

    @property
    def library(self) -> Path:
        """Where the PKCS#11 library is.

        Raises:
            LibraryMissingError: This installation was made without a C compiler.
        """
        if self._library is not None:
            return Path(self._library)

        from cardtwin.cryptoki.native import library_path  # noqa: PLC0415  # only who asks loads it

        return library_path()

    @property
    def reader(self) -> str:
        """The name of the first reader."""
        return next(iter(self.readers))

    @property
    def cards(self) -> tuple[str, ...]:
        """The names of the cards that have been asked for: those in readers first, in the readers' order."""
        return tuple(self._pins)

    @property
    def pins(self) -> Mapping[str, Secret]:
        """The PINs and PUKs of the first card, as of :meth:`pins_of`."""
        return self.pins_of(None)

    def pins_of(self, card: str | None) -> Mapping[str, Secret]:
        """Return the PINs and PUKs that the profile has put on a card, by its names for them: ``PIN1``, ...

        Those that were drawn at random are among them. There are none without a profile; of a card that was
        kept, there are those that were given.

        Args:
            card: The card's name; None means the first card.

        Raises:
            KeyError: There is no such card.
        """
        from cardtwin.plan import Secret  # noqa: PLC0415  # only who asks loads it

        return {name: Secret.of(text) for name, text in self._pins_of(card).items()}

    def pin(self, name: str = "PIN1", *, card: str | None = None) -> str:
        """Return a PIN or PUK of a card, or of the first one, as the text to be entered.

        Raises:
            KeyError: There is no such card, or its profile has none of that name.
        """
        return self._pins_of(card)[name]

    def _pins_of(self, card: str | None) -> Mapping[str, str]:
        if card is None:
            return next(iter(self._pins.values()), {})

        return self._pins[card]

    def insert(self, card: str | CardRequest | None = None, *, reader: str | None = None) -> Inserted:
        """Put a card into a reader; see :meth:`Commands.insert`. Of a new one, `pin` knows the PINs."""
        __tracebackhide__ = True  # pytest shows arguments, and PINs may be among them
        inserted = super().insert(card, reader=reader)
        self._pins.setdefault(inserted.card, inserted.pins)
        return inserted

    @contextmanager
    def in_environment(self) -> Iterator[Self]:
        """Lead this process to the cards, while the block lasts: for clients that are loaded into it.

        The variables are put into `os.environ`, and what was there before is put back.
        """
        before = {name: os.environ.get(name) for name in self.environment}
        os.environ.update(self.environment)

        try:
            yield self
        finally:
            for name, value in before.items():
                if value is None:
                    os.environ.pop(name, None)
                else:
                    os.environ[name] = value

    @property
    def lost(self) -> bool:
        """Whether the process has ended."""
        return self._process.poll() is not None

    def call(self, command: str, **arguments: object) -> Any:
        """Let the process carry out a command, and return its result."""
        __tracebackhide__ = True  # pytest shows arguments, and PINs may be among them
        return self._conversation.call(command, **arguments)

    def wait(self, seconds: float | None = None) -> None:
        """Wait until somebody stops the server by its control socket, or the time is over.

        Raises:
            HostLostError: The process has ended by itself.
        """
        end = None if seconds is None else time.monotonic() + seconds

        while self._conversation.ending is None:
            left = None if end is None else max(0.0, end - time.monotonic())

            if not self._conversation.is_readable(left):
                return

            self._conversation.receive()

    def close(self) -> None:
        """Take all down; a second call does nothing.

        Raises:
            UncleanEndError: A bug of cardtwin showed meanwhile, or the trace could not be written.
            HostLostError: The process had ended by itself.
        """
        if self._closed:
            return

        self._closed = True

        with self._stack.pop_all():
            ending = self._ended()

        if problems := ending["stopped"]["problems"]:
            raise UncleanEndError("\n".join(problems))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _set_up(self, request: HostRequest, folder: str) -> Message:
        conversation = self._conversation

        try:
            conversation.send({"parent": os.getpid(), "folder": folder, "request": request.to_message()})
            answer = conversation.receive()
        except HostLostError:
            words = self._last_words()
            raise HostLostError(f"the card's process ended before the card was ready{words}") from None

        if (reason := answer.get("refused")) is not None:
            raise CardRefusedError(str(reason))

        ready: Message = answer["ready"]
        return ready

    def _last_words(self) -> str:
        assert self._process.stderr is not None
        text = self._process.stderr.read().decode(errors="replace").strip()
        return f":\n{text}" if text else ""

    def _ended(self) -> Message:
        """Ask for the end, and return the last message."""
        with suppress(HostingError):
            self._conversation.call("stop")

        try:
            while self._conversation.ending is None:
                self._conversation.receive(_FAREWELL)
        except HostLostError as error:
            raise HostLostError(f"the card's process has not ended as it should: {error}") from None

        return self._conversation.ending

    def _bury(self) -> None:
        self._conversation.close()

        try:
            self._process.wait(_FAREWELL)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

        assert self._process.stderr is not None
        self._process.stderr.close()


def _started(connection: socket.socket) -> subprocess.Popen[bytes]:
    """Start the process, out of the terminal's reach: an interrupt there is the starter's business."""
    return subprocess.Popen(  # noqa: S603  # this very interpreter, with a program of our own
        fresh_python(_PROGRAM),
        stdin=connection.fileno(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
