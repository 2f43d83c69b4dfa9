"""Scenarios of Digital Access fail where a behaviour is missing that they prove, and no others do."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from cardtwin import targets
from cardtwin.login import Administration, DigitalAccess, PersonalDesktop, SameDevice, checks, users
from cardtwin.login import service as services
from cardtwin.login.challenges import Challenges
from cardtwin.login.mobile import Activations
from cardtwin.login.revocation import Revocation
from cardtwin.scenario import Instance, Verdict, load, run

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from cardtwin.login import AuthenticationMethod

FOLDER = Path(__file__).parents[2] / "scenarios" / "digital-access"
OTHER_MODELS = ("cardos-4.4", "idclassic-340")
"""Models whose instances are left out here: a sabotage of the server is the same for every card."""


@cache
def instances() -> tuple[Instance, ...]:
    found = [instance for path in sorted(FOLDER.glob("*.scenario.yaml")) for instance in load(path)]
    return tuple(instance for instance in found if not any(model in instance.id for model in OTHER_MODELS))


def failing() -> dict[str, set[str]]:
    """Run all, and return the scenarios that fail, each with the ids that it proves."""
    found: dict[str, set[str]] = {}

    for instance in instances():
        if run(instance, targets.get("emulated")).verdict is not Verdict.PASSED:
            proved = {id_ for step in instance.steps for id_ in step.proves}
            found.setdefault(instance.path.name.partition(".")[0], set()).update(proved)

    return found


def nothing(*_: object, **__: object) -> None:
    return None


def any_signature(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(services, "check_signature", nothing)


def any_chain(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(services, "chain_of", lambda certificate, *_: (certificate,))


def no_revocation(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Revocation, "check", nothing)


def challenges_again(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Challenges, "take", lambda self, id_: self._open[id_])


def filtered_offer(patch: pytest.MonkeyPatch) -> None:
    offer = PersonalDesktop.offer
    patch.setattr(
        PersonalDesktop, "offer", lambda self: tuple(o for o in offer(self) if "Company" in o.issuer)
    )


def no_attributes_needed(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(checks, "_maps", lambda _: False)


def attributes_always_needed(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(checks, "_maps", lambda method: method.authority is not None)


def any_of_several(patch: pytest.MonkeyPatch) -> None:
    only = users._only
    patch.setattr(users, "_only", lambda found: only(found[:1]))


def personal_for_all(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(users, "check_enabled", nothing)


def any_device(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(services, "_check_device", nothing)


def profiles_for_ever(patch: pytest.MonkeyPatch) -> None:
    activate = Activations.activate

    def kept(self: Activations, profile: str, key: bytes, proof: bytes) -> None:
        before = self._profiles.get(profile)
        activate(self, profile, key, proof)
        assert before is not None
        self._profiles[profile] = before

    patch.setattr(Activations, "activate", kept)


def drafts_in_effect(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Administration, "published", property(lambda self: self.draft))


def _same_device(patch: pytest.MonkeyPatch, change: Callable[[SameDevice], SameDevice]) -> None:
    method = DigitalAccess.method

    def changed(self: DigitalAccess, name: str) -> AuthenticationMethod:
        found = method(self, name)
        return found if found.same_device is None else replace(found, same_device=change(found.same_device))

    patch.setattr(DigitalAccess, "method", changed)


def too_soon(patch: pytest.MonkeyPatch) -> None:
    _same_device(patch, lambda same: replace(same, wait=same.wait - 1))


def own_redirect_text(patch: pytest.MonkeyPatch) -> None:
    _same_device(patch, lambda same: SameDevice(same.wait))


@dataclass(frozen=True)
class Sabotage:
    """What is missing, and which scenarios show it."""

    proves: str
    patch: Callable[[pytest.MonkeyPatch], None]
    fails: frozenset[str]


SABOTAGES: Mapping[str, Sabotage] = {
    name: Sabotage(proves, patch, frozenset(fails.split()))
    for name, proves, patch, fails in (
        ("any signature will do", "DA-01", any_signature, "response"),
        ("a challenge is answered again, or late", "DA-01", challenges_again, "response"),
        ("any certificate will do", "DA-01", any_chain, "offered revocation validation"),
        ("nothing is looked up", "DA-01", no_revocation, "revocation"),
        ("the selected authority is a filter", "DA-02", filtered_offer, "offered"),
        ("no attributes are mandatory", "DA-03", no_attributes_needed, "mandatory-attributes"),
        (
            "attributes are mandatory for all certificates",
            "DA-03",
            attributes_always_needed,
            "optional-attributes",
        ),
        ("any account that fits will do", "DA-04", any_of_several, "mapping"),
        ("Personal is enabled for all", "DA-05", personal_for_all, "personal-enabled"),
        ("any device will do", "DA-06", any_device, "devices"),
        ("a profile activates again", "DA-07", profiles_for_ever, "activation"),
        ("drafts are in effect", "DA-08", drafts_in_effect, "publishing refused-drafts"),
        ("a second is not waited for", "DA-09", too_soon, "same-device"),
        ("the redirect text is our own", "DA-09", own_redirect_text, "same-device"),
    )
}


def test_nothing_fails_where_nothing_is_missing() -> None:
    assert failing() == {}


@pytest.mark.parametrize("name", SABOTAGES)
def test_what_is_missing_shows_in_the_scenarios_that_prove_it(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    sabotage = SABOTAGES[name]
    sabotage.patch(monkeypatch)
    found = failing()
    assert set(found) == sabotage.fails
    assert all(sabotage.proves in proved for proved in found.values())


def test_every_requirement_has_its_sabotage() -> None:
    assert {sabotage.proves for sabotage in SABOTAGES.values()} == {
        f"DA-0{number}" for number in range(1, 10)
    }
