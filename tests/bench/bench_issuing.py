"""How fast cards are encoded and pre-personalised, and how much memory a batch takes.

Run it where cardtwin is installed::

    PYTHONPATH=tests python -m bench.bench_issuing [--encodings N] [--cards N]

It prints a table and judges nothing: figures depend on the machine and on what else runs there. An encoding
is a whole one through the engine: the profile `full`, a certificate for a key on the card (P10), a delivered
key (P12), a serial number of its own; each onto an empty card. Keys on cards are from the seeded pool, unless
a row says that they are fresh. Rows of batches count from the order to the finished list.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import sys
import tempfile
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from cardtwin.encoding import EncryptedField, FieldMapping, Job, Process, parse
from cardtwin.events import Hub
from cardtwin.plan import Secret
from cardtwin.ppa.shipped import shipped_profile
from cardtwin.source import SourceText
from cardtwin.targets import CardSetup, ProcessSetup, Setup
from cardtwin.targets.emulated import EmulatedBench
from cardtwin.targets.keygeneration import generate
from support.batches import CERTIFICATE, order_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

MODELS: Final = ("cardos-5.3", "cosmo-8.2")
READER: Final = "R"
PROGRAM: Final = "java.exe"
CONFIG: Final = b"[PIN Encryption]\nFile=C:\\pin.crt\n"
DESCRIPTION: Final = """\
[Encoding]
Type=1024,Chip
Devices=8710
[Fields]
WHICH=
NUMBER=
PIN=
PUK=
OP=
P12=
PASSWORD=
SERIAL=
[Description]
PKCS11LibraryWindows32=C:/Program Files (x86)/Personal/bin/personal.dll
iccsnfield=NUMBER
UseSelectCriteriaIccsn=false
InitToken=true
InitialPUK=PUK
Operator_Pin=OP
ChipProfile=token.cpf
PIN=PIN
CMSCardSerialNumber=SERIAL
ApplicationListField=WHICH
[Application_A]
CardSerialNumberField=SERIAL
CertTempl=signing
ObjectCriteria=CKO_PUBLIC_KEY,CKA_LABEL,string,"Digital Signature"
[Application_B]
CardSerialNumberField=SERIAL
CertTempl=encryption
KeyArchivalRequest=true
WriteP12Data=true
Certificate=P12
P12PASSWORD=PASSWORD
"""
SECRETS: Final = {"PIN": "271828", "PUK": "31415926", "OP": "16180339", "PASSWORD": "a password"}


@dataclass(frozen=True)
class Row:
    """A line of the table: what was measured, and the figure with its unit."""

    what: str
    figure: str


def job(model: str, number: int) -> Job:
    """Return the job of one encoding."""
    mapping = {name: FieldMapping.of(f"${{Card_{name}}}") for name in SECRETS}
    variables = {"WHICH": "AB", "NUMBER": "", "P12": "", "SERIAL": f"{number:016}"}
    mapping |= {name: FieldMapping.of(f"var_{name}", read=True) for name in variables}
    return Job(
        parse(SourceText("produce.dsc", DESCRIPTION)),
        attachments={"token.cpf": SourceText.read(shipped_profile(model, "full"))},
        mapping=mapping,
        process=Process(
            {f"var_{name}": value for name, value in variables.items()},
            {f"Card_{name}": EncryptedField(Secret.of(value)) for name, value in SECRETS.items()},
        ),
    )


def encodings_per_second(model: str, count: int) -> float:
    """Encode so many empty cards, and return how many a second were."""
    setup = Setup(
        readers={READER: "0"},
        cards={str(place): CardSetup(model) for place in range(count + 1)},
        processes={PROGRAM: ProcessSetup(PROGRAM, ppa_config="iD2ppa.cfg")},
        files={"iD2ppa.cfg": CONFIG, "pin.crt": CERTIFICATE.read_bytes()},
        seed="bench",
    )

    with EmulatedBench(setup, Hub()) as bench:
        engine = bench.engine(PROGRAM, ())

        def encode(place: int) -> None:
            outcome = engine.run(job(model, place + 1))

            if outcome.error is not None:
                sys.exit(f"the encoding failed: {outcome.error}")

            bench.desk.remove(READER)

            if place < count:
                bench.desk.insert(READER, str(place + 1))

        encode(0)  # what is imported and kept once
        begin = time.perf_counter()

        for place in range(1, count + 1):
            encode(place)

        return count / (time.perf_counter() - begin)


def cards_per_minute(count: int, workers: int, **more: Any) -> float:
    """Make a batch of so many cards, and return how many a minute were."""
    order = order_of("cardos-5.3", count=count, **more)

    with tempfile.TemporaryDirectory(prefix="cardtwin-") as folder:
        begin = time.perf_counter()

        for _ in generate(order, Path(folder, "batch"), workers=workers):
            pass

        return 60 * count / (time.perf_counter() - begin)


def resident_after(count: int) -> int:
    """Return the bytes that a process of its own has in memory when it has made so many cards."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(_resident_after, (count,))


def _resident_after(count: int) -> int:
    cards_per_minute(count, 1, seed="bench")
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def measured(encodings: int, cards: int) -> Iterator[Row]:
    """Measure all of it."""
    for model in MODELS:
        rate = encodings_per_second(model, encodings)
        yield Row(f"encodings of {model}", f"{rate:.1f}/s")

    batches: Sequence[tuple[str, Callable[[int], float]]] = (
        ("1 process", partial(cards_per_minute, workers=1, seed="bench")),
        ("1 process, fresh keys", partial(cards_per_minute, workers=1)),
        (f"{os.cpu_count()} processes", partial(cards_per_minute, workers=os.cpu_count() or 1, seed="bench")),
    )

    for what, make in batches:
        yield Row(f"cards pre-personalised, {what}", f"{make(cards):,.0f}/min")

    for count in (cards, 4 * cards):
        yield Row(f"memory after {count} cards, 1 process", f"{resident_after(count) / 2**20:.1f} MiB")


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--encodings", type=int, default=20, help="encodings of each model (%(default)s)")
    parser.add_argument("--cards", type=int, default=200, help="cards of a batch (%(default)s)")
    options = parser.parse_args(arguments)
    click.echo(f"{options.encodings} encodings of each model, batches of {options.cards} cards")

    for row in measured(options.encodings, options.cards):
        click.echo(f"{row.what:42} {row.figure:>14}")


if __name__ == "__main__":
    main()
