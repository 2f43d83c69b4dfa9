from __future__ import annotations

import inspect
import re
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING

import pytest

import cardtwin.pcsc
from cardtwin.pcsc import (
    CardConnection,
    Context,
    Disposition,
    PcscError,
    Protocol,
    ReaderState,
    ShareMode,
    errors,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

ERRORS = [kind for kind in vars(errors).values() if inspect.isclass(kind) and issubclass(kind, PcscError)]


class Connection(CardConnection):
    """A connection that remembers how it was left."""

    reader = "R1"
    atr = b"\x3b\x00"
    protocol = Protocol.T1
    max_command_data = 255

    def __init__(self) -> None:
        self.left: list[Disposition] = []

    def transmit(self, command: bytes) -> bytes:
        raise NotImplementedError

    def transaction(self, disposition: Disposition = Disposition.LEAVE) -> AbstractContextManager[None]:
        return nullcontext()

    def reconnect(
        self,
        disposition: Disposition = Disposition.LEAVE,
        *,
        share: ShareMode = ShareMode.SHARED,
        protocol: Protocol = Protocol.ANY,
    ) -> None:
        raise NotImplementedError

    def disconnect(self, disposition: Disposition = Disposition.LEAVE) -> None:
        self.left.append(disposition)


class Program(Context):
    """A context that remembers whether it was released."""

    def __init__(self) -> None:
        self.released = False

    def readers(self) -> tuple[str, ...]:
        return ()

    def state(self, reader: str) -> ReaderState:
        return ReaderState(reader)

    def wait(self, states: Sequence[ReaderState], timeout: float | None) -> tuple[ReaderState, ...]:
        return tuple(states)

    def cancel(self) -> None:
        raise NotImplementedError

    def connect(
        self,
        reader: str,
        *,
        share: ShareMode = ShareMode.SHARED,
        protocol: Protocol = Protocol.ANY,
    ) -> CardConnection:
        return Connection()

    def release(self) -> None:
        self.released = True


def test_the_end_of_a_block_leaves_the_card_as_it_is_also_by_an_error() -> None:
    connection = Connection()

    with pytest.raises(RuntimeError), connection:
        raise RuntimeError

    assert connection.left == [Disposition.LEAVE]


def test_the_end_of_a_block_releases_the_context_also_by_an_error() -> None:
    program = Program()

    with pytest.raises(RuntimeError), program:
        raise RuntimeError

    assert program.released


def test_no_two_errors_share_a_code_or_a_name() -> None:
    assert len({kind.code for kind in ERRORS}) == len({kind.name for kind in ERRORS}) == len(ERRORS)


@pytest.mark.parametrize("kind", ERRORS, ids=lambda kind: kind.name)
def test_an_error_tells_its_pcsc_name_and_the_reader(kind: type[PcscError]) -> None:
    assert re.fullmatch(r"SCARD_[EWF]_[A-Z_]+", kind.name)
    assert str(kind()) == kind.name
    assert str(kind("R1", "why")) == f"{kind.name} at 'R1': why"
    assert kind("R1").reader == "R1"


@pytest.mark.parametrize("kind", ERRORS, ids=lambda kind: kind.name)
def test_an_error_is_exported_and_drawn_in_the_tree(kind: type[PcscError]) -> None:
    assert getattr(cardtwin.pcsc, kind.__name__) is kind
    assert kind.__name__ in (errors.__doc__ or "")


def test_values_are_those_of_the_winscard_header() -> None:
    assert (Protocol.T0, Protocol.T1, Protocol.RAW, Protocol.ANY) == (1, 2, 4, 3)
    assert [mode.value for mode in (ShareMode.EXCLUSIVE, ShareMode.SHARED, ShareMode.DIRECT)] == [1, 2, 3]
    assert [end.value for end in Disposition] == [0, 1, 2, 3]


def test_an_empty_reader_has_no_card_and_no_protocol() -> None:
    assert ReaderState("R1") == ReaderState("R1", present=False, atr=b"", protocol=Protocol.UNDEFINED)
