"""Scenarios of virtual smart cards fail where a behaviour is missing that they prove, and no others do."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cardtwin.issuance.virtualcard import CardRegister, PinPolicy, options
from cardtwin.issuance.virtualcard.process import TRANSITIONS, Event, State, Transition
from cardtwin.issuance.virtualcard.process import VirtualSmartCardSelfServiceProcGet as Process
from support.broken import broken
from support.sabotage import Patch, Sabotage, check, check_complete, table

if TYPE_CHECKING:
    from collections.abc import Callable

_PIN = "card.initialise(self._pin, admin_key, card_id=card_id)\n    card.verify(self._pin)"
_OTHER_PIN = (
    "pin = Secret(b'123456')\n    card.initialise(pin, admin_key, card_id=card_id)\n    card.verify(pin)"
)
_PROPERTIES = "(options.user_id, options.server_name, options.profile_name)"
_DEFAULTS = "(Options().user_id, Options().server_name, Options().profile_name)"


def cancelled_at_the_end(patch: Patch) -> None:
    patch.setitem(TRANSITIONS, (State.DETAILS, Event.CANCEL), Transition(State.CANCELLED))


def sabotage(id_: str, name: str, patch: Callable[[Patch], None], fails: str, where: str = "") -> Sabotage:
    return Sabotage(
        id_, name, patch, frozenset(f"virtual-card/{scenario}" for scenario in fails.split()), where
    )


SABOTAGES = (
    Sabotage(
        "VSC-03",
        "what was made stays",
        cancelled_at_the_end,
        frozenset({"virtual-card/cancel", "virtual-card/reader"}),
        "details",
        Process.cancel,
    ),
    *(
        sabotage(id_, name, broken(function, old, new), fails, where)
        for id_, name, function, old, new, fails, where in (
            ("VSC-01", "the PIN is another", Process._made, _PIN, _OTHER_PIN, "get", ""),
            (
                "VSC-01",
                "the card is gone at the end",
                Process._enter,
                "self._undo.clear()",
                "self._computer.destroy()",
                "get reader",
                "",
            ),
            (
                "VSC-02",
                "any user gets a card",
                Process.__init__,
                "user.state != _ACTIVE",
                "not user.state",
                "get",
                "",
            ),
            (
                "VSC-04",
                "the certificates are always the same",
                Process._made,
                "in options.certificates",
                "in Options().certificates",
                "options",
                "certificate",
            ),
            (
                "VSC-05",
                "the card is always valid for two years",
                Process._made,
                "options.years_of_validity",
                "2",
                "options",
                "validity",
            ),
            (
                "VSC-06",
                "the properties are always the same",
                Process._made,
                _PROPERTIES,
                _DEFAULTS,
                "options",
                "user-id",
            ),
            (
                "VSC-07",
                "a PIN has any length",
                PinPolicy.check,
                "not self.min_length <= len(pin) <= self.max_length",
                "not pin",
                "pin-complexity",
                "min-length",
            ),
            (
                "VSC-07",
                "no characters are required",
                PinPolicy.check,
                "and not there",
                "and not pin",
                "pin-complexity",
                "required",
            ),
            (
                "VSC-07",
                "all characters are allowed",
                PinPolicy.check,
                "and there",
                "and not pin",
                "pin-complexity",
                "-not",
            ),
            (
                "VSC-08",
                "the card is not listed",
                CardRegister.add,
                "self._cards.append(card)",
                "self._cards",
                "cancel get not-issued pin-complexity",
                "",
            ),
            (
                "VSC-09",
                "only what the PIN is like is changed",
                options._options,
                ", **others)",
                ")",
                "options",
                "",
            ),
            (
                "VSC-09",
                "the defaults are others",
                options._options,
                "Options()",
                "Options(years_of_validity=1)",
                "options",
                "defaults",
            ),
            (
                "VSC-09",
                "mistakes in the script are not told",
                options.parse_options,
                "diagnostics.raise_errors()",
                "pass",
                "script-mistakes",
                "",
            ),
        )
    ),
)


@pytest.mark.parametrize("sabotage", table(*SABOTAGES))
def test_what_is_missing_shows_in_the_scenarios_that_prove_it(sabotage: Sabotage) -> None:
    check(sabotage)


def test_every_claim_has_its_sabotage() -> None:
    check_complete(["VSC-"], SABOTAGES)
