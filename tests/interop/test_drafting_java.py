"""A bug report of a Java program, a log of pkcs11-spy, becomes a scenario by one command."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner, Result

from cardtwin.cli import main
from cardtwin.scenario import load
from support.interop import TIMEOUT, program, shared_library
from support.rig import opened_rig

if TYPE_CHECKING:
    from collections.abc import Sequence

SOURCE = Path(__file__).parents[1] / "support" / "TokenClient.java"
LIMIT = 300
"""Seconds for many runs of a scenario, on a busy machine."""

SIGN = "sign=SHA256withRSA"
FAULT = "CKR_USER_NOT_LOGGED_IN"


def cardtwin(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, [str(each) for each in arguments])


def configured(folder: Path, value: int) -> Path:
    path = folder / "Personal.cfg"
    path.write_text(f"[CSP_PKCS11]\nP11_LogoutAfterSign={value}\n")
    return path


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What pkcs11-spy has written of a program whose second signature is refused."""
    classes, folder = (tmp_path_factory.mktemp(name) for name in ("classes", "java"))
    subprocess.run([program("javac"), "-d", str(classes), str(SOURCE)], check=True, timeout=TIMEOUT)
    config = configured(folder, 1).read_text()

    with opened_rig(folder, config=config, program="java.exe") as rig:
        (rig.folder / "message").write_bytes(b"what is signed")
        quick = ("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xshare:auto")
        client = ("-cp", str(classes), "TokenClient", shared_library("pkcs11-spy.so"), "1", "1234")
        output = str(folder / "spy.log")
        told = rig.run("java", *quick, *client, SIGN, SIGN, PKCS11SPY=rig.library, PKCS11SPY_OUTPUT=output)

    assert told.splitlines()[1] == f"{SIGN} refused PKCS11Exception {FAULT}"
    return folder / "spy.log"


def made(log: Path, folder: Path, options: Sequence[str] = ()) -> Path:
    path = folder / "bug.scenario.yaml"
    config = configured(folder, 1)
    ended = cardtwin(
        "scenario", "from", log, "--config", config, "--program", "java.exe", *options, "-o", path
    )
    assert ended.exit_code == 0, ended.output
    return path


@pytest.mark.cardtwin_proves("RR-05")
@pytest.mark.parametrize("target", ["emulated", "module"])
def test_it_fails_on_a_module_with_logout_after_sign_and_passes_on_one_without(
    log: Path, tmp_path: Path, target: str
) -> None:
    path = made(log, tmp_path, ("--fault", FAULT))
    failed = cardtwin("run", path, "--target", target)
    assert failed.exit_code == 1
    assert f"C_SignInit returns {FAULT}" in failed.output
    configured(tmp_path, 0)
    assert cardtwin("run", path, "--target", target).exit_code == 0


@pytest.mark.cardtwin_proves("RR-05")
def test_as_it_was_recorded_it_passes_there_and_fails_elsewhere(log: Path, tmp_path: Path) -> None:
    path = made(log, tmp_path)
    assert cardtwin("run", path).exit_code == 0
    configured(tmp_path, 0)
    assert cardtwin("run", path).exit_code == 1


@pytest.mark.timeout(LIMIT)
def test_what_is_left_of_it_are_a_few_steps_that_fail_and_pass_alike(log: Path, tmp_path: Path) -> None:
    path, small = made(log, tmp_path, ("--fault", FAULT)), tmp_path / "small.scenario.yaml"
    assert cardtwin("scenario", "shrink", path, "-o", small).exit_code == 0
    (before,), (after,) = load(path), load(small)
    assert len(after.steps) < len(before.steps) / 5
    assert f"C_SignInit returns {FAULT}" in cardtwin("run", small).output
    configured(tmp_path, 0)
    assert cardtwin("run", small).exit_code == 0
