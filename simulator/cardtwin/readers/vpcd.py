"""A card in a slot of vpcd, the virtual reader's driver in the system's pcscd.

The driver listens on a TCP port, one for each of its slots, and takes who connects for a card that was
inserted. Messages of both sides are a length of two bytes, big-endian, and that many bytes. The driver's are
controls of one byte, or command APDUs.
"""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from enum import IntEnum
from typing import TYPE_CHECKING, Final, Self

from cardtwin.events import Defect, Exchange, PowerChange, ReaderChanged
from cardtwin.pcsc import CardMuteError, CardRemovedError, Protocol, ProtocolMismatchError

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from cardtwin.events import Event, Hub
    from cardtwin.pcsc import Card

__all__ = ["FIRST_PORT", "VpcdSlot"]

FIRST_PORT: Final = 35963
"""The port of the driver's first slot, as it comes; its second slot has the next one."""

_LENGTH: Final = 2
_LONGEST: Final = 0xFFFF
_AT_ONCE: Final = 0x1000
"""Bytes that are received at once: a buffer of that size is made each time, so few are better than all."""
_QUICKLY: Final = getattr(socket, "TCP_QUICKACK", None)
"""The option that has data acknowledged at once, where the system has it."""
_AGAIN: Final = 0.1
"""Seconds between two attempts to reach the driver."""
_PATIENCE: Final = 2.0
"""Seconds that an attempt takes at most: who stops this waits for it."""


class _Control(IntEnum):
    """The driver's messages of one byte."""

    POWER_OFF = 0
    POWER_ON = 1
    RESET = 2
    ATR = 4


class VpcdSlot:
    """Keeps a card in a slot of vpcd: in a thread of its own, and again after pcscd was started anew.

    A card that doesn't answer looks like one that was taken out: the driver knows no mute cards. It is put in
    again at once.

    Args:
        card: What is put in. It is called in the slot's thread alone.
        reader: The name that events give the reader; pcscd names its readers itself.
        host: Where pcscd runs.
        port: Of the slot.
        hub: Told of every APDU (events.Exchange), of insertions, resets and removals (events.ReaderChanged).
    """

    def __init__(
        self,
        card: Card,
        *,
        reader: str,
        host: str = "127.0.0.1",
        port: int = FIRST_PORT,
        hub: Hub | None = None,
    ) -> None:
        self._card = card
        self._reader = reader
        self._address = host, port
        self._hub = hub
        self._stopping = threading.Event()
        self._seen = threading.Event()
        self._socket: socket.socket | None = None
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._run, name=f"vpcd {port}", daemon=True)

    def start(self) -> None:
        """Put the card in, as soon as there is a driver."""
        self._thread.start()

    def stop(self) -> None:
        """Take the card out. A second call does nothing.

        The card itself may call it, during a command. Then the card leaves when its call has returned:
        who hears that the card is gone finds that all has been done which belongs to its removal.
        """
        self._stopping.set()

        if self._thread is threading.current_thread():
            return

        with self._lock:
            if self._socket is not None:
                with suppress(OSError):
                    self._socket.shutdown(socket.SHUT_RDWR)

        if self._thread.is_alive():
            self._thread.join()

    def wait(self, timeout: float) -> bool:
        """Wait until pcscd has asked for the card, and return whether it has.

        Args:
            timeout: Seconds.
        """
        return self._seen.wait(timeout)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                with socket.create_connection(self._address, _PATIENCE) as connection:
                    connection.settimeout(None)
                    self._inserted(connection)
            except OSError:
                pass  # no driver, or it is gone

            self._stopping.wait(_AGAIN)

    def _inserted(self, connection: socket.socket) -> None:
        """Be in the slot until the driver, or who stops this, ends it."""
        with self._lock:
            if self._stopping.is_set():
                return

            self._socket = connection

        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._tell(PowerChange.INSERTED)

        try:
            self._contacts(connection).serve()
        except (CardMuteError, CardRemovedError, ProtocolMismatchError):
            pass  # nothing can be said to the driver but that the card is gone
        except OSError:
            raise
        except Exception as error:  # noqa: BLE001  # a bug in the card takes it out of this slot, and no more
            self._emit(Defect.of(self._reader, error))
        finally:
            with self._lock:
                self._socket = None

            self._seen.clear()
            self._card.power_off()
            self._tell(PowerChange.REMOVED)

    def _contacts(self, connection: socket.socket) -> _Contacts:
        heard = self._hub is not None
        return _Contacts(
            self._card, connection, self._seen, self._stopping, self._emit, self._reader, heard=heard
        )

    def _tell(self, change: PowerChange) -> None:
        self._emit(ReaderChanged(reader=self._reader, change=change))

    def _emit(self, event: Event) -> None:
        if self._hub is not None:
            self._hub.emit(event)


class _Contacts:
    """The card's contacts during one stay in the slot."""

    def __init__(
        self,
        card: Card,
        connection: socket.socket,
        seen: threading.Event,
        stopping: threading.Event,
        emit: Callable[[Event], None],
        reader: str,
        *,
        heard: bool,
    ) -> None:
        self._card = card
        self._heard = heard
        self._connection = connection
        self._seen = seen
        self._stopping = stopping
        self._emit = emit
        self._reader = reader
        self._atr = b""
        self._received = b""
        self._powered = False

    def serve(self) -> None:
        """Answer until the driver is gone.

        Raises:
            OSError: The connection broke.
            CardMuteError: The card doesn't answer.
            CardRemovedError: It was taken out.
            ProtocolMismatchError: It speaks neither T=0 nor T=1.
        """
        self._power(PowerChange.POWERED_ON)

        while (message := self._receive()) is not None:
            if len(message) > 1:  # a command has four bytes at least
                self._send(self._processed(message))
            elif message in _ANSWERS:  # the driver has no other controls
                _ANSWERS[message](self)

            if not self._seen.is_set():
                self._seen.set()

    def power_on(self) -> None:
        """Power the card, or reset it if it is powered: the driver's power up tells nothing of before."""
        self._power(PowerChange.RESET if self._powered else PowerChange.POWERED_ON)

    def power_off(self) -> None:
        """Take the power away."""
        self._card.power_off()
        self._powered = False
        self._emit(ReaderChanged(reader=self._reader, change=PowerChange.POWERED_OFF))

    def tell_atr(self) -> None:
        """Send the ATR, which the driver also asks for to see whether the card is still there."""
        self._send(self._atr)

    def _power(self, change: PowerChange) -> None:
        self._atr = self._card.power_on(Protocol.ANY)
        self._powered = True
        self._emit(ReaderChanged(reader=self._reader, change=change, atr=self._atr))

    def _processed(self, command: bytes) -> bytes:
        try:
            response = self._response(command)
        except (CardMuteError, CardRemovedError) as error:
            self._emit(Exchange(reader=self._reader, command=command, unanswered=error.detail or error.name))
            raise

        if self._heard:
            self._emit(Exchange(reader=self._reader, command=command, response=response))

        return response

    def _response(self, command: bytes) -> bytes:
        if not self._powered:
            raise CardMuteError(self._reader, "the card has no power")

        response = self._card.process(command)

        if self._stopping.is_set():
            raise CardRemovedError(self._reader, "the card was taken out")

        return response

    def _send(self, message: bytes) -> None:
        assert len(message) <= _LONGEST
        self._connection.sendall(len(message).to_bytes(_LENGTH) + message)

    def _receive(self) -> bytes | None:
        """Receive one message; None when the driver has closed the connection."""
        received = self._received
        end = _LENGTH

        while len(received) < end or len(received) < (end := _LENGTH + (received[0] << 8 | received[1])):
            if received:
                self._acknowledge_at_once()

            data = self._connection.recv(_AT_ONCE)

            if not data:
                return None

            received += data

        self._received = received[end:]
        return received[_LENGTH:end]

    def _acknowledge_at_once(self) -> None:
        """Have what has come so far acknowledged at once.

        Older drivers send length and message in two segments, and the second one waits for the first one's
        acknowledgement, which Linux would delay by 40 ms. The option holds until the kernel changes its mind:
        it has to be set for each message. What came whole is acknowledged by the response to it.
        """
        if _QUICKLY is not None:
            self._connection.setsockopt(socket.IPPROTO_TCP, _QUICKLY, 1)


_ANSWERS: Final[dict[bytes, Callable[[_Contacts], None]]] = {
    bytes([_Control.POWER_OFF]): _Contacts.power_off,
    bytes([_Control.POWER_ON]): _Contacts.power_on,
    bytes([_Control.RESET]): _Contacts.power_on,
    bytes([_Control.ATR]): _Contacts.tell_atr,
}
