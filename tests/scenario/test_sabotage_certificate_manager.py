"""Scenarios of token procedures fail where a behaviour is missing that they prove, and no others do."""

from __future__ import annotations

import pytest

from cardtwin.issuance.manager import (
    TRANSITIONS,
    Event,
    IssuanceRefusedError,
    Problem,
    Stage,
    checks,
    workbench,
)
from cardtwin.issuance.manager.issuing import Registration
from cardtwin.issuance.manager.model import TokenProcedure
from cardtwin.issuance.manager.officers import Officers
from cardtwin.issuance.manager.serials import Serials
from cardtwin.issuance.manager.workbench import Workbench
from support.broken import broken, in_folder, untold
from support.sabotage import Patch, Sabotage, check, check_complete, table

INCOMPLETE = "dialog save-and-modify"
TWICE = """if officer in self.signers(id):
            raise SignatureRefusedError(f"the officer {officer!r} has signed already: another one has to")

        database.execute("INSERT"""
AGAIN = """if self.is_used(serial):
            raise SerialRefusedError(f"a token has the serial number {serial} already")

        database.execute("INSERT"""
WRITTEN = "text = _written(procedure)"
CHECKED = """text = _written(procedure)
    if found := problems(procedure, self.policy, {}):
        raise ProcedureRefusedError(found)"""
TAKEN = "return self._serials.take(procedure.serial_range, procedure.name)"


def any_signature(patch: Patch) -> None:
    patch.setattr(workbench, "verify", lambda *_: None)


def nothing_is_modified(patch: Patch) -> None:
    patch.setitem(TRANSITIONS, (Stage.SAVED, Event.MODIFY), None)


sabotage = in_folder("certificate-manager")

SIGNATURES = (
    sabotage("CM-01", "any signature will do", any_signature, "two-officers"),
    *(
        sabotage("CM-01", name, broken(function, old, new), fails)
        for name, function, old, new, fails in (
            (
                "one officer is enough",
                Workbench.sign,
                "if following is Stage.IN_EFFECT:",
                "if following:",
                "two-officers production",
            ),
            (
                "one officer signs twice",
                Workbench.sign,
                TWICE,
                'database.execute("INSERT OR REPLACE',
                "two-officers",
            ),
            (
                "roles are not asked for",
                Officers.entitled,
                "- officer.roles",
                "- officer.roles - NEEDED_ROLES",
                "roles",
            ),
            (
                "signatures are for what comes later, too",
                Workbench.modify,
                '"DELETE FROM signatures WHERE request = ?"',
                '"SELECT ?"',
                "save-and-modify",
            ),
        )
    ),
)

FORM = tuple(
    sabotage(id_, name, untold(function, code), fails, where, Problem.__init__)
    for id_, name, function, code, fails, where in (
        ("CM-02", "no state is needed", checks._mandatory, "state-missing", INCOMPLETE, "no-state"),
        (
            "CM-03",
            "no answer is needed",
            checks._serial_number,
            "serial-number-missing",
            INCOMPLETE,
            "no-answer",
        ),
        (
            "CM-03",
            "no range is needed",
            checks._serial_number,
            "serial-range-missing",
            "dialog",
            "yes-without",
        ),
        ("CM-03", "numbers of others are taken", checks._range, "serial-range-in-use", "serial-numbers", ""),
        (
            "CM-09",
            "no certificate is needed",
            checks._certificates,
            "certificate-procedures-missing",
            INCOMPLETE,
            "no-certificates",
        ),
    )
)

SAVING = (
    sabotage(
        "CM-13",
        "only what is complete is saved",
        broken(Workbench.save, WRITTEN, CHECKED),
        INCOMPLETE,
        "no-state",
    ),
    sabotage(
        "CM-13",
        "what was saved is not modified",
        nothing_is_modified,
        "save-and-modify",
        near=Workbench.modify,
    ),
    sabotage(
        "CM-13",
        "Modify loses what was entered",
        broken(Workbench.modify, WRITTEN, "text = _written(self.request(id).procedure)"),
        "save-and-modify",
    ),
)

USE = (
    sabotage(
        "CM-02",
        "no name is needed",
        broken(workbench._written, "if not procedure.name:", "if not procedure:"),
        "save-and-modify",
        near=Problem.__init__,
    ),
    sabotage(
        "CM-02",
        "closed ones are used",
        broken(Registration._procedure, "is ProcedureState.CLOSED", "is None"),
        "domains",
        "closed",
        IssuanceRefusedError.__init__,
    ),
    *(
        sabotage(id_, name, broken(function, old, new), fails, where)
        for id_, name, function, old, new, fails, where in (
            (
                "CM-02",
                "subdomains see all",
                TokenProcedure.visible_in,
                "self.visible_in_subdomain and ",
                "",
                "domains",
                "below",
            ),
            (
                "CM-03",
                "ranges in use are not listed",
                Workbench.ranges_in_use,
                "is not None",
                "is None",
                "serial-numbers",
                "",
            ),
            (
                "CM-03",
                "a range gives no numbers",
                Registration._serial,
                TAKEN,
                'return ""',
                "serial-numbers production pin-letters",
                "",
            ),
            (
                "CM-03",
                "any number will do",
                Serials.use,
                "if serial not in numbers:",
                "if not serial:",
                "serial-numbers",
                "",
            ),
            (
                "CM-03",
                "a number is used again",
                Serials.use,
                AGAIN,
                'database.execute("INSERT OR REPLACE',
                "serial-numbers",
                "",
            ),
            (
                "CM-09",
                "recovery with the certificate is not enough",
                checks._certificates,
                " and not _only_reuse(procedure, policy)",
                "",
                "dialog key-procedures",
                "reuse",
            ),
        )
    ),
)

SABOTAGES = (*SIGNATURES, *FORM, *SAVING, *USE)


@pytest.mark.parametrize("sabotage", table(*SABOTAGES))
def test_what_is_missing_shows_in_the_scenarios_that_prove_it(sabotage: Sabotage) -> None:
    check(sabotage)


def test_every_claim_has_its_sabotage() -> None:
    check_complete(["CM-01", "CM-02", "CM-03", "CM-09", "CM-13"], SABOTAGES)
