"""Causes of CKR_USER_NOT_LOGGED_IN: in process, through our library, and above OpenSC with the same card."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import cardtwin.cli
import cardtwin.source
from support.interop import shared_library

if TYPE_CHECKING:
    from collections.abc import Iterable

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "scenarios" / "not-logged-in"
ROOTS = [str(Path(module.__path__[0]).parents[1]) for module in (cardtwin.cli, cardtwin.source)]
OPENSC = f"module:{shared_library('opensc-pkcs11.so')}"
TIMEOUT = 550

MODELS = ("cardos-4.4", "cardos-5.3")
TWO = ("with", "without")
ROWS = {
    "kept-pin": ("all", "all-not-kept", "select"),
    "nli-01": TWO,
    "nli-02": (*TWO, "with-all-but-one"),
    "nli-03": TWO,
    "nli-04": TWO,
    "nli-05": TWO,
    "nli-05-own": (*TWO, "with-kept-pin"),
    "nli-06": TWO,
    "nli-07": TWO,
    "nli-07-middleware": TWO,
    "nli-08": TWO,
    "nli-09": TWO,
    "nli-10": TWO,
    "nli-11": TWO,
    "nli-12": TWO,
    "nli-13": TWO,
    "nli-13-at-once": TWO,
    "nli-14": TWO,
    "nli-15": TWO,
}
"""The rows of each scenario that there is, by its name."""

_CONFIGURED = "program has a Personal.cfg, which only cardtwin's middleware reads"
_SWITCHED = "the switch cryptoki.{} is one of cardtwin's middleware"
MEANT_FOR_OURS = {
    "kept-pin": _CONFIGURED,
    "nli-01": _CONFIGURED,
    "nli-02": "; ".join(_CONFIGURED.replace("program", name) for name in ("java.exe", "other.exe")),
    "nli-05-own": f"{_CONFIGURED}; {_SWITCHED.format('transaction-end')}",
    "nli-10": _SWITCHED.format("login-scope"),
    "nli-12": _SWITCHED.format("session-objects"),
    "nli-15": _SWITCHED.format("logout"),
}
"""Why scenarios cannot run above another's library."""

OPENSC_DIFFERS = {
    "nli-07-middleware": "C_Sign returns CKR_OK",
    "nli-13-at-once": "C_GetSessionInfo returns CKR_OK",
}
"""Where OpenSC lets a caller go on that is at fault, and what it answers in the row with the fault."""

SHOWN_ABOVE_OPENSC = {f"NLI-{number:02}" for number in (3, 4, 5, 6, 7, 8, 9, 11, 13, 14)}

BARE = "framework pkcs15 { use_pin_caching = false; use_file_caching = no; }"
CACHING = "framework pkcs15 { use_file_caching = no; }"
RESETTING = "reader_driver pcsc { transaction_end_action = reset; }"


@dataclass(frozen=True)
class Report:
    """What `cardtwin run` tells of its scenarios."""

    scenarios: list[dict[str, Any]]

    def of(self, verdict: str) -> list[dict[str, Any]]:
        """Return the scenarios that ended so."""
        return [each for each in self.scenarios if each["verdict"] == verdict]

    def ids(self, verdict: str) -> list[str]:
        """Return their ids."""
        return sorted(each["id"] for each in self.of(verdict))

    def details(self) -> dict[str, str]:
        """Return what the failed steps saw, by scenario."""
        return {
            each["id"]: next(step["failure"]["detail"] for step in each["steps"] if step["failure"])
            for each in self.of("failed")
        }

    def proved(self) -> set[str]:
        """Return the ids of the catalogue that the passed rows with a fault prove."""
        rows = (each for each in self.of("passed") if each["id"].endswith(",with]"))
        found = {id_ for each in rows for step in each["steps"] for id_ in step["proves"]}
        return {id_ for id_ in found if id_.startswith("NLI-")}


def run(folder: Path, target: str, *arguments: str, opensc: str = BARE) -> Report:
    """Run the scenarios against a target. The exit status agrees with what the report says."""
    (folder / "opensc.conf").write_text(f"app default {{ {opensc} }}\n")
    found = folder / "report.json"
    command = [sys.executable, "-c", "from cardtwin.cli import main; main()", "run", str(FOLDER)]
    ended = subprocess.run(
        [*command, "--target", target, "-n", "2", "--json", str(found), *arguments],
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join(ROOTS),
            "HOME": str(folder),
            "OPENSC_CONF": str(folder / "opensc.conf"),
        },
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        check=False,
    )
    assert ended.returncode in {0, 1}, ended.stdout + ended.stderr
    report = Report(json.loads(found.read_text())["scenarios"])
    assert ended.returncode == bool(report.of("failed"))
    return report


def instances(names: Iterable[str], *, rows: tuple[str, ...] | None = None) -> list[str]:
    """Return the ids of the instances of scenarios: of all their rows, or of some."""
    return sorted(
        f"{name}[{model},{row}]" for name in names for model in MODELS for row in rows or ROWS[name]
    )


def test_the_table_of_this_test_has_every_scenario() -> None:
    assert {path.name.removesuffix(".scenario.yaml") for path in FOLDER.iterdir()} == set(ROWS)


@pytest.mark.timeout(TIMEOUT)
@pytest.mark.parametrize("target", ["emulated", "module"])
def test_each_cause_shows_with_its_fault_and_not_without_it(tmp_path: Path, target: str) -> None:
    report = run(tmp_path, target)

    assert report.ids("passed") == instances(ROWS)
    assert report.ids("failed") == report.ids("unsupported") == []
    assert report.proved() == {f"NLI-{number:02}" for number in range(1, 16)}


@pytest.mark.timeout(TIMEOUT)
def test_the_causes_of_card_and_reader_and_caller_show_above_opensc_too(tmp_path: Path) -> None:
    report = run(tmp_path, OPENSC)
    differing = instances(OPENSC_DIFFERS, rows=("with",))
    others = instances(ROWS.keys() - MEANT_FOR_OURS.keys())

    assert report.ids("passed") == sorted(set(others) - set(differing))
    assert report.proved() == SHOWN_ABOVE_OPENSC
    assert {each["id"]: each["message"] for each in report.of("unsupported")} == {
        id_: why for name, why in MEANT_FOR_OURS.items() for id_ in instances([name])
    }
    assert report.details() == {
        id_: detail for name, detail in OPENSC_DIFFERS.items() for id_ in instances([name], rows=("with",))
    }


@pytest.mark.timeout(TIMEOUT)
def test_opensc_hides_a_lost_login_by_a_pin_that_it_keeps_but_not_one_lost_by_select(tmp_path: Path) -> None:
    hidden = ["nli-04", "nli-05", "nli-06", "nli-08", "nli-14"]
    chosen = f"with and not without and ({' or '.join(hidden)} or nli-03) and not own"
    report = run(tmp_path, OPENSC, "-k", chosen, opensc=CACHING)

    assert report.details() == dict.fromkeys(instances(hidden, rows=("with",)), "C_Sign returns CKR_OK")
    assert report.ids("passed") == instances(["nli-03"], rows=("with",))


@pytest.mark.timeout(TIMEOUT)
def test_opensc_loses_every_login_where_it_resets_the_card_after_transactions(tmp_path: Path) -> None:
    report = run(tmp_path, OPENSC, "-k", "nli-04 and without", opensc=f"{RESETTING} {BARE}")

    lost = "C_Sign returns CKR_USER_NOT_LOGGED_IN"
    assert report.details() == dict.fromkeys(instances(["nli-04"], rows=("without",)), lost)
