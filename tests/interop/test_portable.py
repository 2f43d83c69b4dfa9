"""Portable scenarios on a card in a reader of the system's pcscd, with the results of the emulated target."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from cardtwin.scenario import Instance, find, load
from cardtwin.scenario.runner import unsupported
from cardtwin.targets.hardware import HardwareTarget
from support import portable_program
from support.hosted import environment
from support.pcscd import started_daemon

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT: Final = Path(__file__).resolve().parents[2]
SCENARIOS: Final = ROOT / "scenarios"
TARGET: Final = HardwareTarget("a reader")
FAMILIES: Final = {"DEL", "BLOB", "SIG", "ENC"}


def portable() -> Iterator[tuple[Path, tuple[Instance, ...], str]]:
    """Yield every file of scenarios, its instances that a reader can do, and why it can't do the others."""
    for path in find([SCENARIOS]):
        instances = load(path)
        reasons = {each.id: unsupported(each, TARGET) for each in instances}
        able = tuple(each for each in instances if not reasons[each.id] and each.setup.cards)
        yield path, able, next((reason for reason in reasons.values() if reason), "there is no card")


def proves(instance: Instance) -> set[str]:
    return {id_.partition("-")[0] for step in instance.steps for id_ in step.proves}


@pytest.mark.timeout(600)
def test_portable_scenarios_pass_on_a_card_in_a_reader() -> None:
    chosen = [able[0] for _, able, _ in portable() if able and "portable" in able[0].tags]
    asked = "".join(f"{json.dumps([str(each.path), each.id])}\n" for each in chosen)

    with started_daemon() as daemon:
        done = subprocess.run(
            [sys.executable, portable_program.__file__, str(daemon.port)],
            input=asked,
            env=environment(**daemon.environment),
            capture_output=True,
            text=True,
            check=False,
            timeout=600,
        )

    results = [json.loads(line) for line in done.stdout.splitlines()]
    assert [result[0] for result in results] == [each.id for each in chosen], done.stderr
    assert not [result for result in results if result[1] != "passed"]
    assert len(results) > 90


def test_what_a_reader_can_do_of_the_four_families_is_portable_and_the_others_say_why() -> None:
    reasons = [reason for _, able, reason in portable() if not able]
    assert reasons
    assert all(reasons)

    for path, able, _ in portable():
        if any(proves(each) & FAMILIES for each in able) and path.name not in NOT_FOR_HARDWARE:
            assert "portable" in able[0].tags, f"{path}: a reader can do it"


def test_what_is_portable_has_something_for_a_card_to_do() -> None:
    idle = [path.name for path, able, _ in portable() if not able and _is_tagged(path)]
    assert idle == []


def _is_tagged(path: Path) -> bool:
    return any("portable" in each.tags for each in load(path))


NOT_FOR_HARDWARE: Final = {
    "operator-officer.scenario.yaml": "looks at tries of a PIN that only its number names",
    "pins.scenario.yaml": "goes on to a PIN's last try, where the guard stops it",
    "set-pin.scenario.yaml": "goes on to a PIN's last try, where the guard stops it",
    "signature-slot-application.scenario.yaml": "goes on to a PIN's last try, where the guard stops it",
}
"""Scenarios that a physical card isn't for, though a reader could do their steps."""
