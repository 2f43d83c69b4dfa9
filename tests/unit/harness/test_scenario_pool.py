from __future__ import annotations

import multiprocessing
import tempfile
from typing import TYPE_CHECKING

import pytest

from cardtwin.scenario import Verdict, load
from cardtwin.scenario.pool import Options, run_all

if TYPE_CHECKING:
    from pathlib import Path

SCENARIO = """\
format: 1
title: A card answers
matrix: {{n: [{names}]}}
readers: {{R1: cardos-4.4}}
steps:
  - {{apdu: 00 84 00 00 08, expect: {{data: {{any: 8}}}}}}
"""


@pytest.fixture
def scenarios(tmp_path: Path) -> Path:
    path = tmp_path / "many.scenario.yaml"
    path.write_text(SCENARIO.format(names=", ".join(map(str, range(6)))))
    return path


def test_several_processes_run_every_instance_once(scenarios: Path) -> None:
    instances = load(scenarios)
    results = [outcome.result for outcome in run_all(instances, Options(), processes=2)]
    assert sorted(result.id for result in results) == [instance.id for instance in instances]
    assert {result.verdict for result in results} == {Verdict.PASSED}


def test_a_long_temporary_folder_stops_nothing(
    scenarios: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    long = tmp_path / ("l" * 100)
    long.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(long))
    monkeypatch.setenv("TMPDIR", str(long))
    results = [outcome.result for outcome in run_all(load(scenarios), Options(), processes=2)]
    assert {result.verdict for result in results} == {Verdict.PASSED}


def test_traces_come_back_from_other_processes(scenarios: Path) -> None:
    outcomes = list(run_all(load(scenarios), Options(record=True), processes=2))
    assert all("GET CHALLENGE" in outcome.text for outcome in outcomes)


def test_a_seed_makes_processes_agree(scenarios: Path) -> None:
    def traces(processes: int) -> list[str]:
        options = Options(seed="x", record=True)
        return sorted(o.text for o in run_all(load(scenarios), options, processes=processes))

    assert traces(1) == traces(2)


def test_a_scenario_keeps_its_own_seed(scenarios: Path) -> None:
    scenarios.write_text(scenarios.read_text() + "seed: own\n")
    instances = load(scenarios)
    own, other = (list(run_all(instances, Options(seed=seed, record=True))) for seed in (None, "x"))
    assert [outcome.text for outcome in own] == [outcome.text for outcome in other]


def test_a_dead_worker_costs_its_own_scenario_at_most(scenarios: Path) -> None:
    arriving = run_all(load(scenarios), Options(), processes=2)
    results = [next(arriving).result]

    for worker in multiprocessing.active_children():
        worker.kill()

    results += [outcome.result for outcome in arriving]
    failed = [result for result in results if result.verdict is Verdict.FAILED]
    assert len({result.id for result in results}) == 6
    assert len(failed) <= 2
    assert all("ended with status" in result.message for result in failed)


def test_leaving_early_ends_the_workers(scenarios: Path) -> None:
    arriving = run_all(load(scenarios), Options(), processes=2)
    next(arriving)
    arriving.close()
    assert multiprocessing.active_children() == []
