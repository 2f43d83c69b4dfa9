"""Replay a trace as client: what it has sent is sent to a card again, and the answers are compared."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from cardtwin.comparing import Difference, Kind, differences, origins
from cardtwin.decode import HARMLESS, Decoder, Effect
from cardtwin.events import Exchange, PowerChange, ReaderChanged
from cardtwin.pcsc import Disposition, PcscError
from cardtwin.recording.errors import ReplayRefusedError
from cardtwin.trace import MaskedExchange, Masker

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from cardtwin.decode import Decoded
    from cardtwin.pcsc import CardConnection, Context
    from cardtwin.recording.secrets import HiddenSecrets
    from cardtwin.trace import Trace

__all__ = ["ANYTHING", "READING", "ClientReplay", "LeftOut", "Replayed", "fetches_itself", "matched_readers"]

ANYTHING: Final = ~Effect(0)
READING: Final = HARMLESS
"""What may be done to a card whose owner was not asked: nothing that outlasts a reset, no try spent."""

_POWERLESS: Final = {PowerChange.POWERED_OFF, PowerChange.REMOVED}
_FETCHED: Final = ("61", "6C")
"""The first byte of the status words by which T=0 has the program send something more."""


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A command that was not sent.

    Attributes:
        place: Where in the trace.
        what: Its header, and what it is called.
        why: The reason.
    """

    place: str
    what: str
    why: str

    def __str__(self) -> str:
        return f"{self.place}: {self.what}: not sent: {self.why}"


@dataclass(frozen=True, slots=True)
class Replayed:
    """What came of replaying a trace.

    Attributes:
        sent: How many commands were sent.
        differences: In what the answers differ; the left side is the trace.
        left_out: The commands that were not sent.
    """

    sent: int
    differences: tuple[Difference, ...]
    left_out: tuple[LeftOut, ...]


def matched_readers(trace: Trace, there: Sequence[str]) -> Mapping[str, str]:
    """Return which reader stands for each one of a trace that has got commands.

    One of the same name does, the others in their order.

    Raises:
        ReplayRefusedError: There are too few.
    """
    used = dict.fromkeys(event.reader for event in trace.events if isinstance(event, MaskedExchange))
    same = {name: name for name in used if name in there}
    free = [name for name in there if name not in same]
    others = [name for name in used if name not in same]

    if len(others) > len(free):
        raise ReplayRefusedError(
            f"the trace uses {', '.join(map(repr, used)) or 'no reader'}, and there is only "
            f"{', '.join(map(repr, there)) or 'none'}"
        )

    return same | dict(zip(others, free, strict=False))


def fetches_itself(trace: Trace) -> bool:
    """Tell whether the program of a trace has fetched responses itself, as T=0 has it."""
    return any(
        event.response[-5:-3] in _FETCHED for event in trace.events if isinstance(event, MaskedExchange)
    )


@dataclass(slots=True)
class _Seat:
    """One reader's card, while a trace is replayed on it."""

    connection: CardConnection
    decoder: Decoder = field(default_factory=Decoder)
    powerless: bool = False

    def reset(self, disposition: Disposition = Disposition.RESET) -> None:
        self.connection.reconnect(disposition)
        self.decoder.reset()
        self.powerless = False


class ClientReplay:
    """Sends the commands of a trace, in their order, and resets cards where they were reset.

    Each card is reset before its first command. Commands that got no answer are left out: what kept the card
    from answering isn't in the trace.

    Args:
        trace: What is replayed.
        secrets: What it hides.
        allowed: The effects that commands may have; others are left out.
        objection: Says why a command is left out all the same; empty where it isn't.
    """

    def __init__(
        self,
        trace: Trace,
        secrets: HiddenSecrets,
        allowed: Effect = ANYTHING,
        objection: Callable[[bytes], str] = lambda _command: "",
    ) -> None:
        self._trace = trace
        self._allowed = allowed
        self._objection = objection
        self._masker = Masker()
        self._seats: dict[str, _Seat] = {}
        self._found: list[Difference] = []
        self._left: list[LeftOut] = []
        self._sent = self._count = 0
        # Seen before anything is sent: values that don't fit.
        self._commands = secrets.commands(trace.events)
        self._origins = origins(trace.events)

    def run(self, context: Context, readers: Mapping[str, str]) -> Replayed:
        """Replay the trace.

        Args:
            context: Where the cards are.
            readers: The reader that stands for each one of the trace.

        Raises:
            PcscError: A card can't be connected to, or doesn't come up again after a reset.
        """
        with ExitStack() as stack:
            for name, reader in readers.items():
                seat = self._seats[name] = _Seat(stack.enter_context(context.connect(reader)))
                seat.reset()

            for event in self._trace.events:
                if isinstance(event, MaskedExchange):
                    self._replay(event)
                elif isinstance(event, ReaderChanged) and event.reader in self._seats:
                    self._power(event, self._seats[event.reader])

        return Replayed(self._sent, tuple(self._found), tuple(self._left))

    def _power(self, event: ReaderChanged, seat: _Seat) -> None:
        """Do to the card what was done to it, and compare its ATR."""
        self._masker.masked(event)

        if event.change in _POWERLESS:
            seat.powerless = True
        elif event.change is PowerChange.RESET:
            seat.reset()
        elif event.change is PowerChange.POWERED_ON and seat.powerless:
            seat.reset(Disposition.UNPOWER)

        if event.atr and event.atr != seat.connection.atr:
            sides = (each.hex(" ").upper() for each in (event.atr, seat.connection.atr))
            self._found.append(Difference(Kind.DATA, f"before APDU {self._count + 1}", "ATR", *sides))

    def _replay(self, event: MaskedExchange) -> None:
        self._count += 1
        place, seat = f"APDU {self._count}", self._seats[event.reader]
        command, why = self._commands[id(event)]
        why = why or self._forbidden(seat.decoder, command)

        if event.unanswered:
            why = f"it got no answer: {event.unanswered}"

        if why:
            self._left.append(LeftOut(place, f"{event.command[:11]} {event.meaning}", why))
            return

        if seat.powerless:
            seat.reset(Disposition.UNPOWER)

        self._sent += 1
        answer = self._exchanged(event.reader, seat, command)
        self._found += differences(event, answer, place, self._origins[id(event)])

    def _forbidden(self, decoder: Decoder, command: bytes) -> str:
        decoded: Decoded = decoder.command(command)
        effects = [each.name or "" for each in decoded.effect if not each & self._allowed]

        if effects:
            return f"what it does isn't allowed here: {', '.join(effects).lower()}"

        return self._objection(command)

    def _exchanged(self, name: str, seat: _Seat, command: bytes) -> MaskedExchange:
        """Send a command; one that gets no answer is followed by a reset."""
        response, unanswered = b"", ""

        try:
            response = seat.connection.transmit(command)
        except PcscError as error:
            unanswered = error.detail or error.name
            seat.reset()

        exchange = Exchange(reader=name, command=command, response=response, unanswered=unanswered)
        masked = self._masker.masked(exchange)
        assert isinstance(masked, MaskedExchange)
        return masked
