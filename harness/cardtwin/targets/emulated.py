"""The emulated target: card, reader and middleware in this process. Nobody else puts the three together."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

from cardtwin.cryptoki.application import Application
from cardtwin.encoding import Engine, MinidriverMiddleware
from cardtwin.entropy import SeededEntropy, SystemEntropy
from cardtwin.middleware import ENCODER_LOG, LogFile, PersonalDesktopClient, parse_certificate
from cardtwin.pcsc import PcscError
from cardtwin.plan.cms import CmsPinBlobCodec
from cardtwin.provenance import Switches
from cardtwin.readers import ReaderManager
from cardtwin.source import Diagnostics
from cardtwin.targets.access import AccessSite
from cardtwin.targets.cardmaker import CardMaker
from cardtwin.targets.certificates import CertificateManager
from cardtwin.targets.clock import Clock
from cardtwin.targets.copies import copied
from cardtwin.targets.desk import EmulatedDesk
from cardtwin.targets.errors import TargetError
from cardtwin.targets.folder import BenchFolder
from cardtwin.targets.installations import client_configuration, installation
from cardtwin.targets.interface import Bench, Capability, CardSetup, Setup
from cardtwin.targets.problems import set_up_problems
from cardtwin.targets.programs import EmulatedProgram, eject

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Sequence
    from collections.abc import Set as AbstractSet
    from datetime import datetime
    from pathlib import Path

    from cryptography.x509 import Certificate

    from cardtwin.card import CardImage
    from cardtwin.encoding import LibraryEntry, TokenMiddleware
    from cardtwin.entropy import Entropy
    from cardtwin.events import Hub
    from cardtwin.middleware import ClientConfiguration, Installation
    from cardtwin.pcsc import CardConnection, Context
    from cardtwin.plan import DecryptionKey
    from cardtwin.targets.cards import BenchCard
    from cardtwin.targets.clock import Sleep
    from cardtwin.targets.desk import CardDesk
    from cardtwin.targets.interface import Program
    from cardtwin.targets.takeover import TakenCard

__all__ = ["EmulatedBench", "EmulatedTarget"]


class EmulatedTarget:
    """Everything in this process."""

    name = "emulated"
    capabilities = frozenset(Capability)

    def problems(self, setup: Setup) -> tuple[tuple[tuple[str, ...], str], ...]:
        """Return card models and quirks that there are not, and what is broken in Personal.cfg."""
        return tuple(set_up_problems(setup))

    def unsupported(self, setup: Setup, needs: AbstractSet[Capability]) -> str:  # noqa: ARG002  # Target's
        """Return nothing: all that the capabilities say can be done."""
        return ""

    def rehearsal(self) -> EmulatedTarget:
        """Return itself: what happens here costs nothing."""
        return self

    def open(self, setup: Setup, hub: Hub) -> EmulatedBench:
        """Put cards into readers, and the middleware above them.

        Raises:
            TargetError: A card's image cannot be read.
        """
        return EmulatedBench(setup, hub)


class EmulatedBench(Bench):
    """Cards, readers and middleware for one scenario.

    Args:
        setup: What is on the desk.
        hub: Who is told what happens.
        sleep: Lets the seconds pass that a slow card takes, fewer where the event comes; None sets the clock
            forward, and nobody waits.
        failed: Told when a card's memory could not be written to its file.
        patient: Whether PIN pads wait for a person who may still come.

    Raises:
        TargetError: A card's image, or the file that its memory is kept in, can't be used.
    """

    def __init__(
        self,
        setup: Setup,
        hub: Hub,
        *,
        sleep: Sleep | None = None,
        failed: Callable[[str], object] | None = None,
        patient: bool = False,
    ) -> None:
        self._setup = setup
        self._hub = hub
        self._switches = Switches(setup.switches)
        self._folder = BenchFolder()
        self._manager = ReaderManager(hub)
        self._contexts: dict[str, Context] = {}
        self._connections: dict[tuple[str, str], CardConnection] = {}
        self._clients: dict[str, PersonalDesktopClient] = {}
        self._programs: dict[str, Program] = {}
        self._clock = Clock(fixed=setup.seed is not None)
        self._patient = patient
        self._looks: list[Callable[[], None]] = []
        self._cards: list[BenchCard] = []
        self._maker = CardMaker(
            folder=self.folder,
            entropy=self._entropy,
            switches=self._switches,
            hub=hub,
            sleep=sleep or self._forward,
            failed=failed,
        )
        self._desk = self.make_desk()

        try:
            self._folder.write(setup.files)

            for name, card in setup.cards.items():
                self._desk.add_card(self.make_card(name, card))

            self._desk.place(setup.readers, setup.pinpads, setup.absent, setup.ejecting)
        except BaseException:
            self.close()
            raise

    def connection(self, process: str, reader: str) -> CardConnection:
        """Return the process's connection to the card in a reader, a shared one, opened where needed."""
        key = (process, reader)
        connection = self._connections.get(key)

        if connection is None or not _alive(connection):
            connection = self._connections[key] = self._context(process).connect(reader)

        return connection

    def client(self, process: str, certificate: str | None = None) -> PersonalDesktopClient:
        """Return the process's Personal Desktop Client.

        Raises:
            TargetError: The file of the certificate holds none.
        """
        if certificate is not None:
            other = replace(self._installation(process), pin_certificate=self._certificate(certificate))
            return self.client(process).with_installation(other)

        if process not in self._clients:
            self._clients[process] = self._new_client(process)

        return self._clients[process]

    def application(self, process: str) -> Application:
        """Return what PKCS#11's functions work with when a program has called C_Initialize, a new one.

        Args:
            process: The program; one that the scenario doesn't name is set up as `Setup.others` is.
        """
        return Application(
            self.make_context(),
            self._installation(process),
            codec=CmsPinBlobCodec(),
            entropy=self._entropy(f"cryptoki of {process}"),
            configuration=self._configuration(process),
            switches=self._switches,
            now=self._clock.now,
            hub=self._hub,
        )

    def program(self, process: str) -> Program:
        """Return the process as the caller of a PKCS#11 library."""
        if process not in self._programs:
            self._programs[process] = self.new_program(process)

        return self._programs[process]

    def new_program(self, process: str) -> Program:
        """Start a program that calls a PKCS#11 library."""
        return EmulatedProgram(lambda: self.application(process), self._hub, process)

    def fork(self, process: str, child: str) -> None:
        """Make a process the child of another.

        Raises:
            TargetError: The child runs already.
        """
        parent = self.program(process)

        if child in self._programs:
            raise TargetError(f"{child!r} runs already: a fork makes a program that has called nothing yet")

        self._programs[child] = parent.fork()

    def make_card(
        self, name: str, setup: CardSetup, make: Callable[[], CardImage] | None = None
    ) -> BenchCard:
        """Make a card, which lies on no desk yet; see :meth:`CardMaker.make`."""
        card = self._maker.make(name, setup, make)
        self._cards.append(card)
        return card

    @property
    def manager(self) -> ReaderManager:
        """The readers."""
        return self._manager

    @property
    def hub(self) -> Hub:
        """Who is told what happens."""
        return self._hub

    def engine(self, process: str, keys: Sequence[DecryptionKey]) -> Engine:
        """Return an engine that runs encodings with the process's Personal Desktop Client."""
        return Engine(
            lambda library: self._opened(process, library),
            keys=keys,
            switches=self._switches,
            log=LogFile(self._folder.log, ENCODER_LOG, process, self._clock.now),
            programs=lambda _: EmulatedProgram(lambda: self.application(process), self._hub, process),
            server=self.certificate_manager.server_side,
            eject=lambda reader: self._eject(process, reader),
        )

    def _eject(self, process: str, reader: str) -> None:
        if reader in self._setup.ejecting:
            eject(self._context(process), reader)

    @cached_property
    def certificate_manager(self) -> CertificateManager:
        """The server's side of encodings; it is the same for all of them."""
        return CertificateManager(self._entropy("certificate authority"), self._clock.now)

    @cached_property
    def access(self) -> AccessSite:
        """Digital Access, and what there is around it."""
        return AccessSite(self._entropy, self._clock.now, self._switches)

    @property
    def folder(self) -> Path:
        """The folder that holds the scenario's files."""
        return self._folder.files

    def log(self, name: str) -> str | None:
        """Return the text of a log file that the scenario's programs have written; None if there is none."""
        return self._folder.logged(name)

    def now(self) -> datetime:
        """Return the time that the programs see."""
        return self._clock.now()

    def wait(self, seconds: int) -> None:
        """Set the clock forward; nobody waits."""
        self._clock.forward(seconds)

    def make_desk(self) -> CardDesk:
        """Make the hands and eyes at the readers."""
        return EmulatedDesk(self._manager, patient=self._patient)

    def make_context(self) -> Context:
        """Return a new program's view of the readers."""
        return self._manager.context()

    @property
    def desk(self) -> CardDesk:
        """Return the hands and eyes at the readers."""
        return self._desk

    def end_programs(self) -> None:
        """End all programs that call a PKCS#11 library."""
        for program in self._programs.values():
            program.close()

        self._programs.clear()

    def look(self, reader: str) -> TakenCard:
        """Return what anybody may read of a card: it is read of a copy, so that nobody notices.

        Raises:
            TargetError: The reader is empty, or the card can't be read.
        """
        return copied(self.desk.image(reader), reader)

    def at_last(self, look: Callable[[], None]) -> None:
        """Have something done when the programs are gone, and with them their logins; the cards are there."""
        self._looks.append(look)

    def last_looks(self) -> None:
        """Do what is to be done at last, each once."""
        while self._looks:
            self._looks.pop(0)()

    def _forward(self, seconds: float, _: threading.Event) -> None:
        self._clock.forward(seconds)

    def close(self) -> None:
        """Take all down."""
        self.end_programs()

        for context in self._contexts.values():
            context.release()

        self._contexts.clear()
        self._connections.clear()
        self._clients.clear()
        self._programs.clear()

        try:
            self.last_looks()
        finally:
            while self._cards:
                self._cards.pop().close()

            self._folder.remove()

    def _installation(self, process: str) -> Installation:
        return installation(self._setup.process(process), self._setup, self._folder.log)

    def _configuration(self, process: str) -> ClientConfiguration:
        return client_configuration(self._setup.process(process), self._setup, Diagnostics(), self._switches)

    def _opened(self, process: str, library: LibraryEntry) -> TokenMiddleware:
        """Return the middleware that a description's library stands for."""
        if library.is_minidriver:
            return MinidriverMiddleware(self._context(process), self._entropy(f"minidriver of {process}"))

        installed = self._installation(process)

        if library.bits == installed.bits:
            return self.client(process)

        return self.client(process).with_installation(replace(installed, bits=library.bits))

    def _new_client(self, process: str) -> PersonalDesktopClient:
        return PersonalDesktopClient(
            self._context(process),
            self._installation(process),
            entropy=self._entropy(f"middleware of {process}"),
            codec=CmsPinBlobCodec(),
            switches=self._switches,
            now=self._clock.now,
            configuration=self._configuration(process),
        )

    def _certificate(self, name: str) -> Certificate:
        try:
            return parse_certificate(self._setup.files[name])
        except ValueError:
            raise TargetError(f"{name} holds no X.509 certificate") from None

    def _context(self, process: str) -> Context:
        if process not in self._contexts:
            self._contexts[process] = self.make_context()

        return self._contexts[process]

    def _entropy(self, label: str) -> Entropy:
        """Return a stream of randomness of its own for each user of it."""
        seed = self._setup.seed
        return SystemEntropy() if seed is None else SeededEntropy(seed, label)


def _alive(connection: CardConnection) -> bool:
    """Whether a connection can still be used: after a reset or a removal the harness makes another."""
    with suppress(PcscError), connection.transaction():
        return True

    return False
