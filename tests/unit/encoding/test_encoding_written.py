"""Applications that only write: certificates, lists of certificates and keys, data objects; and blocking."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from cardtwin.card import CardView
from cardtwin.cryptoki.constants import Cka
from cardtwin.cryptoki.values import Attribute
from cardtwin.encoding import FunctionFailedError
from cardtwin.middleware import Ckr
from cardtwin.plan import Secret
from support.applications import LOGIN, MODELS, P10, Office, b64, certificates, private_key
from support.encodings import certificate
from support.encodings import rsa_key as key_called
from support.programs import PIN
from support.tokens import READER

MANY = 25


def test_write_certificate_writes_what_the_field_holds() -> None:
    office = Office()
    assert office.run(LOGIN, P10).error is None
    (issued,) = office.authority.issued
    other = Office()
    more = "[Application_A]\nWriteCertificate=true\nCertificate=CERT\n"
    assert other.run(LOGIN, more, {"CERT": b64(issued.public_bytes(Encoding.DER))}).error is None
    program = other.look()
    assert certificates(program) == [issued]
    assert private_key(program, program.user_session(), issued)


LIST = "[Application_A]\nWriteCertKeyList=true\nCertKeyList=LIST\nCertKeyListReturnField=WRITTEN\n"
MODE = "CertKeyListMode=WRITE_ANY_BUT_MANDATORILY_THE_FIRST\n"


def pair(name: str, *, with_key: bool = True) -> str:
    der = (
        key_called(name).private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()) if with_key else b""
    )
    return f"{b64(certificate(name).public_bytes(Encoding.DER))},{b64(der)};"


def test_a_list_of_certificates_and_keys_is_written() -> None:
    office = Office()
    outcome = office.run(LOGIN, LIST, {"LIST": pair("one") + pair("two", with_key=False), "WRITTEN": ""})
    assert outcome.error is None
    program = office.look()
    assert set(certificates(program)) == {certificate("one"), certificate("two")}
    assert private_key(program, program.user_session(), certificate("one"))
    assert outcome.fields["WRITTEN"] == pair("one", with_key=False) + pair("two", with_key=False)


def long_list() -> str:
    """Return more certificates than the token's list has room for."""
    return "".join(f"{b64(_some(f'some {number}').public_bytes(Encoding.DER))},;" for number in range(MANY))


@cache
def _some(name: str) -> x509.Certificate:
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    key = ec.generate_private_key(ec.SECP256R1())
    return (
        x509.CertificateBuilder(subject, subject, key.public_key(), 1)
        .not_valid_before(datetime(2020, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2040, 1, 1, tzinfo=UTC))
        .sign(key, SHA256())
    )


def test_a_list_that_does_not_fit_is_taken_back_as_a_whole() -> None:
    office = Office()
    before = office.desk.card.image.files.keys()
    outcome = office.run(LOGIN, LIST, {"LIST": long_list(), "WRITTEN": ""})
    assert isinstance(outcome.error, FunctionFailedError)
    assert outcome.error.rv is Ckr.CKR_DEVICE_MEMORY
    assert certificates(office.look()) == []
    assert office.desk.card.image.files.keys() == before


def test_by_its_mode_what_fits_is_written_if_the_first_is() -> None:
    office = Office()
    outcome = office.run(LOGIN, LIST + MODE, {"LIST": long_list(), "WRITTEN": ""})
    assert outcome.error is None
    written = certificates(office.look())
    assert _some("some 0") in written
    assert 1 <= len(written) < MANY
    assert str(outcome.fields["WRITTEN"]).count(";") == len(written)


def test_a_data_object_gets_label_and_attributes() -> None:
    office = Office()
    more = (
        "[Application_A]\nDataObject=DATA\nLabelExpressionDataObject=Issued for !{NAME}, !{NAME}\n"
        'AttributesDataObject=CKA_PRIVATE=TRUE,CKA_APPLICATION="IDM",CKA_OBJECT_ID=1.2.3.4.5\n'
    )
    assert office.run(LOGIN, more, {"DATA": b64(b"content"), "NAME": "Ada"}).error is None
    program = office.look()
    label = Attribute.of(Cka.CKA_LABEL, "Issued for Ada, Ada")
    assert program.find(program.session(), label) == []
    session = program.user_session()
    (handle,) = program.find(session, label)
    assert program.read(session, handle, Cka.CKA_VALUE) == b"content"
    assert program.read(session, handle, Cka.CKA_APPLICATION) == b"IDM"
    assert program.read(session, handle, Cka.CKA_OBJECT_ID) == bytes.fromhex("06042A030405")


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize(("size", "fits"), [(1 << 15, True), ((1 << 15) + 1, False), (1 << 17, False)])
def test_data_that_no_file_of_a_card_holds_are_refused_and_nothing_is_written(
    model: str, size: int, fits: bool
) -> None:
    office = Office(model)
    before = office.desk.card.image
    outcome = office.run(
        LOGIN, "[Application_A]\nDataObject=DATA\nLabelExpressionDataObject=x\n", {"DATA": b64(b"x" * size)}
    )

    if fits:
        assert outcome.error is None
        return

    assert isinstance(outcome.error, FunctionFailedError)
    assert outcome.error.rv is Ckr.CKR_DEVICE_MEMORY
    assert CardView(office.desk.card.image).files == CardView(before).files


@pytest.mark.parametrize(("location", "pin", "other"), [("", 1, 3), ("Location=#Signature\n", 3, 1)])
def test_block_card_blocks_the_pin_after_all_applications(location: str, pin: int, other: int) -> None:
    office = Office()
    more = f"[Application_A]\nBlockCard=true\n{location}{P10.replace('_A', '_B')}"
    assert office.run(LOGIN, more).error is None
    assert len(certificates(office.look())) == 1
    assert office.desk.tries(pin) == 0
    assert office.desk.tries(other) == 3


def test_blocking_needs_no_pin_and_hits_even_a_pin_of_zeros() -> None:
    office = Office()
    client = office.client()
    client.change_pin(READER, PIN, Secret.of("0000"))
    assert office.run("", "[Application_A]\nBlockCard=true\n").error is None
    assert office.desk.tries(1) == 0


def test_automatic_logout_after_signing_keeps_the_certificate_from_being_written() -> None:
    office = Office(config="[CSP_PKCS11]\nP11_LogoutAfterSign=1\n")
    outcome = office.run(LOGIN, P10)
    assert isinstance(outcome.error, FunctionFailedError)
    assert outcome.error.rv is Ckr.CKR_USER_NOT_LOGGED_IN
    assert certificates(office.look()) == []
