"""OpenSC's library above a card in a reader of a real pcscd, past the guard: ``module:PATH@pcsc:READER``."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from cardtwin.card import EmulatedCard, models
from cardtwin.decode import Effect, decode
from cardtwin.entropy import SystemEntropy
from cardtwin.readers import VpcdSlot
from cardtwin.report.text import explain_failure
from cardtwin.scenario import find, load
from cardtwin.scenario import run as run_scenario
from cardtwin.scenario.overrides import Overrides
from cardtwin.targets import get
from support import portable_program
from support.hardware import PlayedCard
from support.hosted import PROFILES, command, environment
from support.interop import TIMEOUT, shared_library
from support.pcscd import READERS, started_daemon

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from cardtwin.pcsc import Protocol
    from support.pcscd import Daemon

SCENARIOS: Final = Path(__file__).resolve().parents[2] / "scenarios"
MODEL: Final = "cardos-5.3"
ASK: Final = bytes.fromhex("00200081")
ONE_LEFT: Final = bytes.fromhex("63C1")
WAIT: Final = 60
OPENSC: Final = "app default { framework pkcs15 { use_pin_caching = false; use_file_caching = no; } }\n"
READING: Final = Effect.READS | Effect.SELECTS
ALLOWED: Final = (
    *("--allow-destructive", "--allow-unverified-commands"),
    *("--allow-irreversible", "PUT DATA FCI"),
)
LOGIN: Final = f"""\
format: 1
title: A login
files:
  token.cpf: {{path: {PROFILES / "cardos-5.3-full.cpf"}}}
  pin.crt: {{path: {SCENARIOS / "keys" / "pin-a.crt"}}}
readers: {{R1: {MODEL}}}
processes: {{program: {{}}}}
steps:
  - {{personalise: token.cpf, certificate: pin.crt, secrets: {{PIN1: "1234", PUK: "12345678"}}}}
  - {{pkcs11: C_Initialize, by: program}}
  - {{pkcs11: C_GetSlotList, tokenPresent: yes, by: program, bind: slots}}
  - {{pkcs11: C_OpenSession, slotID: $(slots.0), flags: [CKF_SERIAL_SESSION], by: program, bind: session}}
  - {{pkcs11: C_Login, hSession: $(session), userType: CKU_USER, pPin: "1234", by: program}}
  - {{pkcs11: C_Logout, hSession: $(session), by: program}}
"""
HOLDER: Final = """
import sys
from cardtwin.readers.physical import PhysicalContext
connection = PhysicalContext().connect(sys.argv[1])
print("ready", flush=True)
sys.stdin.read()
"""


class NotedCard(PlayedCard):
    """A card that notes also when it was reset: after how many commands, each time."""

    def __init__(self) -> None:
        super().__init__(EmulatedCard(models.get(MODEL), entropy=SystemEntropy()))
        self.reset_after: list[int] = []

    def power_on(self, protocol: Protocol) -> bytes:
        self.reset_after.append(len(self.received))
        return super().power_on(protocol)

    def power_off(self) -> None:
        self.reset_after.append(len(self.received))
        super().power_off()

    @property
    def forgot(self) -> bool:
        """Whether no command has come since the last reset."""
        return self.reset_after[-1] == len(self.received)

    @property
    def presented(self) -> list[str]:
        """The commands that presented something."""
        return [text for text in self.commands if text.startswith(("0020", "0024", "002C")) and len(text) > 8]


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return OpenSC's library, with a configuration that keeps no PIN and no file."""
    (tmp_path / "opensc.conf").write_text(OPENSC)
    monkeypatch.setenv("OPENSC_CONF", str(tmp_path / "opensc.conf"))
    return shared_library("opensc-pkcs11.so")


@pytest.fixture
def daemon() -> Iterator[Daemon]:
    with started_daemon() as daemon:
        yield daemon


def started(folder: Path, daemon: Daemon, *arguments: str | Path, text: str = LOGIN) -> subprocess.Popen[str]:
    """Start cardtwin's command on a scenario."""
    (folder / "login.scenario.yaml").write_text(text)
    program = command(*arguments, "--ledger", folder / "ledger")
    # A background job of a shell ignores SIGINT, and so would its children.
    program[4] = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); " + program[4]
    return subprocess.Popen(
        program,
        cwd=folder,
        env=environment(**daemon.environment, CARDTWIN_LOCKS=str(folder)),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def ended(
    folder: Path, daemon: Daemon, card: PlayedCard, *arguments: str | Path, text: str = LOGIN
) -> tuple[int, str]:
    """Run cardtwin's command on a scenario, with a card in pcscd's reader."""
    with VpcdSlot(card, reader="hardware", port=daemon.port) as slot:
        assert slot.wait(WAIT)
        program = started(folder, daemon, *arguments, text=text)
        output, _ = program.communicate(timeout=WAIT)
        return program.returncode, output


def running(library: str) -> tuple[str, ...]:
    return ("run", "login.scenario.yaml", "--target", f"module:{library}@pcsc:{READERS[0]}", *ALLOWED)


@pytest.mark.timeout(300)
def test_scenarios_of_pkcs11_end_on_a_card_in_a_reader_as_on_the_emulated_one(
    library: str, daemon: Daemon
) -> None:
    chosen = [load(path)[0] for path in find([SCENARIOS / "pkcs11"])]
    asked = "".join(f"{json.dumps([str(each.path), each.id])}\n" for each in chosen)
    done = subprocess.run(
        [sys.executable, portable_program.__file__, str(daemon.port), library],
        input=asked,
        env=environment(**daemon.environment),
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    emulated = f"module:{library}"
    overrides, target = Overrides(emulated), get(emulated)

    for line, instance in zip(done.stdout.splitlines(), chosen, strict=True):
        result = run_scenario(overrides.apply(instance), target, timeout=TIMEOUT)
        id_, verdict, why = json.loads(line)
        assert (id_, verdict) == (result.id, result.verdict.value), why
        assert told_of_calls(why) == told_of_calls(explain_failure(result))


def told_of_calls(why: str) -> list[str]:
    """Return what a failure says of the library: not on which target, and which commands it has sent."""
    return [line for line in why.splitlines()[2:] if re.match(r"step |  (?!all )[a-zA-Z]", line)]


def test_a_run_says_its_plan_by_the_library_s_own_commands_and_leaves_no_login(
    tmp_path: Path, library: str, daemon: Daemon
) -> None:
    card = NotedCard()
    (tmp_path / "evidence").mkdir()
    status, told = ended(tmp_path, daemon, card, *running(library), "--evidence", tmp_path / "evidence")
    assert status == 0, told
    assert f"on module:{library}@pcsc:{READERS[0]}: {MODEL} in R1" in told
    # Our own middleware selects the file before it presents a PIN; OpenSC does it by the path from the MF.
    login = re.search(r"step 5 \(pkcs11 C_Login\).*\n  +sends (.*)", told)
    assert login, told
    assert "VERIFY" in login[1]
    assert [text[:10] for text in card.presented][-1:] == ["0020008108"]
    assert card.forgot
    see_the_evidence(tmp_path / "evidence")


def see_the_evidence(folder: Path) -> None:
    """See that a run's evidence tells of the card, of what was done to it and of the login's end."""
    (path,) = folder.iterdir()
    evidence = json.loads(path.read_text())
    (reader,) = evidence["readers"]
    assert evidence["state"] == "ended"
    assert reader["service_name"] == READERS[0]
    assert reader["before"]["serial"] == reader["after"]["serial"] != ""
    assert not reader["not_seen"]
    assert reader["changed"]["files"]


@pytest.mark.cardtwin_proves("HW-02")
def test_what_the_library_sends_at_the_last_try_does_not_reach_the_card(
    tmp_path: Path, library: str, daemon: Daemon
) -> None:
    card = NotedCard()
    card.answer = lambda command: ONE_LEFT if command == ASK else None
    status, told = ended(tmp_path, daemon, card, *running(library))
    assert status == 1
    assert "step 5" in told
    assert "last try" in told
    assert not card.presented
    assert card.forgot


@pytest.mark.cardtwin_proves("HW-03")
def test_what_is_not_allowed_is_refused_by_the_plan_and_nothing_is_sent(
    tmp_path: Path, library: str, daemon: Daemon
) -> None:
    card = NotedCard()
    arguments = tuple(each for each in running(library) if each != "--allow-destructive")
    status, told = ended(tmp_path, daemon, card, *arguments)
    assert status == 1
    assert "--allow-destructive permits" in told
    assert not card.received


def test_a_card_that_another_program_uses_is_left_alone(tmp_path: Path, library: str, daemon: Daemon) -> None:
    card = NotedCard()

    with VpcdSlot(card, reader="hardware", port=daemon.port) as slot:
        assert slot.wait(WAIT)

        with subprocess.Popen(
            [sys.executable, "-c", HOLDER, READERS[0]],
            env=environment(**daemon.environment),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as holder:
            assert holder.stdout is not None
            assert holder.stdout.readline() == "ready\n"
            program = started(tmp_path, daemon, *running(library))
            told, _ = program.communicate(timeout=WAIT)
            holder.kill()

    assert program.returncode == 1
    assert "another program uses the card; end it first" in told
    assert not [text for text in card.commands if decode(bytes.fromhex(text)).effect & ~READING]


# OpenSC has four slots for a card, and one for a reader that is empty.
def test_a_reader_without_a_card_is_an_empty_one_for_the_library(
    tmp_path: Path, library: str, daemon: Daemon
) -> None:
    first, second = READERS
    allowed = "allow: {destructive: yes, irreversible: [PUT DATA FCI], unverified: yes}"
    (tmp_path / "hardware.yaml").write_text(
        f"format: 1\nreaders: {{R1: {{reader: {first}, {allowed}}}, R2: {{reader: {second}}}}}\n"
    )
    text = LOGIN.replace("personalise: token.cpf,", "personalise: token.cpf, on: R1,")
    text = text.replace(f"{{R1: {MODEL}}}", f"{{R1: {MODEL}, R2: empty}}") + (
        "  - {pkcs11: C_GetSlotList, tokenPresent: no, by: program, expect: {pulCount: 5}}\n"
    )
    target = f"module:{library}@pcsc"
    card = NotedCard()
    status, told = ended(
        tmp_path, daemon, card, "run", "login.scenario.yaml", "--target", target, *ALLOWED, text=text
    )
    assert status == 0, told
    assert card.forgot


def interrupting(card: PlayedCard, name: str) -> Callable[[int], None]:
    """Have a card send SIGINT after the first command of a name; returns who has to be told to whom."""
    program: list[int] = []
    known = threading.Event()
    sent = threading.Event()

    def after(place: int) -> None:
        if decode(card.received[place].command).name == name and not sent.is_set():
            sent.set()
            assert known.wait(WAIT)
            signal.pidfd_send_signal(program[0], signal.SIGINT)

    def start(process: int) -> None:
        program.append(process)
        known.set()

    card.on_command = after
    return start


@pytest.mark.cardtwin_proves("HW-07")
@pytest.mark.parametrize("name", ["CREATE FILE", "GENERATE KEY PAIR", "VERIFY", "LOGOUT"])
def test_an_interrupt_names_the_state_and_leaves_no_login(
    tmp_path: Path, library: str, daemon: Daemon, name: str
) -> None:
    card = NotedCard()
    start = interrupting(card, name)

    with VpcdSlot(card, reader="hardware", port=daemon.port) as slot:
        assert slot.wait(WAIT)
        program = started(tmp_path, daemon, *running(library))
        start(os.pidfd_open(program.pid))
        told, _ = program.communicate(timeout=WAIT)

    assert program.returncode == 130, told
    assert "cardtwin: interrupted\nR1: card " in told
    assert "login may be left" not in told
    changing = [text for text in card.commands if decode(bytes.fromhex(text)).effect & Effect.WRITES]
    named = told.split("cardtwin: interrupted\n")[1].split("\n  ")[1:]
    assert len(named) >= len(changing) > 0
    assert card.forgot
