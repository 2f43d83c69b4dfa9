from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from cardtwin.cryptoki.constants import Cka, Ckd, Ckk, Ckm, Cko, TokenFlag
from cardtwin.cryptoki.structures import Ecdh1DeriveParams, Version
from cardtwin.cryptoki.values import Buffer, Mechanism
from cardtwin.cryptoki.wire.results import padded
from cardtwin.middleware import Ckr
from cardtwin.pkcs15 import PinFlags, encode_directory
from support.objects import (
    EC_PAIR,
    RSA_PAIR,
    certificate_object,
    ec_pair,
    imported_rsa,
    private_object,
    public_object,
    rsa_pair,
    template,
)
from support.profiles import certificate, rsa_key
from support.programs import MAIN, PROFILES, SIGNATURE, Desk, Program, encoded
from support.tokens import MODELS

if TYPE_CHECKING:
    from collections.abc import Iterator

KEYS = (rsa_key(), ec.derive_private_key(77, ec.SECP256R1()))
SECRET = template(CLASS=int(Cko.CKO_SECRET_KEY), KEY_TYPE=int(Ckk.CKK_GENERIC_SECRET), VALUE=b"secret")


@pytest.fixture
def program() -> Iterator[Program]:
    program = Desk().program()
    program.slots()
    yield program
    program.close()


def info_of(key: Any) -> bytes:
    """Return a private key's SubjectPublicKeyInfo."""
    info: bytes = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return info


# CKA_PUBLIC_KEY_INFO


@pytest.mark.parametrize("token", [True, False])
@pytest.mark.parametrize("key", KEYS, ids=["rsa", "ec"])
def test_all_keys_and_certificates_tell_their_public_key(program: Program, key: Any, token: bool) -> None:
    session = program.user_session()

    for made in (public_object(key.public_key(), TOKEN=token), private_object(key, TOKEN=token)):
        handle = program("C_CreateObject", session, made)
        assert program.read(session, handle, Cka.CKA_PUBLIC_KEY_INFO) == info_of(key)

    der = certificate().public_bytes(Encoding.DER)
    handle = program("C_CreateObject", session, certificate_object(der, TOKEN=token))
    expected = certificate().public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    assert program.read(session, handle, Cka.CKA_PUBLIC_KEY_INFO) == expected


@pytest.mark.parametrize(("pair", "halves"), [(RSA_PAIR, rsa_pair(1024)), (EC_PAIR, ec_pair())])
def test_both_halves_of_a_pair_tell_the_same_public_key(
    program: Program, pair: Mechanism, halves: Any
) -> None:
    session = program.user_session()
    public, private = program("C_GenerateKeyPair", session, pair, *halves)
    known = program.read(session, public, Cka.CKA_PUBLIC_KEY_INFO)

    assert known == program.read(session, private, Cka.CKA_PUBLIC_KEY_INFO) != b""
    named = (halves[0], (*halves[1], *template(PUBLIC_KEY_INFO=known)))
    assert program.rv("C_GenerateKeyPair", session, pair, *named) is Ckr.CKR_TEMPLATE_INCONSISTENT


@pytest.mark.parametrize("key", KEYS, ids=["rsa", "ec"])
def test_a_public_key_in_a_template_is_the_keys_own(program: Program, key: Any) -> None:
    session = program.user_session()

    for told, rv in ((info_of(key), Ckr.CKR_OK), (b"0\0", Ckr.CKR_TEMPLATE_INCONSISTENT)):
        more = {"TOKEN": False, "PUBLIC_KEY_INFO": told}

        for made in (public_object(key.public_key(), **more), private_object(key, **more)):
            assert program.rv("C_CreateObject", session, made) is rv


# What can be said, and what can be changed


def test_that_an_object_is_not_trusted_can_be_said(program: Program) -> None:
    session = program.user_session()
    key = rsa_key().public_key()
    der = certificate().public_bytes(Encoding.DER)

    for trusted, rv in ((False, Ckr.CKR_OK), (True, Ckr.CKR_ATTRIBUTE_READ_ONLY)):
        for made in (
            public_object(key, TOKEN=False, TRUSTED=trusted),
            certificate_object(der, TOKEN=False, TRUSTED=trusted),
        ):
            assert program.rv("C_CreateObject", session, made) is rv


def test_a_session_object_becomes_uncopyable_for_good(program: Program) -> None:
    session = program.user_session()
    key = program("C_CreateObject", session, SECRET)
    program("C_CopyObject", session, key, ())
    program("C_SetAttributeValue", session, key, template(COPYABLE=False))

    assert program.rv("C_CopyObject", session, key, ()) is Ckr.CKR_ACTION_PROHIBITED
    back = program.rv("C_SetAttributeValue", session, key, template(COPYABLE=True))
    assert back is Ckr.CKR_ATTRIBUTE_READ_ONLY


@pytest.mark.parametrize(
    "change", [template(SUBJECT=b"0\0"), template(START_DATE=""), template(END_DATE="20300101")]
)
def test_what_a_certificate_says_is_not_changed(program: Program, change: Any) -> None:
    session = program.user_session()
    der = certificate().public_bytes(Encoding.DER)
    handle = program("C_CreateObject", session, certificate_object(der, TOKEN=False))

    assert program.rv("C_SetAttributeValue", session, handle, change) is Ckr.CKR_ATTRIBUTE_READ_ONLY


# Derived keys, and digests of keys


@pytest.mark.parametrize("sensitive", [True, False])
@pytest.mark.parametrize("imported", [True, False])
def test_a_derived_key_has_the_history_of_its_base(program: Program, sensitive: bool, imported: bool) -> None:
    session = program.user_session()
    public, base = program("C_GenerateKeyPair", session, EC_PAIR, *ec_pair())
    point = program.read(session, public, Cka.CKA_EC_POINT)

    if imported:
        base = program("C_CreateObject", session, private_object(KEYS[1], DERIVE=True))

    params = Ecdh1DeriveParams(kdf=Ckd.CKD_NULL, shared_data=b"", public_data=point)
    described = template(SENSITIVE=sensitive, EXTRACTABLE=not sensitive)
    key = program("C_DeriveKey", session, Mechanism(Ckm.CKM_ECDH1_DERIVE, params), base, described)
    expected = bytes((sensitive and not imported,))

    for kind in (Cka.CKA_ALWAYS_SENSITIVE, Cka.CKA_NEVER_EXTRACTABLE):
        assert program.read(session, key, kind) == expected

    assert program.read(session, key, Cka.CKA_LOCAL) == b"\0"


def test_a_digest_takes_the_value_of_a_secret_key(program: Program) -> None:
    session = program.user_session()
    key = program("C_CreateObject", session, (*SECRET, *template(SENSITIVE=True)))
    program("C_DigestInit", session, Mechanism(Ckm.CKM_SHA256))
    program("C_DigestUpdate", session, b"before")
    program("C_DigestKey", session, key)

    assert program.rv("C_Digest", session, b"", Buffer(32)) is Ckr.CKR_OPERATION_ACTIVE
    found = program("C_DigestFinal", session, Buffer(32)).content
    assert found == hashlib.sha256(b"beforesecret").digest()


def test_what_has_no_secret_value_is_not_digested(program: Program) -> None:
    session = program.user_session()
    data = program.key(session, "ProfileId", Cko.CKO_DATA)
    assert program.rv("C_DigestKey", session, data) is Ckr.CKR_OPERATION_NOT_INITIALIZED
    program("C_DigestInit", session, Mechanism(Ckm.CKM_SHA256))

    assert program.rv("C_DigestKey", session, 4711) is Ckr.CKR_KEY_HANDLE_INVALID
    assert program.rv("C_DigestKey", session, data) is Ckr.CKR_KEY_HANDLE_INVALID
    assert program.rv("C_DigestKey", session, program.key(session)) is Ckr.CKR_KEY_INDIGESTIBLE


# Texts


@pytest.mark.parametrize("model", MODELS)
def test_the_name_of_the_signature_slots_token_keeps_the_pins_name(model: str) -> None:
    profile = (PROFILES / f"{model}-full.cpf").read_text()
    label = "Prüfungskärtchen für Ärzte"
    profile = profile.replace(f"cardtwin CardOS {model[-3:]}", label)
    program = Desk(model, image=encoded(model, profile)).program()
    program.slots()
    shown = padded(program("C_GetTokenInfo", SIGNATURE).label, 32).decode()

    assert shown.rstrip().endswith(" (Signature PIN)")
    assert len(shown.encode()) == 32


def test_imported_keys_take_a_public_key_that_is_empty(program: Program) -> None:
    program("C_CreateObject", program.user_session(), imported_rsa(PUBLIC_KEY_INFO=b""))


def test_a_token_has_no_version_but_its_own(program: Program) -> None:
    info = program("C_GetTokenInfo", MAIN)

    assert info.hardware_version == info.firmware_version == Version(0, 0)


def test_a_pin_that_the_token_calls_uninitialised_is_told_as_such() -> None:
    desk = Desk()
    first = desk.program()
    pins = [each.entry for each in first.application.slots.get(MAIN).view().token.pins]
    assert first("C_GetTokenInfo", MAIN).flags & TokenFlag.CKF_USER_PIN_INITIALIZED
    first.close()

    bare = [replace(each, flags=each.flags & ~PinFlags.INITIALIZED) for each in pins]
    desk.write("3F00/5015/4481", encode_directory(bare))
    assert not desk.program()("C_GetTokenInfo", MAIN).flags & TokenFlag.CKF_USER_PIN_INITIALIZED
