"""Every card model that the middleware knows has its profiles, and what concerns it is proved on it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import generate_profiles
from cardtwin.ppa.shipped import shipped_profile, shipped_profiles
from cardtwin.report.coverage import read_requirements
from cardtwin.scenario import load
from requirements_by_model import CONCERNS, FOLDERS, SCENARIOS, driven, missing

ROOT = Path(__file__).resolve().parents[3]
KINDS = {kind.name for kind in generate_profiles.KINDS}


def test_each_requirement_is_proved_on_every_model_that_it_concerns() -> None:
    assert missing() == {}, "scenarios/models has the models, one line each"


def test_every_requirement_of_these_areas_says_whom_it_concerns() -> None:
    areas = {id_.partition("-")[0] for id_ in CONCERNS}
    wanted = {
        each.id for each in read_requirements(ROOT / "docs" / "requirements.yaml") if each.area in areas
    }
    assert set(CONCERNS) == wanted


@pytest.mark.parametrize("model", driven())
def test_every_model_has_each_kind_of_profile(model: str) -> None:
    assert set(shipped_profiles(model)) >= KINDS


def test_a_model_of_which_the_middleware_knows_nothing_has_no_profiles() -> None:
    named = {path.stem.rpartition("-")[0] for path in (ROOT / "profiles").glob("*.cpf")}
    assert named <= set(driven())


def test_the_lines_of_the_models_name_the_profiles_that_suit_them() -> None:
    for instance in load(SCENARIOS / "shipped" / "full.scenario.yaml"):
        (card,) = instance.setup.cards.values()
        assert instance.setup.files["token.cpf"] == shipped_profile(card.model, "full").read_bytes()


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_each_kind_of_profile_is_put_on_every_model(kind: str) -> None:
    found = load(SCENARIOS / "shipped" / f"{kind}.scenario.yaml")
    assert {card.model for instance in found for card in instance.setup.cards.values()} == set(driven())


def test_a_scenario_about_every_model_takes_the_models_from_their_files() -> None:
    several = re.compile(r"^    - \{id: (?:cardos|cosmo)-.*\n    - \{id: (?:cardos|cosmo)-", re.MULTILINE)
    paths = [path for folder in FOLDERS for path in (SCENARIOS / folder).glob("*.scenario.yaml")]
    assert [path.name for path in paths if several.search(path.read_text("utf-8"))] == []
