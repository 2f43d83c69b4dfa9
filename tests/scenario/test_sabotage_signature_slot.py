"""Scenarios of the signature slot fail where a behaviour is missing that they prove, and no others do."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cardtwin.encoding import initialisation, keywords
from cardtwin.encoding.checks import credentials
from support.sabotage import Patch, Sabotage, check, check_complete, rewrite, table

if TYPE_CHECKING:
    from collections.abc import Callable

PREFIXES = ("SIG-",)


def another_secret(keyword: str, instead: str) -> Callable[[Patch], None]:
    given = "run.given(keyword)"
    puts = f"run.given({instead!r} if keyword == {keyword!r} else keyword)"
    return lambda patch: rewrite(patch, initialisation._init_token, given, puts)


def without_alias(patch: Patch) -> None:
    known = "_table.get((section, name.casefold()))"
    rewrite(patch, keywords.find, known, f"None if name.casefold() == 'pin2' else {known}")


def the_puk_twice(patch: Patch) -> None:
    names = "for keyword, name in SECRETS.items()"
    both = "for keyword, name in (*SECRETS.items(), ('InitialPUK', SecretName.PUK2))"
    rewrite(patch, initialisation._init_token, names, both)


def sign_puk_taken(patch: Patch) -> None:
    rewrite(patch, credentials._sign_puk, "setting is not None", "False")


def _of(id_: str, name: str, patch: Callable[[Patch], None], fails: str) -> Sabotage:
    return Sabotage(id_, name, patch, frozenset(fails.split()))


INITIALISED = "signature-slot/slot shipped/signature encoding/credentials encoding/init-token"
PIN2 = "signature-slot/slot encoding/credentials encoding/init-token"
SABOTAGES = (
    _of("SIG-01", "SignPIN sets nothing", another_secret("SignPIN", "SignPUK"), INITIALISED),
    _of("SIG-01", "the signature PIN is the user's", another_secret("SignPIN", "PIN"), INITIALISED),
    _of("SIG-01", "PIN2 is no keyword", without_alias, PIN2),
    _of("SIG-02", "SignPUK is taken", sign_puk_taken, "encoding/refused"),
    _of(
        "SIG-02", "the signature PUK is the user's", the_puk_twice, "signature-slot/slot encoding/credentials"
    ),
)


@pytest.mark.parametrize("sabotage", table(*SABOTAGES))
def test_what_is_missing_shows_in_the_scenarios_that_prove_it(sabotage: Sabotage) -> None:
    check(sabotage)


def test_every_claim_has_its_sabotage() -> None:
    check_complete(PREFIXES, SABOTAGES)
