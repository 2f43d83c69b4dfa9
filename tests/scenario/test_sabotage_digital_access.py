"""Scenarios of Digital Access fail where a behaviour is missing that they prove, and no others do."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from cardtwin.login import Administration, DigitalAccess, PersonalDesktop, SameDevice, chains, checks, users
from cardtwin.login import service as services
from cardtwin.login.challenges import Challenges
from cardtwin.login.mobile import Activations, activation
from cardtwin.login.revocation import Revocation
from support.sabotage import Patch, Sabotage, check, check_complete, rewrite, table

if TYPE_CHECKING:
    from collections.abc import Callable

    from cardtwin.login import AuthenticationMethod


def nothing(*_: object, **__: object) -> None:
    return None


def any_signature(patch: Patch) -> None:
    patch.setattr(services, "check_signature", nothing)


def any_chain(patch: Patch) -> None:
    patch.setattr(services, "chain_of", lambda certificate, *_: (certificate,))


def no_chains(patch: Patch) -> None:
    rewrite(patch, chains.chain_of, "[*others, *authority.intermediates]", "[]")


def no_revocation(patch: Patch) -> None:
    patch.setattr(Revocation, "check", nothing)


def challenges_again(patch: Patch) -> None:
    patch.setattr(Challenges, "take", lambda self, id_: self._open[id_])


def filtered_offer(patch: Patch) -> None:
    offer = PersonalDesktop.offer
    patch.setattr(
        PersonalDesktop, "offer", lambda self: tuple(o for o in offer(self) if "Company" in o.issuer)
    )


def no_attributes_needed(patch: Patch) -> None:
    patch.setattr(checks, "_maps", lambda _: False)


def attributes_always_needed(patch: Patch) -> None:
    patch.setattr(checks, "_maps", lambda method: method.authority is not None)


def any_of_several(patch: Patch) -> None:
    only = users._only
    patch.setattr(users, "_only", lambda found: only(found[:1]))


def personal_for_all(patch: Patch) -> None:
    patch.setattr(users, "check_enabled", nothing)


def profiles_for_all(patch: Patch) -> None:
    rewrite(patch, activation._account, "or not account.personal", "")


def devices_of_desktops(patch: Patch) -> None:
    rewrite(patch, checks._only_mobile, "method.kind is not MethodKind.PERSONAL_MOBILE", "method is None")


def any_device(patch: Patch) -> None:
    patch.setattr(services, "_check_device", nothing)


def profiles_for_ever(patch: Patch) -> None:
    activate = Activations.activate

    def kept(self: Activations, profile: str, *given: Any) -> tuple[bytes, ...]:
        before = self._profiles.get(profile)
        certificates = activate(self, profile, *given)
        assert before is not None
        self._profiles[profile] = before
        return certificates

    patch.setattr(Activations, "activate", kept)


def drafts_in_effect(patch: Patch) -> None:
    patch.setattr(Administration, "published", property(lambda self: self.draft))


def _same_device(patch: Patch, change: Callable[[SameDevice], SameDevice]) -> None:
    method = DigitalAccess.method

    def changed(self: DigitalAccess, name: str) -> AuthenticationMethod:
        found = method(self, name)
        return found if found.same_device is None else replace(found, same_device=change(found.same_device))

    patch.setattr(DigitalAccess, "method", changed)


def too_soon(patch: Patch) -> None:
    _same_device(patch, lambda same: replace(same, wait=same.wait - 1))


def any_wait(patch: Patch) -> None:
    rewrite(patch, checks._wait, "not 0 <= method.same_device.wait <= LONGEST_WAIT", "method is None")


def no_redirect_text(patch: Patch) -> None:
    rewrite(patch, checks._redirect_text, "not method.same_device.redirect_text.strip()", "method is None")


def own_redirect_text(patch: Patch) -> None:
    _same_device(patch, lambda same: SameDevice(same.wait))


SABOTAGES = tuple(
    Sabotage(id_, name, patch, frozenset(f"digital-access/{scenario}" for scenario in fails.split()))
    for id_, name, patch, fails in (
        ("DA-01", "any signature will do", any_signature, "response"),
        ("DA-01", "a challenge is answered again, or late", challenges_again, "response"),
        ("DA-01", "any certificate will do", any_chain, "offered revocation validation"),
        ("DA-01", "nothing is looked up", no_revocation, "revocation"),
        ("DA-01", "only the selected authority itself issues", no_chains, "certificate"),
        ("DA-02", "the selected authority is a filter", filtered_offer, "offered"),
        ("DA-03", "no attributes are mandatory", no_attributes_needed, "mandatory-attributes"),
        (
            "DA-03",
            "attributes are mandatory for all certificates",
            attributes_always_needed,
            "optional-attributes",
        ),
        ("DA-04", "any account that fits will do", any_of_several, "mapping"),
        ("DA-05", "Personal is enabled for all", personal_for_all, "personal-enabled"),
        ("DA-05", "a profile is delivered to all", profiles_for_all, "activation"),
        ("DA-06", "any device will do", any_device, "devices"),
        ("DA-06", "Personal Desktop enforces a device", devices_of_desktops, "refused-drafts"),
        ("DA-07", "a profile activates again", profiles_for_ever, "activation"),
        ("DA-08", "drafts are in effect", drafts_in_effect, "publishing refused-drafts"),
        ("DA-09", "a second is not waited for", too_soon, "same-device"),
        ("DA-09", "the redirect text is our own", own_redirect_text, "same-device"),
        ("DA-09", "any number of seconds is waited", any_wait, "refused-drafts"),
        ("DA-09", "no redirect text is needed", no_redirect_text, "refused-drafts"),
    )
)


@pytest.mark.parametrize("sabotage", table(*SABOTAGES))
def test_what_is_missing_shows_in_the_scenarios_that_prove_it(sabotage: Sabotage) -> None:
    check(sabotage)


def test_every_claim_has_its_sabotage() -> None:
    check_complete(["DA-"], SABOTAGES)
