"""What the verbs of Certificate Manager say where something is wrong."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from cardtwin import targets
from cardtwin.scenario import load, run

if TYPE_CHECKING:
    from cardtwin.scenario import Failure

SCENARIOS = Path(__file__).parents[3] / "scenarios"
PATHS = {
    "policy.ini": SCENARIOS / "certificate-manager" / "policy.ini",
    "token.cpf": SCENARIOS.parent / "profiles" / "cardos-5.3-full.cpf",
    "iD2ppa.cfg": SCENARIOS / "config" / "iD2ppa.cfg",
    "pin-a.crt": SCENARIOS / "keys" / "pin-a.crt",
}
FORMS = """
  broken.ini: |
    [Token procedure Card]
    Storage profile=Smartcard
  procedure.ini: |
    [Token procedure Card]
    Storage profile=Smart Card
"""
WHOLE = """
  whole.ini: |
    [Token procedure Card]
    State=Active
    Storage profile=Smart Card
    Card serial number=No
    PIN procedure=Two letters
    Issuer certificates=Do not store any
    Certificate procedures=Any
"""
FILES = FORMS + "".join(f"  {name}: {{path: '{path}'}}\n" for name, path in PATHS.items())


def failed(scenario: Any, steps: str) -> Failure:
    """Return why a scenario of these steps fails."""
    keys = {"files": FILES, "readers": "{R1: cardos-5.3}", "processes": "{awb: {ppa_config: iD2ppa.cfg}}"}
    (instance,) = load(scenario(steps, **keys))
    step = run(instance, targets.get("emulated")).failed_step
    assert step is not None
    assert step.failure is not None
    failure: Failure = step.failure
    return failure


@pytest.mark.parametrize("before", ["", "- {policy: policy.ini}\n"])
def test_a_token_that_nobody_knows_is_named(scenario: Any, before: str) -> None:
    failure = failed(scenario, f'{before}- {{cm_token: "4711"}}')
    assert failure.message == "Certificate Manager has no token with the card serial number '4711'"


def test_a_token_procedure_that_cannot_be_read_is_refused_with_the_place(scenario: Any) -> None:
    failure = failed(scenario, "- {token_procedure: save, name: Card, dialog: broken.ini}")
    assert "broken.ini:2:17: error" in failure.message
    told = (
        "- {token_procedure: save, name: Card, dialog: broken.ini, expect: {stage: refused, codes: [other]}}"
    )
    assert "codes: [bad-value]" in failed(scenario, told).actual


def test_an_officer_signs_with_a_key_on_a_curve_too(scenario: Any) -> None:
    steps = """\
        - {personalise: token.cpf, secrets: {PIN1: "1234"}}
        - {login: user, pin: "1234"}
        - {pkcs11: C_OpenSession, slotID: 1, flags: [CKF_SERIAL_SESSION, CKF_RW_SESSION], bind: session}
        - pkcs11: C_GenerateKeyPair
          hSession: $(session)
          pMechanism: CKM_EC_KEY_PAIR_GEN
          pPublicKeyTemplate: {CKA_TOKEN: yes, CKA_ID: "72", CKA_EC_PARAMS: 06082A8648CE3D030107}
          pPrivateKeyTemplate: {CKA_TOKEN: yes, CKA_PRIVATE: yes, CKA_ID: "72", CKA_SIGN: yes}
        - {policy: policy.ini}
        - {officer: anna, roles: [Use AWB, Policy tasks], key: {id: "72"}}
        - {token_procedure: save, name: Card, dialog: whole.ini}
        - {token_procedure: ok, name: Card, expect: requested}
        - {token_procedure: sign, name: Card, signer: anna, key: {id: "72"}, expect: signed once}"""
    keys = {"readers": "{R1: cardos-5.3}", "processes": "{awb: {ppa_config: iD2ppa.cfg}}"}
    (instance,) = load(scenario(steps, files=FILES + WHOLE, **keys))
    assert run(instance, targets.get("emulated")).failed_step is None


def test_who_is_no_officer_is_told_who_is_one(scenario: Any) -> None:
    steps = """\
        - {personalise: token.cpf, secrets: {PIN1: "1234"}}
        - {login: user, pin: "1234"}
        - {policy: policy.ini}
        - {token_procedure: save, name: Card, dialog: procedure.ini}
        - {officer: anna, roles: [Use AWB], key: Digital Signature}
        - {token_procedure: sign, name: Card, signer: ann, key: Digital Signature}"""
    assert failed(scenario, steps).message.endswith("officers are anna")


def test_a_key_and_a_certificate_that_are_not_there_are_named(scenario: Any) -> None:
    steps = '- {personalise: token.cpf, secrets: {PIN1: "1234"}}\n- {login: user, pin: "1234"}\n'
    officer = f"{steps}- {{officer: anna, roles: [Use AWB], key: Signing}}"
    assert failed(scenario, officer).message.endswith("no private keys called 'Signing' are to be seen")
    signing = f"{steps}- {{sign: {{id: 4A}}, mechanism: CKM_SHA256_RSA_PKCS, data: 68}}"
    assert failed(scenario, signing).message == "no private keys called 4A are to be seen"
    certificate = f"{steps}- {{read_certificate: Signing}}"
    assert failed(scenario, certificate).message == "no certificates called 'Signing' are to be seen"


def test_digital_access_is_told_which_cas_there_are(scenario: Any) -> None:
    steps = "- {policy: policy.ini}\n- administer: {authorities: {Company: {ca: Our CA}}}"
    told = "Certificate Manager has no CA 'Our CA'; there are Issuing CA, Partners CA"
    assert failed(scenario, steps).message == told


@pytest.mark.parametrize(
    ("removed", "told"),
    [
        ("methods: [Card]", "there is no authentication method 'Card'"),
        ("users: [jane]", "there is no user account 'jane'"),
    ],
)
def test_what_the_draft_does_not_have_is_not_removed(scenario: Any, removed: str, told: str) -> None:
    assert failed(scenario, f"- administer: {{remove: {{{removed}}}}}").message == told


def test_what_another_ca_has_issued_is_not_revoked(scenario: Any) -> None:
    steps = """\
        - {personalise: token.cpf, secrets: {PIN1: "1234"}}
        - {login: user, pin: "1234"}
        - {certify: Digital Signature, authority: Company}
        - administer: {authorities: {Employees: {ca: Issuing CA}}}
        - {revoke: Digital Signature, authority: Employees}"""
    told = "the certificate is of 'CN=Company issuing CA', which alone revokes it"
    assert failed(scenario, steps).message == told


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ('name: ""', "1 to 64 characters"),
        ("emails: [jane@example.com, Jane <jane@example.com>]", "is no e-mail address in a certificate"),
    ],
)
def test_a_holder_whom_no_certificate_can_name_is_told(scenario: Any, wrong: str, told: str) -> None:
    steps = f"""\
        - {{personalise: token.cpf, secrets: {{PIN1: "1234"}}}}
        - {{login: user, pin: "1234"}}
        - {{certify: Digital Signature, authority: Company, {wrong}}}"""
    assert told in failed(scenario, steps).message


def test_a_phone_s_user_whom_no_certificate_can_name_is_told(scenario: Any) -> None:
    steps = """\
        - administer:
            external: {name: access.example.com}
            servers: [main]
            users: {jane: {personal: yes}}
        - {publish: draft}
        - {deliver_profile: jane}
        - {phone: P, does: activate, profile: jane, authority: Company, emails: [Jane <j@example.com>]}"""
    assert "is no e-mail address in a certificate" in failed(scenario, steps).message


def test_a_ca_of_certificate_manager_does_not_become_one_of_the_site(scenario: Any) -> None:
    steps = """\
        - administer: {authorities: {Employees: {ca: Issuing CA}}}
        - administer: {authorities: {Employees: {ca: Issuing CA, trust: root}}}
        - administer: {authorities: {Employees: {trust: root}}}"""
    told = "'Employees' is a CA of another system, which issues certificates by itself"
    assert failed(scenario, steps).message == told


def test_the_number_of_results_is_quoted_as_it_is_written(scenario: Any) -> None:
    with pytest.raises(Exception, match=r"expect: \{count: 1\}"):
        load(scenario("- {find: {}, expect: {count: 1}, by: nobody}", readers="{R1: cardos-5.3}"))
