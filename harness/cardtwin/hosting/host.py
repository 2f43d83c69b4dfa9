"""Readers and cards with their sockets, and those who tell what to do with them."""

from __future__ import annotations

import itertools
import threading
from contextlib import ExitStack, contextmanager, nullcontext, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from cardtwin.card import ImageError, models
from cardtwin.cryptoki.errors import LibraryMissingError
from cardtwin.cryptoki.native import library_path
from cardtwin.events import Defect, Event, Hub
from cardtwin.hosting.actions import ACTIONS, STOP
from cardtwin.hosting.commands import CONTROL_VARIABLE
from cardtwin.hosting.errors import CardRefusedError, CommandRefusedError, HostingError, ProtocolError
from cardtwin.hosting.messages import Channel
from cardtwin.hosting.preparation import Preparation, planned, refusals
from cardtwin.hosting.request import DEFAULT_READER, CardRequest
from cardtwin.hosting.workshop import Made, Workshop
from cardtwin.pcsc import PcscError
from cardtwin.plan import Secret
from cardtwin.readers import ReaderError
from cardtwin.sockets import SocketPathError, SocketServer, private_directory
from cardtwin.targets import TargetError
from cardtwin.targets.clock import pass_time
from cardtwin.targets.emulated import EmulatedBench
from cardtwin.targets.outlets import Outlets
from cardtwin.targets.pcscd import PcscdDesk, address
from cardtwin.trace import TraceWriter

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from cardtwin.card import CardImage
    from cardtwin.cryptoki.calls import Client
    from cardtwin.hosting.messages import Message
    from cardtwin.hosting.preparation import CardPlan
    from cardtwin.hosting.request import HostRequest
    from cardtwin.sockets import Peer
    from cardtwin.targets.desk import CardDesk

__all__ = ["LIBRARY_VARIABLE", "Host"]

LIBRARY_VARIABLE: Final = "CARDTWIN_MODULE"
"""The environment variable that names the PKCS#11 library, for command lines."""

PATIENCE: Final = 10.0
"""Seconds that vpcd has to ask for the card."""

_REFUSALS: Final = (
    CardRefusedError,
    CommandRefusedError,
    ImageError,
    PcscError,
    ReaderError,
    TargetError,
)


class Host:
    """Serves cards in readers.

    Args:
        request: The readers and the cards.
        stop: Called when somebody wants it to end; may be called in any thread, and more than once.

    Attributes:
        request: The readers and the cards.
        bench: Where the cards are made, and where the readers are unless pcscd has them.
        desk: Hands and eyes at the readers.
        hub: Told what happens.
        environment: The environment variables that lead programs here.
    """

    bench: EmulatedBench
    desk: CardDesk
    environment: Mapping[str, str]

    def __init__(self, request: HostRequest, stop: Callable[[], object]) -> None:
        self.request = request
        self._stop = stop
        self.hub = Hub()
        self._problems: list[str] = []
        self._turn = threading.Lock()
        self._stack = ExitStack()
        self._outlets: Outlets | None = None
        self.hub.subscribe(self._note)

    def open(self) -> Message:
        """Set all up, and return what the starter wants to know.

        Raises:
            CardRefusedError: It cannot be set up.
        """
        preparation = Preparation(self.request)
        setup = preparation.setup()
        plans = self._plans()

        with ExitStack() as stack:
            with refusals():
                self.bench = stack.enter_context(
                    EmulatedBench(setup, self.hub, sleep=pass_time, failed=self._note_problem, patient=True)
                )
                self.desk = self._opened_desk(stack)

            self._workshop = Workshop(setup, self._workshop_hub())
            made = self._made(plans)
            self._record(stack)

            with refusals():
                readers = self._put_in()

            library, missing = _library()
            self.environment = {**self._open_outlets(stack, library), **self._control(stack)}
            self._stack = stack.pop_all()

        warnings = [warning for each in made.values() for warning in each.warnings]
        return {
            "environment": self.environment,
            "readers": readers,
            "library": library,
            "pins": {name: _revealed(each.pins) for name, each in made.items()},
            "warnings": [*preparation.warnings, *warnings, *missing],
        }

    @property
    def clients(self) -> tuple[Client, ...]:
        """The programs that have called C_Initialize, and not yet C_Finalize."""
        return self._outlets.clients if self._outlets is not None else ()

    def insert_new(self, reader: str, request: CardRequest) -> Message:
        """Make a card and put it into a reader; return what there is to tell of it.

        Raises:
            CardRefusedError: There can be no such card.
            CommandRefusedError: The reader isn't there, or holds a card.
        """
        self.desk.check_empty(reader)
        self._check_known(request)
        plan = planned(self._free_name(reader), request)
        made = self._add(plan)
        self.desk.insert(reader, plan.name)
        return {"card": plan.name, "pins": _revealed(made.pins), "warnings": list(made.warnings)}

    def _check_known(self, request: CardRequest) -> None:
        """See that what is nothing but a name is a model's: it may be a card's, misspelt."""
        if request == CardRequest(model=request.model) and request.model not in (None, *models.names()):
            here = ", ".join(card.name for card in self.desk.cards) or "none"
            known = ", ".join(models.names())
            raise CardRefusedError(
                f"{request.model!r} is neither a card here ({here}) nor a card model ({known})"
            )

    def _free_name(self, reader: str) -> str:
        """Return what a new card is called: as its reader, or with a number behind it."""
        taken = {card.name for card in self.desk.cards}
        numbered = (f"{reader} {number}" for number in itertools.count(2))
        return next(name for name in itertools.chain((reader,), numbered) if name not in taken)

    def _plans(self) -> list[CardPlan]:
        """Look at all cards that are asked for, before any is made."""
        plans = []

        for name, request in self.request.cards.items():
            with self._blaming(name):
                plans.append(planned(name, request))

        return plans

    def _made(self, plans: Iterable[CardPlan]) -> Mapping[str, Made]:
        made = {}

        for plan in plans:
            with self._blaming(plan.name):
                made[plan.name] = self._add(plan)

        return made

    @contextmanager
    def _blaming(self, card: str) -> Iterator[None]:
        """Let what is refused in the block be told as this card's, where there are several."""
        try:
            yield
        except CardRefusedError as error:
            raise self.request.blamed(card, error) from None

    def _add(self, plan: CardPlan) -> Made:
        """Make a card and put it on the desk. One that was kept goes on with what it has."""
        made = Made(plan.start, {name: Secret.of(text) for name, text in plan.request.secrets.items()})

        def make() -> CardImage:
            nonlocal made
            made = self._workshop.make(plan)
            return made.image

        with refusals():
            self.desk.add_card(self.bench.make_card(plan.name, plan.setup, make))

        return made

    def _opened_desk(self, stack: ExitStack) -> CardDesk:
        if self.request.pcscd is None:
            return self.bench.desk

        host, port = address(self.request.pcscd)
        return stack.enter_context(PcscdDesk(host, port, self.hub))

    def _put_in(self) -> Mapping[str, str | None]:
        """Put the cards into their readers, and return what is in each reader."""
        places = {self._reader_name(reader): card for reader, card in self.request.readers.items()}

        self.desk.place(places, self.request.pinpads)

        if isinstance(self.desk, PcscdDesk):
            for reader in places:
                self.desk.begin(reader, PATIENCE)

        return places

    def _reader_name(self, reader: str) -> str:
        """Return what a reader is called; pcscd names its readers itself, and others here are its slots."""
        if self.request.pcscd is None or reader != DEFAULT_READER:
            return reader

        host, port = address(self.request.pcscd)
        return f"vpcd {host}:{port}"

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
        with ExitStack() as hurry:
            for card in self.desk.cards:
                hurry.enter_context(card.hurried())

            self._stack.close()

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
        self.hub.emit(Defect.of("a thread of the server", error))

    def _answer(self, request: Message) -> Message:
        name = request.get("command")
        action = ACTIONS.get(name) if isinstance(name, str) else None

        if action is None:
            return {"error": f"there is no command {name!r}: there are {', '.join(ACTIONS)}"}

        try:
            # The end waits for nobody: who has the turn may wait for a card.
            with nullcontext() if name == STOP else self._turn:
                return {"result": action(self, request)}
        except OSError as error:
            return {"error": f"{request.get('path')}: {error.strerror}"}
        except _REFUSALS as error:
            return {"error": str(error)}
        except Exception as error:  # noqa: BLE001  # whoever asked gets an answer; the bug is told at the end
            self.hub.emit(Defect.of(f"command {name}", error))
            return {"error": f"{name} failed by a bug of cardtwin"}

    def _note(self, event: Event) -> None:
        if isinstance(event, Defect):
            self._note_problem(f"a bug of cardtwin showed, please report it: {event.where}\n{event.detail}")

    def _note_problem(self, problem: str) -> None:
        if problem not in self._problems:
            self._problems.append(problem)

    def _workshop_hub(self) -> Hub:
        """Return who is told what happens while cards are made: of bugs alone."""
        hub = Hub()
        hub.subscribe(self._note)
        return hub

    def _record(self, stack: ExitStack) -> None:
        """Record from here on, insertions first: what put a token on the cards was no program's doing."""
        if self.request.trace is None:
            return

        with refusals():
            stream = Path(self.request.trace).open("w", encoding="utf-8")  # noqa: SIM115  # the stack closes it
            writer = TraceWriter(stack.enter_context(stream), self._models())

        stack.callback(self._end_trace, writer)
        stack.callback(self.hub.subscribe(writer))

    def _end_trace(self, writer: TraceWriter) -> None:
        if writer.problem is not None:
            why = writer.problem.strerror or "writing failed"
            self._problems.append(f"the trace is not whole: {self.request.trace}: {why}")

    def _models(self) -> str:
        return ", ".join(card.model for card in self.desk.cards)

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
