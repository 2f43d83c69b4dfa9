"""The two sides of a reader: the contacts, where a card sits, and the program's side."""

from __future__ import annotations

import typing
from abc import ABC, abstractmethod
from dataclasses import dataclass
from enum import Enum, IntFlag
from typing import TYPE_CHECKING, Self

from cardtwin.pcsc.errors import UnsupportedFeatureError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from contextlib import AbstractContextManager
    from types import TracebackType

    from cardtwin.pcsc.pinentry import Feature

__all__ = [
    "Card",
    "CardConnection",
    "Context",
    "Disposition",
    "Protocol",
    "ReaderState",
    "ShareMode",
]


class Protocol(IntFlag):
    """Transmission protocols, with the values of SCARD_PROTOCOL_*."""

    UNDEFINED = 0
    T0 = 1
    T1 = 2
    RAW = 4
    ANY = T0 | T1


class ShareMode(Enum):
    """How a connection shares the card, with the values of SCARD_SHARE_*."""

    EXCLUSIVE = 1
    SHARED = 2
    DIRECT = 3


class Disposition(Enum):
    """What happens to the card when a connection or a transaction ends: SCARD_LEAVE_CARD and so on."""

    LEAVE = 0
    RESET = 1
    UNPOWER = 2
    EJECT = 3


@dataclass(frozen=True, slots=True)
class ReaderState:
    """A reader at one moment.

    Attributes:
        name: The reader's name.
        present: Whether there is a card in it.
        mute: Whether the card in it does not answer.
        atr: The card's answer to reset; empty without a card.
        sharing: The number of connections; -1 means one, exclusively.
        events: How many insertions and removals there have been; a change means a change.
        protocol: The protocol in use, or UNDEFINED.
        powered: Whether the card is powered.
    """

    name: str
    present: bool = False
    mute: bool = False
    atr: bytes = b""
    sharing: int = 0
    events: int = 0
    protocol: Protocol = Protocol.UNDEFINED
    powered: bool = False


class Card(typing.Protocol):
    """The contact side: what sits in a reader. Wrappers (latency, faults, tearing) have this shape too."""

    def power_on(self, protocol: Protocol) -> bytes:
        """Power the card, or reset it if it is powered, and return its ATR (ISO/IEC 7816-3, 8).

        Args:
            protocol: The protocols that the reader can speak; the card picks one that it can.

        Raises:
            CardMuteError: The card does not answer.
            ProtocolMismatchError: The card speaks none of them.
        """

    @property
    def protocol(self) -> Protocol:
        """The protocol that is spoken since the last power_on."""

    def process(self, command: bytes) -> bytes:
        """Take one command APDU and return one response APDU.

        Any byte string is answered, at least by a status word of two bytes.

        Raises:
            CardMuteError: The card does not answer.
        """

    def power_off(self) -> None:
        """Take the power away. Allowed at any time, also twice."""


class CardConnection(ABC):
    """A program's connection to a card (SCARDHANDLE). As a context manager, it leaves the card."""

    @property
    @abstractmethod
    def reader(self) -> str:
        """The reader's name."""

    @property
    @abstractmethod
    def atr(self) -> bytes:
        """The card's ATR at connect or the last reconnect."""

    @property
    @abstractmethod
    def protocol(self) -> Protocol:
        """The protocol in use."""

    @property
    @abstractmethod
    def max_command_data(self) -> int:
        """How many bytes of data a command may hold on this way to the card: 255, or up to 65535."""

    @abstractmethod
    def transmit(self, command: bytes) -> bytes:
        """Send a command APDU and return the response APDU, status word included.

        Raises:
            CardResetError: Somebody else has reset the card since connect or reconnect.
            CardRemovedError: The card is gone.
            CardMuteError: The card does not answer.
            SharingViolationError: Another connection is in a transaction and waiting is not possible.
            InvalidHandleError: The connection is closed.
        """

    def features(self) -> Mapping[Feature, int]:
        """Return what the reader can do beside carrying commands, each with its control code.

        A reader that has nothing of it has no features.
        """
        return {}

    def control(self, code: int, data: bytes = b"") -> bytes:  # noqa: ARG002  # for readers that know codes
        """Send a control code to the reader, with what belongs to it, and return the answer.

        Raises:
            UnsupportedFeatureError: The reader doesn't know the code.
            InvalidParameterError: The data are not what the code takes.
            PcscError: As transmit(), where the reader sends the card a command.
        """
        raise UnsupportedFeatureError(self.reader)

    @abstractmethod
    def transaction(self, disposition: Disposition = Disposition.LEAVE) -> AbstractContextManager[None]:
        """Hold the card exclusively for the block; waits for the transactions of others.

        Args:
            disposition: What happens to the card at the end of the block. After a reset, this connection has
                to reconnect too.

        Raises:
            CardResetError: Somebody else has reset the card.
            CardRemovedError: The card is gone.
        """

    @abstractmethod
    def reconnect(
        self,
        disposition: Disposition = Disposition.LEAVE,
        *,
        share: ShareMode = ShareMode.SHARED,
        protocol: Protocol = Protocol.ANY,
    ) -> None:
        """Take the connection up again, with the card that is there now: after a reset, or with other modes.

        Raises:
            CardRemovedError: The card is gone, and no other has come.
            SharingViolationError: The share mode is not to be had.
            ProtocolMismatchError: The card speaks none of the protocols.
        """

    @abstractmethod
    def disconnect(self, disposition: Disposition = Disposition.LEAVE) -> None:
        """Close the connection. A second call does nothing."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.disconnect()


class Context(ABC):
    """A program's view of the readers (SCARDCONTEXT). As a context manager, it releases itself."""

    @abstractmethod
    def readers(self) -> tuple[str, ...]:
        """Return the readers' names, in a stable order; empty if there are none."""

    @abstractmethod
    def state(self, reader: str) -> ReaderState:
        """Return the state of one reader.

        Raises:
            UnknownReaderError: There is no reader of that name.
        """

    @abstractmethod
    def wait(self, states: Sequence[ReaderState], timeout: float | None) -> tuple[ReaderState, ...]:
        """Wait until the state of a reader differs from the one given, and return the states then.

        Args:
            states: What the caller believes; returns at once where that is wrong already.
            timeout: Seconds; None waits for ever.

        Raises:
            TimeoutExpiredError: Nothing changed in time.
            CancelledError: cancel() was called.
        """

    @abstractmethod
    def cancel(self) -> None:
        """End the waits of this context, from any thread."""

    @abstractmethod
    def connect(
        self,
        reader: str,
        *,
        share: ShareMode = ShareMode.SHARED,
        protocol: Protocol = Protocol.ANY,
    ) -> CardConnection:
        """Connect to the card in a reader.

        Raises:
            UnknownReaderError: There is no reader of that name.
            NoSmartCardError: The reader is empty.
            SharingViolationError: The share mode is not to be had.
            ProtocolMismatchError: The card speaks none of the protocols.
            CardMuteError: The card does not answer.
        """

    @abstractmethod
    def release(self) -> None:
        """Close the context and its connections. A card that one held for itself alone is reset."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.release()
