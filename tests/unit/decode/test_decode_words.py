"""What commands do, in words."""

from __future__ import annotations

from itertools import combinations
from typing import get_args

from cardtwin.decode import Effect, in_words
from cardtwin.report.plans import EffectName


def test_reading_and_selecting_have_no_words() -> None:
    assert in_words(Effect.READS | Effect.SELECTS) == ()


def test_each_effect_beyond_reading_has_a_word_of_its_own() -> None:
    words = [in_words(effect) for effect in Effect if effect not in Effect.READS | Effect.SELECTS]
    assert all(len(each) == 1 for each in words)
    assert len(set(words)) == len(words)


def test_a_command_with_several_effects_has_the_words_of_all() -> None:
    for one, other in combinations(Effect, 2):
        assert set(in_words(one | other)) == {*in_words(one), *in_words(other)}


def test_the_schema_of_plans_has_the_words_that_plans_use() -> None:
    assert get_args(EffectName) == in_words(~Effect(0))
