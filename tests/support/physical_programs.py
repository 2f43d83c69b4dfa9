"""Checks of the system's readers as a program sees them, run as ``python physical_programs.py NAME``.

They run in processes of their own: libpcsclite reads its environment once. What fails ends the program.
"""

from __future__ import annotations

import sys
import threading
from typing import TYPE_CHECKING

from cardtwin.events import Event, Exchange, Hub
from cardtwin.pcsc import (
    CancelledError,
    CardRemovedError,
    CardResetError,
    Disposition,
    InvalidHandleError,
    NoSmartCardError,
    PcscError,
    Protocol,
    ShareMode,
    SharingViolationError,
    TimeoutExpiredError,
    UnknownReaderError,
)
from cardtwin.readers import ReaderInUseError, ReaderManager
from cardtwin.readers.physical import PassedReader, PhysicalContext, ReaderChanges
from support.reader_changes import act, told

if TYPE_CHECKING:
    from collections.abc import Callable

SELECT_MF = bytes.fromhex("00A4000C023F00")
OK = b"\x90\x00"
BOUND = 20.0


def raises(error: type[PcscError], action: Callable[[], object]) -> None:
    """See that an action ends with an error of that very class."""
    try:
        action()
    except PcscError as found:
        if type(found) is error:
            return

        raise

    raise AssertionError(f"no {error.__name__}")


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def use() -> None:
    """Transmit, with the hub told; the ATR, the protocol and the length of commands."""
    hub = Hub()
    events: list[Event] = []
    hub.subscribe(events.append)

    with PhysicalContext(hub) as context:
        (reader, *_) = context.readers()

        with context.connect(reader) as connection:
            assert connection.transmit(SELECT_MF) == OK
            assert connection.reader == reader
            say(f"{connection.atr.hex()} {connection.protocol.name} {connection.max_command_data}")

        raises(InvalidHandleError, lambda: connection.transmit(SELECT_MF))

    assert [event.command for event in events if isinstance(event, Exchange)] == [SELECT_MF]
    raises(InvalidHandleError, context.readers)


def extended() -> None:
    """Write and read more than a short command and a short response hold."""
    content = bytes(range(250)) + bytes(50)
    create = bytes.fromhex("00E000001B621980020200820101830244018501008609") + bytes(9)
    length = b"\0" + len(content).to_bytes(2)

    with PhysicalContext() as context, context.connect(context.readers()[0]) as connection:
        assert connection.transmit(create) == OK
        assert connection.transmit(bytes.fromhex("00D60000") + length + content) == OK
        assert connection.transmit(bytes.fromhex("00B00000") + length) == content + OK


def share() -> None:
    """Share modes and their violations."""
    with PhysicalContext() as one, PhysicalContext() as other:
        (reader, *_) = one.readers()

        with one.connect(reader, share=ShareMode.EXCLUSIVE):
            raises(SharingViolationError, lambda: other.connect(reader))
            assert other.state(reader).sharing == -1

        with one.connect(reader), other.connect(reader) as second:
            assert second.transmit(SELECT_MF) == OK
            raises(SharingViolationError, lambda: other.connect(reader, share=ShareMode.EXCLUSIVE))

        raises(UnknownReaderError, lambda: one.connect("there is no such reader"))


def reset() -> None:
    """A reset by another connection, and the end of a transaction with a reset."""
    with PhysicalContext() as context:
        (reader, *_) = context.readers()

        with context.connect(reader) as one, context.connect(reader) as other:
            other.reconnect(Disposition.RESET)
            raises(CardResetError, lambda: one.transmit(SELECT_MF))
            one.reconnect()
            assert one.transmit(SELECT_MF) == OK

            with one.transaction(Disposition.RESET):
                assert one.transmit(SELECT_MF) == OK

            raises(CardResetError, lambda: other.transmit(SELECT_MF))


def hold() -> None:
    """A transaction keeps others waiting until it ends."""
    order: list[str] = []

    with PhysicalContext() as one, PhysicalContext() as other:
        (reader, *_) = one.readers()
        first, second = one.connect(reader), other.connect(reader)
        began = threading.Event()

        def wait() -> None:
            began.set()

            with second.transaction():
                order.append("second")

        with first.transaction():
            thread = threading.Thread(target=wait)
            thread.start()
            assert began.wait(BOUND)
            first.transmit(SELECT_MF)
            order.append("first")

        thread.join(BOUND)
        assert order == ["first", "second"]


def wait() -> None:
    """Wait for a removal and an insertion; a wait that is in vain, and one that is cancelled."""
    with PhysicalContext() as context:
        (reader, *_) = context.readers()
        there = context.state(reader)
        assert there.present
        raises(TimeoutExpiredError, lambda: context.wait([there], 0.05))

        timer = threading.Timer(0.1, context.cancel)
        timer.start()
        raises(CancelledError, lambda: context.wait([there], BOUND))
        timer.join()

        connection = context.connect(reader)
        there = context.state(reader)
        say("remove")
        (gone,) = context.wait([there], BOUND)

        while gone.present:
            (gone,) = context.wait([gone], BOUND)

        raises(CardRemovedError, lambda: connection.transmit(SELECT_MF))
        raises(NoSmartCardError, lambda: context.connect(reader))
        say("insert")
        (again,) = context.wait([gone], BOUND)

        while not again.present:
            (again,) = context.wait([again], BOUND)

        assert again.events != there.events
        assert again.atr == there.atr
        assert context.connect(reader).transmit(SELECT_MF) == OK


def pass_on() -> None:
    """A reader that is passed on: the card is nobody else's, with power or without, and free afterwards."""
    extended_read = bytes.fromhex("00B000000001FF")

    with PhysicalContext() as other:
        (reader, *_) = other.readers()
        manager = ReaderManager()

        with PassedReader(manager, reader, known_as="Passed"):
            with manager.context() as context, context.connect("Passed") as connection:
                assert connection.transmit(SELECT_MF) == OK
                assert len(connection.transmit(extended_read)) >= len(OK)
                raises(SharingViolationError, lambda: other.connect(reader))
                connection.disconnect(Disposition.UNPOWER)

            assert not manager.state("Passed").powered
            raises(SharingViolationError, lambda: other.connect(reader))

            with manager.context() as context, context.connect("Passed") as connection:
                assert connection.transmit(SELECT_MF) == OK

        with other.connect(reader) as connection:
            assert connection.transmit(SELECT_MF) == OK
            manager = ReaderManager()
            raises_reader_error(lambda: PassedReader(manager, reader))

        assert manager.readers() == ()


def raises_reader_error(action: Callable[[], object]) -> None:
    """See that an action says that another program uses the card."""
    try:
        action()
    except ReaderInUseError:
        return

    raise AssertionError("no ReaderInUseError")


def t0() -> None:
    """Whole command APDUs over T=0."""
    with PhysicalContext() as context:
        (reader, *_) = context.readers()

        with context.connect(reader, protocol=Protocol.ANY) as connection:
            assert connection.protocol is Protocol.T0
            assert connection.max_command_data == 255

            for line in sys.stdin:
                say(connection.transmit(bytes.fromhex(line)).hex())


def changes() -> None:
    """What is told of a card to which everything is done."""
    hub = Hub()
    events: list[Event] = []
    hub.subscribe(events.append)
    watched = ReaderChanges(hub)

    with (
        PhysicalContext(hub, changes=watched) as one,
        PhysicalContext(hub, changes=watched) as other,
        PhysicalContext() as outside,
    ):
        act(one, other, outside, say)

    say(",".join(told(events)))


if __name__ == "__main__":
    programs = (use, extended, share, reset, hold, wait, pass_on, t0, changes)
    {program.__name__: program for program in programs}[sys.argv[1]]()
    say("done")
