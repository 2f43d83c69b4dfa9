"""Scenarios of PINs and PUKs in encodings fail where a behaviour is missing that they prove, no others do."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import pytest

from cardtwin.encoding import initialisation
from cardtwin.middleware import CredentialError
from cardtwin.middleware.credentials import Credentials
from cardtwin.middleware.pukchange import require_changeable
from cardtwin.middleware.tokens import PinKind, Token
from cardtwin.source import SourceText
from support.sabotage import Patch, Sabotage, check, check_complete, rewrite, table, unnoticed

if TYPE_CHECKING:
    from collections.abc import Callable

    from cardtwin.encoding.run import Run
    from cardtwin.middleware.tokens import PinInfo

IDS: Final = tuple(f"ENC-{number:02}" for number in (*range(7, 14), 30, 31))


def _passes(code: str, words: str = "") -> Callable[[Patch], None]:
    return lambda patch: unnoticed(patch, code, words)


def _edits(function: Callable[..., object], old: str, new: str) -> Callable[[Patch], None]:
    return lambda patch: rewrite(patch, function, old, new)


# ENC-07: which keyword becomes which secret


no_operator_pin = _edits(
    initialisation._init_token,
    "(secret := run.given(keyword))",
    '(secret := run.given(keyword)) and keyword != "Operator_PIN"',
)


# ENC-08, ENC-10: who is security officer


def the_puk_is_the_officers(patch: Patch) -> None:
    def found(token: Token) -> PinInfo | None:
        return next((pin for pin in token.pins if pin.kind is PinKind.PUK), None)

    patch.setattr(Token, "so_credential", property(found))


def where_it_is_given(patch: Patch) -> None:
    profile = initialisation._profile

    def changed(run: Run) -> SourceText:
        found = profile(run)
        text = re.sub(r"(X_Pin PUK .*)so=yes(?s:(.*?))(X_Pin OP .*)", r"\1\2\3 so=yes", found.text)
        return found if run.given("Operator_PIN") is None else SourceText(found.name, text)

    patch.setattr(initialisation, "_profile", changed)


puk_of_the_officer = _edits(
    Credentials._puk_of, "if key is None:", 'if key is None or (pin.kind.value == "user" and not key.so):'
)


# ENC-09, ENC-30, ENC-31: which credential Identity Manager presents


def no_field_is_read(patch: Patch) -> None:
    rewrite(
        patch,
        initialisation.operator_pin_logs_in,
        "run.job.text(setting.value)",
        'getattr(setting.value, "text", "false")',
    )


def both_are_tried(patch: Patch) -> None:
    logs_in = initialisation._log_in_as_security_officer

    def twice(run: Run) -> None:
        try:
            logs_in(run)
        except CredentialError:
            with pytest.MonkeyPatch.context() as inner:
                other = not initialisation.operator_pin_logs_in(run)
                inner.setattr(initialisation, "operator_pin_logs_in", lambda _: other)
                logs_in(run)

    patch.setattr(initialisation, "_log_in_as_security_officer", twice)


def nobody_logs_in(patch: Patch) -> None:
    patch.setattr(initialisation, "_log_in_as_security_officer", lambda _: None)


def _fails(scenarios: str) -> frozenset[str]:
    return frozenset(name if "/" in name else f"encoding/{name}" for name in scenarios.split())


SABOTAGES: Final = tuple(
    Sabotage(id_, name, patch, _fails(scenarios), near=near)
    for id_, name, patch, scenarios, near in (
        ("ENC-07", "the operator PIN stays behind", no_operator_pin, "init-token credentials", None),
        (
            "ENC-07",
            "what the profile assigns is replaced",
            _passes("duplicate-assignment", "by the encoding keyword"),
            "profile/assignment profile/sketch-by-encoding",
            None,
        ),
        (
            "ENC-07",
            "a missing PIN is found too late",
            _passes("missing-value", "PIN: "),
            "values-missing",
            None,
        ),
        ("ENC-07", "a PIN of any length goes", _passes("pin-value"), "values-unfit", None),
        (
            "ENC-08",
            "the PUK is always the officer's",
            the_puk_is_the_officers,
            "operator-officer security-officer so-login shipped/operator",
            None,
        ),
        (
            "ENC-08",
            "an operator PIN that is given is the officer's",
            where_it_is_given,
            "security-officer init-token credentials card-serial-p10-p12 certificate-manager/production",
            None,
        ),
        ("ENC-09", "no field says who logs in", no_field_is_read, "security-officer", None),
        ("ENC-09", "other words in the field pass", _passes("bad-flag-value"), "refused", None),
        (
            "ENC-09",
            "a missing field is found too late",
            _passes("missing-value", "OperatorPinIsSOCredential"),
            "values-missing",
            None,
        ),
        (
            "ENC-10",
            "the PUK unblocks as the officer's only",
            puk_of_the_officer,
            "operator-officer shipped/operator",
            None,
        ),
        (
            "ENC-11",
            "old clients change the PUK",
            _edits(require_changeable, "if version < _FIRST:", "if False:"),
            "puk-change",
            None,
        ),
        (
            "ENC-12",
            "the PUK changes on all cards",
            _edits(require_changeable, "if driver.family not in _FAMILIES:", "if False:"),
            "puk-change",
            None,
        ),
        (
            "ENC-12",
            "the PUK changes on no card",
            _edits(require_changeable, "driver.family not in _FAMILIES:", "True:"),
            "puk-change",
            None,
        ),
        ("ENC-13", "old managers change the PUK", _passes("puk-change-blocked"), "puk-change", None),
        ("ENC-30", "the other credential is tried, too", both_are_tried, "security-officer so-login", None),
        ("ENC-30", "other words pass", _passes("bad-flag-value"), "refused", None),
        ("ENC-31", "nobody logs in", nobody_logs_in, "security-officer so-login", None),
    )
)


@pytest.mark.parametrize("sabotage", table(*SABOTAGES))
def test_what_is_missing_shows_in_the_scenarios_that_prove_it(sabotage: Sabotage) -> None:
    check(sabotage)


def test_every_claim_has_its_sabotage() -> None:
    check_complete(IDS, SABOTAGES)
