"""A bench with its sockets, and those who tell it what to do."""

from __future__ import annotations

import threading
import time
from contextlib import ExitStack, suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from cardtwin.card import ImageError
from cardtwin.cryptoki.errors import LibraryMissingError
from cardtwin.cryptoki.native import library_path
from cardtwin.events import Defect, Event, Hub
from cardtwin.hosting.actions import ACTIONS, STOP
from cardtwin.hosting.commands import CONTROL_VARIABLE
from cardtwin.hosting.errors import CardRefusedError, CommandRefusedError, HostingError, ProtocolError
from cardtwin.hosting.messages import Channel
from cardtwin.hosting.preparation import CARD, Preparation, refusals
from cardtwin.hosting.token import TokenMaker
from cardtwin.pcsc import PcscError
from cardtwin.sockets import SocketPathError, SocketServer, private_directory
from cardtwin.targets import TargetError
from cardtwin.targets.emulated import EmulatedBench
from cardtwin.targets.outlets import Outlets
from cardtwin.targets.pcscd import PcscdDesk, address
from cardtwin.trace import Recorder

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Mapping

    from cardtwin.cryptoki.calls import Client
    from cardtwin.hosting.messages import Message
    from cardtwin.hosting.request import CardRequest
    from cardtwin.pcsc import ReaderState
    from cardtwin.plan import Secret
    from cardtwin.sockets import Peer
    from cardtwin.targets import CardSetup, Desk

__all__ = ["LIBRARY_VARIABLE", "Host"]

LIBRARY_VARIABLE: Final = "CARDTWIN_MODULE"
"""The environment variable that names the PKCS#11 library, for command lines."""

PATIENCE: Final = 10.0
"""Seconds that vpcd has to ask for the card."""

_REFUSALS: Final = (CommandRefusedError, ImageError, PcscError, TargetError)


class Host:
    """Serves one card in one reader.

    Args:
        request: The card.
        stop: Called when somebody wants it to end; may be called in any thread, and more than once.

    Attributes:
        request: The card.
        bench: Where it is.
        model: What card it is.
        desk: Hands and eyes at the reader that the card is in.
        reader: The reader.
        environment: The environment variables that lead programs here.
    """

    bench: EmulatedBench
    model: str
    desk: Desk
    reader: str
    environment: Mapping[str, str]

    def __init__(self, request: CardRequest, stop: Callable[[], object]) -> None:
        self.request = request
        self._stop = stop
        self._hub = Hub()
        self._problems: list[str] = []
        self._turn = threading.Lock()
        self._stack = ExitStack()
        self._outlets: Outlets | None = None
        self._hub.subscribe(self._note)

    def open(self) -> Message:
        """Set all up, and return what the starter wants to know.

        Raises:
            CardRefusedError: It cannot be set up.
        """
        preparation = Preparation(self.request)
        setup = preparation.setup()

        with ExitStack() as stack:
            card = setup.cards[CARD]
            self.model = card.model
            harmless = replace(setup, cards={CARD: replace(card, real_speed=False, faults=())})

            with refusals():
                self.bench = stack.enter_context(
                    EmulatedBench(harmless, self._hub, sleep=time.sleep, patient=True)
                )

            maker = TokenMaker(self.request, self.model, self.bench)
            pins = maker.make()
            # Programs find the card as it comes out of a pocket.
            self.bench.desk.remove(self.request.reader)

            with refusals():
                if self.request.pcscd is None:
                    self._put_in(card)
                else:
                    self._put_into_pcscd(card, self.request.pcscd, stack)

            self._record(stack)
            library, missing = _library()
            self.environment = {**self._open_outlets(stack, library), **self._control(stack)}
            self._stack = stack.pop_all()

        return {
            "environment": self.environment,
            "reader": self.reader,
            "library": library,
            "pins": _revealed(pins),
            "warnings": [*preparation.warnings, *maker.warnings, *missing],
        }

    @property
    def clients(self) -> tuple[Client, ...]:
        """The programs that have called C_Initialize, and not yet C_Finalize."""
        return self._outlets.clients if self._outlets is not None else ()

    @property
    def reader_state(self) -> ReaderState | None:
        """What programs see of the reader; None of one in pcscd."""
        return self.bench.manager.state(self.reader) if self.request.pcscd is None else None

    def _put_in(self, card: CardSetup) -> None:
        """Put the card, as it is to be, into our own reader."""
        desk = self.bench.desk
        self.desk, self.reader = desk, self.request.reader
        desk.wrap(CARD, self.bench.contacts(CARD, card, lambda: desk.take_out(CARD)))
        desk.insert(self.reader, CARD)

    def _put_into_pcscd(self, card: CardSetup, where: str, stack: ExitStack) -> None:
        """Put the card into a slot of vpcd, and see that pcscd asks for it."""
        host, port = address(where)
        self.reader = f"vpcd {host}:{port}"
        desk = PcscdDesk(self.bench.card(CARD), self.reader, host, port, self._hub)
        self.desk = stack.enter_context(desk)
        desk.wrap(self.bench.contacts(CARD, card, desk.take_out))
        desk.begin(PATIENCE)

    def _open_outlets(self, stack: ExitStack, library: str | None) -> Mapping[str, str]:
        """Open the sockets for programs, and return the environment variables that lead to them.

        A card in pcscd has none: programs find it as they find any card.
        """
        if self.request.pcscd is not None:
            return {}

        self._outlets = stack.enter_context(Outlets(self.bench, program=self.request.program))
        module = {} if library is None else {LIBRARY_VARIABLE: library}
        return {**self._outlets.environment, **module}

    def close(self) -> Message:
        """Take all down, and return the last message."""
        try:
            self._stack.close()
        except OSError as error:
            self._problems.append(f"the trace is not whole: {error.filename}: {error.strerror}")

        return {"stopped": {"problems": self._problems}}

    def serve(self, channel: Channel) -> None:
        """Answer requests until the other end is gone."""
        with suppress(HostingError):
            while True:
                try:
                    request = channel.receive()
                except ProtocolError as error:
                    channel.send({"error": str(error)})
                    return

                channel.send(self._answer(request))

                if request.get("command") == STOP:
                    self._stop()

    def note_failed_thread(self, failed: threading.ExceptHookArgs) -> None:
        """Take note of a thread that ended by an exception."""
        error = failed.exc_value or failed.exc_type()
        self._hub.emit(Defect.of("a thread of the server", error))

    def _answer(self, request: Message) -> Message:
        name = request.get("command")
        action = ACTIONS.get(name) if isinstance(name, str) else None

        if action is None:
            return {"error": f"there is no command {name!r}: there are {', '.join(ACTIONS)}"}

        try:
            with self._turn:
                return {"result": action(self, request)}
        except OSError as error:
            return {"error": f"{request.get('path')}: {error.strerror}"}
        except _REFUSALS as error:
            return {"error": str(error)}
        except Exception as error:  # noqa: BLE001  # whoever asked gets an answer; the bug is told at the end
            self._hub.emit(Defect.of(f"command {name}", error))
            return {"error": f"{name} failed by a bug of cardtwin"}

    def _note(self, event: Event) -> None:
        if isinstance(event, Defect):
            bug = f"a bug of cardtwin showed, please report it: {event.where}\n{event.detail}"
            self._problems.append(bug)

    def _record(self, stack: ExitStack) -> None:
        """Record from here on: what put a token on the card was no program's doing."""
        if self.request.trace is None:
            return

        path, recorder = Path(self.request.trace), Recorder()

        with refusals():
            path.write_text("", encoding="utf-8")  # a file that can't be written is told now, not at the end

        stack.callback(lambda: path.write_text(recorder.text(self.model), encoding="utf-8"))
        stack.callback(self._hub.subscribe(recorder))

    def _control(self, stack: ExitStack) -> Mapping[str, str]:
        """Open the control socket, and return the environment variable that leads to it."""
        path = self.request.control or stack.enter_context(private_directory()) / "control"

        try:
            server = stack.enter_context(SocketServer(path, self._serve_connection))
        except SocketPathError as error:
            raise CardRefusedError(str(error)) from None

        return {CONTROL_VARIABLE: str(server.path)}

    def _serve_connection(self, connection: socket.socket, _: Peer) -> None:
        with Channel(connection) as channel:
            self.serve(channel)


def _library() -> tuple[str | None, list[str]]:
    """Return where the library is; or None, and why."""
    try:
        return str(library_path()), []
    except LibraryMissingError as error:
        return None, [f"{LIBRARY_VARIABLE} is not set: {error}"]


def _revealed(pins: Mapping[str, Secret]) -> dict[str, str]:
    """Return PINs for the message to the starter, which is the only one who is told."""
    return {name: pin.reveal().decode(errors="surrogateescape") for name, pin in pins.items()}
