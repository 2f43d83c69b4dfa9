from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.kdf.x963kdf import X963KDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from cardtwin.cryptoki.api.refusals import REFUSED, coverage
from cardtwin.cryptoki.calls import registry
from cardtwin.cryptoki.constants import Cka, Ckd, Ckk, Ckm, Cko, Ckz
from cardtwin.cryptoki.functions import BY_NAME, FUNCTIONS, Kind
from cardtwin.cryptoki.structures import Ecdh1DeriveParams, RsaPkcsOaepParams
from cardtwin.cryptoki.values import Attribute, Buffer, Mechanism
from cardtwin.iso7816 import Tlv
from cardtwin.middleware import Ckr
from cardtwin.plan import Secret
from support.programs import LOGOUT_AFTER_SIGN, Desk, Program, encoded
from support.signers import HASHES, Signer, key_profile
from support.tokens import MODELS, PIN1

if TYPE_CHECKING:
    from collections.abc import Iterator

MESSAGE = b"what is encrypted"
PKCS1 = Mechanism(Ckm.CKM_RSA_PKCS)
RAW = Mechanism(Ckm.CKM_RSA_X_509)


def oaep(name: str = "SHA256", label: bytes = b"") -> tuple[Mechanism, padding.OAEP]:
    algorithm, digest, mgf = HASHES[name]
    params = RsaPkcsOaepParams(hash_alg=digest, mgf=mgf, source=Ckz.CKZ_DATA_SPECIFIED, source_data=label)
    theirs = padding.OAEP(padding.MGF1(algorithm), algorithm, label or None)
    return Mechanism(Ckm.CKM_RSA_PKCS_OAEP, params), theirs


def reader(model: str, **settings: Any) -> Signer:
    """Return a program with a key that deciphers."""
    image = encoded(model, key_profile(model, "rsa", 2048, "decipher"))
    return Signer(Desk(model, image=image), PIN1, "Key", **settings)


@pytest.fixture(params=MODELS)
def program(request: pytest.FixtureRequest) -> Iterator[Signer]:
    found = reader(request.param)
    yield found
    found.program.close()


def decrypt(
    holder: Signer, mechanism: Mechanism, data: bytes, room: int | None = 512
) -> tuple[Ckr, bytes | None]:
    holder.program("C_DecryptInit", holder.session, mechanism, holder.key)
    rv, results = holder.program.ask("C_Decrypt", holder.session, data, Buffer(room))
    return rv, results[0].content if results else None


@pytest.mark.parametrize("length", [0, 1, 245])
def test_a_pkcs1_cryptogram_is_decrypted(program: Signer, length: int) -> None:
    cryptogram = program.rsa.encrypt(bytes(range(length)), padding.PKCS1v15())

    assert decrypt(program, PKCS1, cryptogram) == (Ckr.CKR_OK, bytes(range(length)))


@pytest.mark.parametrize("name", HASHES)
@pytest.mark.parametrize("label", [b"", b"label"])
def test_an_oaep_cryptogram_is_decrypted(program: Signer, name: str, label: bytes) -> None:
    mechanism, theirs = oaep(name, label)
    cryptogram = program.rsa.encrypt(MESSAGE, theirs)

    assert decrypt(program, mechanism, cryptogram) == (Ckr.CKR_OK, MESSAGE)


def test_an_oaep_cryptogram_of_another_label_is_none(program: Signer) -> None:
    cryptogram = program.rsa.encrypt(MESSAGE, oaep(label=b"one")[1])

    assert decrypt(program, oaep(label=b"two")[0], cryptogram)[0] is Ckr.CKR_ENCRYPTED_DATA_INVALID


def test_a_raw_cryptogram_keeps_its_zeros(program: Signer) -> None:
    numbers = program.rsa.public_numbers()
    block = MESSAGE.rjust(256, b"\0")
    cryptogram = pow(int.from_bytes(block), numbers.e, numbers.n).to_bytes(256)

    assert decrypt(program, RAW, cryptogram) == (Ckr.CKR_OK, block)


@pytest.mark.parametrize("mechanism", [PKCS1, oaep()[0]])
def test_what_has_no_padding_is_no_cryptogram(program: Signer, mechanism: Mechanism) -> None:
    assert decrypt(program, mechanism, bytes(255) + b"\x02")[0] is Ckr.CKR_ENCRYPTED_DATA_INVALID


@pytest.mark.parametrize("length", [0, 255, 257])
def test_a_cryptogram_is_as_long_as_the_modulus(program: Signer, length: int) -> None:
    assert decrypt(program, RAW, bytes(length))[0] is Ckr.CKR_ENCRYPTED_DATA_LEN_RANGE


def test_a_cryptogram_beyond_the_modulus_is_invalid(program: Signer) -> None:
    assert decrypt(program, RAW, b"\xff" * 256)[0] is Ckr.CKR_ENCRYPTED_DATA_INVALID


@pytest.mark.parametrize(("mechanism", "longest"), [(PKCS1, 245), (RAW, 256), (oaep()[0], 190)])
def test_a_query_tells_the_most_that_a_message_can_be_and_asks_no_card(
    program: Signer, mechanism: Mechanism, longest: int
) -> None:
    program.program("C_DecryptInit", program.session, mechanism, program.key)
    before = len(program.desk.commands)

    assert program.program("C_Decrypt", program.session, bytes(256), Buffer(None)).length == longest
    assert len(program.desk.commands) == before


def test_a_message_that_does_not_fit_waits_for_room_without_asking_the_card_again(program: Signer) -> None:
    cryptogram = program.rsa.encrypt(MESSAGE, padding.PKCS1v15())
    program.program("C_DecryptInit", program.session, PKCS1, program.key)
    rv, (answer,) = program.program.ask("C_Decrypt", program.session, cryptogram, Buffer(3))
    before = len(program.desk.commands)

    assert (rv, answer.length, answer.content) == (Ckr.CKR_BUFFER_TOO_SMALL, len(MESSAGE), None)
    assert program.program("C_Decrypt", program.session, cryptogram, Buffer(17)).content == MESSAGE
    assert len(program.desk.commands) == before
    assert (
        program.program.rv("C_Decrypt", program.session, cryptogram, Buffer(17))
        is Ckr.CKR_OPERATION_NOT_INITIALIZED
    )


def test_a_cryptogram_in_parts_is_decrypted_at_its_end(program: Signer) -> None:
    cryptogram = program.rsa.encrypt(MESSAGE, padding.PKCS1v15())
    program.program("C_DecryptInit", program.session, PKCS1, program.key)

    for part in (cryptogram[:100], cryptogram[100:]):
        assert program.program("C_DecryptUpdate", program.session, part, Buffer(0)).length == 0

    assert program.program("C_DecryptFinal", program.session, Buffer(256)).content == MESSAGE


def test_decryption_does_not_log_out_after_sign() -> None:
    holder = reader(MODELS[0], configuration=LOGOUT_AFTER_SIGN)
    cryptogram = holder.rsa.encrypt(MESSAGE, padding.PKCS1v15())

    assert decrypt(holder, PKCS1, cryptogram)[0] is Ckr.CKR_OK
    assert decrypt(holder, PKCS1, cryptogram)[0] is Ckr.CKR_OK


def test_decryption_needs_a_login(program: Signer) -> None:
    program.program("C_Logout", program.session)

    assert (
        program.program.rv("C_DecryptInit", program.session, PKCS1, program.key) is Ckr.CKR_USER_NOT_LOGGED_IN
    )


def test_a_key_that_signs_does_not_decrypt() -> None:
    signer = Signer(Desk(MODELS[0]), slot=2, pin=Secret.of("4321"), label="Non Repudiation")

    rv = signer.program.rv("C_DecryptInit", signer.session, PKCS1, signer.key)
    assert rv is Ckr.CKR_KEY_FUNCTION_NOT_PERMITTED


@pytest.mark.parametrize("mechanism", [PKCS1, RAW, oaep()[0], oaep("SHA1", b"label")[0]])
def test_what_is_encrypted_here_the_card_decrypts(program: Signer, mechanism: Mechanism) -> None:
    program.program("C_EncryptInit", program.session, mechanism, _encrypting(program))
    cryptogram = program.program("C_Encrypt", program.session, MESSAGE, Buffer(256)).content
    expected = MESSAGE.rjust(256, b"\0") if mechanism is RAW else MESSAGE

    assert decrypt(program, mechanism, cryptogram) == (Ckr.CKR_OK, expected)


def test_a_message_in_parts_is_encrypted_at_its_end(program: Signer) -> None:
    call, session = program.program, program.session
    call("C_EncryptInit", session, PKCS1, _encrypting(program))
    assert call("C_EncryptUpdate", session, MESSAGE, Buffer(0)).length == 0
    assert call.rv("C_Encrypt", session, MESSAGE, Buffer(256)) is Ckr.CKR_OPERATION_ACTIVE
    assert call("C_EncryptFinal", session, Buffer(None)).length == 256
    assert call.rv("C_EncryptFinal", session, Buffer(255)) is Ckr.CKR_BUFFER_TOO_SMALL
    cryptogram = call("C_EncryptFinal", session, Buffer(256)).content

    assert decrypt(program, PKCS1, cryptogram) == (Ckr.CKR_OK, MESSAGE)


@pytest.mark.parametrize(("mechanism", "longest"), [(PKCS1, 245), (oaep()[0], 190), (RAW, 256)])
def test_a_message_has_to_fit(program: Signer, mechanism: Mechanism, longest: int) -> None:
    program.program("C_EncryptInit", program.session, mechanism, _encrypting(program))
    rv = program.program.rv("C_Encrypt", program.session, bytes(longest + 1), Buffer(256))

    assert rv is Ckr.CKR_DATA_LEN_RANGE


def _encrypting(holder: Signer) -> int:
    """Return a public key of the session that encrypts."""
    template = (
        Attribute.of(Cka.CKA_CLASS, int(Cko.CKO_PUBLIC_KEY)),
        Attribute.of(Cka.CKA_KEY_TYPE, int(Ckk.CKK_RSA)),
        Attribute(Cka.CKA_MODULUS, holder.read(Cka.CKA_MODULUS)),
        Attribute(Cka.CKA_PUBLIC_EXPONENT, holder.read(Cka.CKA_PUBLIC_EXPONENT)),
    )
    handle: int = holder.program("C_CreateObject", holder.session, template)
    return handle


# ECDH


def agreeing(size: int) -> Signer:
    image = encoded("cardos-5.3", key_profile("cardos-5.3", "ec", size, "derive"))
    return Signer(Desk("cardos-5.3", image=image), PIN1, "Key")


CURVES: dict[int, ec.EllipticCurve] = {256: ec.SECP256R1(), 384: ec.SECP384R1(), 521: ec.SECP521R1()}


def derive(
    holder: Signer, peer: bytes, kdf: int = Ckd.CKD_NULL, shared: bytes = b"", length: int = 0
) -> tuple[Ckr, int]:
    params = Ecdh1DeriveParams(kdf=kdf, shared_data=shared, public_data=peer)
    template = (Attribute.of(Cka.CKA_VALUE_LEN, length),) if length else ()
    mechanism = Mechanism(Ckm.CKM_ECDH1_DERIVE, params)
    rv, results = holder.program.ask("C_DeriveKey", holder.session, mechanism, holder.key, template)
    return rv, results[0] if results else 0


def point(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


@pytest.mark.parametrize("size", [256, 384, 521])
@pytest.mark.parametrize("wrapped", [False, True])
def test_both_sides_derive_the_same_secret(size: int, wrapped: bool) -> None:
    holder, peer = agreeing(size), ec.generate_private_key(CURVES[size])
    given_point = Tlv(0x04, point(peer)).encode() if wrapped else point(peer)
    rv, key = derive(holder, given_point)

    assert rv is Ckr.CKR_OK
    assert holder.program.read(holder.session, key, Cka.CKA_VALUE) == peer.exchange(ec.ECDH(), holder.ec)
    assert holder.program.read(holder.session, key, Cka.CKA_TOKEN) == b"\0"


def test_a_shorter_secret_is_the_end_of_the_whole_one() -> None:
    holder, peer = agreeing(256), ec.generate_private_key(ec.SECP256R1())
    _, key = derive(holder, point(peer), length=16)

    assert (
        holder.program.read(holder.session, key, Cka.CKA_VALUE) == peer.exchange(ec.ECDH(), holder.ec)[-16:]
    )


def test_a_derivation_function_is_that_of_x963() -> None:
    holder, peer = agreeing(256), ec.generate_private_key(ec.SECP256R1())
    _, key = derive(holder, point(peer), Ckd.CKD_SHA256_KDF, b"shared", 80)
    expected = X963KDF(hashes.SHA256(), 80, b"shared").derive(peer.exchange(ec.ECDH(), holder.ec))

    assert holder.program.read(holder.session, key, Cka.CKA_VALUE) == expected


@pytest.mark.parametrize(
    ("kdf", "shared", "length", "rv"),
    [
        (Ckd.CKD_NULL, b"shared", 0, Ckr.CKR_MECHANISM_PARAM_INVALID),
        (Ckd.CKD_NULL, b"", 33, Ckr.CKR_KEY_SIZE_RANGE),
        (Ckd.CKD_CPDIVERSIFY_KDF, b"", 0, Ckr.CKR_MECHANISM_PARAM_INVALID),
    ],
)
def test_derivations_that_cannot_be_are_refused(kdf: int, shared: bytes, length: int, rv: Ckr) -> None:
    assert derive(agreeing(256), point(ec.generate_private_key(ec.SECP256R1())), kdf, shared, length)[0] is rv


def test_a_peers_key_is_a_point_on_the_curve() -> None:
    holder, peer = agreeing(256), point(ec.generate_private_key(ec.SECP256R1()))

    for wrong in (
        b"",
        peer[:-1],
        peer[:-1] + bytes((peer[-1] ^ 1,)),
        point(ec.generate_private_key(ec.SECP384R1())),
    ):
        assert derive(holder, wrong)[0] is Ckr.CKR_MECHANISM_PARAM_INVALID


# Digests


@pytest.fixture(scope="module")
def blank() -> Program:
    return Desk(blank=True).program()


@pytest.mark.parametrize("name", HASHES)
@given(st.lists(st.binary(max_size=200), max_size=4))
def test_a_digest_of_parts_is_that_of_the_whole(blank: Program, name: str, parts: list[bytes]) -> None:
    session = blank.session()
    mechanism = Mechanism(HASHES[name][1])
    blank("C_DigestInit", session, mechanism)

    for part in parts:
        blank("C_DigestUpdate", session, part)

    in_parts = blank("C_DigestFinal", session, Buffer(64)).content
    blank("C_DigestInit", session, mechanism)
    whole = blank("C_Digest", session, b"".join(parts), Buffer(64)).content
    blank("C_CloseSession", session)

    assert in_parts == whole == hashlib.new(name.lower(), b"".join(parts)).digest()


def test_a_digest_keeps_the_rules_of_operations(blank: Program) -> None:
    session, mechanism = blank.session(), Mechanism(Ckm.CKM_SHA256)

    assert blank.rv("C_Digest", session, b"", Buffer(32)) is Ckr.CKR_OPERATION_NOT_INITIALIZED
    assert blank.rv("C_DigestInit", session, Mechanism(Ckm.CKM_MD5)) is Ckr.CKR_MECHANISM_INVALID
    assert (
        blank.rv("C_DigestInit", session, Mechanism(Ckm.CKM_SHA256, b"1")) is Ckr.CKR_MECHANISM_PARAM_INVALID
    )
    blank("C_DigestInit", session, mechanism)
    assert blank.rv("C_DigestInit", session, mechanism) is Ckr.CKR_OPERATION_ACTIVE
    assert blank("C_Digest", session, b"", Buffer(None)).length == 32
    assert blank.rv("C_Digest", session, b"", Buffer(31)) is Ckr.CKR_BUFFER_TOO_SMALL
    blank("C_DigestUpdate", session, b"x")
    assert blank.rv("C_Digest", session, b"", Buffer(32)) is Ckr.CKR_OPERATION_ACTIVE
    assert blank("C_DigestFinal", session, Buffer(32)).content == hashlib.sha256(b"x").digest()


# Random numbers, and what is refused


@pytest.mark.parametrize("model", MODELS)
def test_random_bytes_are_the_cards(model: str) -> None:
    desk = Desk(model)
    program = desk.program()
    session = program.session()
    desk.commands.clear()
    drawn = [program("C_GenerateRandom", session, length) for length in (0, 8, 600)]

    assert [len(each) for each in drawn] == [0, 8, 600]
    assert {command[1] for command in desk.commands} == {0x84}
    assert len({drawn[2][at : at + 8] for at in range(0, 600, 8)}) == 75


def test_the_card_gives_no_more_than_a_call_may_take(blank: Program) -> None:
    assert blank.rv("C_GenerateRandom", blank.session(), 1 << 40) is Ckr.CKR_ARGUMENTS_BAD


def test_the_cards_generator_takes_no_seed(blank: Program) -> None:
    assert blank.rv("C_SeedRandom", blank.session(), b"seed") is Ckr.CKR_RANDOM_SEED_NOT_SUPPORTED


_SAMPLES = {
    Kind.ULONG: 0,
    Kind.DATA: b"",
    Kind.MECHANISM: Mechanism(0),
    Kind.TEMPLATE: (),
    Kind.BUFFER_OUT: Buffer(8),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_refused_function_says_so_in_a_session_and_no_more(blank: Program, name: str) -> None:
    rest = [_SAMPLES[parameter.kind] for parameter in BY_NAME[name].arguments[1:]]

    assert blank.rv(name, blank.session(), *rest) is REFUSED[name].rv
    assert blank.rv(name, 4711, *rest) is Ckr.CKR_SESSION_HANDLE_INVALID


def test_every_function_is_supported_or_refused_for_a_reason() -> None:
    found = coverage()

    assert [each.name for each in found] == [each.name for each in FUNCTIONS]
    assert all(each.refusal is None or each.refusal.why for each in found)
    assert all(registry.find(each.name) or each.refusal or BY_NAME[each.name].local for each in found)
