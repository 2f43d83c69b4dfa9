"""APDUs as texts that are fit to be shown: decoded, secrets masked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cardtwin.decode import Decoder
from cardtwin.events import Event, Exchange, ReaderChanged

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["MaskedExchange", "Masker", "masked_exchanges"]


@dataclass(frozen=True, slots=True, kw_only=True)
class MaskedExchange(Event):
    """A command and its response, secrets masked, as texts; what they mean is decoded.

    Attributes:
        reader: The reader's name.
        meaning: The command's name and parameters.
        command: Hex, secrets as ``**``.
        response: Hex, status word included, secrets as ``**``; empty where none came.
        status: The status word's name, or that there is none.
        unanswered: Why no response came; empty where one did.
    """

    reader: str
    meaning: str
    command: str
    response: str
    status: str
    unanswered: str = ""

    @property
    def answer(self) -> str:
        """The response, or why there is none."""
        return f"no answer: {self.unanswered}" if self.unanswered else self.response


class Masker:
    """Masks the exchanges among events, given in their order: chains span several of them."""

    def __init__(self) -> None:
        self._decoders: dict[str, Decoder] = {}

    def masked(self, event: Event) -> Event:
        """Return the next event fit to be shown: an exchange masked, others as they are."""
        match event:
            case Exchange():
                return self._exchange(event)
            case ReaderChanged() if event.reader in self._decoders:
                self._decoders[event.reader].reset()
            case _:
                pass

        return event

    def _exchange(self, event: Exchange) -> MaskedExchange:
        decoder = self._decoders.setdefault(event.reader, Decoder())
        reading = decoder.read(event.command, event.response)
        return MaskedExchange(
            cause=event.cause,
            reader=event.reader,
            meaning=f"{reading.decoded.name} {reading.decoded.parameters}".rstrip(),
            command=reading.command,
            response=reading.response,
            status="no status word" if reading.status is None else str(reading.status),
            unanswered=event.unanswered,
        )


def masked_exchanges(events: Iterable[Event]) -> tuple[MaskedExchange, ...]:
    """Return the APDUs among events, fit to be shown."""
    masker = Masker()
    return tuple(e for e in map(masker.masked, events) if isinstance(e, MaskedExchange))
