"""Logs with APDUs, written by the programs themselves, tell of the same exchanges as the card does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from cardtwin.events import PowerChange, ReaderChanged
from cardtwin.trace import MaskedExchange, masked_exchanges, read_traces, write_traces
from cardtwin.trace.imports import import_traces
from support.hosted import run as hosted
from support.interop import READER, Desk
from support.pcscd import READERS, started_daemon
from support.programs import PIN
from support.rig import full_card
from support.scdaemon import LOG, opened_scdaemon

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from cardtwin.events import Event

MAIN = PIN.reveal().decode()


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "log"


@pytest.fixture
def card(desk: Desk) -> None:
    desk.insert("cardos-5.3", full_card("cardos-5.3"))


def exchanges(events: Iterable[Event]) -> list[tuple[str, str, str]]:
    """Return the commands and responses, and what the commands mean."""
    return [(e.command, e.response, e.meaning) for e in events if isinstance(e, MaskedExchange)]


def imported(log: Path) -> tuple[Event, ...]:
    """Return the events of a log with one trace."""
    (trace,) = import_traces(log)
    assert trace.times == tuple(sorted(trace.times))
    return trace.events


def check_pin(log: Path, pin: str, verify: str) -> None:
    """See that the PIN is in the log, and not in the trace, where the command with it is masked."""
    write_traces(import_traces(log), log.with_suffix(".trace"))
    digits = pin.encode().hex(" ").upper()
    written = log.with_suffix(".trace").read_text()

    assert digits in log.read_text()
    assert digits not in written
    assert f'"command": "{verify} 08 ** ** ** ** ** ** ** **"' in written


@pytest.mark.cardtwin_proves("RR-04")
@pytest.mark.usefixtures("card")
def test_the_debug_log_of_opensc(desk: Desk, log: Path) -> None:
    log.write_text(desk.run("pkcs15-tool", "--change-pin", "--pin", MAIN, "--new-pin", MAIN, "-vvvvvvv"))
    events = imported(log)
    sent = exchanges(masked_exchanges(desk.events))

    assert exchanges(events) == sent[:-1]
    assert "CHANGE REFERENCE DATA" in sent[-1][2], "OpenSC leaves what has a PIN out of its log"
    assert {event.reader for event in events if isinstance(event, MaskedExchange)} == {READER}
    (powered,) = [event for event in events if isinstance(event, ReaderChanged)]
    assert powered.atr == full_card("cardos-5.3").atr
    assert [cause.what for cause in {event.cause for event in events if event.cause}] == ["pkcs15-tool"]


@pytest.mark.usefixtures("card")
def test_a_pin_in_the_debug_log_of_opensc_is_in_no_trace(desk: Desk, log: Path) -> None:
    log.write_text(desk.run("env", "OPENSC_DEBUG=9", "pkcs15-tool", "--verify-pin", "--pin", MAIN))

    assert exchanges(imported(log)) == exchanges(masked_exchanges(desk.events))
    check_pin(log, MAIN, "00 20 00 81")


@pytest.mark.usefixtures("card")
def test_the_log_of_scdaemon(desk: Desk) -> None:
    with opened_scdaemon(desk, pin=MAIN, more="debug cardio\nverbose\n") as daemon:
        status, _ = daemon.command("LEARN --force")
        (key,) = [line.split()[2] for line in status if line.endswith("Digital_Signature") and "CERT" in line]
        daemon.command(f"SETDATA {bytes(32).hex()}")
        daemon.command(f"PKSIGN --hash=sha256 {key}")

    assert exchanges(imported(desk.folder / LOG)) == exchanges(masked_exchanges(desk.events))
    check_pin(desk.folder / LOG, MAIN, "00 20 00 01")


@pytest.mark.cardtwin_proves("RR-04")
def test_the_log_of_pcscd(log: Path, tmp_path: Path) -> None:
    card = (
        "--card",
        "cardos-5.3",
        "--profile",
        "full",
        "--secret",
        "PIN1=271828",
        "--trace",
        tmp_path / "ours",
    )
    script = 'pkcs15-tool --verify-pin --pin "$0" && opensc-tool --reset'
    shell = ("sh", "-c", script, "271828")

    with started_daemon(log) as daemon:
        leading: dict[str, Any] = dict(daemon.environment)
        result = hosted("exec", "--pcscd", str(daemon.port), *card, *shell, **leading)

    assert result.returncode == 0, result.stdout + result.stderr
    events = imported(log)
    (ours,) = read_traces(tmp_path / "ours")
    changes = [event.change for event in events if isinstance(event, ReaderChanged)]
    assert exchanges(events) == exchanges(ours.events)
    assert changes == [PowerChange.INSERTED, PowerChange.RESET, PowerChange.REMOVED]
    assert {event.reader for event in events if isinstance(event, MaskedExchange)} == {READERS[0]}
    check_pin(log, "271828", "00 20 00 81")
