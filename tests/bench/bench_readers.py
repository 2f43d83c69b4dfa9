"""How many APDUs a second other programs get through: on our socket, and in the system's pcscd with vpcd.

Run it where cardtwin is installed with pyscard, with pcscd, vpcd (Debian: vsmartcard-vpcd) and a C compiler::

    PYTHONPATH=tests python -m bench.bench_readers [--commands N] [--rounds N]

It prints a table and judges nothing: figures depend on the machine and on what else runs there. A program
above pyscard reads 256 bytes again and again, by turns from four cards: ours on our socket, ours in a slot
of vpcd, and there a responder in C that does nothing but answer, and one in Python that lets the kernel
take its time with acknowledgements. Each row is the median of the rounds. The aims are 25,000 a second on
the socket, and in pcscd 0.85 of what the responder in C gets: these two are in the slots of one pcscd,
and one program reads from both, because two pcscd that do the same differ by a quarter.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from bench.bench_card import ANSWER, READ, SELECT, expect, measured, prepared_card
from cardtwin.events import Hub
from cardtwin.readers import ReaderManager
from cardtwin.readers.pcsclite import PcscLiteServer
from cardtwin.readers.vpcd import VpcdSlot
from support.interop import program
from support.pcscd import started_daemon

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from multiprocessing.connection import Connection

    from support.pcscd import Daemon

AIM_SOCKET: Final = 25_000
AIM_PCSCD: Final = 0.85
SLOWER: Final = 200
"""How many times fewer commands are sent where each takes 40 ms."""

_SPAWN: Final = multiprocessing.get_context("spawn")
_SOURCE: Final = Path(__file__).with_name("responder.c")
_VARIABLE: Final = "PCSCLITE_CSOCK_NAME"
_ATR: Final = bytes.fromhex("3B800181")


@dataclass(frozen=True)
class Place:
    """Where a card is.

    Attributes:
        name: What it is called in the table.
        socket: Of the PC/SC service that leads there.
        reader: The number of the service's reader, from 0.
        slower: How many times fewer commands it gets.
    """

    name: str
    socket: str
    reader: int = 0
    slower: int = 1


# The cards; each is in a process of its own


def on_our_socket(path: str, channel: Connection) -> None:
    """Serve our card on our socket until the channel says anything."""
    manager = ReaderManager(Hub())
    manager.add_reader("bench")
    manager.insert("bench", prepared_card())

    with PcscLiteServer(manager, Path(path)):
        channel.send("ready")
        channel.recv()


def in_a_slot(port: int, channel: Connection) -> None:
    """Keep our card in a slot of vpcd until the channel says anything."""
    with VpcdSlot(prepared_card(), reader="bench", port=port):
        channel.send("ready")
        channel.recv()


def without_acknowledgements(port: int, channel: Connection) -> None:
    """Answer in a slot as a program does that knows nothing of delayed acknowledgements."""
    with _connected(port) as slot, slot.makefile("rb") as messages:
        channel.send("ready")

        while head := messages.read(2):
            message = messages.read(int.from_bytes(head))

            if message == b"\x04":
                slot.sendall(len(_ATR).to_bytes(2) + _ATR)
            elif len(message) > 1:
                slot.sendall(len(ANSWER).to_bytes(2) + ANSWER)


def _connected(port: int) -> socket.socket:
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port))
        except OSError:
            time.sleep(0.05)  # the driver is not there yet


@contextmanager
def in_a_process(task: Any, *arguments: object) -> Iterator[None]:
    """Run a task that tells when it is ready, and end it."""
    ours, theirs = _SPAWN.Pipe()
    process = _SPAWN.Process(target=task, args=(*arguments, theirs), daemon=True)
    process.start()
    theirs.close()
    ours.recv()

    try:
        yield
    finally:
        process.terminate()
        process.join()
        ours.close()


@contextmanager
def in_c(port: int, folder: Path) -> Iterator[None]:
    """Run the responder in C."""
    binary = folder / "responder"
    subprocess.run([program("cc"), "-O2", "-Wall", "-Wextra", "-o", binary, _SOURCE], check=True)
    process = subprocess.Popen([binary, str(port)], stdin=subprocess.PIPE)
    assert process.stdin is not None

    with process, process.stdin as told:
        told.write(ANSWER.hex().encode())
        told.close()

        try:
            yield
        finally:
            process.terminate()


@contextmanager
def places(folder: Path) -> Iterator[list[Place]]:
    """Put all cards where they belong."""
    with ExitStack() as stack:
        path = folder / "socket"
        stack.enter_context(in_a_process(on_our_socket, str(path)))
        pcscd, another = (stack.enter_context(started_daemon()) for _ in range(2))
        stack.enter_context(in_a_process(in_a_slot, pcscd.port))
        stack.enter_context(in_c(pcscd.port + 1, folder))
        stack.enter_context(in_a_process(without_acknowledgements, another.port))
        yield [
            Place("our socket, emulated card", str(path)),
            Place("pcscd and vpcd, emulated card", _socket(pcscd)),
            Place("pcscd and vpcd, a responder in C", _socket(pcscd), reader=1),
            Place("pcscd and vpcd, one in Python, acknowledging late", _socket(another), slower=SLOWER),
        ]


def _socket(daemon: Daemon) -> str:
    return daemon.environment[_VARIABLE]


# What the program does


def read(path: str, channel: Connection) -> None:
    """Read from the readers and so often as the channel says, and tell how many times a second that was."""
    os.environ[_VARIABLE] = path
    from smartcard import scard  # noqa: PLC0415  # libpcsclite reads its environment when it is loaded

    _, context = scard.SCardEstablishContext(scard.SCARD_SCOPE_USER)
    transmits: dict[int, Callable[[int], None]] = {}

    while told := channel.recv():
        reader, count = told

        if reader not in transmits:
            transmits[reader] = _transmitting(scard, context, reader)

        begin = time.perf_counter()
        transmits[reader](count)
        channel.send(count / (time.perf_counter() - begin))


def _transmitting(scard: Any, context: int, reader: int) -> Callable[[int], None]:
    """Connect to a reader's card, and return what reads from it so often as it is told to."""
    card, protocol = _with_card(scard, context, scard.SCardListReaders(context, [])[1][reader])

    def transmit(command: bytes) -> bytes:
        result, response = scard.SCardTransmit(card, protocol, list(command))
        return bytes(response) if result == scard.SCARD_S_SUCCESS else b""

    def read_again(count: int) -> None:
        command = list(READ)

        for _ in range(count):
            scard.SCardTransmit(card, protocol, command)

        expect(transmit(READ), ANSWER)

    transmit(SELECT)  # of what answers, only the emulated card knows files
    expect(transmit(READ), ANSWER)
    return read_again


def _with_card(scard: Any, context: int, reader: str) -> tuple[int, int]:
    """Connect to the card in a reader, as soon as there is one."""
    known = scard.SCARD_STATE_UNAWARE

    while not known & scard.SCARD_STATE_PRESENT:
        result, states = scard.SCardGetStatusChange(context, 20_000, [(reader, known)])

        if result != scard.SCARD_S_SUCCESS:
            sys.exit(f"no card came into {reader}: {scard.SCardGetErrorMessage(result)}")

        known = states[0][1]

    mode = scard.SCARD_SHARE_SHARED
    result, card, protocol = scard.SCardConnect(context, reader, mode, scard.SCARD_PROTOCOL_ANY)

    if result != scard.SCARD_S_SUCCESS:
        sys.exit(f"{reader}: {scard.SCardGetErrorMessage(result)}")

    return card, protocol


# The table


def rates(commands: int, rounds: int) -> dict[str, float]:
    """Measure all places by turns, and return the median of each."""
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack, places(Path(folder)) as all_places:
        sockets = {place.socket for place in all_places}
        readings = {path: stack.enter_context(_reading(path)) for path in sockets}
        told: dict[str, list[float]] = {place.name: [] for place in all_places}

        for _ in range(rounds):
            for place in all_places:
                channel = readings[place.socket]
                channel.send((place.reader, max(1, commands // place.slower)))
                told[place.name].append(channel.recv())

        return {name: statistics.median(values) for name, values in told.items()}


@contextmanager
def _reading(path: str) -> Iterator[Connection]:
    ours, theirs = _SPAWN.Pipe()
    process = _SPAWN.Process(target=read, args=(path, theirs), daemon=True)
    process.start()
    theirs.close()

    try:
        yield ours
        ours.send(None)
        process.join()
    finally:
        process.terminate()
        ours.close()


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--commands", type=int, default=20_000, help="commands in a round (%(default)s)")
    parser.add_argument(
        "--rounds", type=int, default=7, help="rounds, of which the median counts (%(default)s)"
    )
    options = parser.parse_args(arguments)
    commands, rounds = options.commands, options.rounds
    told = rates(commands, rounds)
    _, ours, c, _ = told.values()

    click.echo(f"READ BINARY of 256 bytes through pyscard, median of {rounds} x {commands:,} commands")

    for name, rate in told.items():
        click.echo(f"{name:52} {rate:>12,.0f}/s")

    click.echo(f"{'aim, our socket':52} {AIM_SOCKET:>12,}/s")
    click.echo(f"{'pcscd and vpcd, of what the responder in C gets':52} {ours / c:>12.2f}")
    click.echo(f"{'aim':52} {AIM_PCSCD:>12}")
    row = next(row for row in measured(commands, 1) if "recorded" in row.what)
    click.echo(f"{f'in memory: {row.what}':52} {row.rate:>12,.0f}/s")


if __name__ == "__main__":
    main()
