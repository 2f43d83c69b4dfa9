"""The manager against a simple model: any sequence of what programs and the desk do."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, precondition, rule

from cardtwin.pcsc import (
    CardRemovedError,
    CardResetError,
    Disposition,
    InvalidHandleError,
    NoSmartCardError,
    NotTransactedError,
    PcscError,
    ProtocolMismatchError,
    ShareMode,
    SharingViolationError,
)
from cardtwin.readers import ManagedConnection, ReaderManager, UnpoweredCardError
from support.cards import LOGIN, OK, WHO_AM_I, ScriptedCard

if TYPE_CHECKING:
    from collections.abc import Callable

Error = type[PcscError]
RESETTING = (Disposition.RESET, Disposition.UNPOWER)
shares = st.sampled_from(ShareMode)
dispositions = st.sampled_from(Disposition)


@dataclass(eq=False)
class Seat:
    share: ShareMode
    trouble: Error | None = None
    real: ManagedConnection = field(init=False)


class Model(RuleBasedStateMachine):
    """What PC/SC promises, told by a handful of variables."""

    seats = Bundle("seats")

    def __init__(self) -> None:
        super().__init__()
        self.manager = ReaderManager()
        self.manager.add_reader("R1")
        self.context = self.manager.context(patience=0)
        self.connected: list[Seat] = []
        self.present = self.powered = self.settled = self.logged_in = False
        self.holder: Seat | None = None
        self.depth = 0

    def outcome(self, expected: Error | None, act: Callable[[], Any]) -> Any:
        """Do it, and hold what comes against what the model expects."""
        if expected is None:
            return act()

        with pytest.raises(expected):
            act()

        return None

    def lose_state(self, trouble: Error | None) -> None:
        self.settled = self.logged_in = False

        for seat in self.connected:
            seat.trouble = trouble or seat.trouble

    def dispose(self, disposition: Disposition, *, again: bool) -> None:
        if self.present and disposition in RESETTING:
            self.lose_state(CardResetError)
            self.powered = again or disposition is Disposition.RESET

    def settle(self, share: ShareMode) -> None:
        if share is not ShareMode.DIRECT:
            self.powered = self.settled = True

    def free(self, seat: Seat) -> None:
        if self.holder is seat:
            self.holder, self.depth = None, 0

    def held_by_another(self, seat: Seat | None) -> bool:
        return self.holder is not None and self.holder is not seat

    # The desk

    @precondition(lambda self: not self.present)
    @rule()
    def insert(self) -> None:
        self.manager.insert("R1", ScriptedCard())
        self.present = self.powered = True

    @precondition(lambda self: self.present)
    @rule()
    def remove(self) -> None:
        self.manager.remove("R1")
        self.lose_state(CardRemovedError)
        self.present = self.powered = False
        self.holder, self.depth = None, 0

    @precondition(lambda self: self.present)
    @rule()
    def reset(self) -> None:
        self.manager.reset("R1")
        self.lose_state(CardResetError)
        self.powered = True

    # Programs

    @rule(target=seats, share=shares)
    def connect(self, share: ShareMode) -> Seat:
        seat = Seat(share)
        expected: Error | None = None

        if any(one.share is ShareMode.EXCLUSIVE for one in self.connected) or self.holder:
            expected = SharingViolationError
        elif not self.present and share is not ShareMode.DIRECT:
            expected = NoSmartCardError
        elif share is ShareMode.EXCLUSIVE and self.connected:
            expected = SharingViolationError
            self.settle(share)

        real = self.outcome(expected, lambda: self.context.connect("R1", share=share))

        if real is None:
            seat.trouble = InvalidHandleError
            return seat

        seat.real = real
        self.connected.append(seat)
        self.settle(share)
        return seat

    @rule(seat=seats, command=st.sampled_from([LOGIN, WHO_AM_I]))
    def transmit(self, seat: Seat, command: bytes) -> None:
        if not hasattr(seat, "real"):
            return

        expected = seat.trouble

        if expected is None and self.held_by_another(seat):
            expected = SharingViolationError
        elif expected is None and not self.settled:
            expected = self.unready()

        response = self.outcome(expected, lambda: seat.real.transmit(command))

        if response is not None and command == WHO_AM_I:
            assert response == bytes([self.logged_in]) + OK
        elif response is not None:
            self.logged_in = True

    def unready(self) -> Error:
        if not self.present:
            return NoSmartCardError

        return ProtocolMismatchError if self.powered else UnpoweredCardError

    @rule(seat=seats)
    def begin(self, seat: Seat) -> None:
        if not hasattr(seat, "real"):
            return

        expected = seat.trouble or (SharingViolationError if self.held_by_another(seat) else None)
        self.outcome(expected, seat.real.begin_transaction)

        if expected is None:
            self.holder = seat
            self.depth += 1

    @rule(seat=seats, disposition=dispositions)
    def end(self, seat: Seat, disposition: Disposition) -> None:
        if not hasattr(seat, "real"):
            return

        expected = seat.trouble

        if expected is None and self.held_by_another(seat):
            expected = SharingViolationError
        elif expected is None and self.holder is None:
            expected = NotTransactedError

        self.outcome(expected, lambda: seat.real.end_transaction(disposition))

        if expected is None:
            self.dispose(disposition, again=True)

        if self.holder is seat:
            self.depth -= 1
            self.holder = seat if self.depth else None

    @rule(seat=seats, disposition=dispositions, share=shares)
    def reconnect(self, seat: Seat, disposition: Disposition, share: ShareMode) -> None:
        if not hasattr(seat, "real"):
            return

        expected: Error | None = None

        if seat not in self.connected:
            expected = InvalidHandleError
        elif self.held_by_another(seat) or (share is ShareMode.EXCLUSIVE and len(self.connected) > 1):
            expected = SharingViolationError
        elif not self.present and share is not ShareMode.DIRECT:
            expected = CardRemovedError

        self.outcome(expected, lambda: seat.real.reconnect(disposition, share=share))

        if expected is None:
            self.dispose(disposition, again=True)
            self.settle(share)
            seat.share, seat.trouble = share, None

    @rule(seat=consumes(seats), disposition=dispositions)
    def disconnect(self, seat: Seat, disposition: Disposition) -> None:
        if not hasattr(seat, "real"):
            return

        waits = disposition is not Disposition.LEAVE and self.held_by_another(seat)
        self.outcome(SharingViolationError if waits else None, lambda: seat.real.disconnect(disposition))

        if waits:
            seat.real.disconnect()
            disposition = Disposition.LEAVE

        self.connected.remove(seat)
        self.free(seat)
        self.dispose(disposition, again=False)

    # What holds at all times

    @invariant()
    def the_state_tells_the_truth(self) -> None:
        state = self.manager.state("R1")
        exclusive = any(seat.share is ShareMode.EXCLUSIVE for seat in self.connected)
        assert state.present == self.present
        assert state.powered == self.powered
        assert bool(state.protocol) == self.settled
        assert state.sharing == (-1 if exclusive else len(self.connected))


Model.TestCase.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
TestModel = Model.TestCase
