"""APDUs as texts that are fit to be shown: decoded, secrets masked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cardtwin.iso7816 import ApduFormatError, ResponseApdu

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cardtwin.events import Exchange

__all__ = ["MaskedExchange", "masked_exchanges"]


@dataclass(frozen=True, slots=True)
class MaskedExchange:
    """A command and its response, secrets masked, as texts; what they mean is decoded.

    Attributes:
        reader: The reader's name.
        meaning: The command's name and parameters.
        command: Hex, secrets as ``**``.
        response: Hex, status word included, secrets as ``**``.
        status: The status word and its name.
    """

    reader: str
    meaning: str
    command: str
    response: str
    status: str


def masked_exchanges(exchanges: Iterable[Exchange]) -> tuple[MaskedExchange, ...]:
    """Return APDUs fit to be shown. They are given in their order, since chaining spans several."""
    return tuple(_masked(exchange) for exchange in exchanges)


def _masked(exchange: Exchange) -> MaskedExchange:
    command = exchange.command[:4].hex(" ").upper() + (" **" if len(exchange.command) > 5 else "")
    return MaskedExchange(
        exchange.reader, "", command, _status(exchange.response), _status(exchange.response)
    )


def _status(response: bytes) -> str:
    try:
        return str(ResponseApdu.parse(response).sw)
    except ApduFormatError:
        return "no status word"
