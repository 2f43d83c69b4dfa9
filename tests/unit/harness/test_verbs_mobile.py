"""What the verb ``phone`` refuses: what would say nothing where it stands."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cardtwin.scenario import load
from cardtwin.source import SourceError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.mark.parametrize(
    ("step", "told"),
    [
        ("does: activate, profile: anna, emails: [a@example.com]", "name the 'authority' that issues it"),
        ("does: activate", "to activate needs the 'profile'"),
        ("does: scan, profile: anna", "'profile' is for 'does: activate', and says nothing to 'scan'"),
        ("does: follow, authority: Company", "'authority' is for 'does: activate'"),
        ("does: confirm, emails: [a@example.com]", "'emails' is for 'does: activate'"),
    ],
)
def test_a_phone_is_told_nothing_in_vain(scenario: Callable[..., Path], step: str, told: str) -> None:
    with pytest.raises(SourceError) as caught:
        load(scenario(f"- {{phone: pixel, {step}}}"))

    assert told in str(caught.value)


def test_a_phone_is_told_all_that_an_activation_takes(scenario: Callable[..., Path]) -> None:
    step = "- {phone: pixel, does: activate, profile: anna, authority: Company, emails: [a@example.com]}"
    assert load(scenario(step))
