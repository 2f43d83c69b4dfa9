"""Hands and eyes at slots of vpcd, the virtual readers of the system's pcscd."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Self

from cardtwin.readers import VpcdSlot
from cardtwin.targets.desk import CardDesk
from cardtwin.targets.errors import TargetError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType

    from cardtwin.card import CardImage
    from cardtwin.events import Hub
    from cardtwin.readers import PinEntry
    from cardtwin.targets.cards import BenchCard

__all__ = ["PcscdDesk", "address"]

_HOST: Final = "127.0.0.1"
_PORTS: Final = range(1, 65536)


def address(text: str) -> tuple[str, int]:
    """Return host and port of a text such as ``127.0.0.1:35963``, or of a port alone.

    Raises:
        TargetError: It is no such text.
    """
    host, _, port = text.rpartition(":")

    if not port.isascii() or not port.isdecimal() or int(port) not in _PORTS:
        raise TargetError(f"{text!r} is no HOST:PORT such as {_HOST}:35963")

    return host.strip("[]") or _HOST, int(port)


@dataclass
class _Seat:
    """One slot of the driver: its port, who is in it, and who was before."""

    port: int
    slot: VpcdSlot | None = None
    before: VpcdSlot | None = None


class PcscdDesk(CardDesk):
    """Cards, and consecutive slots of vpcd. Leaving the block takes all cards out for good.

    Power is pcscd's business: a hand can take a card out and put it in again, and no more. Readers have
    the names here that hands and events give them; pcscd names its readers itself.

    Args:
        host: Where pcscd runs.
        port: Of the first reader's slot; the next reader has the next port.
        hub: Told what happens.
    """

    def __init__(self, host: str, port: int, hub: Hub) -> None:
        super().__init__()
        self.host = host
        self._port = port
        self._hub = hub
        self._seats: dict[str, _Seat] = {}

    @property
    def readers(self) -> tuple[str, ...]:
        """The names of all readers."""
        return tuple(self._seats)

    def add_reader(self, reader: str, *, pinpad: bool = False) -> None:
        """Take the next slot that is free.

        Raises:
            TargetError: There is a reader of that name, no port is left, or it is to have a PIN pad.
        """
        if pinpad:
            raise _no_pinpad(reader)

        if reader in self._seats:
            raise TargetError(f"there is a reader {reader!r} already")

        taken = {seat.port for seat in self._seats.values()}
        free = next(port for port in range(self._port, _PORTS.stop + 1) if port not in taken)

        if free not in _PORTS:
            raise TargetError(f"{reader!r}: there is no port behind {free - 1}")

        self._seats[reader] = _Seat(free)

    def remove_reader(self, reader: str) -> None:
        """Leave a slot to others; the card in it is on the desk then.

        Raises:
            TargetError: There is no reader of that name.
        """
        self.check_reader(reader)

        with self._hurried(reader):
            self._take_out(reader)

        self._places.pop(reader, None)
        self._latest.pop(reader, None)
        del self._seats[reader]

    def begin(self, reader: str, timeout: float) -> None:
        """See that pcscd asks for the card that is in a reader.

        Args:
            reader: The reader.
            timeout: Seconds until it must have.

        Raises:
            TargetError: It hasn't.
        """
        slot = self._seats[reader].slot

        if slot is not None and not slot.wait(timeout):
            raise self.no_driver(reader, timeout)

    def port_of(self, reader: str) -> int:
        """Return the port of a reader's slot."""
        return self._seats[reader].port

    def no_driver(self, reader: str, timeout: float) -> TargetError:
        """Return the error that nobody asks for a card in a reader."""
        return TargetError(
            f"no vpcd answers at {self.host}:{self.port_of(reader)} within {timeout:g} s: pcscd has to run, "
            "with the driver of vsmartcard's vpcd, and the slot of that port has to be free"
        )

    def reset(self, reader: str) -> None:
        """Take the card out and put it in again: programs see a removal.

        Raises:
            TargetError: The reader is empty.
        """
        card = self._card(reader)

        with card.hurried():
            self._take_out(reader)

        self._put_in(reader, card)

    def power(self, reader: str, *, on: bool) -> None:
        """Refuse.

        Raises:
            TargetError: Always.
        """
        raise TargetError(
            f"the power {'for' if on else 'of'} {reader!r} is pcscd's business: take the card out instead"
        )

    def enter(self, reader: str, entries: Sequence[PinEntry]) -> None:  # noqa: ARG002  # the desk's
        """Refuse.

        Raises:
            TargetError: Always.
        """
        raise _no_pinpad(reader)

    def load(self, reader: str, image: CardImage) -> None:
        """Make this the memory of the card, which is out of the reader meanwhile.

        Raises:
            TargetError: The reader is empty, or the image is another model's.
        """
        card = self._card(reader)

        with card.hurried():
            self._take_out(reader)

        try:
            self._loaded(card, image)
        finally:
            self._put_in(reader, card)

    def state(self, reader: str) -> None:
        """Return nothing: who is connected, and whether the card has power, is known to pcscd alone."""
        del reader

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for reader in self.readers:
            self._take_out(reader)

    def _put_in(self, reader: str, card: BenchCard) -> None:
        seat = self._seats[reader]

        if seat.before is not None:
            seat.before.stop()  # a card that took itself out may still be on its way

        seat.slot = VpcdSlot(card.contacts, reader=reader, host=self.host, port=seat.port, hub=self._hub)
        seat.slot.start()

    def _take_out(self, reader: str) -> None:
        """Take the card out if it is in; the card itself may do so, during a command."""
        seat = self._seats[reader]
        slot, seat.slot = seat.slot, None

        if slot is not None:
            seat.before = slot
            slot.stop()


def _no_pinpad(reader: str) -> TargetError:
    return TargetError(f"{reader!r} has no PIN pad: vpcd's readers have none")
