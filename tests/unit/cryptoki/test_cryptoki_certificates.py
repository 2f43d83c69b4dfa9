from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding

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


def test_a_certificate_with_an_identifier_goes_to_its_place(holder: Signer) -> None:
    identifier = Attribute(Cka.CKA_ID, holder.read(Cka.CKA_ID))

    assert store(holder, OTHERS, identifier) is Ckr.CKR_OK
    assert len(certificates(holder)) == 1


def test_a_certificate_without_a_place_is_refused(holder: Signer) -> None:
    before = holder.desk.card.image

    assert store(holder, OTHERS) is Ckr.CKR_TEMPLATE_INCONSISTENT
    assert store(holder, OTHERS, Attribute(Cka.CKA_ID, b"nobody's")) is Ckr.CKR_TEMPLATE_INCONSISTENT
    assert holder.desk.card.image == before


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


@pytest.mark.parametrize("kind", [Cko.CKO_DATA, Cko.CKO_PUBLIC_KEY, Cko.CKO_SECRET_KEY])
def test_the_token_takes_no_other_new_objects(holder: Signer, kind: Cko) -> None:
    attributes = {
        Cko.CKO_DATA: (),
        Cko.CKO_PUBLIC_KEY: (
            Attribute.of(Cka.CKA_KEY_TYPE, 0),
            Attribute(Cka.CKA_MODULUS, holder.read(Cka.CKA_MODULUS)),
            Attribute(Cka.CKA_PUBLIC_EXPONENT, b"\x03"),
        ),
        Cko.CKO_SECRET_KEY: (Attribute.of(Cka.CKA_KEY_TYPE, 0x10), Attribute(Cka.CKA_VALUE, b"secret")),
    }[kind]
    common = (Attribute.of(Cka.CKA_CLASS, int(kind)), Attribute.of(Cka.CKA_TOKEN, value=True))

    rv = holder.program.rv("C_CreateObject", holder.session, (*common, *attributes))
    assert rv is Ckr.CKR_TEMPLATE_INCONSISTENT
