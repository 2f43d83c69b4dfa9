from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding

from cardtwin import pkcs15
from cardtwin.card import CardView
from cardtwin.cryptoki.constants import Cka, Ckc, Cko, Cku
from cardtwin.cryptoki.values import Attribute
from cardtwin.middleware import Ckr
from support.profiles import certificate, rsa_key
from support.programs import KEPT_PIN, PUK, RO, SIGN_PIN, SIGNATURE, Desk
from support.signers import SIMPLE, Signer
from support.tokens import MODELS

if TYPE_CHECKING:
    from collections.abc import Iterator

OTHERS = certificate().public_bytes(Encoding.DER)


@pytest.fixture(params=MODELS)
def holder(request: pytest.FixtureRequest) -> Iterator[Signer]:
    found = Signer(Desk(request.param))
    yield found
    found.program.close()


def issued(holder: Signer, *names: str) -> bytes:
    """Return a certificate of the key on the card."""
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name) for name in ("holder", *names)])
    made = (
        x509.CertificateBuilder(subject, subject, holder.rsa, 5)
        .not_valid_before(datetime(2025, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2030, 1, 1, tzinfo=UTC))
        .sign(rsa_key(), SHA256())
    )
    return made.public_bytes(Encoding.DER)


def template(der: bytes, *more: Attribute) -> tuple[Attribute, ...]:
    return (
        Attribute.of(Cka.CKA_CLASS, int(Cko.CKO_CERTIFICATE)),
        Attribute.of(Cka.CKA_CERTIFICATE_TYPE, int(Ckc.CKC_X_509)),
        Attribute.of(Cka.CKA_TOKEN, value=True),
        Attribute(Cka.CKA_VALUE, der),
        *more,
    )


def store(holder: Signer, der: bytes, *more: Attribute) -> Ckr:
    return holder.program.rv("C_CreateObject", holder.session, template(der, *more))


def certificates(holder: Signer) -> list[int]:
    return holder.program.find(holder.session, Attribute.of(Cka.CKA_CLASS, int(Cko.CKO_CERTIFICATE)))


def test_a_certificate_goes_to_the_place_of_its_key(holder: Signer) -> None:
    der = issued(holder)
    handle = holder.program("C_CreateObject", holder.session, template(der))

    assert certificates(holder) == [handle]
    assert holder.program.read(holder.session, handle, Cka.CKA_VALUE) == der
    assert holder.program.read(holder.session, handle, Cka.CKA_ID) == holder.read(Cka.CKA_ID)
    assert holder.program.read(holder.session, handle, Cka.CKA_LABEL) == b"Digital Signature"
    other = holder.desk.program()
    assert (
        other.read(
            other.session(),
            other.key(other.session(), "Digital Signature", Cko.CKO_CERTIFICATE),
            Cka.CKA_VALUE,
        )
        == der
    )


def listed(desk: Desk) -> list[pkcs15.Certificate]:
    """Return the list of certificates that the card holds."""
    entries = pkcs15.parse_cdf(CardView(desk.card.image).files["3F00/5015/4441"].content)
    return [entry for entry in entries if isinstance(entry, pkcs15.Certificate)]


def test_a_certificate_of_its_own_is_listed_before_the_places_that_are_empty(holder: Signer) -> None:
    store(holder, issued(holder))
    labels = [
        (Attribute.of(Cka.CKA_LABEL, label), Attribute(Cka.CKA_ID, label.encode())) for label in ("a", "b")
    ]

    for more in labels:
        assert store(holder, OTHERS, *more) is Ckr.CKR_OK

    found = [each.label for each in listed(holder.desk)]
    assert found == ["Digital Signature", "a", "b", "Non Repudiation", "Encryption"]


@pytest.mark.parametrize(
    ("model", "path"),
    [("cardos-5.3", (0x3F00, 0x5015, 0x5055, 0x3101)), ("cosmo-8.2", (0x3101,))],
)
def test_its_path_is_listed_as_the_profile_lists_its_own(model: str, path: tuple[int, ...]) -> None:
    holder = Signer(Desk(model))
    store(holder, OTHERS, Attribute(Cka.CKA_ID, b"new"))
    (found,) = (each for each in listed(holder.desk) if each.id == b"new")
    assert found.path == pkcs15.Path.of(*path)
    holder.program.close()


def test_a_certificate_with_an_identifier_goes_to_its_place(holder: Signer) -> None:
    identifier = Attribute(Cka.CKA_ID, holder.read(Cka.CKA_ID))

    assert store(holder, OTHERS, identifier) is Ckr.CKR_OK
    assert len(certificates(holder)) == 1


def test_a_place_that_is_taken_has_to_be_emptied_first(holder: Signer) -> None:
    store(holder, issued(holder))
    assert store(holder, issued(holder, "renewed")) is Ckr.CKR_DEVICE_MEMORY
    (old,) = certificates(holder)
    holder.program("C_DestroyObject", holder.session, old)

    assert certificates(holder) == []
    assert holder.program.rv("C_GetObjectSize", holder.session, old) is Ckr.CKR_OBJECT_HANDLE_INVALID
    assert store(holder, issued(holder, "renewed")) is Ckr.CKR_OK


def test_a_certificate_that_is_too_long_for_its_place_changes_nothing(holder: Signer) -> None:
    before = holder.desk.card.image

    assert store(holder, issued(holder, *["x" * 60] * 45)) is Ckr.CKR_DEVICE_MEMORY
    assert holder.desk.card.image == before


def test_the_card_decides_who_writes(holder: Signer) -> None:
    der = issued(holder)
    holder.program("C_Logout", holder.session)
    before = holder.desk.card.image

    assert store(holder, der) is Ckr.CKR_USER_NOT_LOGGED_IN
    holder.program("C_Login", holder.session, Cku.CKU_SO, PUK)
    assert store(holder, der) is Ckr.CKR_USER_NOT_LOGGED_IN
    assert holder.desk.card.image == before


def test_a_read_only_session_stores_and_destroys_nothing(holder: Signer) -> None:
    der = issued(holder)
    session = holder.program.session(RO)

    assert holder.program.rv("C_CreateObject", session, template(der)) is Ckr.CKR_SESSION_READ_ONLY
    store(holder, der)
    (handle,) = certificates(holder)
    assert holder.program.rv("C_DestroyObject", session, handle) is Ckr.CKR_SESSION_READ_ONLY


def test_a_refused_write_leaves_the_login(holder: Signer) -> None:
    program = holder.program
    session = program.session(slot=SIGNATURE)
    program("C_Logout", holder.session)
    program("C_Login", session, Cku.CKU_USER, SIGN_PIN)
    public = program.key(session, "Non Repudiation", Cko.CKO_PUBLIC_KEY)
    found = template(OTHERS, Attribute(Cka.CKA_ID, program.read(session, public, Cka.CKA_ID)))

    assert program.rv("C_CreateObject", session, found) is Ckr.CKR_USER_NOT_LOGGED_IN
    assert program.rv("C_Logout", session) is Ckr.CKR_OK


def test_a_kept_pin_writes_too() -> None:
    holder = Signer(Desk(MODELS[0]), configuration=KEPT_PIN)

    assert store(holder, issued(holder)) is Ckr.CKR_OK
    assert holder.desk.commands.count(bytes.fromhex("80EA0000")) >= 2
    holder.sign(SIMPLE)


# Certificates that the profile has no place for


def test_a_certificate_without_a_place_gets_a_file_of_its_own(holder: Signer) -> None:
    handle = holder.program(
        "C_CreateObject", holder.session, template(OTHERS, Attribute.of(Cka.CKA_LABEL, "CA"))
    )
    key = x509.load_der_x509_certificate(OTHERS).public_key()

    assert certificates(holder) == [handle]
    assert holder.program.read(holder.session, handle, Cka.CKA_VALUE) == OTHERS
    assert holder.program.read(holder.session, handle, Cka.CKA_LABEL) == b"CA"
    identifier = holder.program.read(holder.session, handle, Cka.CKA_ID)
    assert identifier == x509.SubjectKeyIdentifier.from_public_key(key).digest
    assert bytes.fromhex("3F00501550553101") in holder.desk.card.image.files


def test_such_a_file_goes_with_its_certificate(holder: Signer) -> None:
    before = holder.desk.card.image.files.keys()
    store(holder, OTHERS, Attribute(Cka.CKA_ID, b"others"))
    (handle,) = certificates(holder)
    holder.program("C_DestroyObject", holder.session, handle)

    assert certificates(holder) == []
    assert holder.desk.card.image.files.keys() == before


def test_a_private_certificate_is_kept_from_those_who_are_not_logged_in(holder: Signer) -> None:
    assert store(holder, issued(holder), Attribute.of(Cka.CKA_PRIVATE, value=True)) is Ckr.CKR_OK
    (handle,) = certificates(holder)

    assert holder.program.read(holder.session, handle, Cka.CKA_PRIVATE) == b"\x01"
    other = holder.desk.program()
    other("C_Logout", other.user_session())
    kind = Attribute.of(Cka.CKA_CLASS, int(Cko.CKO_CERTIFICATE))
    assert other.find(other.session(), kind) == []


def test_a_copy_of_a_certificate_on_the_token_has_a_file_of_its_own(holder: Signer) -> None:
    der = issued(holder)
    store(holder, der)
    (handle,) = certificates(holder)
    copy = holder.program("C_CopyObject", holder.session, handle, (Attribute.of(Cka.CKA_LABEL, "copy"),))

    assert certificates(holder) == [handle, copy]
    assert holder.program.read(holder.session, copy, Cka.CKA_VALUE) == der
    assert holder.program.read(holder.session, copy, Cka.CKA_LABEL) == b"copy"


def test_a_certificate_is_not_kept_in_the_slot_of_another_key(holder: Signer) -> None:
    program = holder.program
    session = program.user_session(slot=SIGNATURE)
    identifier = Attribute(Cka.CKA_ID, holder.read(Cka.CKA_ID))
    before = holder.desk.card.image

    rv = program.rv("C_CreateObject", session, template(OTHERS, identifier))
    assert rv is Ckr.CKR_TEMPLATE_INCONSISTENT
    assert holder.desk.card.image == before
