"""What a step has at hand while it runs: the bench, the names bound so far, and what happened until now."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Protocol

from cardtwin.entropy import SeededEntropy, SystemEntropy
from cardtwin.events import CommandRefused, Defect, Event, Exchange
from cardtwin.plan import Secret
from cardtwin.scenario.document import Entry, ListNode, MapNode, Node, TextNode
from cardtwin.scenario.errors import UsageError
from cardtwin.scenario.managing import Managing
from cardtwin.scenario.ordering import CardIssuer, Ordering
from cardtwin.scenario.pkcs11.sessions import TokenSession
from cardtwin.scenario.secrets import secrets_in
from cardtwin.scenario.values import Value, show

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cardtwin.card.image import CardImage
    from cardtwin.encoding import Process
    from cardtwin.plan import DecryptionKey
    from cardtwin.source import Span
    from cardtwin.targets import Bench, Setup

__all__ = ["Addressed", "Run", "StepLog", "value_node"]


class Addressed(Protocol):
    """A step, as far as it says where it happens and who does it."""

    @property
    def on(self) -> str | None:
        """The reader; None where there is one only."""

    @property
    def by(self) -> str | None:
        """The program; None where there is one only."""


@dataclass(slots=True)
class StepLog:
    """What happened during one step."""

    events: list[Event] = field(default_factory=list)

    @property
    def exchanges(self) -> tuple[Exchange, ...]:
        """The command APDUs that reached a card, with their responses."""
        return tuple(event for event in self.events if isinstance(event, Exchange))

    @property
    def defects(self) -> tuple[Defect, ...]:
        """The bugs of cardtwin that showed."""
        return tuple(event for event in self.events if isinstance(event, Defect))

    @property
    def refusals(self) -> tuple[CommandRefused, ...]:
        """What was not sent to a physical card."""
        return tuple(event for event in self.events if isinstance(event, CommandRefused))


class Run:
    """One instance on its way.

    Attributes:
        source: The name of the scenario's file, for messages.
        setup: What it found on the desk.
        bench: Where it runs.
        logs: What happened in each step that began, in their order; the last one is the present step's.
        images: Card memories that an ``image`` step saved, by name.
        data: Each tenant's process in Identity Manager: variables and data pools, kept from encoding to
            encoding.
        keys: Identity Manager's private keys for encrypted PINs, which all tenants have.
    """

    def __init__(self, source: str, setup: Setup, values: Mapping[str, Node], bench: Bench) -> None:
        self.source = source
        self.setup = setup
        self.bench = bench
        self.logs: list[StepLog] = []
        self.images: dict[str, CardImage] = {}
        self.data: dict[str, Process] = {}
        self.keys: Sequence[DecryptionKey] = ()
        self._sessions: dict[tuple[str, str, str], TokenSession] = {}
        self._ids: dict[str, StepLog] = {}
        self._values: dict[str, Node] = dict(values)
        self._secrets: set[bytes] = set()

    @property
    def values(self) -> Mapping[str, Node]:
        """What every name stands for: the matrix's and those that were bound."""
        return self._values

    def begin(self, id: str) -> StepLog:  # noqa: A002  # the key of the scenario file
        """Open the log of the next step."""
        log = StepLog()
        self.logs.append(log)

        if id:
            self._ids[id] = log

        return log

    def hear(self, event: Event) -> None:
        """Take an event that happened on the bench."""
        if self.logs:
            self.logs[-1].events.append(event)

    def before(self) -> StepLog:
        """Return the log of the step before the present one; empty at the first."""
        return self.logs[-2] if len(self.logs) > 1 else StepLog()

    def log_of(self, id: str) -> StepLog:  # noqa: A002  # the key of the scenario file
        """Return the log of an earlier step.

        Raises:
            UsageError: No step of that id has begun.
        """
        if id not in self._ids:
            raise UsageError(f"no step before this one has the id {id!r}")

        return self._ids[id]

    def reader(self, step: Addressed) -> str:
        """Return the reader that a step is about.

        Raises:
            UsageError: The scenario has several and the step names none.
        """
        return _one_of("on", step.on, self.setup.readers)

    def process(self, step: Addressed) -> str:
        """Return the program that does a step.

        Raises:
            UsageError: The scenario has several and the step names none.
        """
        return _one_of("by", step.by, self.setup.processes)

    def token_session(self, step: Addressed, slot: str) -> TokenSession:
        """Return the session that a step's program has with the token in one slot of the reader.

        Raises:
            UsageError: The scenario has several readers or programs, and the step names none.
        """
        process, reader = self.process(step), self.reader(step)
        key = (process, reader, slot)

        if key not in self._sessions:
            self._sessions[key] = TokenSession(self.bench.program(process), reader, slot)

        return self._sessions[key]

    @cached_property
    def ordering(self) -> Ordering:
        """What the ordering of virtual smart cards works with."""
        seed = self.setup.seed
        entropy = SystemEntropy() if seed is None else SeededEntropy(seed, "ordering of virtual smart cards")
        now = self.bench.now
        return Ordering(entropy, now, CardIssuer(entropy, now))

    @cached_property
    def managing(self) -> Managing:
        """Certificate Manager."""
        seed = self.setup.seed
        entropy = SystemEntropy() if seed is None else SeededEntropy(seed, "Certificate Manager")
        return Managing(entropy, self.bench.now, self.setup.switches)

    @property
    def is_managed(self) -> bool:
        """Whether a step has used Certificate Manager as it is set up by a policy."""
        return "managing" in vars(self)

    def close(self) -> None:
        """Close what steps have opened."""
        if self.is_managed:
            self.managing.close()

    def file(self, name: str) -> bytes:
        """Return the content of one of the scenario's files."""
        return self.setup.files[name]

    def bind(self, name: str, value: Value, span: Span) -> None:
        """Give a value a name for later steps."""
        self._values[name] = value_node(value, span)
        self.keep_secret(value)

    def keep_secret(self, value: object) -> None:
        """Take note of a secret, or of all in a list, a mapping or a step, so that no message shows them."""
        self._secrets.update(secrets_in(value))

    @property
    def secrets(self) -> frozenset[bytes]:
        """The secrets that are known until now."""
        return frozenset(self._secrets)

    def masked(self, text: str) -> str:
        """Return a text with every known secret in it replaced."""
        known = {secret.decode("utf-8", errors="replace") for secret in self._secrets}

        for secret in sorted(known, key=len, reverse=True):
            if len(secret) > 3:
                text = text.replace(secret, "***")

        return text


def _one_of(key: str, given: str | None, known: Mapping[str, object]) -> str:
    name = given if given is not None else next(iter(known), None)

    if name is None or name not in known or (given is None and len(known) > 1):
        raise UsageError(f"the step says no {key!r} that is there; there are {', '.join(known) or 'none'}")

    return name


def value_node(value: Value, span: Span) -> Node:
    """Return a value as text of a scenario file."""
    match value:
        case dict():
            return MapNode(
                tuple(Entry(TextNode(key, span), value_node(inner, span)) for key, inner in value.items()),
                span,
            )
        case tuple():
            return ListNode(tuple(value_node(inner, span) for inner in value), span)
        case Secret():
            return TextNode(value.reveal().decode("utf-8", errors="replace"), span)
        case bytes():
            return TextNode(value.hex().upper(), span)
        case _:
            return TextNode(show(value), span)
