from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from cardtwin.cryptoki.constants import Cka, Ckm, Cko
from cardtwin.cryptoki.values import Attribute, Buffer, Mechanism
from cardtwin.decode import masked
from cardtwin.middleware import Ckr
from support.objects import CURVES, imported_rsa, of, private_object
from support.profiles import rsa_key
from support.programs import Desk, Program
from support.signers import DATA, SIMPLE
from support.tokens import MODELS

if TYPE_CHECKING:
    from collections.abc import Iterator

CRT = ("PRIME_1", "PRIME_2", "EXPONENT_1", "EXPONENT_2", "COEFFICIENT")


@pytest.fixture(params=MODELS)
def desk(request: pytest.FixtureRequest) -> Desk:
    return Desk(request.param)


@pytest.fixture
def program(desk: Desk) -> Iterator[Program]:
    program = desk.program()
    yield program
    program.close()


def without(template: tuple[Attribute, ...], *names: str) -> tuple[Attribute, ...]:
    kinds = {Cka[f"CKA_{name}"] for name in names}
    return tuple(each for each in template if each.type not in kinds)


@pytest.mark.parametrize("bits", [1024, 2048])
def test_an_imported_rsa_key_signs_and_deciphers(program: Program, bits: int) -> None:
    key = rsa_key() if bits == 2048 else rsa.generate_private_key(65537, bits)
    session = program.user_session()
    handle = program("C_CreateObject", session, private_object(key))
    public = key.public_key()

    signature = program.sign(session, handle, SIMPLE, DATA)
    public.verify(signature, DATA, padding.PKCS1v15(), hashes.SHA256())
    program("C_DecryptInit", session, Mechanism(Ckm.CKM_RSA_PKCS), handle)
    secret = public.encrypt(DATA, padding.PKCS1v15())
    assert program("C_Decrypt", session, secret, Buffer(256)).content == DATA


@pytest.mark.parametrize("bits", CURVES)
def test_an_imported_key_on_a_curve_signs(bits: int) -> None:
    curve, _ = CURVES[bits]
    key = ec.derive_private_key(0x1234567, curve)
    program = Desk().program()
    session = program.user_session()
    handle = program("C_CreateObject", session, private_object(key))
    signature = program.sign(session, handle, Mechanism(Ckm.CKM_ECDSA_SHA384), DATA)
    half = len(signature) // 2
    der = encode_dss_signature(int.from_bytes(signature[:half]), int.from_bytes(signature[half:]))

    key.public_key().verify(der, DATA, ec.ECDSA(hashes.SHA384()))


@pytest.mark.parametrize("missing", [(), CRT, ("PUBLIC_EXPONENT",), CRT[2:]])
def test_numbers_that_follow_from_others_can_be_missing(missing: tuple[str, ...]) -> None:
    program = Desk().program()
    session = program.user_session()
    handle = program("C_CreateObject", session, without(imported_rsa(), *missing))

    signature = program.sign(session, handle, SIMPLE, DATA)
    rsa_key().public_key().verify(signature, DATA, padding.PKCS1v15(), hashes.SHA256())


@pytest.mark.parametrize(
    ("missing", "more", "rv"),
    [
        (("PRIVATE_EXPONENT",), {}, Ckr.CKR_TEMPLATE_INCOMPLETE),
        (("MODULUS",), {}, Ckr.CKR_TEMPLATE_INCOMPLETE),
        (("KEY_TYPE",), {}, Ckr.CKR_TEMPLATE_INCOMPLETE),
        (("PUBLIC_EXPONENT", *CRT), {}, Ckr.CKR_TEMPLATE_INCOMPLETE),
        ((), {"KEY_TYPE": 1}, Ckr.CKR_ATTRIBUTE_VALUE_INVALID),
        ((), {"KEY_TYPE": 3}, Ckr.CKR_ATTRIBUTE_TYPE_INVALID),
        (CRT, {"PRIVATE_EXPONENT": b"\x05"}, Ckr.CKR_ATTRIBUTE_VALUE_INVALID),
        ((), {"PRIME_1": b"\x05"}, Ckr.CKR_ATTRIBUTE_VALUE_INVALID),
        ((), {"PRIME_1": b"\0\0"}, Ckr.CKR_ATTRIBUTE_VALUE_INVALID),
        ((), {"EXPONENT_1": b"\x05"}, Ckr.CKR_ATTRIBUTE_VALUE_INVALID),
        ((), {"MODULUS": b"\x05"}, Ckr.CKR_ATTRIBUTE_VALUE_INVALID),
        ((), {"SENSITIVE": False}, Ckr.CKR_TEMPLATE_INCONSISTENT),
        ((), {"EXTRACTABLE": True}, Ckr.CKR_TEMPLATE_INCONSISTENT),
        ((), {"DERIVE": True}, Ckr.CKR_TEMPLATE_INCONSISTENT),
        ((), {"LOCAL": True}, Ckr.CKR_ATTRIBUTE_READ_ONLY),
    ],
)
def test_numbers_that_are_no_key_are_refused(missing: tuple[str, ...], more: dict[str, Any], rv: Ckr) -> None:
    desk = Desk()
    program = desk.program()
    session = program.user_session()
    before = desk.card.image
    described = {each.type: each for each in (*without(imported_rsa(), *missing), *imported_rsa(**more))}
    described = {kind: each for kind, each in described.items() if Cka(kind).name[4:] not in missing}

    assert program.rv("C_CreateObject", session, tuple(described.values())) is rv
    assert desk.card.image == before


@pytest.mark.parametrize(
    ("more", "rv"),
    [
        ({"VALUE": bytes(32)}, Ckr.CKR_ATTRIBUTE_VALUE_INVALID),
        ({"VALUE": b"\xff" * 32}, Ckr.CKR_ATTRIBUTE_VALUE_INVALID),
        ({"VALUE": b""}, Ckr.CKR_TEMPLATE_INCOMPLETE),
        ({"EC_PARAMS": b""}, Ckr.CKR_TEMPLATE_INCOMPLETE),
        ({"EC_PARAMS": bytes.fromhex("06052B8104000A")}, Ckr.CKR_CURVE_NOT_SUPPORTED),
    ],
)
def test_numbers_that_are_on_no_curve_are_refused(more: dict[str, Any], rv: Ckr) -> None:
    program = Desk().program()
    key = ec.derive_private_key(5, ec.SECP256R1())

    assert program.rv("C_CreateObject", program.user_session(), private_object(key, **more)) is rv


def test_a_card_without_curves_takes_no_key_on_one() -> None:
    program = Desk("cardos-4.4").program()
    key = ec.derive_private_key(5, ec.SECP256R1())

    rv = program.rv("C_CreateObject", program.user_session(), private_object(key))
    assert rv is Ckr.CKR_CURVE_NOT_SUPPORTED


def test_a_key_that_is_too_long_for_the_card_is_refused() -> None:
    program = Desk("cardos-4.4").program()
    key = rsa.generate_private_key(65537, 2080)

    rv = program.rv("C_CreateObject", program.user_session(), private_object(key))
    assert rv is Ckr.CKR_ATTRIBUTE_VALUE_INVALID


def test_an_imported_key_tells_that_it_was_elsewhere_before(program: Program) -> None:
    session = program.user_session()
    handle = program("C_CreateObject", session, imported_rsa())

    for kind in (Cka.CKA_LOCAL, Cka.CKA_ALWAYS_SENSITIVE, Cka.CKA_NEVER_EXTRACTABLE, Cka.CKA_EXTRACTABLE):
        assert program.read(session, handle, kind) == b"\0"

    assert program.read(session, handle, Cka.CKA_SENSITIVE) == b"\x01"


def test_an_imported_key_is_destroyed_component_by_component(desk: Desk, program: Program) -> None:
    session = program.user_session()
    before = desk.card.image
    handle = program("C_CreateObject", session, imported_rsa())
    program("C_DestroyObject", session, handle)

    assert desk.card.image == before
    assert len(program.find(session, of(Cko.CKO_PRIVATE_KEY))) == 1


def test_no_number_of_a_key_shows_in_a_trace(desk: Desk, program: Program) -> None:
    key = imported_rsa()
    program("C_CreateObject", program.user_session(), key)
    shown = "".join(masked(command) for command in desk.commands).replace(" ", "").upper()
    secrets = [each.value for each in key if each.type in _SECRETS]
    assert secrets
    assert not [value for value in secrets if value[:16].hex().upper() in shown]
    assert not [value for value in secrets if value.hex() in repr(desk.events)]


_SECRETS = {
    Cka.CKA_PRIVATE_EXPONENT,
    Cka.CKA_PRIME_1,
    Cka.CKA_PRIME_2,
    Cka.CKA_EXPONENT_1,
    Cka.CKA_COEFFICIENT,
}
