"""What happened, as frozen values, each with its cause; and who is told.

Events are the one source of recordings, reports and traces. They carry raw bytes, secrets among them:
an observer that keeps or shows them masks first (``cardtwin.decode`` says where secrets lie), and no
event shows its bytes in its own ``repr``.
"""

from __future__ import annotations

import itertools
import traceback
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, fields
from enum import Enum
from typing import TYPE_CHECKING, Final, Self

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = [
    "Call",
    "CardChange",
    "CardChanged",
    "Cause",
    "Defect",
    "Event",
    "Exchange",
    "Hub",
    "PowerChange",
    "ReaderChanged",
    "because",
    "current_cause",
]


@dataclass(frozen=True, slots=True)
class Cause:
    """Why something happened: a step, a call, a client; and why that happened.

    Attributes:
        what: A short name, such as ``step 3 (encode)`` or ``C_Sign``. Never holds a secret.
        parent: The cause of the cause.
    """

    what: str
    parent: Cause | None = None

    def chain(self) -> tuple[str, ...]:
        """Return the names from the outermost cause to this one."""
        outer = self.parent.chain() if self.parent else ()
        return (*outer, self.what)


_cause: ContextVar[Cause | None] = ContextVar("cardtwin_cause", default=None)
_IN_FORCE: Final = Cause("the one in force")


def current_cause() -> Cause | None:
    """Return the cause in force in this thread, or None."""
    return _cause.get()


@contextmanager
def because(what: str) -> Iterator[Cause]:
    """Make `what` the cause of all that is emitted in the block, in this thread."""
    cause = Cause(what, _cause.get())
    token = _cause.set(cause)

    try:
        yield cause
    finally:
        _cause.reset(token)


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened. The cause is filled in where the event is made."""

    cause: Cause | None = field(default_factory=current_cause)


@dataclass(frozen=True, slots=True, kw_only=True, init=False)
class Exchange(Event):
    """One command APDU and its response APDU, at the card's contacts, as bytes."""

    reader: str
    command: bytes = field(repr=False)
    response: bytes = field(repr=False)

    def __init__(
        self, *, reader: str, command: bytes, response: bytes, cause: Cause | None = _IN_FORCE
    ) -> None:
        # Every command makes one of these, and what a frozen dataclass generates takes half as long again.
        _set_cause(self, _cause.get() if cause is _IN_FORCE else cause)
        _set_reader(self, reader)
        _set_command(self, command)
        _set_response(self, response)


_set_cause, _set_reader, _set_command, _set_response = (
    getattr(Exchange, place.name).__set__ for place in fields(Exchange)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Call(Event):
    """One call of an interface above the card, such as a PKCS#11 function.

    Arguments and results are texts that are fit to be shown: whoever emits the call has masked them.
    """

    interface: str
    name: str
    arguments: tuple[tuple[str, str], ...] = ()
    result: str = ""


class CardChange(Enum):
    """What changed on a card, in its non-volatile memory or its state."""

    FILE_CREATED = "file created"
    FILE_DELETED = "file deleted"
    FILE_UPDATED = "file updated"
    ACCESS_CHANGED = "access conditions changed"
    OBJECT_STORED = "object stored"
    OBJECT_DELETED = "object deleted"
    COUNTER_CHANGED = "counter changed"
    LIFE_CYCLE = "life cycle changed"


@dataclass(frozen=True, slots=True, kw_only=True)
class CardChanged(Event):
    """A change on a card. `subject` names a file or object (``3F00/5015``), never its contents."""

    reader: str
    change: CardChange
    subject: str
    detail: str = ""


class PowerChange(Enum):
    """What happened to the card in a reader."""

    INSERTED = "inserted"
    REMOVED = "removed"
    POWERED_ON = "powered on"
    POWERED_OFF = "powered off"
    RESET = "reset"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReaderChanged(Event):
    """A card came, went or was reset."""

    reader: str
    change: PowerChange
    atr: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Defect(Event):
    """A bug of cardtwin itself showed: the card answered 6F00. Fails the scenario that saw it.

    `detail` is the traceback without local values and without the exception's text: both may hold a secret.
    """

    where: str
    detail: str

    @classmethod
    def of(cls, where: str, error: BaseException) -> Self:
        """Return the defect that an exception shows."""
        frames = "".join(traceback.format_tb(error.__traceback__))
        return cls(where=where, detail=frames + type(error).__name__)


class Hub:
    """Tells events to observers, in the order in which these subscribed, in the thread that emits."""

    def __init__(self) -> None:
        self._observers: dict[int, Callable[[Event], None]] = {}
        self._listening: tuple[Callable[[Event], None], ...] = ()
        self._tickets = itertools.count()

    @property
    def silent(self) -> bool:
        """Whether nobody listens: then an event need not be made at all."""
        return not self._listening

    def emit(self, event: Event) -> None:
        """Tell all observers."""
        for observer in self._listening:
            observer(event)

    def subscribe(self, observer: Callable[[Event], None]) -> Callable[[], None]:
        """Add an observer; the function returned takes it off again, and may be called twice."""
        ticket = next(self._tickets)
        self._observers[ticket] = observer
        self._listening = tuple(self._observers.values())

        def unsubscribe() -> None:
            self._observers.pop(ticket, None)
            self._listening = tuple(self._observers.values())

        return unsubscribe
