"""The scenarios that call PKCS#11: through our own library, and with OpenSC's above the same cards."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from cardtwin.scenario import Verdict, load, run
from cardtwin.scenario.loader import find
from cardtwin.scenario.overrides import Overrides
from cardtwin.targets import Capability, get
from cardtwin.trace import Recorder
from support.interop import shared_library

if TYPE_CHECKING:
    from cardtwin.scenario import Instance, ScenarioResult

SCENARIOS: Final = Path(__file__).parents[2] / "scenarios"
OPENSC: Final = "opensc-pkcs11.so"
NO_PIN_CACHE: Final = "app default { framework pkcs15 { use_pin_caching = false; } }\n"
ELSEWHERE: Final = "not-logged-in/"
"""These have a test of their own: test_not_logged_in.py."""

OURS: Final = "shipped/"
"""These ask who the security officer is, and for objects that no file tells of. OpenSC has its own answers:
what it makes of the cards is in test_opensc_profiles.py."""

COMPARED: Final = "pkcs11/"
"""What OpenSC does in these is compared with a list, in test_module_differences.py."""

DIFFERENT: Final = {
    "certificate-manager/production.scenario.yaml": "it keeps what it has read before the encoding",
    "end-to-end/card-of-two-users.scenario.yaml": "it keeps what it has read before the encoding",
    "examples/contents.scenario.yaml": "it keeps what it has read before the encoding",
    "examples/requests.scenario.yaml": "it keeps what it has read before the encoding",
    "key-generation/batch.scenario.yaml": "it keeps what it has read before the image was loaded",
    "examples/operator-pin.scenario.yaml": "a wrong PIN of the officer is CKR_GENERAL_ERROR",
    "examples/signature-slot.scenario.yaml": "its certificates are all in the first slot",
    "encoding/card-serial-p10-p12.scenario.yaml": "it keeps what it has read before the encoding",
    "encoding/serial-number.scenario.yaml": "CK_TOKEN_INFO's serial number is hex of its last bytes",
    "encoding/signature-slot-application.scenario.yaml": "its certificates are all in the first slot",
}
"""What OpenSC has otherwise."""

NLI_03: Final = "not-logged-in/nli-03.scenario.yaml"


@cache
def instances(path: Path) -> tuple[Instance, ...]:
    """Return the instances of a file that call PKCS#11."""
    return tuple(
        instance for instance in load(path) if any(Capability.PKCS11 in spec.needs for spec in instance.steps)
    )


def files() -> list[str]:
    """Return the files that have such instances, from the folder of scenarios."""
    names = (path.relative_to(SCENARIOS).as_posix() for path in find([SCENARIOS]) if instances(path))
    return [name for name in names if not name.startswith(ELSEWHERE)]


def results(name: str, target: str) -> list[ScenarioResult]:
    """Run a file's instances against a target."""
    overrides = Overrides(target)
    return [
        run(overrides.apply(instance), get(target), timeout=60) for instance in instances(SCENARIOS / name)
    ]


def why(result: ScenarioResult) -> str:
    """Return what there is to say about a result."""
    step = result.failed_step
    return f"{result.id}: {result.message} {step and (step.title, step.failure, step.exchanges)}"


@pytest.fixture
def opensc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return the target with OpenSC's library, which keeps no PIN."""
    (tmp_path / "opensc.conf").write_text(NO_PIN_CACHE)
    monkeypatch.setenv("OPENSC_CONF", str(tmp_path / "opensc.conf"))
    return f"module:{shared_library(OPENSC)}"


@pytest.mark.parametrize("name", files())
def test_a_scenario_passes_through_our_own_library(name: str) -> None:
    for result in results(name, "module"):
        assert result.verdict is Verdict.PASSED, why(result)


@pytest.mark.parametrize(
    "name", [name for name in files() if not name.startswith((OURS, COMPARED)) and name not in DIFFERENT]
)
def test_a_scenario_passes_with_opensc_or_says_what_is_not_opensc_s(name: str, opensc: str) -> None:
    for result in results(name, opensc):
        assert result.target == opensc
        assert result.verdict in {Verdict.PASSED, Verdict.UNSUPPORTED}, why(result)
        assert result.verdict is Verdict.PASSED or result.message


def test_a_trace_with_opensc_shows_below_each_call_what_it_did_to_the_card(opensc: str) -> None:
    overrides, recorder = Overrides(opensc, quirks=("drop_pin_on_select",)), Recorder()
    (instance,) = (each for each in instances(SCENARIOS / NLI_03) if each.id == "nli-03[cardos-5.3,with]")
    run(overrides.apply(instance), get(opensc), timeout=60, observers=(recorder,))
    lines = recorder.text("trace").splitlines()
    lost = [line.strip() for line in lines if line.strip().startswith("? PIN 01 was lost")]
    assert re.fullmatch(r"\? PIN 01 was lost on R1: SELECT .*, APDU \d+ of \[\d+\] program: C_Sign", lost[0])
    assert not [line for line in lines if line.lstrip().startswith("# client")]


def test_an_encoding_s_logins_work_with_opensc(opensc: str) -> None:
    shown = results("encoding/init-token.scenario.yaml", opensc)
    assert shown
    assert {result.verdict for result in shown} == {Verdict.PASSED}
