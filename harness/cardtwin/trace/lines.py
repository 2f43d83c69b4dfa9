"""The lines of a trace file, one JSON object each: what they hold, and which event each one is.

A cause is told once, before the first event that has it; events name it by its number. Numbers count from 1
in each trace. Bytes are hex, in pairs with blanks between them; ``**`` is a byte that may be a secret.
"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from cardtwin import events
from cardtwin.trace.masking import MaskedExchange

__all__ = [
    "EVENT_LINES",
    "LINE",
    "VERSION",
    "CauseLine",
    "CutLine",
    "EventLine",
    "Line",
    "TraceLine",
    "json_schema",
]

VERSION: Final = 1

Hex = Annotated[str, Field(pattern=r"^([0-9A-F]{2}( [0-9A-F]{2})*)?$")]
MaskedHex = Annotated[str, Field(pattern=r"^(([0-9A-F]{2}|\*\*)( ([0-9A-F]{2}|\*\*))*)?$")]
Number = Annotated[int, Field(ge=1, description="a cause's number in this trace")]
Pairs = tuple[tuple[str, str], ...]


class _Line(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=False)


class TraceLine(_Line):
    """Where a trace begins; a file may hold several."""

    kind: Literal["trace"] = "trace"
    version: Literal[1] = VERSION
    title: str
    recorder: str = Field(description="what has written or imported it, with its version")
    times: bool = Field(default=False, description="whether events have the time")


class CauseLine(_Line):
    """Why what follows happened: a step, a call, a program."""

    kind: Literal["cause"] = "cause"
    number: Number
    what: str
    parent: Number | None = None


class CutLine(_Line):
    """The last line of a trace that has reached its limit: what happened later is missing."""

    kind: Literal["cut"] = "cut"
    limit: int = Field(ge=1, description="how many bytes the trace was to have at most")


class EventLine(_Line):
    """An event; `at` is its time in seconds since the trace began."""

    event: ClassVar[type[events.Event]]
    cause: Number | None = None
    at: float | None = None


class ExchangeLine(EventLine):
    """A command at a card's contacts, and the response."""

    event: ClassVar = MaskedExchange
    kind: Literal["exchange"] = "exchange"
    reader: str
    meaning: str
    command: MaskedHex
    response: MaskedHex
    status: str
    unanswered: str = Field(default="", description="why there is no response")


class CallLine(EventLine):
    """A call has begun."""

    event: ClassVar = events.CallBegan
    kind: Literal["call"] = "call"
    call: Number
    interface: str
    program: str = ""
    arguments: Pairs = ()


class LoginEndedLine(EventLine):
    """A program's login is over, or the program has noticed that it is."""

    event: ClassVar = events.LoginEnded
    kind: Literal["login-ended"] = "login-ended"
    reader: str
    slot: int
    user: str
    pin: int | None
    why: events.LoginEnd


class ReturnLine(EventLine):
    """A call has ended."""

    event: ClassVar = events.CallEnded
    kind: Literal["return"] = "return"
    call: Number
    result: str
    results: Pairs = ()
    reason: str = ""
    login: LoginEndedLine | None = Field(default=None, description="the end of the login that it lacks")


class ReaderLine(EventLine):
    """A card came, went or was reset."""

    event: ClassVar = events.ReaderChanged
    kind: Literal["reader"] = "reader"
    reader: str
    change: events.PowerChange
    atr: Hex = ""


class CardLine(EventLine):
    """A change on a card."""

    event: ClassVar = events.CardChanged
    kind: Literal["card"] = "card"
    reader: str
    change: events.CardChange
    subject: str
    detail: str = ""
    reference: int | None = None


class PinPadLine(EventLine):
    """A PIN pad has asked a person for something."""

    event: ClassVar = events.PinPadUsed
    kind: Literal["pin-pad"] = "pin-pad"
    reader: str
    prompt: events.PinPrompt
    answer: events.PinPadAnswer


class DefectLine(EventLine):
    """A bug of cardtwin showed."""

    event: ClassVar = events.Defect
    kind: Literal["defect"] = "defect"
    where: str
    detail: str


class RefusalLine(EventLine):
    """Something was not sent to a physical card."""

    event: ClassVar = events.CommandRefused
    kind: Literal["refusal"] = "refusal"
    reader: str
    command: str = Field(description="what was refused, without secrets")
    meaning: str
    rule: str
    reason: str
    remedy: str


EVENT_LINES: Final[tuple[type[EventLine], ...]] = (
    ExchangeLine,
    CallLine,
    ReturnLine,
    LoginEndedLine,
    ReaderLine,
    CardLine,
    PinPadLine,
    DefectLine,
    RefusalLine,
)

Line = Annotated[
    TraceLine
    | CauseLine
    | CutLine
    | ExchangeLine
    | CallLine
    | ReturnLine
    | LoginEndedLine
    | ReaderLine
    | CardLine
    | PinPadLine
    | DefectLine
    | RefusalLine,
    Field(discriminator="kind"),
]

LINE: Final[TypeAdapter[Any]] = TypeAdapter(Line)


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of one line of a trace file."""
    schema = LINE.json_schema(mode="validation")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"A line of a trace file, version {VERSION}",
        **schema,
    }
