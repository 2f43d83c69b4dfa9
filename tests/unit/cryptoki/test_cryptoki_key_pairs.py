"""Key pairs that the card makes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from cardtwin.cryptoki.constants import Cka, Ckm, Cko, MechanismFlag
from cardtwin.cryptoki.keys.public import EcKey, RsaKey, from_attributes
from cardtwin.cryptoki.values import Attribute, Buffer, Mechanism
from cardtwin.middleware import Ckr
from support.objects import CURVES, EC_PAIR, RSA_PAIR, TOKEN, ec_pair, labels, of, rsa_pair, template
from support.programs import KEPT_PIN, MAIN, RO, RW, SIGNATURE, Desk, Program, encoded
from support.signers import DATA, SIMPLE
from support.tokens import MODELS, PIN1, profile_text

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOM = bytes.fromhex("3F0050155055")


@pytest.fixture(params=MODELS)
def desk(request: pytest.FixtureRequest) -> Desk:
    return Desk(request.param)


@pytest.fixture
def program(desk: Desk) -> Iterator[Program]:
    program = desk.program()
    program.slots()
    yield program
    program.close()


def public_key(program: Program, session: int, handle: int) -> RsaKey | EcKey:
    kind = program.read(session, handle, Cka.CKA_KEY_TYPE)
    rsa = (Cka.CKA_MODULUS, Cka.CKA_PUBLIC_EXPONENT)
    curve = (Cka.CKA_EC_PARAMS, Cka.CKA_EC_POINT)
    numbers: dict[int, bytes] = {Cka.CKA_KEY_TYPE: kind}

    for each in rsa if kind == bytes(8) else curve:
        numbers[each] = program.read(session, handle, each)

    return from_attributes(numbers)


@pytest.mark.parametrize("bits", [1024, 1536, 2048])
def test_the_card_makes_an_rsa_key_that_signs(program: Program, bits: int) -> None:
    session = program.user_session()
    public, private = program("C_GenerateKeyPair", session, RSA_PAIR, *rsa_pair(bits))
    key = public_key(program, session, public)
    assert isinstance(key, RsaKey)
    signature = program.sign(session, private, SIMPLE, DATA)

    assert key.bits == bits
    block = key.apply(signature)
    assert block is not None
    assert block.startswith(b"\0\1\xff\xff")
    program("C_VerifyInit", session, SIMPLE, public)
    program("C_Verify", session, DATA, signature)


@pytest.mark.parametrize("bits", CURVES)
def test_the_card_makes_a_key_on_a_curve_that_signs(bits: int) -> None:
    program = Desk().program()
    session = program.user_session()
    public, private = program("C_GenerateKeyPair", session, EC_PAIR, *ec_pair(bits))
    key = public_key(program, session, public)
    assert isinstance(key, EcKey)
    signature = program.sign(session, private, Mechanism(Ckm.CKM_ECDSA_SHA256), DATA)
    half = len(signature) // 2
    der = encode_dss_signature(int.from_bytes(signature[:half]), int.from_bytes(signature[half:]))

    ec.EllipticCurvePublicKey.from_encoded_point(key.curve, key.point).verify(
        der, DATA, ec.ECDSA(hashes.SHA256())
    )


def test_the_key_is_made_by_the_card_in_the_users_own_df(desk: Desk, program: Program) -> None:
    session = program.user_session()
    before = len(desk.commands)
    program("C_GenerateKeyPair", session, RSA_PAIR, *rsa_pair())
    made = {key.class_: part.access for key, part in desk.card.image.objects.items() if key.df == ROOM}

    assert any(command[1] == 0x46 for command in desk.commands[before:])
    assert made == dict.fromkeys(range(0x20, 0x25), bytes((1, 1, 1, 0, 0, 0, 0)))
    assert ROOM + bytes.fromhex("7EAD") not in desk.card.image.files


def test_another_program_sees_and_uses_the_new_key(desk: Desk, program: Program) -> None:
    program("C_GenerateKeyPair", program.user_session(), RSA_PAIR, *rsa_pair())
    other = desk.program()
    session = other.user_session()

    assert len(other.sign(session, other.key(session, "made"), SIMPLE, DATA)) == 256
    assert other.key(session, "made", Cko.CKO_PUBLIC_KEY)


def test_the_card_is_operational_again(desk: Desk, program: Program) -> None:
    before = desk.card.image.life_cycle
    program("C_GenerateKeyPair", program.user_session(), RSA_PAIR, *rsa_pair())

    assert desk.card.image.life_cycle == before


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (Cka.CKA_LOCAL, True),
        (Cka.CKA_SENSITIVE, True),
        (Cka.CKA_ALWAYS_SENSITIVE, True),
        (Cka.CKA_EXTRACTABLE, False),
        (Cka.CKA_NEVER_EXTRACTABLE, True),
        (Cka.CKA_PRIVATE, True),
        (Cka.CKA_SIGN, True),
        (Cka.CKA_DECRYPT, True),
        (Cka.CKA_UNWRAP, False),
        (Cka.CKA_KEY_GEN_MECHANISM, int(Ckm.CKM_RSA_PKCS_KEY_PAIR_GEN)),
    ],
)
def test_a_new_key_tells_how_it_came_to_be(kind: Cka, value: bool | int) -> None:
    program = Desk().program()
    session = program.user_session()
    _, private = program("C_GenerateKeyPair", session, RSA_PAIR, *rsa_pair(1024))

    assert program.read(session, private, kind) == Attribute.of(kind, value).value


def test_both_keys_have_the_identifier_of_a_template(program: Program) -> None:
    session = program.user_session()
    public, private = template(MODULUS_BITS=1024, ID=b"77", **TOKEN), template(**TOKEN)
    made = program("C_GenerateKeyPair", session, RSA_PAIR, public, private)

    assert [program.read(session, handle, Cka.CKA_ID) for handle in made] == [b"77", b"77"]


def test_without_one_it_is_the_sha1_of_the_public_key(program: Program) -> None:
    session = program.user_session()
    made = program("C_GenerateKeyPair", session, RSA_PAIR, *rsa_pair(1024))
    key = public_key(program, session, made[0])

    assert [program.read(session, handle, Cka.CKA_ID) for handle in made] == [key.identifier] * 2


def test_each_key_has_an_identifier_of_its_own_even_where_a_seeded_card_makes_one_twice(
    program: Program,
) -> None:
    session = program.user_session()

    for _ in range(9):
        program.rv("C_GenerateKeyPair", session, RSA_PAIR, *rsa_pair(1024, LABEL=""))

    keys = program.find(session, of(Cko.CKO_PRIVATE_KEY))
    assert len({program.read(session, key, Cka.CKA_ID) for key in keys}) == len(keys)


def test_a_key_is_for_what_its_template_says(program: Program) -> None:
    session = program.user_session()
    public, private = rsa_pair(1024)
    _, key = program("C_GenerateKeyPair", session, RSA_PAIR, public, (*private, *template(DECRYPT=True)))
    pkcs1 = Mechanism(Ckm.CKM_RSA_PKCS)

    assert program.read(session, key, Cka.CKA_SIGN) == b"\0"
    assert program.rv("C_SignInit", session, pkcs1, key) is Ckr.CKR_KEY_FUNCTION_NOT_PERMITTED
    assert program.rv("C_DecryptInit", session, pkcs1, key) is Ckr.CKR_OK


def test_a_key_may_want_the_pin_for_each_use(program: Program) -> None:
    session = program.user_session()
    public, private = rsa_pair(1024)
    always = template(ALWAYS_AUTHENTICATE=True)
    _, key = program("C_GenerateKeyPair", session, RSA_PAIR, public, (*private, *always))
    program("C_SignInit", session, SIMPLE, key)

    assert program.rv("C_SignUpdate", session, DATA) is Ckr.CKR_OK
    assert program.rv("C_SignFinal", session, Buffer(256)) is Ckr.CKR_USER_NOT_LOGGED_IN


# Who may


def test_a_login_and_a_read_write_session_are_needed(desk: Desk, program: Program) -> None:
    before = desk.card.image
    session = program.session()

    rv = program.rv("C_GenerateKeyPair", session, RSA_PAIR, *rsa_pair())
    assert rv is Ckr.CKR_USER_NOT_LOGGED_IN
    rv = program.rv("C_GenerateKeyPair", program.user_session(RO), RSA_PAIR, *rsa_pair())
    assert rv is Ckr.CKR_SESSION_READ_ONLY
    assert desk.card.image == before


def test_the_signature_pin_alone_makes_no_key_where_the_room_is_the_main_pins(
    desk: Desk, program: Program
) -> None:
    session = program.user_session(RW, SIGNATURE)
    before = desk.card.image

    rv = program.rv("C_GenerateKeyPair", session, RSA_PAIR, *rsa_pair())
    assert rv is Ckr.CKR_USER_NOT_LOGGED_IN
    assert desk.card.image == before
    assert program.rv("C_Logout", session) is Ckr.CKR_OK


def test_with_both_pins_the_signature_slot_gets_a_key_of_its_own(program: Program) -> None:
    main = program.user_session(RW, MAIN)
    session = program.user_session(RW, SIGNATURE)
    _, key = program("C_GenerateKeyPair", session, RSA_PAIR, *rsa_pair())

    assert labels(program, session, of(Cko.CKO_PRIVATE_KEY)) == ["Non Repudiation", "made"]
    assert "made" not in labels(program, main)
    program("C_Logout", main)
    assert len(program.sign(session, key, SIMPLE, DATA)) == 256


def test_a_kept_pin_makes_keys_too(desk: Desk) -> None:
    program = desk.program(configuration=KEPT_PIN)
    session = program.user_session()
    _, key = program("C_GenerateKeyPair", session, RSA_PAIR, *rsa_pair())

    assert len(program.sign(session, key, SIMPLE, DATA)) == 256


@pytest.mark.parametrize("model", MODELS)
def test_a_card_whose_phase_is_the_operators_takes_no_new_keys(model: str) -> None:
    desk = Desk(model, image=encoded(model, _bare(model, burn=True)))
    program = desk.program()
    session = program.session()
    program("C_Login", session, 1, PIN1)
    before = desk.card.image

    rv = program.rv("C_GenerateKeyPair", session, RSA_PAIR, *rsa_pair())
    assert rv is Ckr.CKR_USER_NOT_LOGGED_IN
    assert desk.card.image == before


@pytest.mark.parametrize("model", MODELS)
def test_a_token_without_lists_takes_no_new_keys(model: str) -> None:
    desk = Desk(model, image=encoded(model, profile_text(model)))
    program = desk.program()
    session = program.session()
    program("C_Login", session, 1, PIN1)
    before = desk.card.image

    rv = program.rv("C_GenerateKeyPair", session, RSA_PAIR, *rsa_pair())
    assert rv is Ckr.CKR_TOKEN_WRITE_PROTECTED
    assert desk.card.image == before


def _bare(model: str, *, burn: bool) -> str:
    """Return a profile whose lists anybody writes, and that has no keys yet."""
    files = """CreateEf EFPRKDF id=0x4401 maxsize=400 read=always update=always
CreateEf EFPUKDF id=0x4411 maxsize=400 read=always update=always
---File Dynamic EFPRKDF
data = X_PRKDF()
Endfile
File Dynamic EFPUKDF
data = X_PUKDF()
Endfile"""
    return profile_text(model, burn=burn, files=files).replace("create=puk", "create=always")


# No room


def test_a_full_list_takes_no_more_and_nothing_is_half_done(desk: Desk, program: Program) -> None:
    session = program.user_session()
    made = 0

    while True:
        before = desk.card.image
        rv = program.rv("C_GenerateKeyPair", session, RSA_PAIR, *rsa_pair(512, LABEL="x" * 100))

        if rv is not Ckr.CKR_OK:
            break

        made += 1

    assert rv is Ckr.CKR_DEVICE_MEMORY
    assert made > 3
    assert desk.card.image == before


def test_numbers_of_keys_run_out(desk: Desk, program: Program) -> None:
    """The profile's keys have three of them, the room for one included."""
    session = program.user_session()
    results = [
        program.rv("C_GenerateKeyPair", session, RSA_PAIR, *rsa_pair(512, LABEL="")) for _ in range(14)
    ]

    assert set(results) <= {Ckr.CKR_OK, Ckr.CKR_DEVICE_MEMORY}
    references = [key.id for key in desk.card.image.objects if key.class_ == 0x20]
    assert len(references) == len(set(references))
    assert results[-1] is Ckr.CKR_DEVICE_MEMORY


# Mechanisms


def test_key_pair_mechanisms_tell_what_the_card_makes(program: Program) -> None:
    info = program("C_GetMechanismInfo", MAIN, Ckm.CKM_RSA_PKCS_KEY_PAIR_GEN)
    greatest = {"cardos-4.4": 2048, "cardos-5.3": 3072}

    assert info.max_key_size in greatest.values()
    assert info.flags == MechanismFlag.CKF_HW | MechanismFlag.CKF_GENERATE_KEY_PAIR


def test_a_card_without_curves_makes_no_keys_on_them() -> None:
    program = Desk("cardos-4.4").program()
    session = program.user_session()

    rv = program.rv("C_GetMechanismInfo", MAIN, Ckm.CKM_EC_KEY_PAIR_GEN)
    assert rv is Ckr.CKR_MECHANISM_INVALID
    rv = program.rv("C_GenerateKeyPair", session, EC_PAIR, *ec_pair())
    assert rv is Ckr.CKR_MECHANISM_INVALID
