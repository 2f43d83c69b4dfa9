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
    "CallBegan",
    "CallEnded",
    "CardChange",
    "CardChanged",
    "Cause",
    "CommandRefused",
    "Defect",
    "Event",
    "Exchange",
    "Hub",
    "LoginEnd",
    "LoginEnded",
    "PinPadAnswer",
    "PinPadUsed",
    "PinPrompt",
    "PowerChange",
    "ReaderChanged",
    "SharedCause",
    "because",
    "current_cause",
]


_numbers: Final = itertools.count(1)


@dataclass(frozen=True, slots=True)
class Cause:
    """Why something happened: a step, a call, a client; and why that happened.

    Attributes:
        what: A short name, such as ``step 3 (encode)`` or ``C_Sign``. Never holds a secret.
        parent: The cause of the cause.
        number: Tells two causes of one name apart; no other cause of this process has it.
    """

    what: str
    parent: Cause | None = None
    number: int = field(default_factory=_numbers.__next__, compare=False, repr=False)

    def path(self) -> tuple[Cause, ...]:
        """Return the causes from the outermost one to this."""
        outer = self.parent.path() if self.parent else ()
        return (*outer, self)

    def chain(self) -> tuple[str, ...]:
        """Return their names."""
        return tuple(cause.what for cause in self.path())


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


class SharedCause:
    """The cause of what other threads do for a program: that of whoever has the program do something.

    Args:
        name: The program's name: the cause of what it does by itself.

    Attributes:
        name: The program's name.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self._own = Cause(name)
        self._shared: Cause | None = None

    @contextmanager
    def share(self) -> Iterator[None]:
        """Share the cause in force in this thread, while the block lasts."""
        before, self._shared = self._shared, _cause.get()

        try:
            yield
        finally:
            self._shared = before

    @contextmanager
    def take(self) -> Iterator[None]:
        """Have the cause that is shared now in this thread, while the block lasts."""
        token = _cause.set(self._shared or self._own)

        try:
            yield
        finally:
            _cause.reset(token)


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened. The cause is filled in where the event is made."""

    cause: Cause | None = field(default_factory=current_cause)


@dataclass(frozen=True, slots=True, kw_only=True, init=False)
class Exchange(Event):
    """One command APDU and its response APDU, at the card's contacts, as bytes.

    Attributes:
        reader: The reader's name.
        command: The command.
        response: The response, status word included; empty where none came.
        unanswered: Why none came; empty where one did.
    """

    reader: str
    command: bytes = field(repr=False)
    response: bytes = field(repr=False)
    unanswered: str = ""

    def __init__(
        self,
        *,
        reader: str,
        command: bytes,
        response: bytes = b"",
        unanswered: str = "",
        cause: Cause | None = _IN_FORCE,
    ) -> None:
        # Every command makes one of these, and what a frozen dataclass generates takes half as long again.
        _set_cause(self, _cause.get() if cause is _IN_FORCE else cause)
        _set_reader(self, reader)
        _set_command(self, command)
        _set_response(self, response)
        _set_unanswered(self, unanswered)


_set_cause, _set_reader, _set_command, _set_response, _set_unanswered = (
    getattr(Exchange, place.name).__set__ for place in fields(Exchange)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class CallBegan(Event):
    """A call of an interface above the card has begun, such as one of a PKCS#11 function.

    What happens until its :class:`CallEnded`, and has `call` among its causes, is the call's doing.

    Attributes:
        call: The cause in force while the call goes on; its name is the function's.
        interface: Whose function it is.
        program: Who calls; empty where nobody said.
        arguments: Names and values as texts fit to be shown: whoever emits the event has masked them.
    """

    call: Cause
    interface: str
    program: str = ""
    arguments: tuple[tuple[str, str], ...] = ()


class LoginEnd(Enum):
    """Why a program's login to a token is over."""

    LOGOUT = "C_Logout"
    LOGOUT_AFTER_SIGN = "P11_LogoutAfterSign=1"
    SESSIONS_CLOSED = "the last session was closed"
    CARD_REMOVED = "the card was removed"
    CARD_RESET = "the card was reset"
    CARD_FORGOT = "the card asked for the PIN again"
    CARD_CHANGED = "the card was initialised or erased"
    KEPT_PIN_REFUSED = "the card refused the PIN that was kept"
    KEPT_PIN_CHANGED = "the PIN that was kept was changed at the reader"
    PIN_LOCKED = "the PIN was locked when it was asked for again"

    @property
    def by_card(self) -> bool:
        """Whether the card had forgotten the PIN before the program noticed."""
        return self in {LoginEnd.CARD_RESET, LoginEnd.CARD_FORGOT, LoginEnd.CARD_REMOVED}


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginEnded(Event):
    """A program's login is over, or the program has noticed that it is.

    Attributes:
        reader: The reader's name.
        slot: The slot's number.
        user: Who was logged in, such as ``CKU_USER``.
        pin: The reference of the PIN that logged in.
        why: What ended it.
    """

    reader: str
    slot: int
    user: str
    pin: int | None
    why: LoginEnd


@dataclass(frozen=True, slots=True, kw_only=True)
class CallEnded(Event):
    """A call has ended.

    Attributes:
        call: The call, as in its :class:`CallBegan`.
        result: The return value's name.
        results: What the call gave back, as texts fit to be shown.
        reason: Why it is no success; may be empty, and holds no secret.
        login: The end of the login without which the call is refused, if that is why.
    """

    call: Cause
    result: str
    results: tuple[tuple[str, str], ...] = ()
    reason: str = ""
    login: LoginEnded | None = None


class PinPrompt(Enum):
    """What a PIN pad asks for."""

    PIN = "PIN"
    CURRENT_PIN = "current PIN"
    NEW_PIN = "new PIN"
    NEW_PIN_AGAIN = "new PIN again"


class PinPadAnswer(Enum):
    """What the person at a PIN pad has done."""

    ENTERED = "entered"
    CANCELLED = "cancelled"
    TIMED_OUT = "not entered in time"
    WRONG_LENGTH = "too short or too long"
    DIFFERENT = "another one than before"


@dataclass(frozen=True, slots=True, kw_only=True)
class PinPadUsed(Event):
    """A reader's PIN pad has asked a person for something. What was entered is in no event but the command's.

    Attributes:
        reader: The reader's name.
        prompt: What was asked for.
        answer: What came of it.
    """

    reader: str
    prompt: PinPrompt
    answer: PinPadAnswer


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
    STATUS_GAINED = "security status gained"
    STATUS_LOST = "security status lost"
    MASTER_FILE_CURRENT = "current DF is again"


@dataclass(frozen=True, slots=True, kw_only=True)
class CardChanged(Event):
    """A change on a card. `subject` names a file or object (``3F00/5015``), never its contents.

    `reference` is that of the PIN or key which was verified or isn't any more, where that is the change.
    """

    reader: str
    change: CardChange
    subject: str
    detail: str = ""
    reference: int | None = None


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
class CommandRefused(Event):
    """Something was not sent to a physical card. Fails the step in which it happens.

    Attributes:
        reader: The reader's name.
        command: What was refused, without secrets: a command in hex, masked, or a function's name.
        meaning: What it would have done, for people; holds no secret either.
        rule: The rule by which it was refused, a short name.
        reason: Why, in a sentence.
        remedy: What to do about it, in a sentence.
    """

    reader: str
    command: str
    meaning: str
    rule: str
    reason: str
    remedy: str


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
