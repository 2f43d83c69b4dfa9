"""Scenarios of issued tokens fail where a behaviour is missing that they prove, and no others do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from cardtwin.issuance.manager import IssuerCertificates, Problem, checks, issuers, issuing, pins, selection
from cardtwin.issuance.manager.issuing import Issue, Registration
from cardtwin.issuance.manager.model import InputView
from support.broken import broken, in_folder, untold
from support.sabotage import Patch, Sabotage, check, check_complete, table

if TYPE_CHECKING:
    from collections.abc import Callable

INCOMPLETE = "dialog save-and-modify"
RECOVERED = """certificate = self.certify(recovered.key.public_key(), procedure.usage)
        self._give(certificate, recovered.key)"""
FOREIGN = "not foreign or procedure.recovered_cas"
MATCHING_ALL = "in (frozenset(), EVERY_USAGE)"


def storing(policy: IssuerCertificates, stored: Callable[..., Any]) -> Callable[[Patch], None]:
    """Return what lets a policy for issuer certificates store others of a chain."""
    return lambda patch: patch.setattr(issuers._STORED[policy], "__code__", stored.__code__)


def short_default(patch: Patch) -> None:
    patch.setattr(issuing, "DEFAULT_VIEW", InputView("default", ("Common name", "E-mail")))


sabotage = in_folder("certificate-manager")

FORM = (
    sabotage(
        "CM-05",
        "any key procedure will do",
        broken(checks._keys, "policy.key_procedures", "procedure.key_procedures"),
        "dialog",
        "unknown-key",
        Problem.__init__,
    ),
    *(
        sabotage(id_, name, untold(function, code), fails, where, Problem.__init__)
        for id_, name, function, code, fails, where in (
            (
                "CM-04",
                "no PIN procedure is needed",
                checks._pins,
                "pin-procedure-missing",
                INCOMPLETE,
                "no-pin",
            ),
            (
                "CM-06",
                "no policy is needed",
                checks._issuers,
                "issuer-certificates-missing",
                INCOMPLETE,
                "no-issuer",
            ),
            (
                "CM-07",
                "it applies with none, too",
                checks._issuers,
                "recovered-cas-unavailable",
                "dialog",
                "cas-none",
            ),
            ("CM-08", "a file has a PIN", checks._pins, "pin-procedure-unavailable", "dialog", "file-pin"),
            ("CM-08", "a file has keys", checks._keys, "key-procedures-unavailable", "dialog", "file-keys"),
            (
                "CM-08",
                "a file has issuers",
                checks._issuers,
                "issuer-certificates-unavailable",
                "dialog",
                "file-issuers",
            ),
            (
                "CM-08",
                "a file has certificates",
                checks._certificates,
                "certificate-procedures-unavailable",
                "dialog",
                "file-certificates",
            ),
            (
                "CM-08",
                "a file is empty",
                checks._attributes,
                "attribute-procedures-missing",
                "dialog",
                "file-alone",
            ),
            ("CM-14", "any input view will do", checks._view, "unknown-input-view", "dialog", "unknown-view"),
        )
    ),
)

ISSUER_CERTIFICATES = tuple(
    sabotage("CM-06", name, storing(policy, stored), "issuer-certificates", where)
    for name, policy, stored, where in (
        ("the root is the issuing CA", IssuerCertificates.ROOT, lambda chain: chain[:1], "root"),
        ("the issuing CA is the root", IssuerCertificates.ISSUING, lambda chain: chain[-1:], "issuing"),
        ("all is the issuing CA", IssuerCertificates.ALL, lambda chain: chain[:1], "all"),
        ("none is all", IssuerCertificates.NONE, lambda _chain: _chain, "none"),
    )
)

ISSUING = (
    sabotage(
        "CM-14",
        "the default input view has few fields",
        short_default,
        "input-view",
        "default",
        Registration.input_view,
    ),
    *(
        sabotage(id_, name, broken(function, old, new), fails, where)
        for id_, name, function, old, new, fails, where in (
            (
                "CM-04",
                "letters hold all",
                pins.letters,
                "rule.distribution is Distribution.LETTER",
                "name in secrets",
                "pin-letters pin-procedures",
                "letters",
            ),
            (
                "CM-04",
                "the holder chooses any PIN",
                pins._checked,
                "not rule.shortest <= len(secret) <= rule.longest",
                "not rule",
                "pin-procedures",
                "short",
            ),
            (
                "CM-05",
                "the recovered key is a new one",
                Issue._recover,
                RECOVERED,
                "self.archive_new(procedure)",
                "key-procedures",
                "new",
            ),
            (
                "CM-05",
                "keys of namesakes are recovered",
                Issue._is_holder_of,
                "owner.is_same(Holder.of_fields(self._request.fields))",
                "bool(owner)",
                "key-procedures",
                "",
            ),
            (
                "CM-07",
                "they are always stored",
                issuers.issuer_certificates,
                FOREIGN,
                "certificate",
                "issuer-certificates",
                "all-no",
            ),
            (
                "CM-07",
                "they are never stored",
                issuers.issuer_certificates,
                FOREIGN,
                "not foreign",
                "issuer-certificates",
                "issuing-yes",
            ),
            (
                "CM-08",
                "no attribute certificates are issued",
                Issue._attributes,
                "in self._procedure.attribute_procedures",
                "in ()",
                "attribute-certificates",
                "",
            ),
            (
                "CM-10",
                "the last one without key usage",
                selection.select,
                "return procedures[0]",
                "return procedures[-1]",
                "key-usage production",
                "no-usage",
            ),
            (
                "CM-11",
                "the last one that matches",
                selection.select,
                "for procedure in procedures:",
                "for procedure in reversed(procedures):",
                "key-usage",
                "twice",
            ),
            (
                "CM-11",
                "the first one, whatever it is for",
                selection.select,
                "if not usage:",
                "if procedures:",
                "key-usage key-procedures",
                "second",
            ),
            (
                "CM-12",
                "no key usage matches nothing",
                selection.select,
                MATCHING_ALL,
                "in (EVERY_USAGE,)",
                "key-usage",
                "any-else",
            ),
            (
                "CM-12",
                "every key usage matches itself",
                selection.select,
                MATCHING_ALL,
                "in (frozenset(),)",
                "key-usage",
                "every-else",
            ),
            (
                "CM-14",
                "the input view is not looked at",
                Registration.input_view,
                "procedure.input_view, DEFAULT_VIEW",
                '"", DEFAULT_VIEW',
                "input-view",
                "own",
            ),
        )
    ),
)

SABOTAGES = (*FORM, *ISSUER_CERTIFICATES, *ISSUING)


@pytest.mark.parametrize("sabotage", table(*SABOTAGES))
def test_what_is_missing_shows_in_the_scenarios_that_prove_it(sabotage: Sabotage) -> None:
    check(sabotage)


def test_every_claim_has_its_sabotage() -> None:
    check_complete([f"CM-{number:02}" for number in (4, 5, 6, 7, 8, 10, 11, 12, 14)], SABOTAGES)
