"""How verbs come to be known."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from cardtwin.scenario import Observed, Run, Step, all_verbs, step, verb

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True)
def _own_registry(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    all_verbs()
    monkeypatch.setattr(step, "_registered", dict(step._registered))
    all_verbs.cache_clear()
    yield
    all_verbs.cache_clear()


class Sing(Step):
    """Sing a song."""

    sing: str

    def run(self, run: Run) -> Observed:
        del run
        return Observed({"song": self.sing})


def test_every_module_of_the_package_is_found() -> None:
    assert {"apdu", "card", "check", "encode", "image", "personalise", "verify_pin"} <= all_verbs().keys()


def test_a_verb_of_somebody_elses_comes_by_an_entry_point(monkeypatch: pytest.MonkeyPatch) -> None:
    def load() -> object:
        return verb("sing", needs=())(Sing)

    def entry_points(group: str) -> list[SimpleNamespace]:
        return [SimpleNamespace(load=load)] if group == "cardtwin.verbs" else []

    monkeypatch.setattr(step, "entry_points", entry_points)
    assert all_verbs()["sing"] is Sing


@pytest.mark.parametrize("name", ["apdu", "expect", "on"])
def test_a_name_is_given_once(name: str) -> None:
    with pytest.raises(ValueError, match="already"):
        verb(name, needs=())(Sing)


def test_a_verb_has_a_field_for_its_argument() -> None:
    with pytest.raises(ValueError, match="no field 'dance'"):
        verb("dance", needs=())(Sing)


def test_no_parameter_is_called_as_a_verb_is() -> None:
    class Shout(Step):
        """Shout."""

        shout: str
        apdu: str

    verb("shout", needs=())(Shout)

    with pytest.raises(ValueError, match="'apdu' of the verb 'shout' is a verb itself"):
        all_verbs()
