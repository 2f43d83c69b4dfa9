"""A target without a card: a reader whose card answers from a table."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from cardtwin.events import Defect, Hub
from cardtwin.pcsc import Protocol
from cardtwin.readers import ReaderManager
from cardtwin.targets import Bench, Capability, Setup, TargetError


class TableCard:
    """Answers commands from a table; 6D00 for all others."""

    protocol = Protocol.T1

    def __init__(self, hub: Hub, answers: dict[str, str] | None = None) -> None:
        self._hub = hub
        self._answers = {bytes.fromhex(c): bytes.fromhex(r) for c, r in (answers or {}).items()}

    def power_on(self, protocol: Protocol) -> bytes:
        del protocol
        return bytes.fromhex("3B00")

    def power_off(self) -> None:
        pass

    def process(self, command: bytes) -> bytes:
        if command == b"\xff\xff\xff\xff":
            self._hub.emit(Defect(where="the table", detail="it is one"))
            return b"\x6f\x00"

        return self._answers.get(command, b"\x6d\x00")


@dataclass
class FakeTarget:
    """A target of which every reader has a TableCard."""

    answers: dict[str, str] = field(default_factory=dict)
    capabilities: frozenset[Capability] = frozenset(Capability)
    name: str = "fake"
    refuses: tuple[tuple[tuple[str, ...], str], ...] = ()
    benches: list[FakeBench] = field(default_factory=list)

    def problems(self, setup: Setup) -> tuple[tuple[tuple[str, ...], str], ...]:
        del setup
        return self.refuses

    def unsupported(self, setup: Setup, needs: object) -> str:
        del setup, needs
        return ""

    def rehearsal(self) -> FakeTarget:
        return self

    def open(self, setup: Setup, hub: Hub) -> FakeBench:
        self.benches.append(FakeBench(setup, hub, self.answers))
        return self.benches[-1]


class FakeBench(Bench):
    """Readers with TableCards."""

    def __init__(self, setup: Setup, hub: Hub, answers: dict[str, str]) -> None:
        if "broken" in setup.readers:
            raise TargetError("the reader is broken")

        self.manager = ReaderManager(hub)
        self.closed = False
        self.looks: list[Any] = []

        for reader, card in setup.readers.items():
            self.manager.add_reader(reader)

            if card is not None:
                self.manager.insert(reader, TableCard(hub, answers))

    def connection(self, process: str, reader: str) -> Any:
        del process
        return self.manager.context().connect(reader)

    def client(self, process: str, certificate: str | None = None) -> Any:
        del certificate
        raise NotImplementedError(process)

    def engine(self, process: str, keys: Any) -> Any:
        raise NotImplementedError(process, keys)

    @property
    def access(self) -> Any:
        raise NotImplementedError

    def program(self, process: str) -> Any:
        raise NotImplementedError(process)

    def look(self, reader: str) -> Any:
        raise TargetError(f"nobody can look at the card in {reader!r}")

    def at_last(self, look: Any) -> None:
        self.looks.append(look)

    def fork(self, process: str, child: str) -> Any:
        raise NotImplementedError(process, child)

    def log(self, name: str) -> Any:
        raise NotImplementedError(name)

    def now(self) -> Any:
        raise NotImplementedError

    def wait(self, seconds: int) -> Any:
        raise NotImplementedError(seconds)

    @property
    def certificate_manager(self) -> Any:
        raise NotImplementedError

    @property
    def folder(self) -> Any:
        raise NotImplementedError

    @property
    def desk(self) -> Any:
        return self.manager

    def close(self) -> None:
        self.closed = True
