"""Scenarios of deleting a profile fail where a behaviour is missing that they prove, and no others do."""

from __future__ import annotations

from typing import TYPE_CHECKING
from weakref import WeakSet

import pytest

from cardtwin.encoding import initialisation
from cardtwin.encoding.checks import credentials as credential_checks
from cardtwin.encoding.checks import library as library_checks
from cardtwin.middleware import PersonalDesktopClient, eraser
from cardtwin.middleware.ckr import Ckr
from cardtwin.middleware.drivers import cardos_5, cardos_m4, data_objects
from cardtwin.middleware.drivers.cardos import CardOs
from cardtwin.middleware.drivers.data_object_driver import DataObjectDriver
from cardtwin.middleware.errors import EraseRefusedError
from cardtwin.middleware.initialisation import Initialisation
from cardtwin.middleware.rights import NOBODY, Condition
from support.sabotage import Patch, Sabotage, check, check_complete, rewrite, table

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

    from cardtwin.middleware.drivers import CardDriver
    from cardtwin.middleware.rights import Rights

CARDOS_M4, CARDOS_5, IDCLASSIC = "cardos-4.4", "cardos-5.3", "idclassic-340"
PREFIXES = ("DEL-",)
OPERATOR = Condition(reference=5)
INTACT = "driver.phase().name == 'ADMINISTRATION'"
ERASES = "erase(driver, verified, Journal(), self._erase_refused)"

# What fails with one model or another.
ERASED = "erasable burnt wrong-credential shipped/erasable shipped/locked"
COSMO_FAILS = "no-eraser shipped/erasable shipped/locked"
WIDE = "middleware/bits middleware/cache-forgotten"
BITS = {CARDOS_M4: "middleware/bits", CARDOS_5: "middleware/bits", IDCLASSIC: "shipped/erasable"}
FUSE = {
    CARDOS_M4: "profile/eraseable-and-fuse",
    CARDOS_5: "profile/eraseable-and-fuse encoding/init-again",
    IDCLASSIC: "",
}
OTHERS = {CARDOS_M4: WIDE, CARDOS_5: f"first {WIDE}", IDCLASSIC: ""}


# DEL-01: the profile is deleted, and the card is uninitialised again


def the_directory_stays(patch: Patch) -> None:
    _after_erasing(patch, "driver.create_directory(0x5015, 64, b'', {})")


def pins_stay(driver: type[CardDriver]) -> Callable[[Patch], None]:
    return lambda patch: patch.setattr(driver, "delete_pin", lambda *_: False)


def left_operational(patch: Patch) -> None:
    _after_erasing(patch, "driver.phase_control()")


def _after_erasing(patch: Patch, what: str) -> None:
    rewrite(patch, PersonalDesktopClient.erase, ERASES, f"{ERASES}; {what}")


def conditions_stay(patch: Patch) -> None:
    rewrite(patch, eraser.erase, "driver.set_rights((MF,), OPEN, directory=True)", "pass")


# DEL-02 and DEL-03: no Card Eraser, another middleware


def no_eraser_no_error(patch: Patch) -> None:
    raises = """raise NoCardEraserError('object "Card Eraser" not found')"""
    rewrite(patch, initialisation._delete_profile, raises, "return")


def another_message(patch: Patch) -> None:
    rewrite(patch, initialisation._delete_profile, '"Card Eraser" not found', "not found")


def any_middleware(patch: Patch) -> None:
    rewrite(patch, library_checks._known, 'scope.flag("DeleteProfile")', "False")


# DEL-04 and DEL-13: who logs in


def nobody_logs_in(patch: Patch) -> None:
    patch.setattr(initialisation, "_highest_login", lambda _: None)


def the_pin_before_the_puk(patch: Patch) -> None:
    puk = 'puk := run.given("PUK") or run.given("InitialPUK")'
    rewrite(patch, initialisation._highest_login, puk, f'not run.given("PIN") and ({puk})')


def nothing_without_login(patch: Patch) -> None:
    rewrite(
        patch,
        initialisation._delete_profile,
        "eraser.destroy(_highest_login(run))",
        "(login := _highest_login(run)) and eraser.destroy(login)",
    )


def the_operator_logs_in(patch: Patch) -> None:
    rewrite(
        patch,
        initialisation._highest_login,
        'pin = run.given("PIN")',
        'if secret := run.given("Operator_PIN"):\n'
        "        return Login(UserType.OPERATOR, secret)\n"
        '    pin = run.given("PIN")',
    )


def the_operator_pin_is_not_told(patch: Patch) -> None:
    check = credential_checks._operator_pin_for_deleting
    rewrite(patch, check, 'scope.flag("DeleteProfile")', "False")


# DEL-05 to DEL-10: who may erase the card


def erased_by(instead: Condition) -> Callable[[Patch], None]:
    close = Initialisation._close_master

    def closed(self: Initialisation, rights: Rights, what: str) -> None:
        told = {right: instead if found == OPERATOR else found for right, found in rights.items()}
        close(self, told, what)

    return lambda patch: patch.setattr(Initialisation, "_close_master", closed)


def nobody_is_the_operator(module: ModuleType) -> Callable[[Patch], None]:
    examine, read = eraser.examine, module._condition

    def condition(told: object) -> Condition:
        found: Condition = read(told)
        return NOBODY if found == OPERATOR else found

    def examined(driver: CardDriver) -> eraser.ErasePlan:
        with pytest.MonkeyPatch.context() as meanwhile:
            meanwhile.setattr(module, "_condition", condition)
            return examine(driver)

    return lambda patch: patch.setattr(eraser, "examine", examined)


def refused_to_anybody(where: str) -> Callable[[Patch], None]:
    refuses = (
        f"if login is None and {where}:\n"
        "                raise EraseRefusedError(self._erase_refused, 'nobody is logged in')\n"
        f"            {ERASES}"
    )
    return lambda patch: rewrite(patch, PersonalDesktopClient.erase, ERASES, refuses)


def fuse_stays(patch: Patch) -> None:
    patch.setattr(Initialisation, "_close_master", lambda *_: None)


def a_refusal_costs_a_try(patch: Patch) -> None:
    rewrite(
        patch,
        PersonalDesktopClient.erase,
        "except EraseRefusedError:",
        "except EraseRefusedError:\n            driver.verify(1, bytes(8))",
    )


# DEL-11: which models have it


def family_without_eraser(model: str) -> Callable[[Patch], None]:
    return lambda patch: _eraser_where(
        patch, f"self._cards.shows_eraser(driver) and not {model!r}.startswith(driver.family)"
    )


def family_with_eraser(family: str) -> Callable[[Patch], None]:
    return lambda patch: _eraser_where(
        patch, f"self._cards.shows_eraser(driver) or driver.family == {family!r}"
    )


def _eraser_where(patch: Patch, condition: str) -> None:
    rewrite(patch, PersonalDesktopClient.card_eraser, "self._cards.shows_eraser(driver)", condition)


# DEL-12: the deleted card takes another profile


def deleted_for_ever(patch: Patch) -> None:
    erase, init_token = PersonalDesktopClient.erase, PersonalDesktopClient._init_token
    deleted: WeakSet[PersonalDesktopClient] = WeakSet()

    def noted(self: PersonalDesktopClient, *arguments: object) -> None:
        erase(self, *arguments)  # type: ignore[arg-type]
        deleted.add(self)

    def refused(self: PersonalDesktopClient, *arguments: object) -> object:
        if self in deleted:
            raise EraseRefusedError(Ckr.CKR_ACTION_PROHIBITED, "the card is not empty")

        return init_token(self, *arguments)  # type: ignore[arg-type]

    patch.setattr(PersonalDesktopClient, "erase", noted)
    patch.setattr(PersonalDesktopClient, "_init_token", refused)


# All of them


def _of(id_: str, name: str, patch: Callable[[Patch], None], fails: str, where: str = "") -> Sabotage:
    names = (fail if "/" in fail or fail == "first" else f"deleting/{fail}" for fail in fails.split())
    # What happens to a deleted card shows behind the Card Eraser alone.
    near = PersonalDesktopClient.erase if patch is deleted_for_ever else None
    return Sabotage(id_, name, patch, frozenset(names), where, near)


FAMILIES = (
    ("CardOS M4", CARDOS_M4, CardOs, cardos_m4),
    ("CardOS 5", CARDOS_5, CardOs, cardos_5),
    ("IDClassic", IDCLASSIC, DataObjectDriver, data_objects),
)
BY_FAMILY = tuple(
    _of(id_, f"{name} ({family})", patch, fails, where)
    for family, where, driver, module in FAMILIES
    for id_, name, patch, fails in (
        ("DEL-01", "the PINs stay", pins_stay(driver), f"erasable burnt {BITS[where]}"),
        ("DEL-01", "the conditions stay", conditions_stay, "burnt"),
        ("DEL-06", "the operator is nobody", nobody_is_the_operator(module), "burnt"),
        ("DEL-09", "the fuse stays", fuse_stays, f"burnt shipped/locked {FUSE[where]}"),
        ("DEL-11", "there is no Card Eraser", family_without_eraser(where), f"{ERASED} {OTHERS[where]}"),
    )
)
SABOTAGES = (
    *BY_FAMILY,
    _of("DEL-01", "a directory stays", the_directory_stays, f"first erasable burnt shipped/erasable {WIDE}"),
    _of("DEL-01", "the card is left operational", left_operational, "first erasable burnt middleware/bits"),
    _of("DEL-02", "no Card Eraser is no error", no_eraser_no_error, "hidden-eraser no-eraser"),
    _of("DEL-02", "the error does not name it", another_message, "hidden-eraser no-eraser"),
    _of("DEL-03", "any middleware will do", any_middleware, "other-middleware"),
    _of("DEL-04", "nobody logs in", nobody_logs_in, "wrong-credential"),
    _of("DEL-04", "the PIN counts before the PUK", the_pin_before_the_puk, "wrong-credential erasable"),
    _of(
        "DEL-04",
        "nothing is tried without a login",
        nothing_without_login,
        "first erasable burnt shipped/locked",
    ),
    _of("DEL-05", "the PIN erases", erased_by(Condition(reference=1)), "burnt"),
    _of("DEL-05", "the PUK erases", erased_by(Condition(reference=2)), "burnt"),
    _of("DEL-06", "nobody erases", erased_by(NOBODY), "burnt profile/eraseable-and-fuse"),
    _of(
        "DEL-07",
        "a burnt card is refused to anybody",
        refused_to_anybody("driver.phase().name == 'OPERATIONAL'"),
        f"erasable shipped/erasable {WIDE}",
    ),
    _of(
        "DEL-08",
        "an operator PIN closes a card whose fuse is intact",
        refused_to_anybody(f"{INTACT} and self._cards.afresh(driver).token().pin('operator')"),
        "erasable",
    ),
    _of("DEL-09", "a refusal costs a try", a_refusal_costs_a_try, "burnt shipped/locked"),
    _of("DEL-10", "a card whose fuse is intact is refused", refused_to_anybody(INTACT), "first erasable"),
    _of("DEL-11", "a Cosmo has a Card Eraser", family_with_eraser("cosmo"), COSMO_FAILS, "cosmo-8.2"),
    _of("DEL-12", "a deleted card is deleted for ever", deleted_for_ever, "erasable burnt shipped/erasable"),
    _of("DEL-13", "the operator logs in", the_operator_logs_in, "erasable burnt"),
    _of("DEL-13", "nobody tells that it is not used", the_operator_pin_is_not_told, "burnt"),
)


@pytest.mark.parametrize("sabotage", table(*SABOTAGES))
def test_what_is_missing_shows_in_the_scenarios_that_prove_it(sabotage: Sabotage) -> None:
    check(sabotage)


def test_every_claim_has_its_sabotage() -> None:
    check_complete(PREFIXES, SABOTAGES)
