"""Failing scenarios are cut down to what still fails in the same way."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cardtwin.drafting import NothingFailsError, shrink, shrinking
from cardtwin.scenario import Verdict, load, run
from cardtwin.targets import get
from support.drafts import ran
from support.pkcs11_steps import FOUND, written

if TYPE_CHECKING:
    from pathlib import Path

    from cardtwin.scenario import Instance, ScenarioResult

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
KEPT = """\
format: 1
title: A file that is there after the first run
cards: {token: {model: cardos-5.3, keep: token.image}}
readers: {R1: token}
processes: {p: {}}
steps:
- {apdu: 00 A4 00 0C 02 3F 00, by: p}
- {apdu: 00 E0 00 00 0F 62 0D 80 02 00 10 82 01 01 83 02 12 34 86 00, by: p, expect: {sw: {any: "2"}}}
- {apdu: 00 84 00 00 08, by: p, expect: {data: {any: "8"}}}
- {apdu: 00 A4 02 0C 02 12 34, by: p}
- {apdu: 00 B0 00 00 10, by: p, expect: 6A 82}
"""
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


@given(st.integers(0, 24), st.lists(st.frozensets(st.integers(0, 23), min_size=1, max_size=3), max_size=6))
def test_no_three_neighbours_are_left_that_could_go(number: int, groups: list[frozenset[int]]) -> None:
    """Each group is of steps that go together or not at all, such as what begins and ends something."""
    steps = tuple(range(number))
    tried: list[tuple[int, ...]] = []

    def fails(some: tuple[int, ...]) -> bool:
        tried.append(some)
        return {0, number // 2} & {*steps} <= {*some} and all(
            not group & {*some} or group & {*steps} <= {*some} for group in groups
        )

    left = shrinking._left(steps, fails)

    assert left == steps or fails(left)
    assert list(left) == sorted({*left} & {*steps})
    assert not [
        (at, size) for size in (1, 2, 3) for at in range(len(left)) if fails((*left[:at], *left[at + size :]))
    ]
    assert len(tried) < 40 + 8 * number**2


@pytest.mark.parametrize("stops_after", [2, 5])
def test_who_interrupts_gets_what_was_found_until_then(
    failing: Instance, stops_after: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = 0

    def interrupted(*arguments: Any, **more: Any) -> ScenarioResult:
        nonlocal runs
        runs += 1

        if runs > stops_after:
            raise KeyboardInterrupt

        return run(*arguments, **more)

    monkeypatch.setattr(shrinking, "run", interrupted)
    found = shrink(failing, get("emulated"))
    path = tmp_path / "small.scenario.yaml"
    path.write_text(found.text(tmp_path))
    (small,) = load(path)

    assert isinstance(found.interrupt, KeyboardInterrupt)
    assert len(NEEDED) < found.after < found.before
    assert ran(small).failure.endswith(ran(failing).failure.partition(" ")[2])


def test_a_kept_card_begins_the_same_each_time_and_its_file_stays(tmp_path: Path) -> None:
    path = tmp_path / "kept.scenario.yaml"
    path.write_text(KEPT)
    (failing,) = load(path)
    found = shrink(failing, get("emulated"))

    assert not (tmp_path / "token.image").exists()
    assert any("00 E0" in step.title for step in found.instance.steps)
    assert "keep: token.image" in found.text(tmp_path)

    assert ran(failing).result.verdict is Verdict.FAILED
    before = (tmp_path / "token.image").read_bytes()
    found = shrink(failing, get("emulated"))

    assert (tmp_path / "token.image").read_bytes() == before
    assert not any("00 E0" in step.title for step in found.instance.steps)


def test_what_fails_without_any_step_is_not_shrunk(tmp_path: Path) -> None:
    path = tmp_path / "kept.scenario.yaml"
    path.write_text(KEPT)
    (tmp_path / "token.image").write_text("no memory of a card")
    (failing,) = load(path)

    with pytest.raises(NothingFailsError, match="fails without any step"):
        shrink(failing, get("emulated"))


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


def test_comments_stay_above_what_stays(tmp_path: Path) -> None:
    steps = """\
# why it begins
# on two lines
- {pkcs11: C_Initialize}
# nobody needs this
- {pkcs11: C_GenerateRandom, hSession: 0, ulRandomLen: 8, expect: CKR_SESSION_HANDLE_INVALID}

# apart
# LOOK: here
# this fails: as it did before,
# in many words
- {pkcs11: C_GetInfo, expect: CKR_PIN_LOCKED}
"""
    path = written(tmp_path, steps, more="# of the readers\nprocesses: {program: {}}\n")
    (failing,) = load(path)
    text = shrink(failing, get("emulated")).text(tmp_path)

    assert "  # why it begins\n  # on two lines\n  - {pkcs11: C_Initialize}" in text
    assert "nobody needs this" not in text
    assert "# of the readers\nprocesses:" in text
    last = text.partition("C_Initialize}\n")[2]
    assert last.startswith(
        "  # apart\n  # LOOK: here\n  # this fails: rv: not as expected (rv: CKR_PIN_LOCKED is"
    )
    assert text.count("this fails") == 1
