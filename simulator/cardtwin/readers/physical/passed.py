"""One of the system's readers behind one of a manager's, with the card that is in it."""

from __future__ import annotations

import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Final, Self

from cardtwin.pcsc import (
    CancelledError,
    CardMuteError,
    CardRemovedError,
    CardResetError,
    Disposition,
    NoSmartCardError,
    PcscError,
    Protocol,
    ProtocolMismatchError,
    ShareMode,
    SharingViolationError,
    TimeoutExpiredError,
    UnknownReaderError,
)
from cardtwin.readers.errors import ReaderInUseError
from cardtwin.readers.physical.context import PhysicalContext

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from cardtwin.events import Hub
    from cardtwin.pcsc import Card, ReaderState
    from cardtwin.readers.manager import ReaderManager
    from cardtwin.readers.physical.connection import PhysicalConnection

__all__ = ["PassedCard", "PassedReader"]

_GLANCE: Final = 1.0
"""Seconds of one wait for a card to come or go; the end of the block ends it earlier."""

_GONE: Final = (CardRemovedError, CardResetError, NoSmartCardError)


class PassedCard:
    """The card in one of the system's readers, for a reader of a manager: a :class:`cardtwin.pcsc.Card`.

    Nobody else gets at it from its first power_on until it is released: the connection is an exclusive one,
    so that transactions and share modes of the manager's programs are those of the card. With T=0, the
    programs fetch responses themselves, as they do without us.

    Args:
        context: The system's readers.
        reader: The reader's name in that context.
    """

    def __init__(self, context: PhysicalContext, reader: str) -> None:
        self._context = context
        self._reader = reader
        self._connection: PhysicalConnection | None = None
        self._powered = False

    @property
    def connection(self) -> PhysicalConnection:
        """The connection to the card, which has power.

        Raises:
            CardMuteError: It has none.
        """
        if self._connection is None or not self._powered:
            raise CardMuteError(self._reader, "the card has no power")

        return self._connection

    @property
    def protocol(self) -> Protocol:
        """The protocol that is spoken since the last power_on."""
        return Protocol.UNDEFINED if self._connection is None else self._connection.protocol

    def power_on(self, protocol: Protocol) -> bytes:
        """Reset the card, whoever has used it before, and return its ATR.

        Raises:
            CardMuteError: It does not answer, or somebody else has it.
            ProtocolMismatchError: It speaks none of the protocols.
        """
        try:
            return self._reset(protocol)
        except ProtocolMismatchError:
            raise
        except PcscError as error:
            self.release()
            raise CardMuteError(self._reader, str(error)) from None

    def _reset(self, protocol: Protocol) -> bytes:
        if self._connection is None:
            self._connection = self._context.connect(
                self._reader, share=ShareMode.EXCLUSIVE, protocol=Protocol.ANY
            )

        self._connection.reconnect(Disposition.RESET, share=ShareMode.EXCLUSIVE, protocol=protocol)
        self._powered = True
        return self._connection.atr

    def process(self, command: bytes) -> bytes:
        """Pass a command on, and return the answer.

        Raises:
            CardMuteError: There is none: the card is mute, or gone.
        """
        connection = self.connection

        try:
            return connection.carry(command)
        except _GONE as error:
            raise CardMuteError(self._reader, error.detail or error.name) from None

    def power_off(self) -> None:
        """Take the power away; as it stays ours, the card gets it back at once, and has forgotten all."""
        if self._connection is None or not self._powered:
            return

        self._powered = False

        try:
            self._connection.reconnect(Disposition.UNPOWER, share=ShareMode.EXCLUSIVE)
        except PcscError:
            self.release()  # it is gone, or mute

    def release(self) -> None:
        """Leave the card to others, without power. A second call does nothing."""
        connection, self._connection = self._connection, None
        self._powered = False

        if connection is not None:
            connection.disconnect(Disposition.UNPOWER)


class PassedReader:
    """A reader of a manager's, with one of the system's behind it, and in it what is in that one.

    At the end, the card has no power: nobody inherits what was verified.

    Args:
        manager: Gets the reader.
        name: What the system calls the reader.
        known_as: What the manager calls it; None leaves it its name.
        around: Puts something around a card before it is inserted.
        hub: Told of what `around` sends by the card's connection; what programs send, the manager tells.

    Raises:
        ReaderInUseError: Another program uses its card.
        PcscError: It isn't there, or there is no PC/SC service.
        ReaderError: The manager has a reader of the name, or pyscard isn't installed.
    """

    def __init__(
        self,
        manager: ReaderManager,
        name: str,
        *,
        known_as: str | None = None,
        around: Callable[[PassedCard], Card] | None = None,
        hub: Hub | None = None,
    ) -> None:
        self._manager = manager
        self._name = name if known_as is None else known_as
        self._around = around
        self._over = threading.Event()
        self._watcher = threading.Thread(target=self._watch, name=f"watching {name}", daemon=True)
        self._card: PassedCard | None = None
        names = {self._name: name}
        self._cards, self._eyes = PhysicalContext(hub, names=names), PhysicalContext(names=names)

        try:
            self._state = self._eyes.state(self._name)
            manager.add_reader(self._name, max_command_data=self._longest())
        except SharingViolationError:
            self._release()
            raise ReaderInUseError(f"{name}: another program uses the card; end it first") from None
        except BaseException:
            self._release()
            raise

    def __enter__(self) -> Self:
        self._follow(self._state)
        self._watcher.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._over.set()

        with suppress(PcscError):
            self._eyes.cancel()

        self._watcher.join()
        self._lose()
        self._release()

    def _release(self) -> None:
        for context in (self._eyes, self._cards):
            with suppress(PcscError):
                context.release()

    def _longest(self) -> int | None:
        """Return how many bytes of data a command may have: some drivers say it, of a card that is there."""
        share = ShareMode.EXCLUSIVE if self._state.present and not self._state.mute else ShareMode.DIRECT

        with self._cards.connect(self._name, share=share) as connection:
            return connection.told_command_data

    def _watch(self) -> None:
        while not self._over.is_set():
            try:
                (now,) = self._eyes.wait((self._state,), _GLANCE)
            except (TimeoutExpiredError, CancelledError):
                continue
            except PcscError:
                self._lose()
                return

            self._follow(now)

    def _follow(self, now: ReaderState) -> None:
        """Do with our reader what was done with the system's."""
        another = now.events != self._state.events
        self._state = now

        if self._card is not None and (another or not now.present):
            self._manager.remove(self._name)
            self._let_go()

        if now.present and self._card is None:
            self._card = PassedCard(self._cards, self._name)
            card = self._card if self._around is None else self._around(self._card)
            self._manager.insert(self._name, card)

    def _lose(self) -> None:
        """Take our reader away: all is over, or the system's reader is gone, or its service is."""
        with suppress(UnknownReaderError):
            self._manager.remove_reader(self._name)

        self._let_go()

    def _let_go(self) -> None:
        card, self._card = self._card, None

        if card is not None:
            card.release()
