"""Libraries that can't be used as a target: told once, before anything runs; and those that crash later."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING, Any, TypeAlias

import pytest
from click.testing import CliRunner, Result

from cardtwin.cli import main
from cardtwin.cryptoki.functions import STANDARD
from cardtwin.targets import TargetError, remote
from cardtwin.targets.module import try_library

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from support.pytests import Run

LIBRARY = """
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
typedef unsigned long CK_RV;
static CK_RV ok(void *a) { (void)a; return 0; }
static CK_RV fails(void *a) { (void)a; return 5; }
static CK_RV segfaults(void *a) { (void)a; raise(SIGSEGV); return 0; }
static CK_RV hangs(void *a) { (void)a; for (;;) pause(); }
static struct { unsigned char version[2]; void *functions[%d]; } list = { {2, 40}, { %s } };
CK_RV C_GetFunctionList(void **place) { %s }
"""
GIVEN = "*place = &list; return 0;"

Build: TypeAlias = "Callable[..., Path]"


@pytest.fixture
def build(tmp_path: Path) -> Build:
    """Compile a library: what C_GetFunctionList does, and which function in C does each of the others."""

    def made(get_list: str = GIVEN, **behaviour: str) -> Path:
        entries = ", ".join(behaviour.get(function.name, "0") for function in STANDARD)
        (tmp_path / "library.c").write_text(LIBRARY % (len(STANDARD), entries, get_list))
        command = ["cc", "-w", "-shared", "-fPIC", "-o", str(tmp_path / "library.so"), "library.c"]
        subprocess.run(command, check=True, timeout=60, cwd=tmp_path)
        return tmp_path / "library.so"

    return made


def cardtwin(*arguments: object) -> Result:
    return CliRunner().invoke(main, [*map(str, arguments)], env={"COLUMNS": "250"})


@pytest.mark.parametrize(
    ("get_list", "behaviour", "told"),
    [
        ("abort();", {}, "it was killed by SIGABRT while"),
        ("return 5;", {}, "C_GetFunctionList returned CKR_GENERAL_ERROR"),
        ("*place = 0; return 0;", {}, "C_GetFunctionList returned CKR_OK and no list"),
        ("exit(4);", {}, "it ended with status 4 while"),
        (GIVEN, {"C_Initialize": "segfaults"}, "it was killed by SIGSEGV while C_Initialize ran"),
    ],
)
@pytest.mark.parametrize("command", ["run", "plan", "compare"])
def test_a_library_that_crashes_when_it_is_loaded_is_one_error_before_the_run(
    scenario: Any, build: Any, command: str, get_list: str, behaviour: dict[str, str], told: str
) -> None:
    library = build(get_list, **behaviour)
    targets = ["--target", f"module:{library}", *(["--target", "emulated"] if command == "compare" else [])]
    done = cardtwin(command, scenario("- {pkcs11: C_Initialize}"), *targets)
    assert done.exit_code == 2, done.output
    assert done.output.count("can't be used") == 1
    assert told in done.output
    assert "demo" not in done.output


def test_listing_loads_no_library_and_still_says_that_one_is_not_there(
    scenario: Any, build: Any, tmp_path: Path
) -> None:
    path, loaded = scenario("- {pkcs11: C_Initialize}"), tmp_path / "loaded"
    library = build(f'fopen("{loaded}", "w"); abort();')
    listed = cardtwin("run", path, "--list", "--target", f"module:{library}")
    assert (listed.exit_code, listed.output) == (0, f"{path}::demo\n")
    assert not loaded.exists()
    assert cardtwin("run", path, "--target", f"module:{library}").exit_code == 2
    assert loaded.exists()
    missing = cardtwin("run", path, "--list", "--target", f"module:{tmp_path / 'missing.so'}")
    assert (missing.exit_code, "there is no PKCS#11 library" in missing.output) == (2, True)


def test_collecting_loads_no_library(scenario: Any, build: Any, tmp_path: Path, run_pytest: Run) -> None:
    path, loaded = scenario("- {pkcs11: C_Initialize}"), tmp_path / "loaded"
    library = build(f'fopen("{loaded}", "w"); abort();')
    collected = run_pytest("--collect-only", f"--cardtwin-target=module:{library}", str(path))
    assert (collected.returncode, "1 test collected" in collected.stdout) == (0, True)
    assert not loaded.exists()
    assert run_pytest(f"--cardtwin-target=module:{library}", str(path)).returncode == 4
    assert loaded.exists()


@pytest.mark.parametrize("where", ["C_GetFunctionList", "C_Initialize"])
def test_a_library_that_hangs_is_ended(build: Any, monkeypatch: pytest.MonkeyPatch, where: str) -> None:
    in_list = where == "C_GetFunctionList"
    library = build("for (;;) pause();" if in_list else GIVEN, **({} if in_list else {where: "hangs"}))
    limit = 5.0 if in_list else 1.0

    if in_list:
        monkeypatch.setattr(remote, "LIMIT", limit)

    with pytest.raises(TargetError, match=f"after {limit:g} s there was no answer while .*") as error:
        try_library(str(library), limit=limit)

    assert ("was loaded" if in_list else "C_Initialize ran") in str(error.value)


def test_what_is_no_library_or_another_machines_is_one_error_before_the_run(
    scenario: Any, build: Any, tmp_path: Path
) -> None:
    foreign = bytearray(build().read_bytes())
    foreign[4] = 1  # EI_CLASS: 32 bits
    (tmp_path / "foreign.so").write_bytes(foreign)
    (tmp_path / "text.so").write_text("no library")
    path = scenario("- {pkcs11: C_Initialize}")

    for name, told in (
        (str(tmp_path / "missing.so"), "there is no PKCS#11 library"),
        (str(tmp_path / "foreign.so"), "wrong ELF class"),
        (str(tmp_path / "text.so"), "is no PKCS#11 library"),
        ("libm.so.6", "undefined symbol: C_GetFunctionList"),
        ("libnowhere-to-be-found.so", "cannot open shared object file"),
    ):
        done = cardtwin("run", path, "--target", f"module:{name}")
        assert done.exit_code == 2, done.output
        assert told in done.output


def test_what_c_initialize_returns_is_the_scenarios_to_judge(scenario: Any, build: Any) -> None:
    library = build(C_Initialize="fails", C_Finalize="ok")
    path = scenario("- {pkcs11: C_Initialize, expect: CKR_GENERAL_ERROR}")
    done = cardtwin("run", path, "--target", f"module:{library}")
    assert done.exit_code == 0, done.output


def test_a_crash_in_the_middle_is_told_at_its_step_and_the_run_goes_on(
    scenario: Any, build: Any, tmp_path: Path
) -> None:
    library = build(C_Initialize="ok", C_Finalize="ok", C_Sign="segfaults")
    head = "- {pkcs11: C_Initialize}\n"
    crash = scenario(head + "- {pkcs11: C_Sign, hSession: 1, pData: 00}\n- {pkcs11: C_Finalize}", name="a")
    fine = scenario(head + "- {pkcs11: C_Finalize}", name="b")
    target = f"--target=module:{library}"
    done = cardtwin("run", crash, fine, target, f"--json={tmp_path / 'told.json'}")
    assert done.exit_code == 1, done.output
    first, second = json.loads((tmp_path / "told.json").read_text())["scenarios"]
    assert [step["verdict"] for step in first["steps"]] == ["passed", "failed", "not run"]
    failure = first["steps"][1]["failure"]
    assert failure["message"] == "cardtwin: it was killed by SIGSEGV while C_Sign ran"
    assert "a.scenario.yaml:" in first["steps"][1]["place"]
    assert second["verdict"] == "passed"


PROGRAMS = """\
format: 1
title: Three programs
processes: {ssh: {}, java: {}, child: {}}
readers: {R1: cardos-5.3}
steps:
  - {pkcs11: C_Initialize, by: ssh}
  - {pkcs11: C_Initialize, by: java}
  - {fork: child, by: ssh}
  - {pkcs11: C_Initialize, by: child}
  - {pkcs11: C_Finalize, by: ssh}
  - {pkcs11: C_Finalize, by: child}
  - {pkcs11: C_Finalize, by: java}
"""


def test_programs_of_a_library_are_told_apart_in_the_trace_and_its_draft(
    build: Build, tmp_path: Path
) -> None:
    library = build(C_Initialize="ok", C_Finalize="ok")
    (tmp_path / "three.scenario.yaml").write_text(PROGRAMS)
    trace, draft = tmp_path / "t.jsonl", tmp_path / "draft.scenario.yaml"
    ran = cardtwin("run", tmp_path / "three.scenario.yaml", "--target", f"module:{library}", "--trace", trace)
    assert ran.exit_code == 0, ran.output

    drafted = cardtwin("scenario", "from", trace, "-o", draft)
    assert drafted.exit_code == 0, drafted.output
    calls = [line for line in draft.read_text().splitlines() if "pkcs11: C_" in line]
    assert [line.partition("by: ")[2].rstrip("}") for line in calls] == [
        *("ssh", "java", "the-child-of-ssh", "ssh", "the-child-of-ssh", "java")
    ]
