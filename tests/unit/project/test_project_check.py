"""What ./check does before it hands over to tox."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import check
from support.interop import LIBRARIES, PACKAGES

HERE = f"{sys.version_info.major}.{sys.version_info.minor}"


def package(name: str, *, present: bool) -> check.SystemPackage:
    return check.SystemPackage(name, "a test", lambda: present)


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The commands that would have been started; none is."""
    commands: list[list[str]] = []

    def note(command: list[str], **_: object) -> object:
        commands.append(command)
        return type("Completed", (), {"returncode": 0})()

    monkeypatch.setattr(subprocess, "run", note)
    return commands


def pretend(monkeypatch: pytest.MonkeyPatch, *, versions: tuple[str, ...] = check.VERSIONS) -> None:
    monkeypatch.setattr(
        check, "interpreters", lambda: {version: Path(f"python{version}") for version in versions}
    )
    monkeypatch.setattr(check, "system_packages", lambda: (package("opensc", present=True),))


def test_the_running_interpreter_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path))
    assert check.interpreters() == {HERE: Path(sys.executable)}


def test_an_interpreter_is_found_with_pyenv(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = next(version for version in check.VERSIONS if version != HERE)
    kept = tmp_path / "versions" / f"{other}.1" / "bin" / f"python{other}"
    kept.parent.mkdir(parents=True)
    kept.write_text(f"#!/bin/sh\necho {other}\n", encoding="utf-8")
    kept.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path))
    monkeypatch.setattr(check, "VERSIONS", (other,))
    assert check.interpreters()[other] == kept


def test_unit_tests_run_on_the_oldest_interpreter_and_on_the_newest(
    monkeypatch: pytest.MonkeyPatch, started: list[list[str]]
) -> None:
    pretend(monkeypatch)
    assert check.main([]) == 0
    assert started[0][-1] == "lint,type,package,py313,py311,scenarios,sabotage,interop,bench,coverage"


def test_an_interpreter_that_is_absent_is_told(
    monkeypatch: pytest.MonkeyPatch, started: list[list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("CI", raising=False)
    pretend(monkeypatch, versions=("3.11",))
    assert check.main([]) == 0
    assert started[0][-1] == "lint,type,package,py311,scenarios,interop,bench,coverage"
    assert "not tested: Python 3.12, 3.13" in capsys.readouterr().out


def test_the_newest_interpreter_is_the_one_that_looks_at_everything(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told: list[str] = []

    def note(_: list[str], env: dict[str, str], **__: object) -> object:
        told.append(env["CARDTWIN_THOROUGH"])
        return type("Completed", (), {"returncode": 0})()

    monkeypatch.setattr(subprocess, "run", note)
    pretend(monkeypatch, versions=("3.9", "3.11", "3.10"))
    assert check.main(["py311"]) == 0
    assert told == ["3.11"]


@pytest.mark.parametrize(("version", "left_out"), [(HERE, False), ("2.7", True)])
def test_another_interpreter_leaves_out_what_is_thorough(version: str, left_out: bool) -> None:
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider", __file__]
    thorough = {"CARDTWIN_THOROUGH": version}
    found = subprocess.run(
        command, env=os.environ | thorough, capture_output=True, text=True, check=True, cwd=check.ROOT
    )
    assert ("1 deselected" in found.stdout) is left_out


@pytest.mark.thorough
def test_this_one_is_thorough() -> None:
    """It is what the test above looks for."""


def test_continuous_integration_has_every_interpreter(
    monkeypatch: pytest.MonkeyPatch, started: list[list[str]]
) -> None:
    monkeypatch.setenv("CI", "true")
    pretend(monkeypatch, versions=("3.11",))
    assert check.main([]) == 2
    assert started == []


def test_system_packages_that_cannot_be_installed_are_named(
    monkeypatch: pytest.MonkeyPatch, started: list[list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    pretend(monkeypatch)
    wanted = (
        package("opensc", present=False),
        package("openssl", present=True),
        package("gcc", present=False),
    )
    monkeypatch.setattr(check, "system_packages", lambda: wanted)
    monkeypatch.setattr(check, "install", lambda _: False)
    assert check.main([]) == 2
    assert started == []
    assert "apt-get install opensc gcc" in capsys.readouterr().err


def test_whatever_the_interoperability_tests_run_is_in_a_package_that_is_installed() -> None:
    installed = {package.name for package in check.system_packages()}
    assert {*PACKAGES.values(), *LIBRARIES.values()} <= installed


def test_environments_that_use_no_system_package_ask_for_none(
    monkeypatch: pytest.MonkeyPatch, started: list[list[str]]
) -> None:
    pretend(monkeypatch)
    monkeypatch.setattr(check, "system_packages", lambda: (package("opensc", present=False),))
    assert check.main(["lint"]) == 0
    assert started[0][-1] == "lint"


def test_root_installs_without_sudo_and_nothing_that_is_there(
    monkeypatch: pytest.MonkeyPatch, started: list[list[str]]
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(shutil, "which", lambda name: f"/usr/bin/{name}")
    assert check.install([package("opensc", present=False)])
    assert [command[0] for command in started] == ["env", "env"]
    assert started[1][-2:] == ["--no-install-recommends", "opensc"]


def test_who_is_neither_root_nor_in_sudo_installs_nothing(
    monkeypatch: pytest.MonkeyPatch, started: list[list[str]]
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setattr(shutil, "which", lambda name: None if name == "sudo" else f"/usr/bin/{name}")
    assert not check.install([package("opensc", present=False)])
    assert started == []
