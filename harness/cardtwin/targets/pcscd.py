"""Hands and eyes at a slot of vpcd, the virtual reader of the system's pcscd."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Self

from cardtwin.card import ImageError
from cardtwin.readers import VpcdSlot
from cardtwin.targets.errors import TargetError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType

    from cardtwin.card import CardImage, EmulatedCard
    from cardtwin.events import Hub
    from cardtwin.pcsc import Card
    from cardtwin.readers import PinEntry

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


class PcscdDesk:
    """One card, which is put into a slot of vpcd and taken out. Leaving the block takes it out for good.

    Power is pcscd's business: a hand can take the card out and put it in again, and no more.

    Args:
        card: The card.
        reader: The name that events give the reader; pcscd names its readers itself.
        host: Where pcscd runs.
        port: Of the slot.
        hub: Told what happens.
    """

    def __init__(self, card: EmulatedCard, reader: str, host: str, port: int, hub: Hub) -> None:
        self._card = card
        self._reader = reader
        self._address = host, port
        self._hub = hub
        self._contacts: Card = card
        self._slot: VpcdSlot | None = None
        self._last: VpcdSlot | None = None
        card.reader = reader

    def wrap(self, contacts: Card) -> None:
        """Let pcscd reach the card through what is around it, from the next insertion on."""
        self._contacts = contacts

    def begin(self, timeout: float) -> None:
        """Put the card in, and see that pcscd asks for it.

        Args:
            timeout: Seconds until it must have.

        Raises:
            TargetError: It hasn't.
        """
        slot = self._slot = self._inserted()

        if not slot.wait(timeout):
            host, port = self._address
            raise TargetError(
                f"no vpcd answers at {host}:{port} within {timeout:g} s: pcscd has to run, with the driver "
                "of vsmartcard's vpcd, and the slot of that port has to be free"
            )

    def insert(self, reader: str, card: str) -> None:  # noqa: ARG002  # there is one of each
        """Put the card in.

        Raises:
            TargetError: It is in.
        """
        if self._slot is not None:
            raise TargetError("the card is in the reader already")

        self._slot = self._inserted()

    def remove(self, reader: str) -> None:
        """Take the card out.

        Raises:
            TargetError: The reader is empty.
        """
        if self._slot is None:
            raise _empty(reader)

        self.take_out()

    def take_out(self) -> None:
        """Take the card out if it is in; the card itself may do so, during a command."""
        slot, self._slot = self._slot, None

        if slot is not None:
            self._last = slot
            slot.stop()

    def reset(self, reader: str) -> None:
        """Take the card out and put it in again: programs see a removal.

        Raises:
            TargetError: The reader is empty.
        """
        self.remove(reader)
        self._slot = self._inserted()

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
        raise TargetError(f"{reader!r} has no PIN pad: vpcd's readers have none")

    def image(self, reader: str) -> CardImage:
        """Return the memory of the card, as it is; the card does not notice.

        Raises:
            TargetError: The reader is empty.
        """
        if self._slot is None:
            raise _empty(reader)

        return self._card.image

    def load(self, reader: str, image: CardImage) -> None:
        """Make this the memory of the card, which is out of the reader meanwhile.

        Raises:
            TargetError: The reader is empty, or the image is another model's.
        """
        self.remove(reader)

        try:
            self._card.load(image)
        except ImageError as error:
            raise TargetError(str(error)) from None
        finally:
            self._slot = self._inserted()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.take_out()

    def _inserted(self) -> VpcdSlot:
        if self._last is not None:
            self._last.stop()  # a card that took itself out may still be on its way

        host, port = self._address
        slot = VpcdSlot(self._contacts, reader=self._reader, host=host, port=port, hub=self._hub)
        slot.start()
        return slot


def _empty(reader: str) -> TargetError:
    return TargetError(f"there is no card in {reader!r}")
