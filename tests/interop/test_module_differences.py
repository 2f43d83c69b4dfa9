"""Where SoftHSM and OpenSC differ from what the scenarios of PKCS#11 expect: exactly what the page says."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from cardtwin.scenario import Verdict, load, run
from cardtwin.scenario.loader import find
from cardtwin.scenario.overrides import Overrides
from cardtwin.targets import Capability, get
from support.interop import TIMEOUT, program, shared_library
from support.softhsm import SoftHsm

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cardtwin.scenario import Instance, ScenarioResult

ROOT: Final = Path(__file__).parents[2]
PAGE: Final = ROOT / "docs" / "module-differences.md"
FOLDERS: Final = [ROOT / "scenarios" / "pkcs11", ROOT / "scenarios" / "not-logged-in"]
LIMIT: Final = 550
MODEL: Final = "cardos-5.3"
OTHER_MODEL: Final = "cardos-4.4"
OPENSC: Final = "app default { framework pkcs15 { use_pin_caching = false; use_file_caching = no; } }\n"
KEY: Final = ("--keypairgen", "--key-type", "rsa:2048", "--label", "Digital Signature", "--id", "01")
USAGE: Final = "--usage-sign"


def suits_any_module(instance: Instance) -> bool:
    """Tell whether an instance is about a token with a PIN and a key alone, wherever these come from.

    The step that encodes the card is for libraries above the readers; others have their token already.
    """
    needs = {need for spec in instance.steps if spec.kind.verb != "personalise" for need in spec.needs}
    return needs == {Capability.PKCS11} and OTHER_MODEL not in instance.id


def instances() -> Iterator[Instance]:
    """Yield the instances that suit any module, but for those that our own middleware is told of."""
    for path in find(FOLDERS):
        yield from (each for each in load(path) if suits_any_module(each))


def results(target: str) -> list[ScenarioResult]:
    """Run them all against a target."""
    overrides = Overrides(target)
    return [run(overrides.apply(each), get(target), timeout=TIMEOUT) for each in instances()]


def row(result: ScenarioResult) -> str:
    """Return what the page says about a result that differs."""
    step = result.failed_step
    assert step is not None, result.message
    assert step.failure is not None
    failure = step.failure
    expected = failure.expected or "rv: CKR_OK"
    actual = failure.actual or failure.message
    told = (result.id, step.title.removeprefix("pkcs11 "), expected, actual)
    return "| " + " | ".join(map(_cell, told)) + " |"


def _cell(text: str) -> str:
    return "<br>".join(f"`{line}`" for line in text.replace("|", "\\|").splitlines())


def rows(section: str) -> list[str]:
    """Return the rows of the page's table under a heading."""
    text = PAGE.read_text().split(f"\n## {section}\n", 1)[1].split("\n## ", 1)[0]
    return [line for line in text.splitlines() if re.match(r"\| `", line)]


def differing(target: str) -> list[str]:
    """Return the rows of what differs with a target."""
    return [row(each) for each in results(target) if each.verdict is Verdict.FAILED]


def test_the_scenarios_of_the_folder_suit_any_module() -> None:
    chosen = {each.path for each in instances()}
    assert set(find(FOLDERS[:1])) <= chosen
    assert len(chosen) > len(set(find(FOLDERS[:1])))


@pytest.mark.timeout(LIMIT)
def test_softhsm_differs_in_what_the_page_lists_and_in_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    library = shared_library("libsofthsm2.so")
    hsm = SoftHsm(tmp_path)
    hsm.init_token("Badge", "1234")
    hsm.run(program("pkcs11-tool"), "--module", library, "--login", "--pin", "1234", *KEY, USAGE)
    monkeypatch.setenv("SOFTHSM2_CONF", hsm.environment["SOFTHSM2_CONF"])

    assert differing(f"module:{library}") == rows("SoftHSM")


@pytest.mark.timeout(LIMIT)
def test_opensc_differs_in_what_the_page_lists_and_in_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "opensc.conf").write_text(OPENSC)
    monkeypatch.setenv("OPENSC_CONF", str(tmp_path / "opensc.conf"))

    assert differing(f"module:{shared_library('opensc-pkcs11.so')}") == rows("OpenSC")
