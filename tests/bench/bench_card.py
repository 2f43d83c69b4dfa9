"""How fast the emulated card answers READ BINARY, in memory.

Run it where cardtwin is installed::

    PYTHONPATH=tests python -m bench.bench_card [--commands N] [--rounds N]

It prints a table and judges nothing: figures depend on the machine and on what else runs there. Each row is
the best of several rounds, in one thread. The aim is 300,000 commands a second through a reader with its
lock and a recorder.
"""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import click

from cardtwin.card import EmulatedCard, models
from cardtwin.entropy import SeededEntropy
from cardtwin.events import Event, Hub
from cardtwin.pcsc import Card, Protocol
from cardtwin.readers import ReaderManager

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

CONTENT: Final = bytes(range(256))
FILE_ID: Final = bytes.fromhex("4401")
CREATE: Final = bytes.fromhex("00E00000 1B 6219 80020100 820101 83024401 850100 8609 000000000000000000")
SELECT: Final = bytes.fromhex("00A4000C 02") + FILE_ID
UPDATE: Final = bytes.fromhex("00D60000 00 0100") + CONTENT
READ: Final = bytes.fromhex("00B0000000")
ANSWER: Final = CONTENT + b"\x90\x00"
AIM: Final = 300_000


def byte_field(name: str) -> property:
    """Return a property that takes a byte only, kept under another name."""

    def check_and_set(self: object, value: int) -> None:
        if not isinstance(value, int):
            raise TypeError(f"{name} is a byte")

        setattr(self, f"_{name}", value)

    return property(lambda self: getattr(self, f"_{name}", None), check_and_set)


class PeerApdu:
    """An APDU of the peer: made from parts of numbers, its fields set one by one through properties."""

    cla, ins, p1, p2, lc, le, sw1, sw2 = map(byte_field, ("cla", "ins", "p1", "p2", "lc", "le", "sw1", "sw2"))

    def __init__(self, *parts: Iterable[int]) -> None:
        numbers: list[int] = []

        for part in parts:
            for number in part:
                if not isinstance(number, int):
                    raise TypeError("an APDU is made of numbers")

                numbers.append(number)

        self.data = b""
        self.parse(numbers)

    def parse(self, numbers: list[int]) -> None:
        raise NotImplementedError

    def __str__(self) -> str:
        fields = [f"{name}={getattr(self, name) or 0:02X}" for name in ("cla", "ins", "p1", "p2", "lc", "le")]
        return f"{type(self).__name__}({', '.join(fields)}): {self.data.hex(' ')}"


class PeerCommand(PeerApdu):
    """A command."""

    def parse(self, numbers: list[int]) -> None:
        self.cla, self.ins, self.p1, self.p2 = numbers[:4]

        if len(numbers) == 5:
            self.le = numbers[4]
        elif len(numbers) > 5:
            self.lc = numbers[4]
            self.data = bytes(numbers[5 : 5 + numbers[4]])


class PeerResponse(PeerApdu):
    """A response."""

    def parse(self, numbers: list[int]) -> None:
        self.sw1, self.sw2 = numbers[-2:]
        self.data = bytes(numbers[:-2])

    def render(self) -> bytes:
        return self.data + bytes((self.sw1, self.sw2))


class PeerCard:
    """A responder in the shape of vpicc, a card emulator in Python.

    APDUs are mutable objects made from lists of numbers, each command is described for a log, an instruction
    is found in a dict of bound methods, files are mutable. It is ours, made for this table: it isn't vpicc,
    and has none of its features.
    """

    def __init__(self) -> None:
        self.protocol = Protocol.T1
        self.files = {FILE_ID: bytearray(CONTENT)}
        self.current: bytearray | None = None
        self.log = ""
        self.instructions: dict[int, Callable[[int, int, bytes], tuple[int, bytes]]] = {
            0xA4: self.select,
            0xB0: self.read_binary,
        }

    def power_on(self, protocol: Protocol) -> bytes:
        self.protocol = protocol & Protocol.T1
        return bytes.fromhex("3B00")

    def power_off(self) -> None:
        self.current = None

    def select(self, _p1: int, _p2: int, data: bytes) -> tuple[int, bytes]:
        self.current = self.files.get(data)
        return (0x6A82 if self.current is None else 0x9000), b""

    def read_binary(self, p1: int, p2: int, _data: bytes) -> tuple[int, bytes]:
        if self.current is None:
            return 0x6986, b""

        return 0x9000, bytes(self.current[p1 << 8 | p2 :])

    def process(self, command: bytes) -> bytes:
        apdu = PeerCommand(command)
        self.log = str(apdu)
        instruction = self.instructions.get(apdu.ins)
        status, data = (0x6D00, b"") if instruction is None else instruction(apdu.p1, apdu.p2, apdu.data)
        length = 0 if apdu.le is None else apdu.le or 256
        return PeerResponse(data[:length], status.to_bytes(2)).render()


@dataclass(frozen=True)
class Row:
    """A line of the table.

    Attributes:
        what: What was measured.
        rate: Commands a second.
    """

    what: str
    rate: float


def prepared_card() -> EmulatedCard:
    """Return a card without power that holds the file."""
    card = EmulatedCard(models.get("cardos-4.4"), entropy=SeededEntropy("bench"))
    card.power_on(Protocol.ANY)

    for command in (CREATE, UPDATE):
        expect(card.process(command), b"\x90\x00")

    card.power_off()
    return card


def expect(response: bytes, wanted: bytes) -> None:
    """Stop where a response isn't the right one: a fast wrong answer is worth nothing."""
    if response != wanted:
        sys.exit(f"the response is {response.hex(' ').upper()}, not {wanted.hex(' ').upper()}")


def rate(transmit: Callable[[bytes], bytes], commands: int, rounds: int, tidy: Callable[[], object]) -> float:
    """Return how many READ BINARY a second get through, in the best round."""
    expect(transmit(SELECT), b"\x90\x00")
    best = 0.0

    for _ in range(rounds):
        expect(transmit(READ), ANSWER)
        tidy()
        begin = time.perf_counter()

        for _ in range(commands):
            transmit(READ)

        best = max(best, commands / (time.perf_counter() - begin))

    return best


def measured(commands: int, rounds: int) -> Iterator[Row]:
    """Measure card and peer, bare and in a reader."""
    for name, make in (("emulated card", prepared_card), ("peer of vpicc's shape", PeerCard)):
        bare: Card = make()
        bare.power_on(Protocol.ANY)
        yield Row(f"{name}, process() alone", rate(bare.process, commands, rounds, lambda: None))

        kept: list[Event] = []
        hub = Hub()
        manager = ReaderManager(hub)
        manager.add_reader("bench")
        manager.insert("bench", make())

        with manager.context() as context, context.connect("bench") as connection:
            in_reader = rate(connection.transmit, commands, rounds, kept.clear)
            yield Row(f"{name}, in a reader", in_reader)
            hub.subscribe(kept.append)
            recorded = rate(connection.transmit, commands, rounds, kept.clear)
            yield Row(f"{name}, in a reader, recorded", recorded)

        if len(kept) != commands:
            sys.exit(f"{len(kept)} exchanges were recorded, not {commands}")


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--commands", type=int, default=100_000, help="commands in a round (%(default)s)")
    parser.add_argument(
        "--rounds", type=int, default=5, help="rounds, of which the best counts (%(default)s)"
    )
    options = parser.parse_args(arguments)

    click.echo(
        f"READ BINARY of {len(CONTENT)} bytes, best of {options.rounds} x {options.commands:,} commands"
    )

    for row in measured(options.commands, options.rounds):
        click.echo(f"{row.what:42} {row.rate:>12,.0f}/s")

    click.echo(f"{'aim, in a reader, recorded':42} {AIM:>12,}/s")


if __name__ == "__main__":
    main()
