"""How fast PKCS#11 is through the library: signatures beside SoftHSM2's, and a function that does little.

Run it where cardtwin is installed, with SoftHSM2 (Debian: softhsm2) and python-pkcs11::

    PYTHONPATH=tests python -m bench.bench_pkcs11 [--signatures N] [--rounds N] [--clients N]

It prints a table and judges nothing: figures depend on the machine and on what else runs there. Both
libraries make the same RSA-2048 signatures through python-pkcs11, in processes of their own, by turns; the
emulated card is in one more process, as for any other program. Each row is the best of several rounds. The
aims are no fewer signatures than SoftHSM2 makes, and 60 microseconds for a function that does little.
"""

from __future__ import annotations

import argparse
import ctypes
import multiprocessing
import os
import statistics
import subprocess
import tempfile
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click
import pkcs11

from cardtwin.card import image as images
from cardtwin.cryptoki.native import library_path
from cardtwin.events import Hub
from cardtwin.targets import CardSetup, Setup
from cardtwin.targets.emulated import EmulatedBench
from cardtwin.targets.outlets import Outlets
from support.interop import program
from support.pkcs11_module import Module, room, ulong
from support.programs import MAIN, PIN, RO
from support.rig import CARD, READER, SIGNING, full_card

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from multiprocessing.connection import Connection

MODEL: Final = "cardos-5.3"
SOFTHSM: Final = "/usr/lib/softhsm/libsofthsm2.so"
DATA: Final = bytes(range(32))
AIM: Final = 60
_SPAWN: Final = multiprocessing.get_context("spawn")


@dataclass(frozen=True)
class Signer:
    """A library that signs.

    Attributes:
        name: What it is called in the table.
        library: Its file.
        environment: The environment variables that it needs.
        pin: The user's PIN.
    """

    name: str
    library: str
    environment: Mapping[str, str]
    pin: str = field(repr=False)


# The libraries


def serve(folder: str, channel: Connection) -> None:
    """Serve an encoded card until the channel says anything."""
    saved = Path(folder, "card.image")
    images.save(full_card(MODEL), saved)
    setup = Setup(
        readers={READER: CARD},
        cards={CARD: CardSetup(MODEL, image=saved.name)},
        processes={},
        files={saved.name: saved.read_bytes()},
    )

    with EmulatedBench(setup, Hub()) as bench, Outlets(bench) as outlets:
        channel.send(dict(outlets.environment))
        channel.recv()


@contextmanager
def emulated(folder: Path) -> Iterator[Signer]:
    """Return our library, above a card that is served by another process."""
    ours, theirs = _SPAWN.Pipe()
    server = _SPAWN.Process(target=serve, args=(str(folder), theirs))
    server.start()
    theirs.close()

    try:
        pin = PIN.reveal().decode()
        yield Signer("cardtwin", str(library_path()), ours.recv(), pin)
        ours.send("enough")
    finally:
        ours.close()
        server.join()


def softhsm(folder: Path) -> Signer:
    """Return SoftHSM2 with a token that has a key."""
    (folder / "tokens").mkdir()
    settings = folder / "softhsm2.conf"
    settings.write_text(f"directories.tokendir = {folder}/tokens\nlog.level = ERROR\n")
    signer = Signer("SoftHSM2", SOFTHSM, {"SOFTHSM2_CONF": str(settings)}, "1234")
    subprocess.run(
        [
            *(program("softhsm2-util"), "--init-token", "--free", "--label", "bench"),
            *("--pin", signer.pin, "--so-pin", "12345678"),
        ],
        env={**os.environ, **signer.environment},
        check=True,
        capture_output=True,
    )
    in_a_process(generate, signer)
    return signer


def generate(signer: Signer, channel: Connection) -> None:
    """Make the key on the token."""
    with opened(signer, rw=True) as session:
        session.generate_keypair(pkcs11.KeyType.RSA, 2048, label=SIGNING, store=True)

    channel.send("done")


# What clients do


@contextmanager
def opened(signer: Signer, *, rw: bool = False) -> Iterator[Any]:
    """Open a session of the user with the library's first token."""
    os.environ.update(signer.environment)
    token = next(iter(pkcs11.lib(signer.library).get_tokens()))

    with token.open(user_pin=signer.pin, rw=rw) as session:
        yield session


def sign(signer: Signer, channel: Connection, count: int, together: Any, turn: Any) -> None:
    """Sign, and tell how many signatures a second there were."""
    with ExitStack() as stack:
        with turn:  # SoftHSM2 knows no token while another process opens it
            session = stack.enter_context(opened(signer))

        key = session.get_key(object_class=pkcs11.ObjectClass.PRIVATE_KEY, label=SIGNING)
        key.sign(DATA, mechanism=pkcs11.Mechanism.SHA256_RSA_PKCS)
        together.wait()
        begin = time.perf_counter()

        for _ in range(count):
            key.sign(DATA, mechanism=pkcs11.Mechanism.SHA256_RSA_PKCS)

        rate = count / (time.perf_counter() - begin)
        together.wait()  # whoever closes a session ends the login on the card, which all of them share

    channel.send(rate)


def call(signer: Signer, channel: Connection, count: int) -> None:
    """Call functions that do little, and tell the median of each in microseconds."""
    os.environ.update(signer.environment)
    module = Module(Path(signer.library))
    session = ulong()
    assert module.C_Initialize(None) == 0
    assert module.C_OpenSession(MAIN, int(RO), None, None, ctypes.byref(session)) == 0
    info = room(256)
    medians = {
        "C_GetInfo": _median(lambda: module.C_GetInfo(info), count),
        "C_GetSessionInfo": _median(lambda: module.C_GetSessionInfo(session, info), count),
    }
    assert module.C_Finalize(None) == 0
    channel.send(medians)


def _median(function: Any, count: int) -> float:
    times = []

    for _ in range(count):
        begin = time.perf_counter_ns()
        rv = function()
        times.append(time.perf_counter_ns() - begin)
        assert rv == 0

    return statistics.median(times) / 1000


# The table


def in_a_process(task: Any, signer: Signer, *arguments: Any) -> Any:
    """Run a task in a process of its own, and return what it tells."""
    return in_processes(task, signer, arguments, clients=1)[0]


def in_processes(task: Any, signer: Signer, arguments: Sequence[Any], *, clients: int) -> list[Any]:
    """Run a task in several processes at once, and return what they tell."""
    pipes = [_SPAWN.Pipe(duplex=False) for _ in range(clients)]
    processes = [_SPAWN.Process(target=task, args=(signer, theirs, *arguments)) for _, theirs in pipes]

    for process, (_, theirs) in zip(processes, pipes, strict=True):
        process.start()
        theirs.close()

    try:
        return [ours.recv() for ours, _ in pipes]
    finally:
        for process in processes:
            process.join()


def signatures_a_second(signer: Signer, count: int, clients: int) -> float:
    """Return how many signatures all clients together get."""
    together = _SPAWN.Barrier(clients), _SPAWN.Lock()
    rates: list[float] = in_processes(sign, signer, (count // clients, *together), clients=clients)
    return sum(rates)


def best(signers: Sequence[Signer], count: int, rounds: int, clients: int) -> Iterator[tuple[Signer, float]]:
    """Return each signer's best round; they take turns, so that both meet the same weather."""
    rates = [[signatures_a_second(signer, count, clients) for signer in signers] for _ in range(rounds)]
    return zip(signers, map(max, zip(*rates, strict=True)), strict=True)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--signatures", type=int, default=2000, help="in a round (%(default)s)")
    parser.add_argument("--rounds", type=int, default=5, help="of which the best counts (%(default)s)")
    parser.add_argument("--clients", type=int, default=4, help="at once, in the second part (%(default)s)")
    options = parser.parse_args(arguments)
    click.echo(
        f"RSA-2048 signatures through python-pkcs11, best of {options.rounds} x {options.signatures:,}"
    )

    with tempfile.TemporaryDirectory() as folder, emulated(Path(folder)) as ours:
        signers = (softhsm(Path(folder)), ours)

        for clients in (1, options.clients):
            for signer, rate in best(signers, options.signatures, options.rounds, clients):
                click.echo(f"{f'{signer.name}, clients: {clients}':42} {rate:>12,.0f}/s")

        for name, median in in_a_process(call, ours, 10 * options.signatures).items():
            click.echo(f"{f'{name} through the library, median':42} {median:>12,.1f} us")

    click.echo(f"{'aim, for either':42} {AIM:>12,} us")


if __name__ == "__main__":
    main()
