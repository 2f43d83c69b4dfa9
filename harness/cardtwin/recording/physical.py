"""One of the system's readers behind one of cardtwin's: what goes through can be told."""

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
from cardtwin.readers import ReaderError
from cardtwin.readers.physical import PhysicalContext
from cardtwin.recording.errors import RecordingRefusedError

if TYPE_CHECKING:
    from types import TracebackType

    from cardtwin.pcsc import ReaderState
    from cardtwin.readers import ReaderManager
    from cardtwin.readers.physical import PhysicalConnection

__all__ = ["PassedReader", "reader_to_pass"]

_GLANCE: Final = 1.0
"""Seconds of one wait for a card to come or go; the end of the recording ends it earlier."""


def reader_to_pass(wanted: str | None) -> str:
    """Return the name of the system's reader that is meant: the one that is named, or the only one.

    Raises:
        RecordingRefusedError: There is no such reader, there are several, or there is no PC/SC service.
    """
    try:
        with PhysicalContext() as context:
            names = context.readers()
    except (PcscError, ReaderError) as error:
        raise RecordingRefusedError(f"the system's readers can't be used: {error}") from None

    known = ", ".join(map(repr, names)) or "none"

    if wanted is None and len(names) == 1:
        return names[0]

    if wanted is None:
        raise RecordingRefusedError(f"which reader? The system has {known}: name one, or give a card")

    if wanted not in names:
        raise RecordingRefusedError(f"the system has no reader {wanted!r}, but {known}")

    return wanted


class PassedCard:
    """The card in one of the system's readers, for a reader of ours: a :class:`cardtwin.pcsc.Card`.

    Nobody else gets at it meanwhile: the connection is an exclusive one, so that transactions and share modes
    of the programs here are those of the card. With T=0, the programs fetch responses themselves, as they do
    without us.
    """

    def __init__(self, context: PhysicalContext, reader: str) -> None:
        self._context = context
        self._reader = reader
        self._connection: PhysicalConnection | None = None

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
            self.power_off()
            raise CardMuteError(self._reader, str(error)) from None

    def _reset(self, protocol: Protocol) -> bytes:
        if self._connection is None:
            self._connection = self._context.connect(
                self._reader, share=ShareMode.EXCLUSIVE, protocol=Protocol.ANY
            )

        self._connection.reconnect(Disposition.RESET, share=ShareMode.EXCLUSIVE, protocol=protocol)
        return self._connection.atr

    def process(self, command: bytes) -> bytes:
        """Pass a command on, and return the answer.

        Raises:
            CardMuteError: There is none: the card is mute, or gone.
        """
        if self._connection is None:
            raise CardMuteError(self._reader, "the card has no power")

        try:
            return self._connection.carry(command)
        except (CardRemovedError, CardResetError, NoSmartCardError) as error:
            raise CardMuteError(self._reader, error.detail or error.name) from None

    def power_off(self) -> None:
        """Take the power away."""
        connection, self._connection = self._connection, None

        if connection is not None:
            connection.disconnect(Disposition.UNPOWER)


class PassedReader:
    """A reader of the manager's that has the name of one of the system's, and in it what is in that one.

    At the end, the card has no power: nobody inherits what was verified.

    Args:
        manager: Gets the reader.
        name: Of the system's reader.

    Raises:
        RecordingRefusedError: It isn't there, or another program uses its card.
    """

    def __init__(self, manager: ReaderManager, name: str) -> None:
        self._manager = manager
        self._name = name
        self._over = threading.Event()
        self._watcher = threading.Thread(target=self._watch, name=f"watching {name}", daemon=True)
        self._inside = False

        try:
            self._cards, self._eyes = PhysicalContext(), PhysicalContext()
            self._state = self._eyes.state(name)
            longest = self._longest()
        except PcscError as error:
            raise RecordingRefusedError(f"{name}: {_explained(error)}") from None

        manager.add_reader(name, max_command_data=longest)

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

        with suppress(PcscError):
            self._manager.remove_reader(self._name)

        for context in (self._eyes, self._cards):
            with suppress(PcscError):
                context.release()

    def _longest(self) -> int:
        """Return how many bytes of data a command may have: the driver says it of a card that is there."""
        share = ShareMode.EXCLUSIVE if self._state.present and not self._state.mute else ShareMode.DIRECT

        with self._cards.connect(self._name, share=share) as connection:
            return connection.max_command_data

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

        if self._inside and (another or not now.present):
            self._manager.remove(self._name)
            self._inside = False

        if now.present and not self._inside:
            self._manager.insert(self._name, PassedCard(self._cards, self._name))
            self._inside = True

    def _lose(self) -> None:
        """The system's reader is gone, or its service is."""
        with suppress(UnknownReaderError):
            self._manager.remove_reader(self._name)


def _explained(error: PcscError) -> str:
    if isinstance(error, SharingViolationError):
        return "another program uses the card; end it first: what is recorded has to have the card for itself"

    return str(error)
