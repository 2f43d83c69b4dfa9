"""What a scenario runs against: a target, the bench that it sets up, and the capabilities of both."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import TYPE_CHECKING, Protocol, Self

from cardtwin.middleware import Installation

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from collections.abc import Set as AbstractSet
    from datetime import datetime
    from pathlib import Path
    from types import TracebackType

    from cardtwin.card.image import CardImage
    from cardtwin.cryptoki.foreign import Returned
    from cardtwin.decode import Effect
    from cardtwin.encoding import Engine
    from cardtwin.events import Hub
    from cardtwin.middleware import PersonalDesktopClient
    from cardtwin.pcsc import CardConnection
    from cardtwin.plan import DecryptionKey
    from cardtwin.readers import PinEntry
    from cardtwin.targets.access import AccessSite
    from cardtwin.targets.certificates import CertificateManager
    from cardtwin.targets.faults import FaultSetup
    from cardtwin.targets.hidden import Hidden
    from cardtwin.targets.takeover import TakenCard

__all__ = ["Bench", "Capability", "CardSetup", "Desk", "ProcessSetup", "Program", "Setup", "Target"]


class Capability(Enum):
    """What a target may offer. A step names what it needs, so what cannot run is known before the run."""

    APDU = "command APDUs"
    """Command APDUs through a PC/SC connection."""

    PERSONAL = "Personal Desktop Client"
    """Personal Desktop Client, and encodings above it."""

    PKCS11 = "PKCS#11"
    """The functions of PKCS#11."""

    OWN = "cardtwin's middleware"
    """Under PKCS#11's functions, cardtwin's own middleware: what only that one has, or does so."""

    DESK = "hands at the reader"
    """Hands at the reader: insert, remove, reset; load a memory into the card, let it go wrong."""

    POWER = "a switch for the power"
    """A switch for the power of the card in a reader."""

    EYES = "a look at the card"
    """A look at a card's files, its phase of life and its serial number, as far as they may be read."""

    CONDITIONS = "a look at access conditions"
    """Who may do what: also whether the fuse is burnt, and whether the card can be erased."""

    COUNTERS = "a look at counters"
    """How many tries PINs have left."""

    MEMORY = "a look into the memory"
    """What a card tells nobody: whether a key is there, and of what kind."""

    CLOCK = "a clock that can be set forward"
    """A clock that can be set forward."""


@dataclass(frozen=True, slots=True)
class CardSetup:
    """A card of the scenario.

    Attributes:
        model: The name in the catalogue of card models.
        quirks: Oddities that are switched on.
        fresh_keys: Whether generated keys are new even where a seed is given.
        image: The name of the file that holds its memory at the start; None starts it as delivered.
        factory: Whether, without an image, it starts as it leaves the factory: no files, no packages.
        real_speed: Whether it takes the time that real cards of its model take.
        faults: What goes wrong with it; of several that a command would meet, the first one happens.
        keep: The path of a file that its memory is kept in. What is there already, the card goes on with,
            whatever `image` and `factory` say; a file that is missing is made.
        serial: The chip's serial number where it is new; None gives it the model's.
    """

    model: str
    quirks: tuple[str, ...] = ()
    fresh_keys: bool = False
    image: str | None = None
    factory: bool = False
    real_speed: bool = False
    faults: tuple[FaultSetup, ...] = ()
    keep: str | None = None
    serial: bytes | None = None


@dataclass(frozen=True, slots=True)
class ProcessSetup:
    """A program of the scenario that uses the middleware.

    Attributes:
        name: What the program is called, such as ``java.exe``.
        ppa_config: The file that is its iD2ppa.cfg; None has none.
        config: The file that is the system's Personal.cfg; None has none.
        user_config: The file that is its user's Personal.cfg; None has none.
        bits: Of the library, 32 or 64.
        version: Of the client.
    """

    name: str
    ppa_config: str | None = None
    config: str | None = None
    user_config: str | None = None
    bits: int = 32
    version: str = Installation().version


@dataclass(frozen=True, slots=True)
class Setup:
    """What a scenario finds on the desk.

    Attributes:
        readers: The card in each reader, by name; None leaves the reader empty.
        cards: The cards by name, those on the desk included.
        processes: The programs by name.
        files: Contents by name.
        seed: What all randomness comes from; None takes the system's.
        switches: Values of switches (``cardtwin.provenance``) by rule id.
        others: How programs are set up that aren't among `processes`; the name is their own.
        pinpads: The readers that have a PIN pad.
        absent: The readers that aren't attached at the start.
        ejecting: The readers that have a motor to throw cards out.
    """

    readers: Mapping[str, str | None]
    cards: Mapping[str, CardSetup]
    processes: Mapping[str, ProcessSetup]
    files: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    seed: str | None = None
    switches: Mapping[str, str] = field(default_factory=dict)
    others: ProcessSetup = ProcessSetup("")
    pinpads: frozenset[str] = frozenset()
    absent: frozenset[str] = frozenset()
    ejecting: frozenset[str] = frozenset()

    def process(self, name: str) -> ProcessSetup:
        """Return how a program is set up."""
        return self.processes.get(name) or replace(self.others, name=name)


class Desk(Protocol):
    """Hands and eyes at the readers."""

    def insert(self, reader: str, card: str) -> None:
        """Put a card of the scenario into a reader.

        Raises:
            TargetError: The reader isn't attached or holds a card, or the card is in another reader.
        """

    def remove(self, reader: str) -> None:
        """Take the card out.

        Raises:
            TargetError: The reader is empty.
        """

    def add_reader(self, reader: str, *, pinpad: bool = False) -> None:
        """Attach an empty reader, maybe one with a PIN pad.

        Raises:
            TargetError: There is one of that name, or there can be no such reader.
        """

    def let_eject(self, reader: str) -> None:
        """Give a reader a motor that throws its card out when a program wants that.

        Raises:
            TargetError: There is none of that name, or such readers have no motors.
        """

    def remove_reader(self, reader: str) -> None:
        """Take a reader away; the card in it is on the desk then.

        Raises:
            TargetError: There is none of that name.
        """

    def reset(self, reader: str) -> None:
        """Reset the card in a reader."""

    def power(self, reader: str, *, on: bool) -> None:
        """Power the card in a reader, or take its power away."""

    def enter(self, reader: str, entries: Sequence[PinEntry]) -> None:
        """Enter something at a reader's PIN pad, one thing for each prompt.

        Raises:
            TargetError: The reader has no PIN pad.
        """

    def image(self, reader: str) -> CardImage:
        """Return the memory of the card in a reader, as it is; the card does not notice."""

    def hidden(self, reader: str) -> Hidden:
        """Return what the last image of the card in a reader has no truth about."""

    def blank(self, image: CardImage) -> CardImage:
        """Return what :meth:`image` would give if the card that it was taken of were blank."""

    def load(self, reader: str, image: CardImage) -> None:
        """Make this the memory of the card in a reader, and reset the card."""

    def arm(self, reader: str, fault: FaultSetup) -> None:
        """Let something go wrong with the card in a reader, at commands that come from now on."""

    def disarm(self, reader: str) -> None:
        """Let nothing go wrong any more with the card in a reader; a silent one answers after a reset."""


class Program(Protocol):
    """A program of the scenario, as far as it calls the functions of a PKCS#11 library."""

    def initialize(self) -> Returned:
        """Call C_Initialize."""

    def finalize(self) -> Returned:
        """Call C_Finalize."""

    def call(self, name: str, arguments: Sequence[object]) -> Returned:
        """Call another function by its name in C, with the arguments that its Python function takes.

        Raises:
            TargetError: The program is gone, by this call or before.
        """

    def fork(self) -> Program:
        """Return the child that a fork of the program makes. It is its parent's copy, the library in it too.

        Raises:
            TargetError: The program is gone.
        """

    def close(self) -> None:
        """End it. A second call does nothing."""


class Bench(ABC):
    """What a target has set up for one scenario. A context manager; leaving it takes all down again."""

    @abstractmethod
    def connection(self, process: str, reader: str) -> CardConnection:
        """Return the process's connection to the card in a reader, a shared one, opened where needed."""

    @abstractmethod
    def client(self, process: str, certificate: str | None = None) -> PersonalDesktopClient:
        """Return the process's Personal Desktop Client.

        Args:
            process: The program.
            certificate: The file with a PIN encryption certificate instead of the configured one.

        Raises:
            TargetError: The file holds no certificate.
        """

    @abstractmethod
    def engine(self, process: str, keys: Sequence[DecryptionKey]) -> Engine:
        """Return an engine that runs encodings with the process's Personal Desktop Client.

        Args:
            process: The program.
            keys: Private keys for encrypted PINs.
        """

    @property
    @abstractmethod
    def certificate_manager(self) -> CertificateManager:
        """The server's side of encodings; it is the same for all of them."""

    @property
    @abstractmethod
    def access(self) -> AccessSite:
        """Digital Access, and what there is around it; it is the same for the whole scenario."""

    @abstractmethod
    def program(self, process: str) -> Program:
        """Return the process as the caller of a PKCS#11 library; it has called nothing at first."""

    @abstractmethod
    def fork(self, process: str, child: str) -> None:
        """Make a process the child of another: what is called by it, the fork of that one calls.

        Raises:
            TargetError: The child runs already.
        """

    @property
    @abstractmethod
    def folder(self) -> Path:
        """The folder that holds the scenario's files, for who wants paths; it goes with the bench."""

    @abstractmethod
    def log(self, name: str) -> str | None:
        """Return the text of a log file that the scenario's programs have written; None if there is none."""

    @abstractmethod
    def now(self) -> datetime:
        """Return the time that the scenario's programs see."""

    @abstractmethod
    def wait(self, seconds: int) -> None:
        """Set the clock forward; nobody waits."""

    @property
    @abstractmethod
    def desk(self) -> Desk:
        """Return the hands and eyes at the readers."""

    def declare(self, effects: Effect) -> None:  # noqa: B027  # only who guards cards makes use of it
        """Take note of what the step that begins now may do to cards at worst."""

    @abstractmethod
    def look(self, reader: str) -> TakenCard:
        """Return what anybody may read of the card in a reader; a physical card has to be logged out.

        Raises:
            TargetError: There is no card in the reader, or it can't be read.
        """

    @abstractmethod
    def at_last(self, look: Callable[[], None]) -> None:
        """Have something done when the programs are gone, and with them their logins; the cards are there."""

    @abstractmethod
    def close(self) -> None:
        """Take all down. A second call does nothing."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


class Target(Protocol):
    """Something that scenarios run against."""

    @property
    def name(self) -> str:
        """The name that scenario files and reports use."""

    @property
    def capabilities(self) -> frozenset[Capability]:
        """What it offers."""

    def problems(self, setup: Setup) -> tuple[tuple[tuple[str, ...], str], ...]:
        """Return what it cannot set up: the place in the scenario (keys), and what is wrong there."""

    def unsupported(self, setup: Setup, needs: AbstractSet[Capability]) -> str:
        """Return why a scenario with such a setup cannot be run here, though its single steps could; or ''.

        Args:
            setup: What is on the desk.
            needs: What all its steps need together.
        """

    def rehearsal(self) -> Target:
        """Return the target on which a dry run shows what will be sent to the cards; its own are emulated."""

    def open(self, setup: Setup, hub: Hub) -> Bench:
        """Set up a bench; all that happens on it is told to the hub.

        Raises:
            TargetError: It cannot be set up.
        """
