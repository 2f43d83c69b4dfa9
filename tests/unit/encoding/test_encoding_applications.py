"""Encoding applications all the way down: descriptions, PKCS#11, an emulated card, an authority."""

from __future__ import annotations

import base64

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, pkcs12

from cardtwin.cryptoki.constants import Cka, Ckm, Cku
from cardtwin.cryptoki.values import Mechanism
from cardtwin.encoding import ApplicationError, AuthorityError, Engine, FunctionFailedError, ServerSide
from cardtwin.issuance import LocalAuthority, Template
from cardtwin.middleware import Ckr
from cardtwin.plan import Secret, SecretName
from support.applications import LOGIN, MODELS, P10, Office, b64, certificates, private_key
from support.encodings import certificate
from support.encodings import rsa_key as key_called
from support.programs import PIN, PUK, SIGN_PIN, SIGNATURE
from support.rig import CURVE_KEY, full_card
from support.tokens import READER

P12 = (
    "[Application_B]\nCertTempl=Encrypt\nCardSerialNumberField=SERIAL\nKeyArchivalRequest=true\n"
    "WriteP12Data=true\nCertificate=P12\nP12PASSWORD=PW\n"
)


def serial_of(found: x509.Certificate) -> str:
    (name,) = found.subject.get_attributes_for_oid(x509.NameOID.SERIAL_NUMBER)
    return str(name.value)


@pytest.mark.parametrize("model", MODELS)
def test_p10_requests_a_certificate_for_the_key_that_criteria_name(model: str) -> None:
    office = Office(model)
    outcome = office.run(LOGIN, P10)
    assert outcome.error is None
    program = office.look()
    (found,) = certificates(program)
    assert serial_of(found) == "4711"
    assert found.issuer == office.authority.issuing.subject
    found.verify_directly_issued_by(office.authority.issuing)
    session = program.user_session()
    signature = program.sign(
        session, private_key(program, session, found), Mechanism(Ckm.CKM_SHA256_RSA_PKCS), b"x"
    )
    public = found.public_key()
    assert isinstance(public, rsa.RSAPublicKey)
    public.verify(signature, b"x", padding.PKCS1v15(), SHA256())


@pytest.mark.parametrize("model", MODELS)
def test_p12_puts_an_archived_key_and_its_certificate_on_the_card(model: str) -> None:
    office = Office(model)
    outcome = office.run(LOGIN, P12, {"P12": ""})
    assert outcome.error is None
    program = office.look()
    (found,) = certificates(program)
    assert serial_of(found) == "4711"
    ((key, _, _),) = office.authority.archived(serial_of(found))
    assert key is not None
    session = program.user_session()
    handle = private_key(program, session, found)
    assert (
        int.from_bytes(program.read(session, handle, Cka.CKA_MODULUS)) == key.public_key().public_numbers().n
    )
    given = str(outcome.fields["P12"])
    loaded = pkcs12.load_key_and_certificates(base64.b64decode(given), b"secret")
    assert loaded[1] == found


def test_a_delivered_p12_is_written_and_the_authority_not_asked() -> None:
    office = Office()
    key, cert = key_called("p12"), certificate("p12")
    content = pkcs12.serialize_key_and_certificates(
        b"x", key, cert, [office.authority.issuing], BestAvailableEncryption(b"secret")
    )
    outcome = office.run(LOGIN, P12, {"P12": b64(content)})
    assert outcome.error is None
    assert office.authority.issued == ()
    program = office.look()
    assert set(certificates(program)) == {cert, office.authority.issuing}
    session = program.user_session()
    assert private_key(program, session, cert)


def test_the_same_p12_twice_leaves_one_key_and_one_certificate() -> None:
    office = Office()
    content = pkcs12.serialize_key_and_certificates(
        b"x", key_called("p12"), certificate("p12"), None, BestAvailableEncryption(b"secret")
    )
    assert office.run(LOGIN, P12, {"P12": b64(content)}).error is None
    assert office.run(LOGIN, P12, {"P12": b64(content)}).error is None
    assert certificates(office.look()) == [certificate("p12")]


def test_a_renewed_certificate_takes_the_place_of_the_old_one() -> None:
    office = Office()
    assert office.run(LOGIN, P10).error is None
    assert office.run(LOGIN, P10, {"SERIAL": "4712"}).error is None
    (found,) = certificates(office.look())
    assert serial_of(found) == "4712"


def test_one_serial_number_is_on_card_certificates_and_token_from_certificate_manager() -> None:
    office = Office(blank=True)
    settings = (
        "InitToken=true\nChipProfile=token.cpf\nInitialPUK=PUK\nCMSCardSerialNumber=SERIAL\nICCSN=NUMBER\n"
    )
    outcome = office.run(f"{settings}{LOGIN}", f"{P10}{P12}", {"SERIAL": "", "P12": "", "NUMBER": ""})
    assert outcome.error is None
    assert outcome.fields["SERIAL"] == outcome.fields["NUMBER"] == "900001"
    assert office.client().card_number(READER) == "900001"
    assert [serial_of(found) for found in office.authority.issued] == ["900001", "900001"]
    assert office.tokens.serials() == ("900001",)
    assert office.tokens.secrets("900001") == {
        SecretName.PIN1: PIN,
        SecretName.PIN2: SIGN_PIN,
        SecretName.PUK: PUK,
    }


def test_without_init_token_no_secrets_are_told() -> None:
    office = Office()
    assert office.run(LOGIN, P10).error is None
    assert office.tokens.serials() == ()


@pytest.mark.parametrize(
    ("settings", "applications"),
    [
        ("ApplicationList=A\n", ["Sign"]),
        ("ApplicationListField=LIST\n", ["Encrypt", "Sign"]),
        ("", ["Sign", "Encrypt"]),
    ],
)
def test_the_list_says_which_applications_run_and_in_which_order(
    settings: str, applications: list[str]
) -> None:
    office = Office()
    assert office.run(f"{LOGIN}{settings}", f"{P12}{P10}", {"LIST": "BA", "P12": ""}).error is None
    names = [
        found.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)[0].value
        for found in office.authority.issued
    ]
    assert names == applications


def test_an_empty_list_runs_none() -> None:
    office = Office()
    assert office.run(f"{LOGIN}ApplicationListField=LIST\n", P10, {"LIST": ""}).error is None
    assert office.authority.issued == ()
    assert office.desk.commands == [] or not certificates(office.look())


def test_key_size_has_the_card_make_a_new_pair() -> None:
    office = Office()
    assert office.run(LOGIN, "[Application_A]\nCertTempl=New\nKeySize=1024\n").error is None
    (found,) = certificates(office.look())
    public = found.public_key()
    assert isinstance(public, rsa.RSAPublicKey)
    assert public.key_size == 1024
    program = office.look()
    assert private_key(program, program.user_session(), found)


def test_a_key_of_another_size_than_key_size_is_refused_and_nothing_is_issued() -> None:
    office = Office()
    outcome = office.run(LOGIN, f"{P10}KeySize=1024\n")
    assert isinstance(outcome.error, ApplicationError)
    assert office.authority.issued == ()


def test_criteria_that_nothing_meets_fail() -> None:
    office = Office()
    outcome = office.run(LOGIN, P10.replace("Digital Signature", "No such key"))
    assert isinstance(outcome.error, ApplicationError)
    assert "no object meets ObjectCriteria" in str(outcome.error)


@pytest.mark.parametrize("location", ["#Signature", "#signature", "WHERE"])
@pytest.mark.parametrize("model", ["cardos-5.3", "cosmo-8.2"])
def test_the_signature_slot_has_its_own_key(location: str, model: str) -> None:
    office = Office(model)
    more = P10.replace("Digital Signature", "Non Repudiation") + f"Location={location}\n"
    assert office.run(LOGIN, more, {"WHERE": "Signature"}).error is None
    program = office.look()
    assert certificates(program) == []
    (found,) = certificates(program, SIGNATURE)
    session = program.session(slot=SIGNATURE)
    program("C_Login", session, Cku.CKU_USER, SIGN_PIN)
    assert private_key(program, session, found)


@pytest.mark.parametrize("location", ["", "Location=#Default\n"])
def test_any_other_location_is_the_main_slot(location: str) -> None:
    office = Office()
    assert office.run(LOGIN, P10 + location).error is None
    assert len(certificates(office.look())) == 1


def test_without_an_authority_nothing_is_requested() -> None:
    office = Office()
    office.engine = Engine(office.client, programs=office.program_of)
    outcome = office.run(LOGIN, P10)
    assert isinstance(outcome.error, AuthorityError)


def test_without_a_pkcs11_library_applications_fail() -> None:
    office = Office()
    office.engine = Engine(office.client)
    assert isinstance(office.run(LOGIN, P10).error, ApplicationError)


def test_a_certificate_for_another_key_is_not_written() -> None:
    office = Office()

    class Wrong(LocalAuthority):
        def issue(self, request: bytes, template: str, serial: str) -> bytes:
            del request, template, serial
            return certificate("another").public_bytes(Encoding.DER)

    office.engine = Engine(office.client, programs=office.program_of, server=ServerSide(Wrong()))
    assert isinstance(office.run(LOGIN, P10).error, AuthorityError)
    assert certificates(office.look()) == []


def test_a_wrong_pin_costs_a_try_and_nothing_is_done() -> None:
    office = Office()
    outcome = office.run(LOGIN, P10, {"PIN": Secret.of("0000")})
    assert isinstance(outcome.error, FunctionFailedError)
    assert outcome.error.rv is Ckr.CKR_PIN_INCORRECT
    assert office.desk.tries(1) == 2
    assert office.authority.issued == ()


def test_an_authority_with_templates_knows_no_others() -> None:
    office = Office()
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Ada")])
    known = LocalAuthority({"Sign": Template(name, days=9)})
    office.engine = Engine(office.client, programs=office.program_of, server=ServerSide(known))
    assert office.run(LOGIN, P10).error is None
    assert known.issued[0].subject.rfc4514_string() == "2.5.4.5=4711,CN=Ada"
    assert isinstance(office.run(LOGIN, P10.replace("Sign\n", "Other\n")).error, AuthorityError)


@pytest.mark.parametrize("application", [P10, P12])
@pytest.mark.parametrize("serial", ["4711ä", "47_11", "4" * 65])
def test_a_serial_number_that_no_certificate_has_is_told_before_the_card_gets_it(
    application: str, serial: str
) -> None:
    office = Office()
    before = office.client().card_number(READER)
    settings = f"{LOGIN}CMSCardSerialNumber=SERIAL\nInitialPUK=PUK\n"
    outcome = office.run(settings, application, {"SERIAL": serial, "P12": ""})
    assert isinstance(outcome.error, ApplicationError)
    assert "it is a PrintableString of 64 characters at most" in str(outcome.error)
    assert office.authority.issued == ()
    assert office.client().card_number(READER) == before


def test_a_template_without_a_name_is_told_by_the_authority() -> None:
    authority = LocalAuthority()

    with pytest.raises(AuthorityError, match="1 to 64 characters"):
        authority.issue_archived("", "4711", Secret(b""), 2048)

    assert authority.issued == ()


def test_a_password_that_is_no_text_leaves_nothing_archived() -> None:
    office = Office()
    outcome = office.run(LOGIN, P12, {"PW": Secret(b"\xff\xfe"), "P12": ""})
    assert isinstance(outcome.error, AuthorityError)
    assert "is a text in UTF-8" in str(outcome.error)
    assert office.authority.issued == ()
    assert office.authority.archived("4711") == ()


def test_keys_on_a_curve_have_certificates_issued_too() -> None:
    office = Office()
    office.desk.card.load(full_card("cardos-5.3", CURVE_KEY))
    assert office.run(LOGIN, P10).error is None
    (found,) = certificates(office.look())
    assert isinstance(found.public_key(), ec.EllipticCurvePublicKey)
