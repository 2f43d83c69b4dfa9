"""Scenarios of cards in production fail where a behaviour is missing that they prove, and no others do."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Final

import pytest

from cardtwin.encoding import engine, finalisation, initialisation, keywords, production, selection
from cardtwin.encoding.applications import command, delivered, registry, requests
from cardtwin.encoding.checks import Scope
from cardtwin.encoding.run import COMMANDS, Run
from cardtwin.middleware import MiddlewareError
from support.sabotage import Patch, Sabotage, check, check_complete, rewrite, table, unnoticed

if TYPE_CHECKING:
    from collections.abc import Callable

    from cardtwin.encoding.job import Job
    from cardtwin.encoding.keywords import Keyword, SectionKind
    from cardtwin.encoding.token import TokenMiddleware

IDS: Final = tuple(f"ENC-{number}" for number in (*range(14, 27), 28))
_CHIP: Final = "useChipSerialAsIccsn"


def _edits(function: Callable[..., object], old: str, new: str) -> Callable[[Patch], None]:
    return lambda patch: rewrite(patch, function, old, new)


# ENC-14, ENC-15, ENC-16: the card serial number, and what Certificate Manager is told


def no_number_for_certificates(patch: Patch) -> None:
    patch.setattr(registry.ApplicationRun, "serial", property(lambda _: ""))


def refused_in_silence(patch: Patch) -> None:
    def quietly(carry_out: Callable[[Run], None]) -> Callable[[Run], None]:
        def carried_out(run: Run) -> None:
            with suppress(MiddlewareError):
                carry_out(run)

        return carried_out

    changed = (
        replace(each, carry_out=quietly(each.carry_out)) if each.name == "CMSCardSerialNumber" else each
        for each in COMMANDS
    )
    patch.setattr(engine, "COMMANDS", list(changed))


def the_operator_logs_in(patch: Patch) -> None:
    rewrite(
        patch,
        initialisation._administrative_login,
        "if operator_pin_logs_in(run) else",
        'if run.given("Operator_PIN") else',
    )


# ENC-17 to ENC-21: the ICCSN


def numbers_without_alias(patch: Patch) -> None:
    find = keywords.find

    def known(section: SectionKind, name: str) -> Keyword | None:
        return None if name.casefold() == "iccsnfield" else find(section, name)

    patch.setattr(keywords, "find", known)


class Without(Scope):
    """A description in which useChipSerialAsIccsn has no effect, always or with the ATR."""

    def flag(self, name: str) -> bool:
        return name != _CHIP and super().flag(name)

    @classmethod
    def of(cls, scope: Scope) -> Without:
        return cls(*(getattr(scope, each.name) for each in fields(scope)))

    @classmethod
    def if_with_atr(cls, scope: Scope) -> Scope:
        return cls.of(scope) if scope.flag("UseICCSNwithATR") else scope


def _selected(seen: Callable[[Scope], Scope]) -> Callable[[Patch], None]:
    with_number = selection._with_number

    def found(readers: list[str], job: Job, scope: Scope, middleware: TokenMiddleware) -> list[str]:
        return with_number(readers, job, seen(scope), middleware)

    return lambda patch: patch.setattr(selection, "_with_number", found)


def _all(seen: Callable[[Scope], Scope]) -> Callable[[Patch], None]:
    def found(scope: Scope, middleware: TokenMiddleware) -> str:
        return selection.all_card_numbers(seen(scope), middleware)

    return lambda patch: patch.setattr(engine, "all_card_numbers", found)


def number_of_the_token(patch: Patch) -> None:
    def found(middleware: TokenMiddleware, reader: str, scope: Scope) -> str:
        return selection.card_number(middleware, reader, Without.of(scope))

    patch.setattr(finalisation, "card_number", found)


def nothing_where_nothing_is_overridden(patch: Patch) -> None:
    number = selection.card_number

    def found(middleware: TokenMiddleware, reader: str, scope: Scope) -> str:
        own = number(middleware, reader, scope)
        same = scope.flag(_CHIP) and own == number(middleware, reader, Without.of(scope))
        return "" if same else own

    patch.setattr(selection, "card_number", found)
    patch.setattr(finalisation, "card_number", found)


def _fails(scenarios: str) -> frozenset[str]:
    return frozenset(name if "/" in name else f"encoding/{name}" for name in scenarios.split())


SABOTAGES: Final = tuple(
    Sabotage(id_, name, patch, _fails(scenarios), where, near)
    for id_, name, patch, scenarios, where, near in (
        (
            "ENC-14",
            "no number reaches the certificates",
            no_number_for_certificates,
            "card-serial-p10-p12 certificate-manager/production",
            "",
            None,
        ),
        (
            "ENC-14",
            "each use has a number of its own",
            _edits(Run.serial_of, "self.fields[setting.value.name] = serial", "pass"),
            "card-serial-p10-p12 certificate-manager/production",
            "",
            None,
        ),
        (
            "ENC-15",
            "the operator logs in for it",
            the_operator_logs_in,
            "card-serial-p10-p12 certificate-manager/production",
            "",
            None,
        ),
        (
            "ENC-15",
            "a refusal is passed over",
            refused_in_silence,
            "serial-number",
            "",
            initialisation._write_serial,
        ),
        (
            "ENC-16",
            "Certificate Manager is told nothing",
            _edits(production._produces, "told and bool(card_serial(run))", "False"),
            "application-list card-serial-p10-p12 certificate-manager/production",
            "",
            initialisation.card_serial,
        ),
        (
            "ENC-17",
            "the number is not written",
            _edits(
                initialisation._write_serial,
                "run.middleware.set_serial(run.reader, serial, _administrative_login(run))",
                "pass",
            ),
            "serial-number serial-selection card-serial-p10-p12 certificate-manager/production",
            "",
            None,
        ),
        (
            "ENC-18",
            "not for the active card",
            number_of_the_token,
            "serial-number serial-selection",
            "",
            None,
        ),
        ("ENC-19", "not for selecting", _selected(Without.of), "serial-selection", "", None),
        (
            "ENC-19",
            "not for selecting with the ATR",
            _selected(Without.if_with_atr),
            "serial-selection",
            "with-atr",
            None,
        ),
        ("ENC-20", "not for all cards", _all(Without.of), "serial-selection", "", None),
        (
            "ENC-20",
            "not for all cards with the ATR",
            _all(Without.if_with_atr),
            "serial-selection",
            "with-atr",
            None,
        ),
        (
            "ENC-21",
            "nothing where nothing is overridden",
            nothing_where_nothing_is_overridden,
            "serial-number serial-selection",
            "",
            selection.card_number,
        ),
        (
            "ENC-22",
            "the certificate is not the key's",
            _edits(requests._request, "identifier=pair.identifier", "identifier=b'other'"),
            (
                "card-serial-p10-p12 certificates-and-data signature-slot-application "
                "certificate-manager/production"
            ),
            "",
            None,
        ),
        (
            "ENC-22",
            "any key of the class is taken",
            _edits(requests._pair, "session.find(*criteria(terms))", "session.find(criteria(terms)[0])[-1:]"),
            "application-list",
            "",
            None,
        ),
        (
            "ENC-23",
            "what is delivered is not written",
            _edits(delivered._write_p12, 'write_delivered(run.session, delivered, "", made)', "pass"),
            "application-list card-serial-p10-p12",
            "",
            None,
        ),
        (
            "ENC-24",
            "the field is not read",
            _edits(command._applications, "run.scope.job)", "None)"),
            "application-list",
            "",
            None,
        ),
        (
            "ENC-25",
            "archived keys have no number",
            _edits(delivered._request, "run.serial,", '"",'),
            "card-serial-p10-p12",
            "",
            None,
        ),
        (
            "ENC-25",
            "another template",
            _edits(requests._request, 'run.text("CertTempl")', '"encryption"'),
            "certificate-manager/production",
            "",
            None,
        ),
        (
            "ENC-26",
            "the profile's label stays",
            _edits(
                initialisation._label, "run.job.text(setting.value) or None if setting is not None else ", ""
            ),
            "card-serial-p10-p12 init-token label",
            "",
            None,
        ),
        (
            "ENC-26",
            "a label of any length passes",
            lambda patch: unnoticed(patch, "label-too-long"),
            "label-refused",
            "",
            None,
        ),
        (
            "ENC-28",
            "iccsnfield is unknown",
            numbers_without_alias,
            "serial-number card-serial-p10-p12 certificate-manager/production key-generation/batch",
            "",
            finalisation._read_iccsn,
        ),
        (
            "ENC-28",
            "a criterion always selects",
            _edits(
                selection.select_reader,
                'scope.flag("UseSelectCriteriaIccsn")',
                'scope.setting("SelectCriteriaIccsn")',
            ),
            "serial-selection",
            "",
            selection._with_number,
        ),
    )
)


@pytest.mark.parametrize("sabotage", table(*SABOTAGES))
def test_what_is_missing_shows_in_the_scenarios_that_prove_it(sabotage: Sabotage) -> None:
    check(sabotage)


def test_every_claim_has_its_sabotage() -> None:
    check_complete(IDS, SABOTAGES)
