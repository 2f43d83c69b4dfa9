"""PC/SC with guards between the programs and the physical cards."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING, Final

from cardtwin.interrupts import undisturbed
from cardtwin.pcsc import (
    CardConnection,
    CardRemovedError,
    CardResetError,
    Context,
    Disposition,
    Feature,
    InvalidParameterError,
    PcscError,
    PinModification,
    PinVerification,
    Protocol,
    ReaderState,
    ShareMode,
    UnknownReaderError,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from cardtwin.targets.hardware.guard import Guard

__all__ = ["GuardedConnection", "GuardedContext", "name_states"]

GET_FEATURE_REQUEST: Final = 0x42000000 + 3400
"""CM_IOCTL_GET_FEATURE_REQUEST, as pcsc-lite numbers it."""

_ENTRIES: Final[Mapping[Feature, type[PinVerification | PinModification]]] = {
    Feature.VERIFY_PIN_DIRECT: PinVerification,
    Feature.MODIFY_PIN_DIRECT: PinModification,
}
_PROPERTIES: Final = frozenset({Feature.IFD_PIN_PROPERTIES, Feature.GET_TLV_PROPERTIES})


class GuardedConnection(CardConnection):
    """A connection whose guard sees every command first.

    Args:
        connection: The connection itself.
        guard: The guard of the card in its reader; its other connections have the same one.
    """

    def __init__(self, connection: CardConnection, guard: Guard) -> None:
        self._connection = connection
        self._guard = guard
        self._checked = False
        self._transactions = 0
        self._closed = False

    @property
    def reader(self) -> str:
        """The reader's name."""
        return self._connection.reader

    @property
    def atr(self) -> bytes:
        """The card's ATR at connect or the last reconnect."""
        return self._connection.atr

    @property
    def protocol(self) -> Protocol:
        """The protocol in use."""
        return self._connection.protocol

    @property
    def max_command_data(self) -> int:
        """How many bytes of data a command may hold on this way to the card."""
        return self._connection.max_command_data

    @property
    def closed(self) -> bool:
        """Whether this side has closed it."""
        return self._closed

    def transmit(self, command: bytes) -> bytes:
        """Send a command APDU and return the response APDU, status word included.

        Raises:
            CommandRefusedError: The guard refuses it, or the card is another one.
            PcscError: As every connection.
        """
        with self._alone():
            return self._guard.carry(self._connection, command)

    def features(self) -> Mapping[Feature, int]:
        """Return what the reader can do beside carrying commands, each with its control code."""
        return self._connection.features()

    def control(self, code: int, data: bytes = b"") -> bytes:
        """Send a control code to the reader. What makes it send commands passes the guard as those do.

        Raises:
            CommandRefusedError: The guard refuses it, or nobody knows what the reader does then.
            PcscError: As every connection.
        """
        feature = {own: each for each, own in self.features().items()}.get(code)

        if code == GET_FEATURE_REQUEST or feature in _PROPERTIES:
            return self._connection.control(code, data)

        if feature is None or feature not in _ENTRIES:
            raise self._guard.refuse_control(code)

        try:
            command = _ENTRIES[feature].parse(data).command
        except ValueError as error:
            raise InvalidParameterError(self.reader, str(error)) from None

        with self._alone():
            return self._guard.carry_entry(
                self._connection, command, lambda: self._connection.control(code, data)
            )

    @contextmanager
    def transaction(self, disposition: Disposition = Disposition.LEAVE) -> Iterator[None]:
        """Hold the card exclusively for the block."""
        with self._connection.transaction(disposition):
            self._transactions += 1

            try:
                yield
            finally:
                self._transactions -= 1
                self._after(disposition)

                if not self._transactions:
                    self._guard.let_go()

    def reconnect(
        self,
        disposition: Disposition = Disposition.LEAVE,
        *,
        share: ShareMode = ShareMode.SHARED,
        protocol: Protocol = Protocol.ANY,
    ) -> None:
        """Take the connection up again; the card may be another one, and is looked at again.

        Raises:
            CommandRefusedError: It has another ATR.
            PcscError: As every connection.
        """
        self._checked = False
        self._connection.reconnect(disposition, share=share, protocol=protocol)
        self._guard.was_reset()
        self._after(disposition)
        self._guard.check_atr(self._connection.atr)

    def disconnect(self, disposition: Disposition = Disposition.LEAVE) -> None:
        """Close the connection; when all is over, the card is reset if it may have a login left."""
        if self._closed:
            return

        self._closed = True
        disposition = Disposition.RESET if self._guard.has_to_log_out else disposition
        self._connection.disconnect(disposition)
        self._after(disposition)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Have the card to oneself, and know that it is the right one."""
        with ExitStack() as stack:
            try:
                if not self._transactions:
                    stack.callback(self._guard.let_go)
                    stack.enter_context(self._connection.transaction())

                if not self._checked:
                    self._guard.check_card(self._connection)
                    self._checked = True

                yield
            except (CardResetError, CardRemovedError):
                self._checked = False
                self._guard.was_reset()
                self._guard.forgot()
                raise
            except Exception:
                raise
            except BaseException:
                # An interrupt, or the end of the time: what the programs above do now is not sent any more.
                self._guard.end()
                raise

    def _after(self, disposition: Disposition) -> None:
        """Take note of what an end has done to the card."""
        if disposition is not Disposition.LEAVE:
            self._checked = False
            self._guard.was_reset()
            self._guard.forgot()


class GuardedContext(Context):
    """A program's view of readers whose cards have guards; there are no others for it.

    Args:
        context: The view itself.
        guards: The guards by reader.
    """

    def __init__(self, context: Context, guards: Mapping[str, Guard]) -> None:
        self._context = context
        self._guards = guards
        self._connections: list[GuardedConnection] = []
        self._released = False

        for guard in guards.values():
            guard.enter()

    def readers(self) -> tuple[str, ...]:
        """Return the names of the readers whose cards have guards."""
        return tuple(reader for reader in self._context.readers() if reader in self._guards)

    def state(self, reader: str) -> ReaderState:
        """Return the state of one reader."""
        return self._context.state(reader)

    def wait(self, states: Sequence[ReaderState], timeout: float | None) -> tuple[ReaderState, ...]:
        """Wait until the state of a reader differs from the one given, and return the states then."""
        return self._context.wait(states, timeout)

    def cancel(self) -> None:
        """End the waits of this context, from any thread."""
        self._context.cancel()

    def connect(
        self,
        reader: str,
        *,
        share: ShareMode = ShareMode.SHARED,
        protocol: Protocol = Protocol.ANY,
    ) -> GuardedConnection:
        """Connect to the card in a reader, if its ATR is the expected one.

        Raises:
            CommandRefusedError: It is another card's; nothing was sent.
            PcscError: As every context; a reader without a guard is unknown.
        """
        if (guard := self._guards.get(reader)) is None:
            raise UnknownReaderError(reader, "its card has no guard")

        connection = self._context.connect(reader, share=share, protocol=protocol)

        try:
            if share is not ShareMode.DIRECT:
                guard.check_atr(connection.atr)
        except BaseException:
            connection.disconnect()
            raise

        guarded = GuardedConnection(connection, guard)
        self._connections = [each for each in self._connections if not each.closed] + [guarded]
        return guarded

    def release(self) -> None:
        """Close the context and its connections; an interrupt waits for the end.

        The last one of a card's contexts sees that the card keeps no login.
        """
        if self._released:
            return

        self._released = True

        with undisturbed():
            for guard in self._guards.values():
                guard.leave()

            for connection in self._connections:
                with suppress(PcscError):
                    connection.disconnect()

            for reader, guard in self._guards.items():
                if guard.has_to_log_out:
                    self._reset(reader, guard)

            self._context.release()

    def _reset(self, reader: str, guard: Guard) -> None:
        """Reset a card that nobody is connected to any more."""
        with suppress(PcscError):
            self._context.connect(reader).disconnect(Disposition.RESET)
            guard.forgot()


def name_states(error: BaseException, guards: Iterable[Guard]) -> None:
    """Add to an error in what state it has left the cards."""
    for guard in guards:
        error.add_note(guard.state)
