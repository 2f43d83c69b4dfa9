"""Ctrl-C and SIGTERM while ``cardtwin run`` works on the card in a reader of pcscd, after any command.

The card is the test's own, and sends the signals itself while it answers: nothing hangs on time.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cardtwin.card import EmulatedCard, models
from cardtwin.decode import Effect, decode
from cardtwin.entropy import SystemEntropy
from cardtwin.readers import VpcdSlot
from support.hardware import PlayedCard
from support.hosted import PROFILES, environment
from support.pcscd import READERS, Daemon, started_daemon
from support.tokens import TokenDesk

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from cardtwin.card import CardImage
    from cardtwin.pcsc import Protocol

MODEL: Final = "cardos-5.3"
ASK: Final = bytes.fromhex("00200081")
VERIFY: Final = "00 20 00 81 08 31 31 31 31 00 00 00 00"
READING: Final = Effect.READS | Effect.SELECTS
STATUS: Final = {signal.SIGINT: 130, signal.SIGTERM: 143}
WAIT: Final = 60

# A background job of a shell ignores SIGINT, and so would its children.
PROGRAM: Final = """
import signal
signal.pthread_sigmask(signal.SIG_SETMASK, ())
signal.signal(signal.SIGTERM, signal.SIG_DFL)
signal.signal(signal.SIGINT, signal.default_int_handler)

import os
from smartcard import scard
calls = os.open("calls", os.O_WRONLY | os.O_CREAT | os.O_APPEND)

def noted(name, function):
    def call(*arguments):
        os.write(calls, name.encode() + b"\\n")
        return function(*arguments)

    return call

for name in (
    "EstablishContext", "ReleaseContext", "Connect", "Disconnect", "BeginTransaction", "EndTransaction"
):
    setattr(scard, f"SCard{name}", noted(name, getattr(scard, f"SCard{name}")))

from cardtwin.cli import main
main(prog_name="cardtwin")
"""
# Waits for the card; then tells for each line that it reads how the card answers when asked for the PIN.
OTHER: Final = """
import sys
from cardtwin.pcsc import CardResetError
from cardtwin.readers.physical import PhysicalContext
context = PhysicalContext()
state = context.state(sys.argv[1])
while not state.present:
    (state,) = context.wait((state,), 20.0)
connection = context.connect(sys.argv[1])
print("ready", flush=True)
for _ in sys.stdin:
    try:
        with connection.transaction():
            pass
    except CardResetError:
        connection.reconnect()
    with connection.transaction():
        connection.transmit(bytes.fromhex("00A4080C025015"))
        print(connection.transmit(bytes.fromhex("00200081")).hex(), flush=True)
"""
ANY: Final = 'expect: {sw: {match: "[0-9A-F ]+"}}'
SHORT: Final = f"""\
format: 1
title: A login, and what is read then
readers: {{R1: {MODEL}}}
steps:
  - {{apdu: 00 A4 08 0C 02 50 15, {ANY}}}
  - {{apdu: {VERIFY}, {ANY}}}
  - {{apdu: 00 CA 01 82 00, {ANY}}}
"""
LONG: Final = f"""\
format: 1
title: A token is made, and its PIN presented
files:
  token.cpf: {{path: {PROFILES / "cardos-5.3-full.cpf"}}}
  pin.crt: {{path: {PROFILES.parent / "scenarios" / "keys" / "pin-a.crt"}}}
readers: {{R1: {MODEL}}}
steps:
  - {{personalise: token.cpf, certificate: pin.crt, secrets: {{PIN1: 1234, PUK: 12345678}}}}
  - {{verify_pin: user, pin: "1234"}}
"""


class SignallingCard(PlayedCard):
    """A card that sends signals to who uses it, when it has got a command and when it is reset."""

    def __init__(self, image: CardImage | None) -> None:
        super().__init__(EmulatedCard(models.get(MODEL), image=image, entropy=SystemEntropy()))
        self.on_power: Callable[[], None] = lambda: None

    def power_on(self, protocol: Protocol) -> bytes:
        self.on_power()
        return super().power_on(protocol)

    def begin(self, at: int, *signals: int, again: int = 0) -> Callable[[int], None]:
        """Send signals after a command, and another one at the next reset.

        Returns who has to be told the number of the process that gets them.
        """
        program: list[int] = []
        started = threading.Event()
        self.received.clear()

        def send(number: int) -> None:
            assert started.wait(WAIT)
            os.kill(program[0], number)

        def after(place: int) -> None:
            if place == at:
                for number in signals:
                    send(number)

                self.on_power = lambda: send(again) if again else None

        def start(pid: int) -> None:
            program.append(pid)
            started.set()

        self.on_command, self.on_power = after, lambda: None
        return start

    def end(self) -> None:
        """Send none any more."""
        self.on_command, self.on_power = (lambda _place: None), (lambda: None)


@dataclass(frozen=True)
class Ended:
    """A run that has ended.

    Attributes:
        status: Its exit status.
        errors: What it has written to the standard error output.
        spent: The ledger.
        commands: What has reached the card.
        calls: How often it has called the functions of PC/SC that begin and end something.
    """

    status: int
    errors: str
    spent: Mapping[str, int]
    commands: tuple[bytes, ...]
    calls: Mapping[str, int]


class Desk:
    """A card of ours in a reader of pcscd, and runs of cardtwin on it."""

    def __init__(
        self, folder: Path, daemon: Daemon, other: subprocess.Popen[str], card: SignallingCard
    ) -> None:
        self._folder = folder
        self._daemon = daemon
        self._other = other
        self._numbers = count()
        self.card = card

    def run(self, scenario: str, at: int = -1, *signals: int, again: int = 0) -> Ended:
        """Run a scenario, with signals after the command at a place, and maybe one at the reset after it."""
        folder = self._folder / str(next(self._numbers))
        folder.mkdir()
        (folder / "one.scenario.yaml").write_text(scenario)
        started = self.card.begin(at, *signals, again=again)
        program = subprocess.Popen(
            [
                sys.executable,
                "-W",
                "error",
                "-c",
                PROGRAM,
                "run",
                "one.scenario.yaml",
                "--target",
                f"pcsc:{READERS[0]}",
                "--ledger",
                "ledger",
                "--allow-destructive",
                "--allow-irreversible",
                "PUT DATA FCI",
                "--allow-unverified-commands",
            ],
            cwd=folder,
            env=environment(**self._daemon.environment, CARDTWIN_LOCKS=str(folder)),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started(program.pid)

        try:
            output, errors = program.communicate(timeout=WAIT)
        finally:
            program.kill()
            self.card.end()

        commands = tuple(each.command for each in self.card.received)
        kept = [json.loads(path.read_text())["spent"] for path in (folder / "ledger").glob("*.json")]
        calls = (folder / "calls").read_text().split()
        return Ended(
            program.returncode,
            errors or output,
            kept[0] if kept else {},
            commands,
            Counter(calls),
        )

    @property
    def logged_in(self) -> bool:
        """Whether another program finds the PIN verified: asking for it is answered 9000 then."""
        assert self._other.stdin is not None
        assert self._other.stdout is not None
        print(file=self._other.stdin, flush=True)
        return self._other.stdout.readline() == "9000\n"


@cache
def encoded() -> CardImage:
    desk = TokenDesk(MODEL)
    desk.init()
    return desk.card.image


@contextmanager
def desk_with(image: CardImage | None) -> Iterator[Desk]:
    card = SignallingCard(image)

    with (
        TemporaryDirectory() as name,
        started_daemon() as daemon,
        VpcdSlot(card, reader="hardware", port=daemon.port),
        another_program(daemon.environment) as other,
    ):
        yield Desk(Path(name), daemon, other, card)


@contextmanager
def another_program(variables: Mapping[str, str]) -> Iterator[subprocess.Popen[str]]:
    """Start a program that is connected to the card: as long as it is, pcscd lets the card have its power."""
    with subprocess.Popen(
        [sys.executable, "-c", OTHER, READERS[0]],
        env=environment(**variables),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as program:
        assert program.stdout is not None
        assert program.stdout.readline() == "ready\n"

        try:
            yield program
        finally:
            program.kill()


def check(ended: Ended, at: int, number: int = signal.SIGINT) -> None:
    """See that a run has ended as it has to, after the command at a place."""
    assert ended.status == STATUS[signal.Signals(number)], ended.errors
    assert len(ended.commands) == at + 1, ended.errors

    for begin, end in (
        ("EstablishContext", "ReleaseContext"),
        ("Connect", "Disconnect"),
        ("BeginTransaction", "EndTransaction"),
    ):
        assert ended.calls[begin] == ended.calls[end] > 0, ended.calls

    changing = [command for command in ended.commands if decode(command).effect & ~READING]
    word = {signal.SIGINT: "interrupted", signal.SIGTERM: "terminated"}[signal.Signals(number)]
    state = re.fullmatch(rf"cardtwin: {word}\nR1: card (.+?); (.*)\n", ended.errors, re.DOTALL)
    assert state, ended.errors
    named = state[2].split("\n  ")[1:]
    assert len(named) == len(changing)
    assert all(line.startswith(decode(command).name) for line, command in zip(named, changing, strict=True))
    assert "login may be left" not in ended.errors
    assert "31 31 31 31" not in ended.errors


@pytest.mark.cardtwin_proves("HW-07")
def test_an_interrupt_after_any_command_ends_all_and_names_the_state() -> None:
    with desk_with(encoded()) as desk:
        whole = desk.run(SHORT)
        assert whole.status == 0, whole.errors
        presented = [
            place for place, command in enumerate(whole.commands) if len(command) > 4 and command[1] == 0x20
        ]
        assert len(presented) == 1

        for at in range(len(whole.commands)):
            ended = desk.run(SHORT, at, signal.SIGINT)
            check(ended, at)
            assert ended.commands == whole.commands[: at + 1]
            # Its answer came too late to be heard: such a try counts as spent.
            assert ended.spent == ({"PIN 1": 1} if at in presented else {})
            assert not desk.logged_in


@pytest.mark.cardtwin_proves("HW-07")
@pytest.mark.parametrize(
    ("signals", "again"),
    [
        ((signal.SIGTERM,), 0),
        ((signal.SIGINT,), signal.SIGINT),
        ((signal.SIGINT,), signal.SIGTERM),
        ((signal.SIGTERM,), signal.SIGINT),
    ],
)
def test_termination_and_what_comes_in_the_midst_of_the_end_change_nothing_of_it(
    signals: tuple[int, ...], again: int
) -> None:
    with desk_with(encoded()) as desk:
        whole = desk.run(SHORT)
        last = len(whole.commands) - 1
        check(desk.run(SHORT, last, *signals, again=again), last, signals[0])
        assert not desk.logged_in


@pytest.mark.cardtwin_proves("HW-07")
@settings(max_examples=2, deadline=None, database=None)
@given(st.integers(4, 60))
def test_an_interrupt_while_a_token_is_made_tells_all_that_was_changed(at: int) -> None:
    with desk_with(None) as desk:
        check(desk.run(LONG, at, signal.SIGINT), at)
        assert not desk.logged_in
