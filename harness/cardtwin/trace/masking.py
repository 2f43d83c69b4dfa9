"""APDUs as texts that are fit to be shown: decoded, secrets masked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cardtwin.decode import Decoder
from cardtwin.events import Event, Exchange, ReaderChanged

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["MaskedExchange", "Masker", "masked_exchanges"]


@dataclass(frozen=True, slots=True)
class MaskedExchange:
    """A command and its response, secrets masked, as texts; what they mean is decoded.

    Attributes:
        reader: The reader's name.
        meaning: The command's name and parameters.
        command: Hex, secrets as ``**``.
        response: Hex, status word included, secrets as ``**``; or why there is none.
        status: The status word's name, or that there is none.
    """

    reader: str
    meaning: str
    command: str
    response: str
    status: str


class Masker:
    """Masks the exchanges of several readers, given in their order: chains span several of them."""

    def __init__(self) -> None:
        self._decoders: dict[str, Decoder] = {}

    def exchange(self, event: Exchange) -> MaskedExchange:
        """Return one exchange fit to be shown."""
        decoder = self._decoders.setdefault(event.reader, Decoder())
        reading = decoder.read(event.command, event.response)
        return MaskedExchange(
            event.reader,
            f"{reading.decoded.name} {reading.decoded.parameters}".rstrip(),
            reading.command,
            reading.response if not event.unanswered else f"no answer: {event.unanswered}",
            "no status word" if reading.status is None else str(reading.status),
        )

    def changed(self, event: ReaderChanged) -> None:
        """Take note of a reset, an insertion or a removal."""
        if event.reader in self._decoders:
            self._decoders[event.reader].reset()


def masked_exchanges(events: Iterable[Event]) -> tuple[MaskedExchange, ...]:
    """Return the APDUs among events, fit to be shown."""
    masker = Masker()
    masked: list[MaskedExchange] = []

    for event in events:
        match event:
            case Exchange():
                masked.append(masker.exchange(event))
            case ReaderChanged():
                masker.changed(event)
            case _:
                pass

    return tuple(masked)
