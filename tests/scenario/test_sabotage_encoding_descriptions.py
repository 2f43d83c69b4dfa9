"""Scenarios of encoding descriptions fail where a behaviour is missing that they prove, and no others do."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import pytest

from cardtwin.encoding import engine, forms, initialisation, keywords
from cardtwin.encoding.checks import values
from cardtwin.encoding.job import Job
from cardtwin.encoding.parser import _Reader
from cardtwin.encoding.run import COMMANDS
from cardtwin.middleware import EraseRefusedError
from cardtwin.middleware.eraser import erase
from cardtwin.source import SourceText
from support.sabotage import Patch, Sabotage, check, check_complete, rewrite, table, unnoticed

if TYPE_CHECKING:
    from collections.abc import Callable

    from cardtwin.encoding.keywords import Keyword, SectionKind
    from cardtwin.encoding.run import Run

IDS: Final = ("ENC-01", "ENC-02", "ENC-03", "ENC-04", "ENC-05", "ENC-06", "ENC-27", "ENC-29")


# ENC-01: sections, fields and comments


def comments_are_read(patch: Patch) -> None:
    rewrite(patch, _Reader._ini, 'comments="#"', 'comments=";"')


def anything_goes(patch: Patch) -> None:
    rewrite(patch, _Reader._unknown, "self.diagnostics.error if self._strict else ", "")


# ENC-02, ENC-06, ENC-29, and parts of others: what is refused


def _passes(code: str, words: str = "") -> Callable[[Patch], None]:
    return lambda patch: unnoticed(patch, code, words)


# ENC-03: InitToken and ChipProfile


def the_first_profile(patch: Patch) -> None:
    rewrite(
        patch,
        initialisation._profile,
        'run.job.attachment(run.scope.text(run.scope.setting("ChipProfile")))',
        "next(iter(run.job.attachments.values()))",
    )


def left_in_silence(patch: Patch) -> None:
    def quietly(carry_out: Callable[[Run], None]) -> Callable[[Run], None]:
        def carried_out(run: Run) -> None:
            with suppress(EraseRefusedError):
                carry_out(run)

        return carried_out

    changed = (
        replace(each, carry_out=quietly(each.carry_out)) if each.name == "InitToken" else each
        for each in COMMANDS
    )
    patch.setattr(engine, "COMMANDS", list(changed))


def without_the_manager(patch: Patch) -> None:
    profile = initialisation._profile

    def shorter(run: Run) -> SourceText:
        found = profile(run)
        lines = [line for line in found.text.split("\n") if not line.startswith("X_Pin MAN")]
        return SourceText(found.name, "\n".join(lines))

    patch.setattr(initialisation, "_profile", shorter)


# ENC-04, ENC-05: profile parameters


def base64_stays(patch: Patch) -> None:
    rewrite(
        patch,
        initialisation._parameters,
        "decode_parameter(run.job.value(field))",
        "run.job.text(field).encode()",
    )


def anything_is_base64(patch: Patch) -> None:
    rewrite(patch, values.decode_parameter, 'raise ValueError("no Base64") from None', "return text")


def missing_too_late(patch: Patch) -> None:
    rewrite(patch, values._parameters, "_value(scope, setting, field)", "_peek(scope, field)")


# ENC-27: case


def keywords_as_documented(patch: Patch) -> None:
    find = keywords.find

    def exactly(section: SectionKind, name: str) -> Keyword | None:
        found = find(section, name)
        return found if found is not None and name in {found.name, *found.aliases} else None

    patch.setattr(keywords, "find", exactly)


def fields_as_declared(patch: Patch) -> None:
    rewrite(
        patch,
        forms.Cell.field,
        "is not None:",
        "is not None and declared.name == name:",
    )


# ENC-29: a card profile


def any_profile_will_do(patch: Patch) -> None:
    unnoticed(patch, "missing-profile")
    unnoticed(patch, "profile-not-attached")
    patch.setattr(Job, "attachment", lambda self, _: next(iter(self.attachments.values())))


def _fails(scenarios: str) -> frozenset[str]:
    return frozenset(name if "/" in name else f"encoding/{name}" for name in scenarios.split())


SABOTAGES: Final = tuple(
    Sabotage(id_, name, patch, _fails(scenarios), near=near)
    for id_, name, patch, scenarios, near in (
        ("ENC-01", "comments are read", comments_are_read, "init-token structure", None),
        ("ENC-01", "unknown sections and keywords pass", anything_goes, "refused structure", None),
        ("ENC-01", "undeclared fields pass", _passes("undeclared-field"), "refused structure", None),
        ("ENC-01", "a section twice passes", _passes("duplicate-section"), "structure", None),
        ("ENC-02", "other library keywords pass", _passes("library-keyword"), "middleware/library", None),
        ("ENC-03", "the first attached file is taken", the_first_profile, "chip-profile", None),
        ("ENC-03", "what nobody may erase is left in silence", left_in_silence, "init-again", erase),
        ("ENC-03", "the manager's PIN is left out", without_the_manager, "init-token", None),
        ("ENC-03", "a token is made and deleted", _passes("delete-and-init"), "refused", None),
        ("ENC-04", "parameters stay Base64", base64_stays, "parameters", forms._field_list),
        ("ENC-04", "what is no Base64 passes", anything_is_base64, "parameters-refused", None),
        (
            "ENC-04",
            "a missing value is found too late",
            missing_too_late,
            "values-missing",
            forms._field_list,
        ),
        (
            "ENC-05",
            "a parameter goes first",
            _passes("duplicate-assignment", "by the profile parameter"),
            "profile/assignment",
            None,
        ),
        ("ENC-06", "reserved names pass", _passes("reserved-parameter"), "parameters-refused", None),
        (
            "ENC-27",
            "keywords in one case only",
            keywords_as_documented,
            "init-token keyword-case security-officer card-serial-p10-p12 certificate-manager/production",
            None,
        ),
        ("ENC-27", "fields in one case only", fields_as_declared, "init-token keyword-case", None),
        ("ENC-27", "a keyword twice passes", _passes("duplicate-keyword"), "refused", None),
        ("ENC-29", "any attached file is taken", any_profile_will_do, "chip-profile refused", None),
    )
)


@pytest.mark.parametrize("sabotage", table(*SABOTAGES))
def test_what_is_missing_shows_in_the_scenarios_that_prove_it(sabotage: Sabotage) -> None:
    check(sabotage)


def test_every_claim_has_its_sabotage() -> None:
    check_complete(IDS, SABOTAGES)
