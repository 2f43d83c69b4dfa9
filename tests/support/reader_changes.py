"""What programs and a person do to the card in a reader, for both kinds of readers."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from cardtwin.events import Exchange, ReaderChanged
from cardtwin.pcsc import Disposition, PcscError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from cardtwin.events import Event
    from cardtwin.pcsc import Context

__all__ = ["act", "told"]

SELECT_MF = bytes.fromhex("00A4000C023F00")
BOUND = 20.0


def act(one: Context, other: Context, outside: Context, person: Callable[[str], None]) -> None:
    """Do all that can be done to a card.

    Args:
        one: A program's view.
        other: Another program's.
        outside: That of a program which tells nothing of itself.
        person: Is asked to ``remove`` or ``insert`` the card.
    """
    (reader, *_) = one.readers()
    connection, also = one.connect(reader), other.connect(reader)
    connection.transmit(SELECT_MF)

    for disposition in (Disposition.RESET, Disposition.UNPOWER, Disposition.LEAVE):
        connection.reconnect(disposition)
        connection.transmit(SELECT_MF)
        also.reconnect()

    for disposition in (Disposition.RESET, Disposition.UNPOWER, Disposition.LEAVE):
        with suppress(PcscError), connection.transaction(disposition):
            connection.transmit(SELECT_MF)

        connection.reconnect()
        also.reconnect()

    with outside.connect(reader) as stranger:
        stranger.reconnect(Disposition.RESET)

    for each in (connection, also):  # both hear of it, and it is told once
        with suppress(PcscError), each.transaction():
            pass

        each.reconnect()

    also.disconnect(Disposition.RESET)
    connection.reconnect()
    connection.disconnect(Disposition.UNPOWER)
    connection, also = one.connect(reader), other.connect(reader)
    connection.transmit(SELECT_MF)
    _come_and_go(one, other, reader, person)

    for each in (connection, also):  # lost with the card that is gone
        with suppress(PcscError):
            each.reconnect(Disposition.RESET)

        each.disconnect()


def _come_and_go(one: Context, other: Context, reader: str, person: Callable[[str], None]) -> None:
    for what, present in (("remove", False), ("insert", True)):
        state = one.state(reader)
        person(what)

        while state.present is not present:
            (state,) = one.wait([state], BOUND)

        assert other.state(reader).present is present


def told(events: Sequence[Event]) -> list[str]:
    """Return what was told: commands by their first bytes, what happened to the card with its ATR."""
    return [
        f"{event.change.value} {event.atr.hex()}".rstrip()
        if isinstance(event, ReaderChanged)
        else event.command[:2].hex()
        for event in events
        if isinstance(event, (Exchange, ReaderChanged))
    ]
