"""Cards produced by encodings, as Certificate Manager knows them afterwards."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import pkcs12

from cardtwin.encoding import AuthorityError, Engine, ServerSide
from cardtwin.entropy import SeededEntropy
from cardtwin.issuance.manager import KeyUsage, Production
from cardtwin.middleware import Installation, PersonalDesktopClient
from cardtwin.plan import Secret, SecretName
from cardtwin.plan.cms import CmsPinBlobCodec
from cardtwin.targets.programs import EmulatedProgram
from support.encodings import job
from support.managers import PASSPHRASE, Office, office, request_for
from support.programs import PIN, Desk

if TYPE_CHECKING:
    from collections.abc import Iterator

SIGN = frozenset({KeyUsage.DIGITAL_SIGNATURE})
SECRETS = {SecretName.PIN1: Secret.of("271828"), SecretName.PUK: Secret.of("31415926")}

APPLICATIONS = """
[Application_A]
CertTempl=Card
CardSerialNumberField=SERIAL
ObjectCriteria=CKO_PUBLIC_KEY,CKA_LABEL,string,"Digital Signature"

[Application_B]
CertTempl=Card
CardSerialNumberField=SERIAL
KeyArchivalRequest=true
WriteP12Data=true
Certificate=P12
P12PASSWORD=#a password
"""


@pytest.fixture
def ra() -> Iterator[Office]:
    for found in office():
        found.put_in_effect()
        yield found


def produced(ra: Office) -> Production:
    return Production(ra.store, ra.manager, "Card", "Jane")


def number_of(certificate: x509.Certificate) -> str:
    return str(certificate.subject.get_attributes_for_oid(x509.NameOID.SERIAL_NUMBER)[0].value)


def test_request_and_archived_key_of_one_serial_number_are_one_token_s(ra: Office) -> None:
    production = produced(ra)
    serial = production.new_serial()
    first = x509.load_der_x509_certificate(production.issue(request_for(SIGN), "Card", serial))
    file = production.issue_archived("Card", serial, PASSPHRASE, 2048)
    _, second, _ = pkcs12.load_key_and_certificates(file, PASSPHRASE.reveal())
    assert second is not None
    production.produced(serial, SECRETS)
    assert ra.manager.authority.of_token(serial) == (first, second)
    assert [number_of(found) for found in (first, second)] == [serial, serial]
    assert ra.manager.archive.secrets(serial) == SECRETS


def test_secrets_are_set_for_a_card_that_has_no_certificate_yet(ra: Office) -> None:
    produced(ra).produced("1500", SECRETS)
    assert ra.manager.archive.secrets("1500") == SECRETS
    produced(ra).produced("1500", {SecretName.PIN1: Secret.of("999999")})
    assert ra.manager.archive.secrets("1500")[SecretName.PIN1] == Secret.of("999999")


@pytest.mark.parametrize("serial", ["", "2000", "15"])
def test_a_card_outside_the_procedure_s_range_has_no_token(ra: Office, serial: str) -> None:
    with pytest.raises(AuthorityError):
        produced(ra).produced(serial, SECRETS)

    assert ra.manager.archive.secrets(serial) == {}


def test_a_number_of_another_holder_s_token_gets_nothing_of_its_own(ra: Office) -> None:
    produced(ra).issue(request_for(SIGN), "Card", "1500")
    produced(ra).produced("1501", SECRETS)
    before = tuple(ra.store.database.iterdump())

    for serial in ("1500", "1501"):
        other = Production(ra.store, ra.manager, "Card", "John")

        with pytest.raises(AuthorityError, match="another holder's: give the card a new number"):
            other.issue(request_for(SIGN), "Card", serial)

        with pytest.raises(AuthorityError, match="another holder's"):
            other.produced(serial, {SecretName.PIN1: Secret.of("999999")})

    assert tuple(ra.store.database.iterdump()) == before


@pytest.mark.parametrize("field", ["Organisation", "E-mail"])
def test_a_number_of_a_namesake_s_token_gets_nothing(ra: Office, field: str) -> None:
    values: tuple[dict[str, str], ...] = ({field: "one@example.com"}, {field: "two@example.com"}, {})
    first, *others = (Production(ra.store, ra.manager, "Card", "Jane", fields=fields) for fields in values)
    first.issue(request_for(SIGN), "Card", "1500")
    first.produced("1501", SECRETS)

    for serial in ("1500", "1501"):
        for other in others:
            with pytest.raises(AuthorityError, match="another holder's"):
                other.issue(request_for(SIGN), "Card", serial)

        first.issue(request_for(SIGN), "Card", serial)


def test_what_certificate_manager_refuses_is_the_encoding_s_error_and_leaves_nothing(ra: Office) -> None:
    production = produced(ra)
    before = tuple(ra.store.database.iterdump())
    consent = request_for(frozenset({KeyUsage.NON_REPUDIATION}))

    for asked in (("Card", "1000", consent), ("Other", "1000", request_for(SIGN)), ("Card", "9", b"broken")):
        template, serial, request = asked

        with pytest.raises(AuthorityError):
            production.issue(request, template, serial)

    assert tuple(ra.store.database.iterdump()) == before


def test_an_encoding_makes_one_token_with_one_serial_number_of_the_range(ra: Office) -> None:
    desk, production = Desk("cardos-5.3"), produced(ra)
    client = PersonalDesktopClient(
        desk.manager.context(), Installation(), entropy=SeededEntropy("client"), codec=CmsPinBlobCodec()
    )
    engine = Engine(
        lambda _: client,
        programs=lambda _: EmulatedProgram(lambda: desk.program().application, desk.hub, "java.exe"),
        server=ServerSide(production, production),
    )
    values: dict[str, str | Secret | None] = {"PIN": PIN, "SERIAL": "1234", "P12": ""}
    outcome = engine.run(job("PIN=PIN\n", values, read="P12", more=APPLICATIONS))
    assert outcome.error is None
    assert [number_of(found) for found in ra.manager.authority.of_token("1234")] == ["1234", "1234"]


def test_what_else_was_entered_for_the_holder_is_in_the_certificates(ra: Office) -> None:
    production = Production(ra.store, ra.manager, "Card", "Jane", fields={"E-mail": "jane@example.com"})
    certificate = x509.load_der_x509_certificate(production.issue(request_for(SIGN), "Card", "1000"))
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.RFC822Name) == ["jane@example.com"]
    assert certificate.subject.rfc4514_string() == "2.5.4.5=1000,CN=Jane"


def test_the_holder_is_the_common_name_whatever_else_was_entered(ra: Office) -> None:
    production = Production(ra.store, ra.manager, "Card", "Jane", fields={"Common name": "John"})
    certificate = x509.load_der_x509_certificate(production.issue(request_for(SIGN), "Card", "1000"))
    assert certificate.subject.rfc4514_string() == "2.5.4.5=1000,CN=Jane"


def test_what_the_input_view_does_not_show_produces_nothing(ra: Office) -> None:
    production = Production(ra.store, ra.manager, "Card", "Jane", fields={"Colour": "red"})

    with pytest.raises(AuthorityError, match="Colour"):
        production.issue(request_for(SIGN), "Card", "1000")


def test_a_token_s_certificates_are_those_that_were_issued_under_its_number(ra: Office) -> None:
    production = produced(ra)
    issued = [
        x509.load_der_x509_certificate(production.issue(request_for(SIGN), "Card", serial))
        for serial in ("1000", "1001", "1000")
    ]
    assert production.certificates("1000") == (issued[0], issued[2])
    assert production.certificates("") == ()
    assert all(production.has_issued(certificate) for certificate in issued)
    ra.manager.revocation.revoke(issued[0])
    assert production.has_issued(issued[0])
    assert not production.has_issued(ra.manager.authority.ca("Root CA").certificate)
