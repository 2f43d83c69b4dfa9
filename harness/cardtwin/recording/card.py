"""A card that answers from a trace, and the readers of a trace with such cards in them."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final, Self

from cardtwin.decode import Decoder
from cardtwin.events import ReaderChanged
from cardtwin.iso7816 import Atr, AtrFormatError
from cardtwin.pcsc import CardMuteError, Protocol, ProtocolMismatchError
from cardtwin.recording.answers import AnswersByState, AnswersInOrder
from cardtwin.recording.errors import ReplayRefusedError
from cardtwin.recording.states import HIDDEN
from cardtwin.trace import MaskedExchange

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cardtwin.events import Event
    from cardtwin.readers import ReaderManager
    from cardtwin.recording.answers import Answers
    from cardtwin.trace import Trace

__all__ = ["CardReplay", "TracedCard"]

_NO_ANSWER: Final = bytes.fromhex("6F00")
_HEADER: Final = 11
_SHORT, _EXTENDED = 255, 65535
_LONG: Final = 7
"""Bytes of the shortest extended command that has a length field."""


class TracedCard:
    """A :class:`cardtwin.pcsc.Card` with answers that it was given; a command that has none is answered 6F00.

    Args:
        reader: The reader's name, for what is told.
        atr: Its answer to reset.
        answers: The answers.
    """

    def __init__(self, reader: str, atr: Atr, answers: Answers) -> None:
        self._reader = reader
        self._atr = atr
        self._answers = answers
        self._decoder = Decoder()
        self._protocol = Protocol.UNDEFINED
        self._began = False
        self._unknown: Counter[str] = Counter()

    @property
    def protocol(self) -> Protocol:
        """The protocol that is spoken since the last power_on."""
        return self._protocol

    def power_on(self, protocol: Protocol) -> bytes:
        """Power or reset the card, and return its ATR.

        Raises:
            ProtocolMismatchError: It offers none of the protocols.
        """
        offered = [own for t in self._atr.protocols if t <= 1 and (own := Protocol(1 << t)) & protocol]

        if not offered:
            raise ProtocolMismatchError(self._reader)

        self._protocol = offered[0]
        self._decoder.reset()

        if self._began:
            self._answers.reset()

        self._began = True
        return self._atr.raw

    def power_off(self) -> None:
        """Take the power away: the next power_on is a reset."""

    def process(self, command: bytes) -> bytes:
        """Answer a command from the trace.

        Raises:
            CardMuteError: The trace has no answer because the card gave none.
        """
        found = self._answers.find(command)
        exchange, why = found.exchange, found.why

        if exchange is not None and exchange.unanswered:
            self._decoder.command(command)
            raise CardMuteError(self._reader, f"so says the trace: {exchange.unanswered}")

        if exchange is not None and HIDDEN in exchange.response:
            exchange, why = None, "the trace hides the answer"

        response = _NO_ANSWER if exchange is None else bytes.fromhex(exchange.response)
        reading = self._decoder.read(command, response)

        if exchange is None:
            what = f"{reading.decoded.name} {reading.decoded.parameters}".rstrip()
            self._unknown[f"{reading.command}  {what}: {why}"] += 1

        return response

    def told(self) -> Iterator[str]:
        """Yield the commands that had no answer, secrets hidden, and what else was not as in the trace."""
        for what, number in self._unknown.items():
            times = f" ({number} times)" if number > 1 else ""
            yield f"{self._reader}: answered 6F00: {what}{times}"

        for what in self._answers.missing():
            yield f"{self._reader}: {what}"


class CardReplay:
    """The readers of a trace, by their names, each with a card that answers from the trace.

    What came and went in a reader is one card here, which was reset.

    Args:
        trace: What is replayed.
        strict: Whether the same commands have to come in the same order.
        atr: The ATR of cards for which the trace has none.

    Raises:
        ReplayRefusedError: The trace has no card, or one without an ATR.
    """

    def __init__(self, trace: Trace, *, strict: bool = False, atr: bytes | None = None) -> None:
        kind = AnswersInOrder if strict else AnswersByState
        readers = dict.fromkeys(event.reader for event in trace.events if isinstance(event, MaskedExchange))
        self._cards: dict[str, TracedCard] = {}
        self._longest: dict[str, int] = {}

        for name in readers:
            events = [each for each in trace.events if getattr(each, "reader", None) == name]
            self._cards[name] = TracedCard(name, _atr(name, events, atr), kind(events))
            self._longest[name] = _longest(events)

        if not readers:
            raise ReplayRefusedError("the trace has no commands of a card")

    def attach(self, manager: ReaderManager) -> Self:
        """Attach the readers, with their cards."""
        for name, card in self._cards.items():
            manager.add_reader(name, max_command_data=self._longest[name])
            manager.insert(name, card)

        return self

    def told(self) -> Sequence[str]:
        """Return what was not as in the trace, for people; without a line all was."""
        return tuple(line for card in self._cards.values() for line in card.told())


def _atr(reader: str, events: Sequence[Event], given: bytes | None) -> Atr:
    """Return the first ATR that a trace has of a reader, or the one that is given."""
    found = (event.atr for event in events if isinstance(event, ReaderChanged) and event.atr)

    if (raw := next(found, given)) is None:
        raise ReplayRefusedError(f"the trace has no ATR of the card in {reader!r}; --atr gives it")

    try:
        return Atr.parse(raw)
    except AtrFormatError as error:
        raise ReplayRefusedError(f"the ATR of the card in {reader!r}: {error}") from None


def _longest(events: Sequence[Event]) -> int:
    """Return how much data commands may hold: only a reader that carries extended ones has them."""
    extended = any(_is_extended(event.command) for event in events if isinstance(event, MaskedExchange))
    return _EXTENDED if extended else _SHORT


def _is_extended(command: str) -> bool:
    digits = command.split()
    return len(digits) >= _LONG and digits[4] == "00"
