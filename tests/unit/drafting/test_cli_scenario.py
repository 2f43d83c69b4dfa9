"""``cardtwin scenario``: files in, a scenario out, and what is wrong told."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cardtwin.cli import main
from cardtwin.scenario import load

ROOT = Path(__file__).parents[3]
CAUSE = ROOT / "scenarios" / "not-logged-in" / "nli-01.scenario.yaml"


def cardtwin(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, [str(each) for each in arguments])


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    trace = tmp_path_factory.mktemp("recorded") / "a.trace"
    assert (
        cardtwin("run", CAUSE, "-k", "cardos-5.3 and with and not without", "--trace", trace).exit_code == 0
    )
    return trace


def config(folder: Path, value: int) -> Path:
    path = folder / "own.cfg"
    path.write_text(f"[CSP_PKCS11]\nP11_LogoutAfterSign={value}\n")
    return path


@pytest.mark.cardtwin_proves("RR-05")
def test_a_trace_becomes_a_scenario_that_passes_where_it_came_from_and_fails_elsewhere(
    recorded: Path, tmp_path: Path
) -> None:
    made = tmp_path / "made.scenario.yaml"
    assert cardtwin("scenario", "from", recorded, "--config", config(tmp_path, 1), "-o", made).exit_code == 0
    assert cardtwin("run", made).exit_code == 0
    config(tmp_path, 0)
    assert cardtwin("run", made).exit_code == 1


def test_a_fault_becomes_a_scenario_that_fails_with_it_and_passes_without(
    recorded: Path, tmp_path: Path
) -> None:
    made, small = tmp_path / "made.scenario.yaml", tmp_path / "small.scenario.yaml"
    fault = ("--fault", "CKR_USER_NOT_LOGGED_IN", "--config", config(tmp_path, 1))
    # the program looks for its key again before it signs: with the fault it finds none
    assert cardtwin("scenario", "from", recorded, *fault, "-o", made).exit_code == 0
    made.write_text(made.read_text().replace("expect: {pulObjectCount: 0}", "expect: CKR_OK"))
    assert cardtwin("run", made).exit_code == 1
    told = cardtwin("scenario", "shrink", made, "-o", small)
    assert told.exit_code == 0
    assert "steps, after" in told.output
    assert len(load(small)[0].steps) < len(load(made)[0].steps)
    assert cardtwin("run", small).exit_code == 1
    config(tmp_path, 0)
    assert cardtwin("run", made).exit_code == cardtwin("run", small).exit_code == 0


def test_the_scenario_that_is_shown_is_what_its_trace_becomes(tmp_path: Path) -> None:
    folder = ROOT / "scenarios" / "drafted"
    made = folder / "second-signature.scenario.yaml"
    proves = ("--proves", "RR-05", "--proves", "MW-06")
    given = ("--config", folder / "logout-after-sign.cfg", "--program", "java.exe", *proves)
    again = tmp_path / made.name
    trace = folder / "second-signature.trace"
    assert cardtwin("scenario", "from", trace, *given, "-o", again).exit_code == 0
    path = os.path.relpath(folder / "logout-after-sign.cfg", tmp_path)
    assert again.read_text() == made.read_text().replace("path: logout-after-sign.cfg", f"path: {path}")


def test_without_a_file_to_write_it_is_printed(recorded: Path) -> None:
    printed = cardtwin("scenario", "from", recorded)
    assert printed.exit_code == 0
    assert printed.output.startswith("format: 1\n")


def test_secrets_come_from_the_environment_and_from_files(
    recorded: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MY_PIN", "24680")
    (tmp_path / "puk").write_text("13579135\n")
    given = ("--secret", "pin=env:MY_PIN", "--secret", f"puk=file:{tmp_path / 'puk'}")
    assert "pin: 24680, puk: 13579135" in cardtwin("scenario", "from", recorded, *given).output


@pytest.mark.parametrize(
    ("option", "told"),
    [
        (("--secret", "pin=1234"), "NAME=env:VARIABLE"),
        (("--secret", "pan=env:HOME"), "there is no secret 'pan'"),
        (("--secret", "pin=env:NOT_THERE_AT_ALL"), "the environment has no NOT_THERE_AT_ALL"),
        (("--switch", "cryptoki.logout"), "no NAME=VALUE"),
        (("--switch", "cryptoki.logoff=kept"), "there is no switch 'cryptoki.logoff'"),
        (("--switch", "cryptoki.logout=never"), "cryptoki.logout takes"),
        (("--program", "my program"), "'my program' is no name"),
        (("--profile", "whole"), "no profile 'whole' for cardos-5.3 comes with cardtwin"),
        (("--card", "cardos-5.33"), "cardos-5.3"),
        (("--title", "another"), "holds no trace 'another'"),
        (("--fault", "CKR_PIN_LOCKED"), "no call in the trace returns CKR_PIN_LOCKED"),
    ],
)
def test_what_is_wrong_is_told_without_a_secret(recorded: Path, option: tuple[str, str], told: str) -> None:
    ended = cardtwin("scenario", "from", recorded, *option)
    assert ended.exit_code == 2
    assert told in ended.output
    assert "1234" not in ended.output


def test_of_several_traces_one_is_chosen(tmp_path: Path, recorded: Path) -> None:
    two = tmp_path / "two.trace"
    two.write_text(recorded.read_text() * 2)
    ended = cardtwin("scenario", "from", two)
    assert ended.exit_code == 2
    assert "nli-01[cardos-5.3,with]" in ended.output


def test_a_file_that_is_neither_trace_nor_log_is_refused(tmp_path: Path) -> None:
    (tmp_path / "other").write_text("something else\n")
    ended = cardtwin("scenario", "from", tmp_path / "other")
    assert ended.exit_code == 2
    assert "no log of a known form" in ended.output


def test_nothing_is_shrunk_on_a_physical_card() -> None:
    ended = cardtwin("scenario", "shrink", CAUSE, "--target", "pcsc")
    assert ended.exit_code == 2
    assert "spend tries" in ended.output


def test_a_scenario_that_passes_cannot_be_shrunk(tmp_path: Path) -> None:
    ended = cardtwin("scenario", "shrink", CAUSE, "--id", "nli-01[cardos-5.3,with]")
    assert ended.exit_code == 2
    assert "passed, so there is no failure" in ended.output


def test_an_instance_that_is_not_there_is_told() -> None:
    ended = cardtwin("scenario", "shrink", CAUSE, "--id", "nli-01[none]")
    assert ended.exit_code == 2
    assert "nli-01[cardos-5.3,with]" in ended.output


def test_what_is_read_is_not_written_over(tmp_path: Path, recorded: Path) -> None:
    log, failing = recorded.read_bytes(), tmp_path / "failing.scenario.yaml"
    failing.write_text("format: 1\ntitle: t\nsteps:\n- {pkcs11: C_GetInfo}\n")

    for command, file in (("from", recorded), ("shrink", failing)):
        ended = cardtwin("scenario", command, file, "-o", file)
        assert ended.exit_code == 2
        assert "this is what is read; -o names another file" in ended.output

    assert recorded.read_bytes() == log
    assert failing.read_text().startswith("format: 1\ntitle: t\n")
