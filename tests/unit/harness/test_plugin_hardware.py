"""Scenarios on physical cards under pytest, as far as no reader is needed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cardtwin.plugin.hardware import in_options_of_pytest
from support.pytests import runner_in

if TYPE_CHECKING:
    from pathlib import Path

    from support.pytests import Run

SCENARIO = """\
format: 1
title: A card answers
readers: {R1: cardos-4.4}
steps:
  - {apdu: 00 A4 00 0C 02 3F 00}
"""
DELETES = SCENARIO + "  - {apdu: 00 E4 00 00 02 50 15, expect: 6A82}\n"
HARDWARE = """\
format: 1
readers:
  R1:
    reader: Nobody's reader
    pins: {"1234": {env: A_PIN}}
  R2:
    reader: Another one
    pins: {"1234": {prompt: yes}}
"""
PCSC = ("--cardtwin-target", "pcsc:Nobody's reader")
NOTHING_SENT = "Nothing was sent to the card"


@pytest.fixture
def run_pytest(tmp_path: Path) -> Run:
    """Run pytest where no PC/SC service is."""
    locks = tmp_path / "locks"
    locks.mkdir()
    return runner_in(
        tmp_path, PCSCLITE_CSOCK_NAME=str(tmp_path / "none"), CARDTWIN_LOCKS=str(locks), A_PIN="735190"
    )


def scenario(folder: Path, text: str = SCENARIO, name: str = "one") -> None:
    (folder / f"{name}.scenario.yaml").write_text(text)


def hardware(folder: Path, text: str = HARDWARE) -> str:
    (folder / "cards.yaml").write_text(text)
    return "--cardtwin-hardware=cards.yaml"


OPTIONS = (
    ("--cardtwin-hardware=cards.yaml",),
    ("--cardtwin-allow-destructive",),
    ("--cardtwin-allow-irreversible", "FORMAT"),
    ("--cardtwin-allow-unverified-commands",),
    ("--cardtwin-known-tries", "3"),
    ("--cardtwin-ledger=ledger",),
)


@pytest.mark.parametrize("option", OPTIONS, ids=lambda option: option[0])
@pytest.mark.parametrize("target", [(), ("--cardtwin-target", "emulated")], ids=["", "emulated"])
def test_what_is_for_physical_cards_is_refused_without_one(
    tmp_path: Path, run_pytest: Run, option: tuple[str, ...], target: tuple[str, ...]
) -> None:
    scenario(tmp_path)
    result = run_pytest(*option, *target)
    assert result.returncode == pytest.ExitCode.USAGE_ERROR
    name = option[0].partition("=")[0]
    assert f"{name} is for physical cards: --cardtwin-target pcsc" in result.stderr
    assert "1 passed" not in result.stdout
    assert ("collected" in result.stdout) is (not target), "what can be refused before that, is"


@pytest.mark.parametrize("tries", ["0", "-1", "many"])
def test_known_tries_are_one_at_least(tmp_path: Path, run_pytest: Run, tries: str) -> None:
    scenario(tmp_path)
    result = run_pytest(*PCSC, f"--cardtwin-known-tries={tries}")
    assert result.returncode == pytest.ExitCode.USAGE_ERROR
    assert "is no number of tries" in result.stderr


def test_a_wrong_hardware_file_is_told_with_its_place_before_anything_runs(
    tmp_path: Path, run_pytest: Run
) -> None:
    scenario(tmp_path)
    result = run_pytest(*PCSC, hardware(tmp_path, HARDWARE.replace("reader: Another", "raeder: Another")))
    assert result.returncode == pytest.ExitCode.USAGE_ERROR
    assert "cards.yaml:7:5: error" in result.stderr
    result = run_pytest(*PCSC, "--cardtwin-hardware=none.yaml")
    assert result.returncode == pytest.ExitCode.USAGE_ERROR
    assert "none.yaml: No such file or directory" in result.stderr


def test_the_hardware_file_is_no_matter_of_other_targets(tmp_path: Path) -> None:
    scenario(tmp_path)
    hardware(tmp_path, "nonsense")
    assert runner_in(tmp_path, CARDTWIN_HARDWARE="cards.yaml")().returncode == 0


def test_nobody_is_asked_for_a_pin(tmp_path: Path, run_pytest: Run) -> None:
    scenario(tmp_path, SCENARIO.replace("R1", "R2"))
    result = run_pytest("--cardtwin-target", "pcsc", hardware(tmp_path))
    assert result.returncode == pytest.ExitCode.USAGE_ERROR
    assert "cards.yaml:8:20: error: PIN (R2, 1234): pytest asks nobody" in result.stderr
    assert "let it come from the environment, by 'env', or from a file, by 'file'" in result.stderr


def test_a_worker_tells_of_a_pin_that_is_missing_by_the_scenarios_failure(
    tmp_path: Path, run_pytest: Run
) -> None:
    pytest.importorskip("xdist")
    scenario(tmp_path, SCENARIO.replace("R1", "R2"))
    result = run_pytest("--cardtwin-target", "pcsc", hardware(tmp_path), "-n", "1")
    assert "1 failed" in result.stdout
    assert "PIN (R2, 1234): pytest asks nobody" in result.stdout
    assert "items.py" not in result.stdout, "that would be a traceback"


def test_the_plan_stands_beside_a_failure_and_nothing_is_sent_where_the_dry_run_fails(
    tmp_path: Path, run_pytest: Run
) -> None:
    scenario(tmp_path, SCENARIO.replace("3F 00}", "3F 00, expect: 6A82}"))
    output = run_pytest(*PCSC).stdout
    assert "the dry run on the emulated card failed: step 1 (apdu)" in output
    assert NOTHING_SENT in output
    assert "- plan for physical cards -" in output
    assert "plan of one on pcsc:Nobody's reader: cardos-4.4 in R1" in output
    assert "  step 1 (apdu 00 A4 00 0C) declares: only reads" in output


def test_what_would_be_refused_is_not_begun_and_the_options_allow_it(tmp_path: Path, run_pytest: Run) -> None:
    scenario(tmp_path, DELETES)
    refused = run_pytest(*PCSC)
    assert "1 failed" in refused.stdout
    assert "it would be refused" in refused.stdout
    assert NOTHING_SENT in refused.stdout
    assert "--cardtwin-allow-destructive permits such commands" in refused.stdout
    assert " --allow-" not in refused.stdout
    allowed = run_pytest(*PCSC, "--cardtwin-allow-destructive")
    assert "1 failed" in allowed.stdout, "there is no such reader"
    assert "it would be refused" not in allowed.stdout
    assert NOTHING_SENT not in allowed.stdout
    assert "plan of one on pcsc:Nobody's reader" in allowed.stdout


@pytest.mark.parametrize(
    ("told", "found"),
    [
        ("--allow-destructive permits it", "--cardtwin-allow-destructive permits it"),
        (
            "--allow-irreversible 'A', --known-tries",
            "--cardtwin-allow-irreversible 'A', --cardtwin-known-tries",
        ),
        ("(--target pcsc:READER)", "(--cardtwin-target pcsc:READER)"),
        ("--cardtwin-allow-destructive", "--cardtwin-allow-destructive"),
        ("--ledgers, a--ledger, ---ledger, --other", "--ledgers, a--ledger, ---ledger, --other"),
    ],
)
def test_options_are_called_as_pytest_has_them(told: str, found: str) -> None:
    assert in_options_of_pytest(told) == found


def test_what_no_reader_can_do_is_skipped_and_never_passed(tmp_path: Path, run_pytest: Run) -> None:
    scenario(tmp_path, SCENARIO.replace("apdu: 00 A4 00 0C 02 3F 00", "card: reset"))
    result = run_pytest(*PCSC, "-rs")
    assert "1 skipped" in result.stdout
    assert "step 1 (card) needs hands at the reader" in result.stdout


def test_a_target_that_a_scenario_names_is_planned_likewise(tmp_path: Path, run_pytest: Run) -> None:
    scenario(tmp_path, DELETES.replace("title", "target: pcsc\ntitle"))
    scenario(tmp_path, name="emulated")
    assert NOTHING_SENT in run_pytest().stdout
    result = run_pytest("--cardtwin-allow-destructive")
    assert "1 failed, 1 passed" in result.stdout
    assert NOTHING_SENT not in result.stdout


@pytest.mark.parametrize("workers", [(), ("-n", "1")], ids=["alone", "in a worker"])
def test_an_interrupt_tells_in_what_state_it_has_left_cards(
    tmp_path: Path, run_pytest: Run, workers: tuple[str, ...]
) -> None:
    (tmp_path / "test_it.py").write_text(
        "def test_it():\n    error = KeyboardInterrupt()\n"
        "    error.add_note('R1: card 01 02; nothing changed')\n    raise error\n"
    )
    result = run_pytest(*workers)
    assert result.returncode == pytest.ExitCode.INTERRUPTED
    assert (result.stdout + result.stderr).count("R1: card 01 02; nothing changed") == 1


def test_sigterm_ends_what_is_done_to_a_card_as_an_interrupt_does(tmp_path: Path, run_pytest: Run) -> None:
    scenario(tmp_path)
    (tmp_path / "conftest.py").write_text(
        "import signal\n\nfrom cardtwin.targets.hardware import HardwareTarget\n\n\n"
        "HardwareTarget.open = lambda *_: signal.raise_signal(signal.SIGTERM)\n"
    )
    result = run_pytest(*PCSC)
    assert result.returncode == pytest.ExitCode.INTERRUPTED
    assert "Terminated" in result.stdout
