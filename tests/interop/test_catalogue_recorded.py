"""Each cause of CKR_USER_NOT_LOGGED_IN, done by programs: recorded, spied upon, drafted and replayed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from cardtwin.drafting import Circumstances
from cardtwin.events import CallEnded
from cardtwin.hosting import CardRequest, HostRequest
from cardtwin.hosting.host import Host
from cardtwin.plan import Secret
from cardtwin.recording import (
    CardReplay,
    ClientReplay,
    HiddenSecrets,
    Recording,
    TraceOutput,
    matched_readers,
)
from cardtwin.scenario import load
from cardtwin.source import SourceError
from cardtwin.trace import read_traces
from cardtwin.trace.imports import import_traces
from support.drafts import drafted, made_card, ran
from support.interop import shared_library
from support.outside import Done, Outside, Task

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from cardtwin.scenario import Instance
    from cardtwin.trace import Trace

FOLDER = Path(__file__).parents[2] / "scenarios" / "not-logged-in"
ROW = "[cardos-5.3,with]"
NAMES = sorted(path.name.partition(".")[0] for path in FOLDER.glob("nli-*.scenario.yaml"))
READER = "R1"
NOT_LOGGED_IN = "CKR_USER_NOT_LOGGED_IN"
PINS = {"PIN:81": "1234", "PIN:83": "4321"}
SECRETS = {name: Secret.of(pin) for name, pin in PINS.items()}

ONE_PROGRAM = {"nli-02": "java.exe"}
"""Where one program's steps are done: it has a section, and what is recorded together goes by one name."""

MIXED = {"nli-13": "parent and child write into one log, and take turns"}
"""What pkcs11-spy's log is refused of, with the reason."""

NOT_INITIALIZED = "CKR_CRYPTOKI_NOT_INITIALIZED"
"""What our library itself answers, and nobody is told of, where C_Initialize has to come first."""

CHILD = "the child of "
"""How the harness calls a child; its name goes on with the parent's."""

OUT_OF_SIGHT = {
    "nli-04": "another program resets the card",
    "nli-05": "the end of another program's transaction resets the card",
    "nli-08": "another program selects an application",
    "nli-13-at-once": "it is the child of a fork that calls",
    "nli-14": "another program logs out",
}
"""What a program's log from pkcs11-spy doesn't tell, so that its draft misses the cause."""

ABOVE_OPENSC = ("nli-04", "nli-06", "nli-14")
"""A cause in the reader, one in the card, and another program, with a library that is recorded around."""

BARE = "framework pkcs15 { use_pin_caching = false; use_file_caching = no; }"


@dataclass(frozen=True)
class Case:
    """A cause, its card made.

    Attributes:
        instance: The row with the fault.
        folder: For files.
        image: The card's memory, as the scenario's first step makes it.
    """

    instance: Instance
    folder: Path
    image: Path

    @property
    def name(self) -> str:
        return self.instance.id.removesuffix(ROW)

    @property
    def middleware(self) -> dict[str, object]:
        """What the middleware is set up with."""
        setup = self.instance.setup
        config = self.folder / "Personal.cfg"

        if content := setup.files.get("Personal.cfg"):
            config.write_bytes(content)

        return {
            "config": str(config) if content else None,
            "program": ONE_PROGRAM.get(self.name),
            "switches": setup.switches,
        }

    @property
    def request(self) -> HostRequest:
        """The card in a reader, and the middleware above it."""
        (card,) = self.instance.setup.cards.values()
        return HostRequest.of(
            CardRequest(image=str(self.image), quirks=card.quirks), reader=READER, **self.middleware
        )

    @property
    def circumstances(self) -> Circumstances:
        """What the trace doesn't tell."""
        (card,) = self.instance.setup.cards.values()
        config = self.folder / "Personal.cfg"
        return Circumstances(
            image=self.image,
            config=config if config.exists() else None,
            program=ONE_PROGRAM.get(self.name),
            quirks=card.quirks,
            switches=self.instance.setup.switches,
            secrets={"pin": PINS["PIN:81"], "signature_pin": PINS["PIN:83"]},
        )

    def task(self, environment: Mapping[str, str], folder: str) -> Task:
        """The same for programs with pkcs11-spy in front of our library; their logs go into a folder."""
        logs = self.folder / folder
        logs.mkdir()
        return Task(
            str(self.instance.path),
            self.instance.id,
            shared_library("pkcs11-spy.so"),
            {**environment, "PKCS11SPY": environment["CARDTWIN_MODULE"]},
            str(logs),
            ONE_PROGRAM.get(self.name, ""),
        )


@pytest.fixture(scope="module")
def outside(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Outside]:
    with Outside(tmp_path_factory.mktemp("outside")) as process:
        yield process


@pytest.fixture
def case(name: str, tmp_path: Path) -> Case:
    (instance,) = (i for i in load(FOLDER / f"{name}.scenario.yaml") if i.id.endswith(ROW))
    return Case(instance, tmp_path, made_card(instance, tmp_path))


def recorded(case: Case, outside: Outside, library: str | None = None) -> tuple[Trace, Done]:
    """Return what `cardtwin record` tells of the programs, and what they told."""
    path = case.folder / "trace.jsonl"

    with Recording(case.request, TraceOutput(path, case.name), library=library) as recording:
        done = outside.do(case.task(recording.environment, "recorded"))

    assert recording.problems == []
    (trace,) = read_traces(path)
    return trace, done


def calls(trace: Trace) -> list[list[str]]:
    return [
        [e.call.what, e.result] for e in trace.events if isinstance(e, CallEnded) and _is_told(e.call.what)
    ]


def _is_told(function: str) -> bool:
    return function not in {"C_GetFunctionList", "C_GetInterfaceList", "C_GetInterface"}


@pytest.mark.parametrize("name", NAMES)
def test_a_cause_is_recorded_drafted_and_replayed(case: Case, outside: Outside) -> None:
    trace, done = recorded(case, outside)
    assert done.failure == ""
    told = [call for each in done.calls.values() for call in each if call[1] != NOT_INITIALIZED]
    assert sorted(calls(trace)) == sorted(told)
    see_the_draft(trace, case)
    see_the_replay_as_client(trace, case)
    see_the_replay_as_card(trace, case, done, outside)
    see_the_logs(case, done)


@pytest.mark.parametrize("name", ABOVE_OPENSC)
def test_a_cause_above_another_library_is_recorded_and_replayed(
    case: Case, outside: Outside, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = case.folder / "opensc.conf"
    config.write_text(f"app default {{ {BARE} }}\n")
    monkeypatch.setenv("OPENSC_CONF", str(config))
    trace, done = recorded(case, outside, shared_library("opensc-pkcs11.so"))
    assert done.failure == ""
    assert sorted(calls(trace)) == sorted(call for each in done.calls.values() for call in each)
    see_the_replay_as_client(trace, case)


def see_the_draft(trace: Trace, case: Case) -> None:
    """See that a scenario made of a trace does the same again, and fails where the fault is to be none."""
    again = ran(drafted(trace, case.folder, case.circumstances))
    assert again.failure == ""
    assert [list(call) for call in again.calls] == calls(trace)

    if any(rv == NOT_LOGGED_IN for _, rv in calls(trace)):
        wrong = ran(drafted(trace, case.folder, replace(case.circumstances, fault=NOT_LOGGED_IN)))
        assert f"returns {NOT_LOGGED_IN}" in wrong.failure


def see_the_replay_as_client(trace: Trace, case: Case) -> None:
    """See that an equal card answers what is sent to it as the trace has it."""
    host = Host(case.request, lambda: None)
    host.open()

    try:
        context = host.bench.manager.context()
        replay = ClientReplay(trace, HiddenSecrets(SECRETS))
        replayed = replay.run(context, matched_readers(trace, context.readers()))
    finally:
        host.close()

    assert (replayed.differences, replayed.left_out) == ((), ())
    assert replayed.sent > 10


def see_the_replay_as_card(trace: Trace, case: Case, before: Done, outside: Outside) -> None:
    """See that the trace is the same card to the programs: each call returns what it returned."""
    empty = replace(case.request, readers={}, cards={})
    host = Host(empty, lambda: None)
    host.open()

    try:
        CardReplay(trace).attach(host.bench.manager)
        again = outside.do(case.task(host.environment, "replayed"))
    finally:
        host.close()

    assert again == before


def by_log(calls: Mapping[str, list[list[str]]]) -> dict[str, list[list[str]]]:
    """Return calls as pkcs11-spy has them: a child writes where its parent does, when that is done."""
    written: dict[str, list[list[str]]] = {}

    for program, made in calls.items():
        written.setdefault(program.removeprefix(CHILD), []).extend(made)

    return written


def see_the_logs(case: Case, done: Done) -> None:
    """See that what pkcs11-spy has written of each program tells of its calls, and what drafts of it do."""
    logs = sorted((case.folder / "recorded").glob("*.spy"))
    written = by_log(done.calls)
    assert {log.stem for log in logs} == set(written)

    if case.name in MIXED:
        with pytest.raises(SourceError, match="several programs have written at once"):
            import_traces(logs[0])

        return

    traces = {log.stem: import_traces(log)[0] for log in logs}
    assert {program: calls(trace) for program, trace in traces.items()} == written
    drafts = [ran(drafted(trace, case.folder, case.circumstances)) for trace in traces.values()]
    assert any(each.failure for each in drafts) is (case.name in OUT_OF_SIGHT)

    if case.name not in OUT_OF_SIGHT:
        see_the_draft(traces[min(traces)], case)
