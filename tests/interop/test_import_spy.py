"""What OpenSC's pkcs11-spy writes is imported: it tells of the same calls as our own library."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from cardtwin.cryptoki.constants import Ckk
from cardtwin.events import CallBegan, CallEnded
from cardtwin.trace import Recorder, write_traces
from cardtwin.trace.imports import import_traces
from support.interop import shared_library
from support.opinions import data_for, signing
from support.pkcs11_tool import PIN, Pkcs11Tool
from support.rig import Rig, opened_rig

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from cardtwin.events import Event

OUTSIDE = {"C_GetInterface", "C_GetInterfaceList", "C_GetFunctionList", "C_Initialize", "C_Finalize"}
"""What the spy answers itself, and what our library tells in its own way."""


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    with opened_rig(tmp_path) as rig:
        yield rig


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "spy.log"


@pytest.fixture
def spied(rig: Rig, log: Path) -> Pkcs11Tool:
    spy = {"PKCS11SPY": rig.library, "PKCS11SPY_OUTPUT": str(log)}
    return Pkcs11Tool(rig, shared_library("pkcs11-spy.so"), environment=spy)


def told(events: Iterable[Event]) -> list[str]:
    """Return the calls as texts, without the room for answers: the log doesn't tell it."""
    lines: list[str] = []

    for event in events:
        match event:
            case CallBegan() if event.call.what not in OUTSIDE:
                known = [pair for pair in event.arguments if "room for" not in pair[1] and pair[1] != "NULL"]
                lines.append(f"{event.call.what} {known}")
            case CallEnded() if event.call.what not in OUTSIDE:
                lines.append(f"{event.call.what} -> {event.result} {event.results}")
            case _:
                pass

    return lines


@pytest.mark.cardtwin_proves("RR-04")
def test_the_imported_calls_are_those_that_our_library_tells_of(
    spied: Pkcs11Tool, rig: Rig, log: Path
) -> None:
    recorder = Recorder()
    rig.bench.hub.subscribe(recorder)
    spec = next(spec for spec in signing(Ckk.CKK_RSA) if spec.hash == "sha256")

    spied("--list-slots", "--list-mechanisms")
    spied.as_user("--list-objects")
    spied.as_user("--list-objects", pin="9999", succeeds=False)
    spied.sign(spec, data_for(spec))
    traces = import_traces(log)

    assert len(traces) == 4
    assert told(event for trace in traces for event in trace.events) == told(recorder.trace("").events)
    assert all(trace.times == tuple(sorted(trace.times)) and trace.times[-1] > 0 for trace in traces)


@pytest.mark.cardtwin_proves("RR-04")
def test_the_pin_is_in_the_log_and_not_in_the_trace(spied: Pkcs11Tool, log: Path, tmp_path: Path) -> None:
    spied.as_user("--test")
    write_traces(import_traces(log), tmp_path / "trace")
    dumped = PIN.encode().hex(" ").upper()

    assert re.search(rf"pPin\[ulPinLen\] .*\n    00000000  {dumped} ", log.read_text())
    assert dumped not in (tmp_path / "trace").read_text()
    assert f'"{PIN}"' not in (tmp_path / "trace").read_text()
    assert '["pPin", "**"]' in (tmp_path / "trace").read_text()
