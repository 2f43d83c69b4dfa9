"""Targets whose programs are processes that load a PKCS#11 library."""

from __future__ import annotations

import os
import signal
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from cardtwin.cryptoki.functions import STANDARD
from cardtwin.cryptoki.native import library_path
from cardtwin.events import SharedCause
from cardtwin.scenario import Verdict, load, run
from cardtwin.targets import TargetError, get, module, names
from cardtwin.targets.remote import RemoteProgram
from cardtwin.trace import Recorder
from support.pkcs11_steps import OPENED, SIGN, carried_out, written

if TYPE_CHECKING:
    from cardtwin.scenario import ScenarioResult

LIBRARY = """
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>
typedef unsigned long CK_RV;
static CK_RV ok(void *a) { (void)a; return 0; }
static CK_RV own(unsigned long s) { (void)s; return 0x80001234UL; }
static CK_RV dies(void *i) { (void)i; abort(); }
static CK_RV leaves(void *a) { (void)a; exit(3); }
static CK_RV hangs(unsigned long s) { (void)s; for (;;) pause(); }
static struct { unsigned char version[2]; void *functions[%d]; } list = { {2, 40}, { %s } };
CK_RV C_GetFunctionList(void **place) { *place = &list; return 0; }
"""
BEHAVIOUR = {
    "C_Initialize": "ok",
    "C_Finalize": "leaves",
    "C_GetInfo": "dies",
    "C_CloseAllSessions": "hangs",
    "C_CloseSession": "own",
}


@pytest.fixture(scope="module")
def bad(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return the path of a library that dies, hangs, leaves and returns values of its own."""
    folder = tmp_path_factory.mktemp("bad")
    entries = ", ".join(BEHAVIOUR.get(function.name, "0") for function in STANDARD)
    (folder / "bad.c").write_text(LIBRARY % (len(STANDARD), entries))
    command = ["cc", "-shared", "-fPIC", "-o", str(folder / "bad.so"), str(folder / "bad.c")]
    subprocess.run(command, check=True, timeout=60)
    return str(folder / "bad.so")


def told(result: ScenarioResult) -> str:
    step = result.failed_step
    assert step is not None
    assert step.failure is not None
    return step.failure.message


def children() -> set[int]:
    """Return the processes that this one has started and that are there."""
    task = Path(f"/proc/self/task/{os.getpid()}/children")
    return {int(pid) for pid in task.read_text().split()}


def test_programs_call_through_our_library_and_go_by_the_scenarios_names(tmp_path: Path) -> None:
    before = children()
    (tmp_path / "Personal.cfg").write_text(
        "[CSP_PKCS11]\nSections=java.exe\nP11_LogoutAfterSign=0\n[java.exe]\nP11_LogoutAfterSign=1\n"
    )
    (instance,) = load(
        written(
            tmp_path,
            f"""
            - {{login: user, pin: "1234", by: java.exe}}
            - {{{SIGN}, by: java.exe}}
            - {{{SIGN}, by: java.exe, expect: CKR_USER_NOT_LOGGED_IN}}
            - {{login: user, pin: "1234", by: other.exe}}
            - {{{SIGN}, by: other.exe}}
            - {{{SIGN}, by: other.exe}}
            """,
            processes="{java.exe: {config: Personal.cfg}, other.exe: {config: Personal.cfg}}",
            files=", Personal.cfg: {path: Personal.cfg}",
        )
    )
    result = run(instance, get("module"))
    assert result.verdict is Verdict.PASSED, told(result)
    assert result.target == "module"
    assert children() == before


def test_a_trace_is_the_same_through_our_library_as_in_process(tmp_path: Path) -> None:
    programs = "{one: {}, two: {}}"
    steps = f"""
    - {{login: user, pin: "1234", by: one}}
    - {{login: user, pin: "1234", by: two}}
    - {{{SIGN}, by: one}}
    - {{pcsc: transaction, disposition: reset, by: two}}
    - {{{SIGN}, by: one, expect: CKR_USER_NOT_LOGGED_IN}}
    - {{login: user, pin: "1234", by: two}}
    """
    (instance,) = load(written(tmp_path, steps, processes=programs))
    traces = []

    for target in ("emulated", "module"):
        recorder = Recorder()
        seeded = replace(instance, setup=replace(instance.setup, seed="s"))
        result = run(seeded, get(target), observers=(recorder,))
        assert result.verdict is Verdict.PASSED, told(result)
        traces.append(recorder.text("trace"))

    assert traces[0] == traces[1]


def test_the_child_of_a_fork_is_a_process_with_the_library_in_it(tmp_path: Path) -> None:
    steps = OPENED.replace("}\n", ", by: parent}\n")
    result = carried_out(
        tmp_path,
        steps
        + """
- {fork: child, by: parent}
- {pkcs11: C_GetSessionInfo, hSession: $(session), by: child, expect: CKR_CRYPTOKI_NOT_INITIALIZED}
- {pkcs11: C_Initialize, by: child}
- {pkcs11: C_GetSessionInfo, hSession: $(session), by: child, expect: CKR_SESSION_HANDLE_INVALID}
- {pkcs11: C_GetSessionInfo, hSession: $(session), by: parent}
- {fork: grandchild, by: child}
- {pkcs11: C_GetInfo, by: grandchild, expect: CKR_CRYPTOKI_NOT_INITIALIZED}
""",
        processes="{parent: {}, child: {}, grandchild: {}}",
        target="module",
    )
    assert result.verdict is Verdict.PASSED, told(result)


def test_a_return_value_of_the_vendors_own_is_shown_in_hex(tmp_path: Path, bad: str) -> None:
    steps = "- {pkcs11: C_Initialize}\n- {pkcs11: C_CloseSession, hSession: 1%s}"
    good = carried_out(tmp_path, steps % ", expect: 0x80001234", target=f"module:{bad}")
    assert good.verdict is Verdict.PASSED, told(good)
    assert good.target == f"module:{bad}"
    wrong = carried_out(tmp_path, steps % "", target=f"module:{bad}")
    assert told(wrong) == "C_CloseSession returns 0x80001234"


@pytest.mark.parametrize(
    ("call", "message"),
    [
        ("C_GetInfo", "cardtwin: it was killed by SIGABRT while C_GetInfo ran"),
        ("C_Finalize", "cardtwin: it ended with status 3 while C_Finalize ran"),
    ],
)
def test_a_program_that_ends_in_a_call_is_told_as_such(
    tmp_path: Path, bad: str, call: str, message: str
) -> None:
    steps = f"- {{pkcs11: C_Initialize}}\n- {{pkcs11: {call}}}"
    assert told(carried_out(tmp_path, steps, target=f"module:{bad}")) == message


def test_a_call_that_hangs_is_ended_and_told_as_such(bad: str) -> None:
    before = children()
    program = RemoteProgram.start("java.exe", bad, {}, cause=SharedCause("java.exe"), limit=0.3)
    assert program.initialize().name == "CKR_OK"

    with pytest.raises(
        TargetError, match=r"java\.exe: it had to be ended: after 0\.3 s .* C_CloseAllSessions"
    ):
        program.call("C_CloseAllSessions", (1,))

    with pytest.raises(TargetError, match=r"java\.exe is gone: it had to be ended"):
        program.initialize()

    assert children() == before


def test_a_program_that_somebody_kills_is_told_as_such(bad: str) -> None:
    before = children()
    program = RemoteProgram.start("java.exe", bad, {}, cause=SharedCause("java.exe"))
    child = program.fork()
    (pid,) = children() - before
    os.kill(pid, signal.SIGKILL)

    with pytest.raises(TargetError, match="killed by SIGKILL while C_Initialize ran"):
        program.initialize()

    assert child.initialize().name == "CKR_OK"

    with pytest.raises(TargetError, match=r"the child of java\.exe: it ended while C_GetInfo ran"):
        child.call("C_GetInfo", ())


def test_an_interrupted_call_ends_the_program(bad: str, monkeypatch: pytest.MonkeyPatch) -> None:
    program = RemoteProgram.start("java.exe", bad, {}, cause=SharedCause("java.exe"))

    def interrupt(_limit: float) -> bool:
        raise KeyboardInterrupt

    monkeypatch.setattr("multiprocessing.connection.Connection.poll", lambda _self, limit: interrupt(limit))

    with pytest.raises(KeyboardInterrupt):
        program.initialize()

    with pytest.raises(TargetError, match="is gone: a call was interrupted"):
        program.initialize()


def test_what_is_no_library_is_told_as_such(tmp_path: Path) -> None:
    no_library = tmp_path / "no.so"
    no_library.write_text("no library")
    result = carried_out(tmp_path, "- {pkcs11: C_Initialize}", target=f"module:{no_library}")
    assert "no.so is no PKCS#11 library" in told(result)

    with pytest.raises(TargetError, match="there is no PKCS#11 library"):
        get(f"module:{tmp_path}/nothing.so")


def test_without_a_compiler_at_the_installation_the_target_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cardtwin.cryptoki.native._FOLDER", Path("/nowhere"))
    monkeypatch.setattr(module, "library_path", library_path)

    with pytest.raises(TargetError, match="no C compiler could make it"):
        get("module")


def test_targets_have_names_and_unknown_ones_a_hint() -> None:
    assert names() == ("emulated", "module", "pcscd", "pcsc")

    with pytest.raises(TargetError, match="did you mean 'emulated'"):
        get("emulatd")

    with pytest.raises(TargetError, match="module:PATH"):
        get("module:")


@pytest.mark.parametrize(
    ("steps", "keys", "reason"),
    [
        ("- {card: reset}", {}, "no step calls a function of PKCS#11"),
        (
            "- {pkcs11: C_GetInfo}",
            {"processes": "{a: {config: P.cfg}}", "files": ", P.cfg: '[Cache]'"},
            "a has a Personal.cfg",
        ),
        ("- {pkcs11: C_GetInfo}", {"more": "switches: {cryptoki.logout: kept}\n"}, "cryptoki.logout"),
        (
            "- {pkcs11: C_GetInfo}",
            {"more": "middleware: cardtwin\n"},
            "the scenario needs cardtwin's middleware",
        ),
        (
            "- {pkcs11: cardtwin_LoginOperator, hSession: 1, pPin: NULL}",
            {},
            "needs cardtwin's middleware",
        ),
        ('- {login: operator, pin: "1"}', {}, "needs cardtwin's middleware"),
        ("- {pkcs11: C_GetInfo}\n- {wait: 5}", {}, "step 2 (wait) needs a clock that can be set forward"),
        (
            "- {pkcs11: C_GetInfo}\n- {check: {logs: {personal.log: absent}}}",
            {},
            "step 2 (check) needs cardtwin's middleware",
        ),
    ],
)
def test_what_another_library_cannot_show_is_not_run(
    tmp_path: Path, bad: str, steps: str, keys: dict[str, Any], reason: str
) -> None:
    result = carried_out(tmp_path, steps, target=f"module:{bad}", **keys)
    assert result.verdict is Verdict.UNSUPPORTED
    assert reason in result.message


def test_a_scenario_without_pkcs11_gives_our_library_nothing_to_do(tmp_path: Path) -> None:
    result = carried_out(tmp_path, "- {card: reset}", target="module")
    assert result.verdict is Verdict.UNSUPPORTED
