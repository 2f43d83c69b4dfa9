"""A program's view of the system's readers."""

from __future__ import annotations

import math
import threading
import time
from typing import TYPE_CHECKING, Final

from cardtwin.pcsc import (
    Context,
    InvalidHandleError,
    NoReadersError,
    Protocol,
    ReaderState,
    ShareMode,
    TimeoutExpiredError,
    UnknownReaderError,
)
from cardtwin.readers.physical.connection import PhysicalConnection
from cardtwin.readers.physical.scard import called, scard

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cardtwin.events import Hub
    from cardtwin.readers.physical.changes import ReaderChanges

__all__ = ["PhysicalContext"]

_EVENTS_SHIFT: Final = 16
_EXCLUSIVE: Final = -1
_SLICE: Final = 60.0
"""Seconds of one wait; a longer one is made of several."""


class PhysicalContext(Context):
    """A context of the system's PC/SC service. May be used by several threads at once.

    What a reader's state cannot tell is left out: of several connections there is one, and no protocol.

    Args:
        hub: Told of every APDU (events.Exchange).
        names: What the service calls readers, by what they are called here; all others are out of sight. None
            leaves all readers their names.
        whole: Whether connections send whole APDUs with T=0; else GET RESPONSE is the caller's business.
        changes: Told of what happens to cards; None for nobody.

    Raises:
        NoServiceError: No PC/SC service is running.
    """

    def __init__(
        self,
        hub: Hub | None = None,
        *,
        names: Mapping[str, str] | None = None,
        whole: bool = True,
        changes: ReaderChanges | None = None,
    ) -> None:
        (self._handle,) = called("", scard.SCardEstablishContext, scard.SCARD_SCOPE_SYSTEM)
        self._hub = hub
        self._names = names
        self._whole = whole
        self._changes = changes
        self._lock = threading.Lock()
        self._connections: list[PhysicalConnection] = []
        self._released = False

    def readers(self) -> tuple[str, ...]:
        """Return the readers' names, in the service's order; empty if there are none."""
        self._check_open()

        try:
            (names,) = called("", scard.SCardListReaders, self._handle, [])
        except NoReadersError:
            return ()

        if self._names is None:
            return tuple(names)

        return tuple(name for name, service in self._names.items() if service in names)

    def state(self, reader: str) -> ReaderState:
        """Return the state of one reader."""
        ((_, found),) = self._changed(((reader, scard.SCARD_STATE_UNAWARE),), 0.0)
        return found

    def wait(self, states: Sequence[ReaderState], timeout: float | None) -> tuple[ReaderState, ...]:
        """Wait until the state of a reader differs from the one given, and return the states then."""
        deadline = None if timeout is None else time.monotonic() + timeout
        believed = tuple(states)
        known = tuple((state.name, _flags(state)) for state in believed)

        while True:
            left = _SLICE if deadline is None else max(0.0, min(_SLICE, deadline - time.monotonic()))

            try:
                found = self._changed(known, left)
            except TimeoutExpiredError:
                if deadline is None or time.monotonic() < deadline:
                    continue

                raise

            now = tuple(state for _, state in found)

            if now != believed:
                return now

            # What has changed is nothing that a state tells, such as the number of connections.
            known = tuple((state.name, flags) for flags, state in found)

    def _changed(
        self, known: tuple[tuple[str, int], ...], seconds: float
    ) -> tuple[tuple[int, ReaderState], ...]:
        """Return the flags and states of readers as soon as one has other flags than are known."""
        self._check_open()
        milliseconds = math.ceil(seconds * 1000)
        asked = [(self._service_name(name), flags) for name, flags in known]
        (found,) = called(
            known[0][0] if known else "", scard.SCardGetStatusChange, self._handle, milliseconds, asked
        )
        states = tuple(
            (flags & ~scard.SCARD_STATE_CHANGED, _state(name, flags, atr))
            for (name, _), (_, flags, atr) in zip(known, found, strict=True)
        )

        if self._changes is not None:
            for _, state in states:
                self._changes.seen(state)

        return states

    def _service_name(self, reader: str) -> str:
        """Return what the service calls a reader.

        Raises:
            UnknownReaderError: It is out of sight.
        """
        if self._names is None:
            return reader

        if reader not in self._names:
            raise UnknownReaderError(reader)

        return self._names[reader]

    def cancel(self) -> None:
        """End the waits of this context, from any thread."""
        called("", scard.SCardCancel, self._handle)

    def connect(
        self,
        reader: str,
        *,
        share: ShareMode = ShareMode.SHARED,
        protocol: Protocol = Protocol.ANY,
    ) -> PhysicalConnection:
        """Connect to the card in a reader. DIRECT needs no card and settles no protocol."""
        self._check_open()
        wanted = 0 if share is ShareMode.DIRECT else int(protocol)
        name = self._service_name(reader)
        handle, active = called(reader, scard.SCardConnect, self._handle, name, share.value, wanted)
        changes = None if share is ShareMode.DIRECT else self._changes
        connection = PhysicalConnection(
            reader, handle, Protocol(active), self._hub, whole=self._whole, changes=changes
        )

        with self._lock:
            self._connections = [one for one in self._connections if not one.closed]
            self._connections.append(connection)

        return connection

    def release(self) -> None:
        """Close the context and its connections."""
        with self._lock:
            released, self._released = self._released, True
            connections, self._connections = self._connections, []

        if released:
            return

        for connection in connections:
            connection.disconnect()

        called("", scard.SCardReleaseContext, self._handle)

    def _check_open(self) -> None:
        if self._released:
            raise InvalidHandleError


def _state(reader: str, flags: int, atr: Sequence[int]) -> ReaderState:
    present = bool(flags & scard.SCARD_STATE_PRESENT)
    mute = bool(flags & scard.SCARD_STATE_MUTE)
    shared = 1 if flags & scard.SCARD_STATE_INUSE else 0
    return ReaderState(
        reader,
        present=present,
        mute=mute,
        atr=bytes(atr) if present else b"",
        sharing=_EXCLUSIVE if flags & scard.SCARD_STATE_EXCLUSIVE else shared,
        events=flags >> _EVENTS_SHIFT,
        powered=present and not mute,
    )


def _flags(state: ReaderState) -> int:
    """Return the flags of a state as the service compares them."""
    flags: int = state.events << _EVENTS_SHIFT
    flags |= scard.SCARD_STATE_PRESENT if state.present else scard.SCARD_STATE_EMPTY

    for holds, flag in (
        (state.mute, scard.SCARD_STATE_MUTE),
        (state.sharing == _EXCLUSIVE, scard.SCARD_STATE_EXCLUSIVE),
        (state.sharing > 0, scard.SCARD_STATE_INUSE),
    ):
        flags |= flag if holds else 0

    return flags
