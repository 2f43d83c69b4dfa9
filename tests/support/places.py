"""A reader with a card that can be taken out and put in: on our socket, and in a real pcscd, side by side."""

from __future__ import annotations

import subprocess
import sys
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from cardtwin.card import EmulatedCard, models
from cardtwin.entropy import SystemEntropy
from cardtwin.readers import ReaderManager, VpcdSlot
from cardtwin.readers.pcsclite import PcscLiteServer
from cardtwin.sockets import private_directory
from support.interop import TIMEOUT
from support.pcscd import READERS, started_daemon

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from contextlib import AbstractContextManager
    from pathlib import Path

    from cardtwin.pcsc import Card

    Insert = Callable[[Card], object]

__all__ = ["MODEL", "READERS", "Place", "card", "finished", "in_pcscd", "on_our_socket", "opened"]

MODEL = models.get("cardos-5.3")
_PYTHON = {"PYTHONPATH": ":".join(path for path in sys.path if path)}


class Place:
    """Two readers with pcscd's names for vpcd's, and hands at the first one.

    Attributes:
        environment: What leads programs here.
        manager: The readers, where they are ours.
    """

    def __init__(
        self,
        environment: Mapping[str, str],
        insert: Insert,
        remove: Callable[[], object],
        manager: ReaderManager | None = None,
    ) -> None:
        self.environment = environment
        self.insert_card = insert
        self.remove = remove
        self.manager = manager

    def insert(self) -> None:
        """Put a new card in."""
        self.insert_card(card())

    def start(self, script: Path, *arguments: str) -> subprocess.Popen[str]:
        """Start a script in a process of its own: libpcsclite reads its environment once."""
        return subprocess.Popen(
            [sys.executable, str(script), *arguments],
            env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", **_PYTHON, **self.environment},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, script: Path, *arguments: str, told: str = "") -> list[str]:
        """Run a script to its end, and return its lines before the last one."""
        with self.start(script, *arguments) as process:
            return finished(process, told)


def finished(process: subprocess.Popen[str], told: str | None = None) -> list[str]:
    """Return the lines of a program that ends well and says so in its last line."""
    try:
        output, _ = process.communicate(told, timeout=TIMEOUT)
    finally:
        process.kill()

    assert process.returncode == 0, output
    *lines, last = output.splitlines()
    assert last == "done"
    return lines


def card() -> EmulatedCard:
    """Return a card as delivered."""
    return EmulatedCard(MODEL, entropy=SystemEntropy(), reader=READERS[0])


@contextmanager
def on_our_socket() -> Iterator[Place]:
    """Readers of the manager, on the socket that speaks pcsc-lite's protocol."""
    manager = ReaderManager()

    for reader in READERS:
        manager.add_reader(reader)

    with private_directory() as folder, PcscLiteServer(manager, folder / "pcsc") as server:
        yield Place(
            server.environment,
            lambda card: manager.insert(READERS[0], card),
            lambda: manager.remove(READERS[0]),
            manager,
        )


@contextmanager
def in_pcscd() -> Iterator[Place]:
    """Readers of vpcd in a pcscd."""
    with started_daemon() as daemon, ExitStack() as stack:
        held: list[VpcdSlot] = []

        def insert(card: Card) -> None:
            held.append(VpcdSlot(card, reader=READERS[0], port=daemon.port))
            stack.enter_context(held[-1])
            assert held[-1].wait(TIMEOUT)

        yield Place(daemon.environment, insert, lambda: held.pop().stop())


@contextmanager
def opened(make: Callable[[], AbstractContextManager[Place]], held: Card | None = None) -> Iterator[Place]:
    """A place with a card in its reader, that one or a new one."""
    with make() as place:
        place.insert_card(held or card())
        yield place
