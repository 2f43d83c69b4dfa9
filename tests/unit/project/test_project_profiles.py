"""The profiles are what their templates say."""

from __future__ import annotations

from string import Template

import generate_profiles
from cardtwin.ppa import card_models


def test_no_generated_profile_is_out_of_date() -> None:
    assert generate_profiles.stale() == [], "tox -e docs writes them anew"


def test_every_template_is_used() -> None:
    used = {f"{kind.template}.template" for kind in generate_profiles.KINDS}
    assert {path.name for path in generate_profiles.TEMPLATES.iterdir()} == used


def test_every_field_of_a_family_and_of_a_kind_is_in_a_template() -> None:
    texts = [path.read_text("utf-8") for path in generate_profiles.TEMPLATES.iterdir()]
    named = {name for text in texts for name in Template(text).get_identifiers()}
    fields = {*generate_profiles.Family.__slots__, *generate_profiles.Kind.__slots__}
    assert fields - named == {"owner", "name", "template"}
    assert named - fields == {"kind"}


def test_a_field_that_stands_for_nothing_leaves_no_empty_lines() -> None:
    assert [name for name, text in generate_profiles.texts().items() if "\n\n\n" in text] == []


def test_what_a_family_says_is_its_card_model_belongs_to_its_owner() -> None:
    for family in generate_profiles.FAMILIES:
        assert family.owner.startswith(card_models.family_of(family.card_model))
