"""Other people's programs recorded, with emulated cards and in front of a real pcscd, and replayed."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from cardtwin.card import CardView, EmulatedCard, models
from cardtwin.card import image as images
from cardtwin.entropy import SystemEntropy
from cardtwin.readers import VpcdSlot
from cardtwin.trace import MaskedExchange, read_traces
from support.hosted import TIMEOUT, command, environment, run
from support.interop import program, shared_library
from support.pcscd import READERS, WAIT, Daemon, started_daemon
from support.rig import SIGNING, full_card

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MODEL = "cardos-5.3"
OPENSC = "opensc-pkcs11.so"


def tool(name: str) -> str:
    return str(program(name))


@pytest.fixture
def card(tmp_path: Path) -> Path:
    """A card after a full encoding, in a file."""
    path = tmp_path / "card.image"
    images.save(full_card(MODEL), path)
    return path


def recorded(folder: Path, *given: str | Path, **variables: Any) -> subprocess.CompletedProcess[str]:
    result = run("record", "-o", folder / "t.jsonl", *given, **variables)
    assert result.returncode == 0, result.stderr
    return result


@pytest.mark.cardtwin_proves("RR-02")
def test_what_pkcs15_tool_did_is_replayed_on_the_same_card_without_a_difference(
    card: Path, tmp_path: Path
) -> None:
    recorded(tmp_path, "--image", card, tool("pkcs15-tool"), "-D")
    result = run("replay", tmp_path / "t.jsonl", "--image", card)
    assert result.returncode == 0, result.stdout + result.stderr
    assert re.fullmatch(r"commands sent: \d\d+; no differences\n", result.stdout)


@pytest.mark.cardtwin_proves("RR-02")
def test_what_has_changed_on_the_card_is_named(card: Path, tmp_path: Path) -> None:
    recorded(tmp_path, "--image", card, tool("pkcs15-tool"), "-D")
    changed = tmp_path / "changed.image"
    script = '"$0" --module "$CARDTWIN_MODULE" --login --pin 1234 --delete-object --type cert --label "$1"'
    given = ("--image", card, "--keep", changed, "sh", "-c", script, tool("pkcs11-tool"), SIGNING)
    deleted = run("exec", *given)
    assert deleted.returncode == 0, deleted.stderr
    result = run("replay", tmp_path / "t.jsonl", "--image", changed)
    assert result.returncode == 1, result.stdout
    assert "against 00 00 00 00" in result.stdout
    assert "READ BINARY offset 0" in result.stdout


@pytest.mark.cardtwin_proves("RR-03")
@pytest.mark.parametrize("strict", [(), ("--strict",)], ids=["by state", "strict"])
def test_pkcs15_tool_sees_in_the_trace_the_card_that_it_saw(
    strict: tuple[str, ...], card: Path, tmp_path: Path
) -> None:
    dump = (tool("pkcs15-tool"), "-D")
    seen = recorded(tmp_path, "--image", card, *dump)
    again = run("replay", tmp_path / "t.jsonl", "--as-card", *strict, "--", *dump)
    assert (again.returncode, again.stdout, again.stderr) == (0, seen.stdout, seen.stderr)


def test_another_run_on_the_card_of_a_trace_gets_what_the_trace_has(card: Path, tmp_path: Path) -> None:
    recorded(tmp_path, "--image", card, tool("pkcs15-tool"), "-D")
    listed = run("exec", "--image", card, tool("pkcs15-tool"), "--list-pins")
    again = run("replay", tmp_path / "t.jsonl", "--as-card", "--", tool("pkcs15-tool"), "--list-pins")
    assert (again.returncode, again.stdout) == (0, listed.stdout)
    sent = ("-s", "00A4000C023F00", "-s", "00D60000010A")
    unknown = run("replay", tmp_path / "t.jsonl", "--as-card", "--", tool("opensc-tool"), *sent)
    assert unknown.returncode == 1
    assert "answered 6F00: 00 D6 00 00 01 0A  UPDATE BINARY" in unknown.stderr


SCENARIO = """\
format: 1
title: What opensc-tool asks a card
readers: {R1: cardos-5.3}
steps:
  - {apdu: 00CA018D02}
  - {apdu: 00A4000C023F00}
"""
SELECTING = ("-s", "00A4000C023F00")


def is_the_card(trace: Path) -> None:
    """See that a trace is a card without more being said, and the one that was there."""
    selected = run("replay", trace, "--as-card", "--", tool("opensc-tool"), *SELECTING, "--atr")
    assert (selected.returncode, selected.stderr.count("cardtwin")) == (0, 0), selected.stderr
    assert "SW1=0x90, SW2=0x00" in selected.stdout
    assert models.get(MODEL).atr.hex(":") in selected.stdout


@pytest.mark.cardtwin_proves("RR-03")
def test_the_traces_of_exec_and_of_scenarios_are_cards_as_they_are(tmp_path: Path) -> None:
    with_a_card = ("exec", "--card", MODEL, "--trace", tmp_path / "exec")
    assert run(*with_a_card, tool("opensc-tool"), *SELECTING).returncode == 0
    is_the_card(tmp_path / "exec")
    (tmp_path / "asked.scenario.yaml").write_text(SCENARIO)
    assert run("run", tmp_path, "--trace", tmp_path / "run").returncode == 0
    is_the_card(tmp_path / "run")


@pytest.mark.usefixtures("real")
def test_the_trace_of_a_scenario_at_a_real_reader_is_a_card_as_it_is(daemon: Daemon, tmp_path: Path) -> None:
    (tmp_path / "asked.scenario.yaml").write_text(SCENARIO)
    physical = (
        "--target",
        f"pcsc:{READERS[0]}",
        "--ledger",
        tmp_path / "ledger",
        "--allow-unverified-commands",
    )
    variables = {**way(daemon), "CARDTWIN_LOCKS": str(tmp_path)}
    done = run("run", tmp_path, *physical, "--trace", tmp_path / "run", **variables)
    assert done.returncode == 0, done.stdout
    is_the_card(tmp_path / "run")


@pytest.mark.cardtwin_proves("RR-03")
def test_our_middleware_signs_with_the_card_of_a_trace_and_any_pin(card: Path, tmp_path: Path) -> None:
    (tmp_path / "data").write_bytes(b"x" * 32)
    sign = (
        f'"$0" --module "$CARDTWIN_MODULE" --login --pin "$1" --sign -m SHA256-RSA-PKCS --label "{SIGNING}" '
        f"-i {tmp_path}/data -o {tmp_path}/$1.sig"
    )
    recorded(tmp_path, "--image", card, "sh", "-c", sign, tool("pkcs11-tool"), "1234")
    given = ("sh", "-c", sign, tool("pkcs11-tool"), "9876")
    again = run("replay", tmp_path / "t.jsonl", "--as-card", "--", *given)
    assert again.returncode == 0, again.stderr
    assert (tmp_path / "1234.sig").read_bytes() == (tmp_path / "9876.sig").read_bytes()


@pytest.fixture
def daemon() -> Iterator[Daemon]:
    with started_daemon() as found:
        yield found


@pytest.fixture
def real(daemon: Daemon) -> Iterator[EmulatedCard]:
    """The card in a reader of a real pcscd."""
    card = EmulatedCard(models.get(MODEL), image=full_card(MODEL), entropy=SystemEntropy(), reader=READERS[0])

    with VpcdSlot(card, reader=READERS[0], port=daemon.port) as slot:
        assert slot.wait(TIMEOUT)
        seen(daemon, "present")
        yield card


def way(daemon: Daemon) -> dict[str, Any]:
    """Return the environment variables that lead programs to a pcscd."""
    return dict(daemon.environment)


def seen(daemon: Daemon, state: str) -> None:
    """Wait until pcscd has seen the card come or go."""
    subprocess.run(
        [sys.executable, "-c", WAIT, READERS[0], state],
        env=environment(**way(daemon)),
        check=True,
        timeout=TIMEOUT,
    )


@pytest.mark.cardtwin_proves("RR-01", "RR-02")
@pytest.mark.usefixtures("real")
def test_a_real_reader_is_recorded_as_an_emulated_one_is(daemon: Daemon, card: Path, tmp_path: Path) -> None:
    through = recorded(tmp_path, "--reader", READERS[0], tool("pkcs15-tool"), "-D", **way(daemon))
    result = run("replay", tmp_path / "t.jsonl", "--image", card)
    assert (result.returncode, through.stderr) == (0, f"Using reader with a card: {READERS[0]}\n"), (
        result.stdout
    )
    result = run("replay", tmp_path / "t.jsonl", "--target", f"pcsc:{READERS[0]}", **way(daemon))
    assert result.returncode == 0, result.stdout + result.stderr
    emulated = recorded(tmp_path, "--image", card, tool("pkcs15-tool"), "-D")
    assert through.stdout == emulated.stdout


@pytest.mark.usefixtures("real")
def test_nobody_else_gets_at_the_card_meanwhile(daemon: Daemon, tmp_path: Path) -> None:
    there = daemon.environment["PCSCLITE_CSOCK_NAME"]
    other = f"opensc-tool -s 00A4000C023F00 && ! PCSCLITE_CSOCK_NAME={there} opensc-tool -s 00A4000C023F00"
    result = run("record", "--reader", READERS[0], "-o", tmp_path / "t", "sh", "-c", other, **way(daemon))
    assert result.returncode == 0, result.stderr
    assert result.stdout.count("SW1=0x90") == 1


@pytest.mark.usefixtures("real")
def test_an_earlier_trace_stays_when_another_program_uses_the_card(daemon: Daemon, tmp_path: Path) -> None:
    (tmp_path / "earlier").write_text("an earlier trace\n")
    there = f"PCSCLITE_CSOCK_NAME={daemon.environment['PCSCLITE_CSOCK_NAME']}"
    second = command("record", "--reader", READERS[0], "-o", tmp_path / "earlier", "echo", "ran")
    first = ("--reader", READERS[0], "-o", tmp_path / "t", "env", there)
    result = run("record", *first, *second, **way(daemon))
    assert (result.returncode, result.stdout) == (125, "")
    assert "another program uses the card" in result.stderr
    assert (tmp_path / "earlier").read_text() == "an earlier trace\n"


@pytest.mark.cardtwin_proves("RR-01")
def test_a_pin_goes_through_a_real_reader_and_not_into_the_trace(
    daemon: Daemon, real: EmulatedCard, tmp_path: Path
) -> None:
    given = ("--reader", READERS[0], tool("pkcs15-tool"), "--verify-pin", "--pin", "999999")
    result = run("record", "-o", tmp_path / "t.jsonl", *given, **way(daemon))
    assert result.returncode != 0
    (trace,) = read_traces(tmp_path / "t.jsonl")
    verified = [e for e in trace.events if isinstance(e, MaskedExchange) and e.command.startswith("00 20")]
    assert [each.response for each in verified] == ["63 C2"]
    assert "39 39 39" not in (tmp_path / "t.jsonl").read_text()
    assert CardView(real.image).pins["3F00", 1].tries_left == 2


MOVES = """\
import sys
from smartcard.scard import *
_, context = SCardEstablishContext(SCARD_SCOPE_USER)
known = SCARD_STATE_UNAWARE
for wanted in (SCARD_STATE_PRESENT, SCARD_STATE_EMPTY, SCARD_STATE_PRESENT):
    while not known & wanted:
        rv, states = SCardGetStatusChange(context, 30000, [(sys.argv[1], known)])
        assert rv == SCARD_S_SUCCESS
        known = states[0][1] & ~SCARD_STATE_CHANGED
    print(wanted == SCARD_STATE_PRESENT, flush=True)
"""


def test_a_card_that_comes_and_goes_in_a_real_reader_does_so_here(daemon: Daemon, tmp_path: Path) -> None:
    def slot() -> VpcdSlot:
        card = EmulatedCard(models.get(MODEL), entropy=SystemEntropy(), reader=READERS[0])
        return VpcdSlot(card, reader=READERS[0], port=daemon.port)

    seen(daemon, "empty")
    recording = subprocess.Popen(
        command(
            "record", "--reader", READERS[0], "-o", tmp_path / "t", sys.executable, "-c", MOVES, READERS[0]
        ),
        env=environment(**way(daemon)),
        stdout=subprocess.PIPE,
        text=True,
    )

    with recording:
        assert recording.stdout is not None

        with slot():
            assert recording.stdout.readline() == "True\n"

        assert recording.stdout.readline() == "False\n"

        with slot():
            assert recording.stdout.readline() == "True\n"
            assert recording.wait(TIMEOUT) == 0

    changes = [json.loads(line).get("change") for line in (tmp_path / "t").read_text().splitlines()[1:]]
    assert changes[:5] == ["inserted", "powered on", "removed", "inserted", "powered on"]


@pytest.mark.cardtwin_proves("RR-01", "RR-02", "RR-03")
def test_a_card_that_speaks_t0_is_recorded_and_replayed_with_what_programs_fetch(
    daemon: Daemon, tmp_path: Path
) -> None:
    model = models.get("idclassic-340")
    held = EmulatedCard(model, image=full_card(model.name), entropy=SystemEntropy())
    variables: dict[str, Any] = {**daemon.environment, "CARDTWIN_LOCKS": str(tmp_path)}
    dump = (tool("pkcs15-tool"), "-D")

    with VpcdSlot(held, reader=READERS[0], port=daemon.port) as slot:
        assert slot.wait(TIMEOUT)
        seen(daemon, "present")
        told = recorded(tmp_path, "--reader", READERS[0], *dump, **variables)
        again = run("replay", tmp_path / "t.jsonl", "--target", f"pcsc:{READERS[0]}", **variables)

    (trace,) = read_traces(tmp_path / "t.jsonl")
    assert any(e.command.startswith("00 C0") for e in trace.events if isinstance(e, MaskedExchange))
    assert re.fullmatch(r"commands sent: \d\d+; no differences\n", again.stdout), again.stdout + again.stderr

    images.save(full_card(model.name), tmp_path / "t0.image")
    emulated = run("replay", tmp_path / "t.jsonl", "--image", tmp_path / "t0.image")
    assert re.fullmatch(r"commands sent: \d\d+; no differences\n", emulated.stdout), emulated.stdout

    for given in ((), ("--strict",)):
        played = run("replay", tmp_path / "t.jsonl", "--as-card", *given, "--", *dump)
        assert (played.returncode, played.stdout) == (0, told.stdout), played.stderr


@pytest.mark.cardtwin_proves("RR-01")
def test_calls_of_another_library_are_told_with_what_they_send(card: Path, tmp_path: Path) -> None:
    script = '"$0" --module "$CARDTWIN_MODULE" --login --pin 1234 -O'
    given = ("--image", card, "--module", shared_library(OPENSC), "sh", "-c", script, tool("pkcs11-tool"))
    result = recorded(tmp_path, *given)
    (trace,) = read_traces(tmp_path / "t.jsonl")
    text = trace.text()
    assert "C_Login(hSession=" in text
    assert "pPin=**" in text
    called = {e.cause.path()[-1].what for e in trace.events if isinstance(e, MaskedExchange) and e.cause}
    assert {"C_Initialize", "C_Login"} <= called
    assert "Private Key Object" in result.stdout


@pytest.mark.cardtwin_proves("RR-01", "RR-05")
def test_processes_of_one_program_are_told_apart_in_the_trace_and_the_draft(
    card: Path, tmp_path: Path
) -> None:
    script = '"$0" --module "$CARDTWIN_MODULE" -O; "$0" --module "$CARDTWIN_MODULE" -O'
    given = ("--image", card, "--module", shared_library(OPENSC), "sh", "-c", script, tool("pkcs11-tool"))
    recorded(tmp_path, *given)
    (trace,) = read_traces(tmp_path / "t.jsonl")
    clients = {e.cause.path()[0].what for e in trace.events if isinstance(e, MaskedExchange) and e.cause}
    assert len(clients) == 2
    assert all(re.fullmatch(r"client \d+ pkcs11-tool", each) for each in clients)

    drafted = run("scenario", "from", tmp_path / "t.jsonl", "-o", tmp_path / "draft.scenario.yaml")
    assert drafted.returncode == 0, drafted.stderr
    calls = re.findall(r"pkcs11: (\w+).*?by: ([\w.-]+)", (tmp_path / "draft.scenario.yaml").read_text())
    assert [by for name, by in calls if name == "C_Initialize"] == ["pkcs11-tool", "pkcs11-tool-2"]
    assert {by for _, by in calls} == {"pkcs11-tool", "pkcs11-tool-2"}
