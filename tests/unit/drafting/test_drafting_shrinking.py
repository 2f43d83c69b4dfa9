"""Failing scenarios are cut down to what still fails in the same way."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cardtwin.drafting import NothingFailsError, shrink
from cardtwin.scenario import load
from cardtwin.targets import get
from support.drafts import ran
from support.pkcs11_steps import FOUND, written

if TYPE_CHECKING:
    from pathlib import Path

    from cardtwin.scenario import Instance

SIGNED_TWICE = (
    FOUND
    + """\
- {pkcs11: C_GetInfo}
- {pkcs11: C_GetSessionInfo, hSession: $(session)}
- {pkcs11: C_SignInit, hSession: $(session), pMechanism: CKM_SHA256_RSA_PKCS, hKey: $(keys.0)}
- {pkcs11: C_Sign, hSession: $(session), pData: {text: data}}
- {pkcs11: C_GenerateRandom, hSession: $(session), ulRandomLen: 8}
- {pkcs11: C_Logout, hSession: $(session)}
- {pkcs11: C_GetSlotList, tokenPresent: no}
- {pkcs11: C_SignInit, hSession: $(session), pMechanism: CKM_SHA256_RSA_PKCS, hKey: $(keys.0)}
- {pkcs11: C_Finalize}
"""
)
NEEDED = [
    "C_Initialize",
    "C_GetSlotList",
    "C_OpenSession",
    "C_Login",
    "C_FindObjectsInit",
    "C_FindObjects",
    "C_Logout",
    "C_SignInit",
]


@pytest.fixture
def failing(tmp_path: Path) -> Instance:
    (instance,) = load(written(tmp_path, SIGNED_TWICE))
    return instance


def test_steps_that_make_no_difference_are_left_out(failing: Instance) -> None:
    found = shrink(failing, get("emulated"))
    assert [step.title.removeprefix("pkcs11 ") for step in found.instance.steps] == NEEDED
    assert (found.before, found.after) == (16, len(NEEDED))
    assert found.runs < 30


@pytest.mark.parametrize(
    "place", ["C_Login", "C_FindObjectsInit", "C_SignInit", "C_Logout", "C_GenerateRandom"]
)
def test_neighbours_that_only_go_together_are_left_out_wherever_they_stand(
    place: str, tmp_path: Path
) -> None:
    search = "- {pkcs11: C_FindObjectsInit, hSession: $(session), pTemplate: {CKA_CLASS: CKO_DATA}}\n"
    ended = "- {pkcs11: C_FindObjectsFinal, hSession: $(session)}\n"
    opened, sought, rest = SIGNED_TWICE.partition(f"- {{pkcs11: {place}")
    (failing,) = load(written(tmp_path, opened + search + ended + sought + rest))
    found = shrink(failing, get("emulated"))
    assert [step.title.removeprefix("pkcs11 ") for step in found.instance.steps] == NEEDED


def test_what_is_left_fails_in_the_same_way_from_its_own_file(failing: Instance, tmp_path: Path) -> None:
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    path = folder / "small.scenario.yaml"
    path.write_text(shrink(failing, get("emulated")).text(folder))
    (small,) = load(path)
    before, after = (ran(each).result.failed_step for each in (failing, small))
    assert before is not None
    assert after is not None
    assert before.failure == after.failure
    assert "# this fails: C_SignInit returns CKR_USER_NOT_LOGGED_IN" in path.read_text()


def test_it_comes_to_the_same_again(failing: Instance, tmp_path: Path) -> None:
    first, second = (shrink(failing, get("emulated")) for _ in range(2))
    assert first.text(tmp_path) == second.text(tmp_path)
    assert first.runs == second.runs


def test_a_scenario_that_passes_is_not_shrunk(tmp_path: Path) -> None:
    (passing,) = load(written(tmp_path, FOUND))

    with pytest.raises(NothingFailsError, match="passed"):
        shrink(passing, get("emulated"))


def test_a_matrix_is_left_with_the_instance_that_fails(tmp_path: Path) -> None:
    more = "matrix: {rv: [CKR_OK, CKR_PIN_LOCKED]}\n"
    path = written(tmp_path, "- {pkcs11: C_Initialize}\n- {pkcs11: C_GetInfo, expect: $(rv)}\n", more=more)
    failing = next(each for each in load(path) if "LOCKED" in each.id)
    again = tmp_path / "again.scenario.yaml"
    again.write_text(shrink(failing, get("emulated")).text(tmp_path))
    (instance,) = load(again)
    assert instance.id == "again[CKR_PIN_LOCKED]"
    assert [step.title for step in instance.steps] == ["pkcs11 C_Initialize", "pkcs11 C_GetInfo"]
