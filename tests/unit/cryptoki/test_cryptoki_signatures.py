from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, encode_dss_signature
from hypothesis import given, settings
from hypothesis import strategies as st

from cardtwin.cryptoki.constants import Ckg, Ckm
from cardtwin.cryptoki.structures import RsaPkcsPssParams
from cardtwin.cryptoki.values import Buffer, Mechanism
from cardtwin.middleware import Ckr
from support.programs import Desk, encoded
from support.signers import DATA, HASHES, SIMPLE, Signer, key_profile
from support.tokens import MODELS, PIN1

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(params=MODELS)
def desk(request: pytest.FixtureRequest) -> Desk:
    return Desk(request.param)


@pytest.fixture
def signer(desk: Desk) -> Iterator[Signer]:
    signer = Signer(desk)
    yield signer
    signer.program.close()


# RSA


@pytest.mark.parametrize("name", HASHES)
def test_a_signature_with_a_hash_is_right(signer: Signer, name: str) -> None:
    mechanism = Mechanism(Ckm[f"CKM_{name}_RSA_PKCS"])
    signature = signer.sign(mechanism)

    signer.rsa.verify(signature, DATA, padding.PKCS1v15(), HASHES[name][0])
    assert signer.verify(mechanism, signature) is Ckr.CKR_OK
    assert signer.verify(mechanism, signature, b"other data") is Ckr.CKR_SIGNATURE_INVALID


def test_a_signature_of_a_digest_info_is_that_of_its_hash(signer: Signer) -> None:
    info = bytes.fromhex("3031300D060960864801650304020105000420") + hashlib.sha256(DATA).digest()
    signature = signer.sign(Mechanism(Ckm.CKM_RSA_PKCS), info)

    assert signature == signer.sign(SIMPLE)
    assert signer.verify(Mechanism(Ckm.CKM_RSA_PKCS), signature, info) is Ckr.CKR_OK


def test_pkcs1_takes_anything_up_to_eleven_bytes_less_than_the_modulus(signer: Signer) -> None:
    mechanism = Mechanism(Ckm.CKM_RSA_PKCS)

    for length in (0, 245):
        assert signer.verify(mechanism, signer.sign(mechanism, bytes(length)), bytes(length)) is Ckr.CKR_OK

    signer.init(mechanism)
    assert signer.finish(data=bytes(246)) is Ckr.CKR_DATA_LEN_RANGE


def test_a_raw_signature_is_the_private_operation_alone(signer: Signer) -> None:
    numbers = signer.rsa.public_numbers()
    signature = signer.sign(Mechanism(Ckm.CKM_RSA_X_509), DATA)

    assert pow(int.from_bytes(signature), numbers.e, numbers.n) == int.from_bytes(DATA)
    assert signer.verify(Mechanism(Ckm.CKM_RSA_X_509), signature, DATA) is Ckr.CKR_OK


def test_raw_data_are_smaller_than_the_modulus(signer: Signer) -> None:
    signer.init(Mechanism(Ckm.CKM_RSA_X_509))
    assert signer.finish(data=b"\xff" * 256) is Ckr.CKR_DATA_INVALID
    signer.init(Mechanism(Ckm.CKM_RSA_X_509))
    assert signer.finish(data=bytes(257)) is Ckr.CKR_DATA_LEN_RANGE


@pytest.mark.parametrize("name", HASHES)
@pytest.mark.parametrize("salt", [0, 20, 32])
def test_a_pss_signature_is_right(signer: Signer, name: str, salt: int) -> None:
    algorithm, digest, mgf = HASHES[name]
    mechanism = Mechanism(
        Ckm[f"CKM_{name}_RSA_PKCS_PSS"], RsaPkcsPssParams(hash_alg=digest, mgf=mgf, salt_len=salt)
    )
    signature = signer.sign(mechanism)

    signer.rsa.verify(signature, DATA, padding.PSS(padding.MGF1(algorithm), salt), algorithm)
    assert signer.verify(mechanism, signature) is Ckr.CKR_OK
    assert signer.verify(mechanism, signature, b"other data") is Ckr.CKR_SIGNATURE_INVALID


def test_pss_of_a_digest_demands_its_length(signer: Signer) -> None:
    params = RsaPkcsPssParams(hash_alg=Ckm.CKM_SHA256, mgf=Ckg.CKG_MGF1_SHA1, salt_len=10)
    mechanism, digest = Mechanism(Ckm.CKM_RSA_PKCS_PSS, params), hashlib.sha256(DATA).digest()
    signature = signer.sign(mechanism, digest)
    how = padding.PSS(padding.MGF1(HASHES["SHA1"][0]), 10)

    signer.rsa.verify(signature, digest, how, Prehashed(hashes.SHA256()))
    signer.init(mechanism)
    assert signer.finish(data=digest[:-1]) is Ckr.CKR_DATA_LEN_RANGE


@pytest.mark.parametrize(
    "mechanism",
    [
        Mechanism(Ckm.CKM_RSA_PKCS_PSS),
        Mechanism(Ckm.CKM_RSA_PKCS_PSS, b"1"),
        Mechanism(Ckm.CKM_RSA_PKCS, b"1"),
        Mechanism(Ckm.CKM_RSA_PKCS_PSS, RsaPkcsPssParams(hash_alg=Ckm.CKM_MD5, mgf=1, salt_len=0)),
        Mechanism(Ckm.CKM_RSA_PKCS_PSS, RsaPkcsPssParams(hash_alg=Ckm.CKM_SHA256, mgf=9, salt_len=0)),
        Mechanism(Ckm.CKM_SHA1_RSA_PKCS_PSS, RsaPkcsPssParams(hash_alg=Ckm.CKM_SHA256, mgf=2, salt_len=0)),
    ],
)
def test_a_mechanism_has_the_parameter_that_it_takes(signer: Signer, mechanism: Mechanism) -> None:
    assert signer.init(mechanism) is Ckr.CKR_MECHANISM_PARAM_INVALID


def test_a_salt_has_to_fit(signer: Signer) -> None:
    signer.init(
        Mechanism(Ckm.CKM_RSA_PKCS_PSS, RsaPkcsPssParams(hash_alg=Ckm.CKM_SHA256, mgf=2, salt_len=300))
    )

    assert signer.finish(data=bytes(32)) is Ckr.CKR_MECHANISM_PARAM_INVALID


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("use", ["sign", "sign,decipher"])
@pytest.mark.parametrize("size", [1024, 1536, 2048])
def test_keys_of_all_sizes_and_purposes_sign(model: str, size: int, use: str) -> None:
    signer = Signer(Desk(model, image=encoded(model, key_profile(model, "rsa", size, use))), PIN1, "Key")

    signer.rsa.verify(signer.sign(SIMPLE), DATA, padding.PKCS1v15(), hashes.SHA256())


def test_a_long_key_of_cardos_5_signs() -> None:
    profile = key_profile("cardos-5.3", "rsa", 3072, "sign")
    signer = Signer(Desk("cardos-5.3", image=encoded("cardos-5.3", profile)), PIN1, "Key")

    signer.rsa.verify(signer.sign(SIMPLE), DATA, padding.PKCS1v15(), hashes.SHA256())


@settings(max_examples=15)
@given(st.lists(st.binary(max_size=300), max_size=5))
def test_parts_are_signed_as_the_whole_is(parts: list[bytes]) -> None:
    signer = _shared()
    signer.init()

    for part in parts:
        signer.program("C_SignUpdate", signer.session, part)

    answer = signer.program("C_SignFinal", signer.session, Buffer(512))
    assert answer.content == signer.sign(SIMPLE, b"".join(parts))
    signer.program("C_VerifyInit", signer.session, SIMPLE, signer.public_handle)

    for part in parts:
        signer.program("C_VerifyUpdate", signer.session, part)

    signer.program("C_VerifyFinal", signer.session, answer.content)


_signers: list[Signer] = []


def _shared() -> Signer:
    if not _signers:
        _signers.append(Signer(Desk()))

    return _signers[0]


# EC


@pytest.mark.parametrize("size", [256, 384, 521])
@pytest.mark.parametrize("name", HASHES)
def test_an_ecdsa_signature_is_right(size: int, name: str) -> None:
    signer = Signer(
        Desk(image=encoded("cardos-5.3", key_profile("cardos-5.3", "ec", size, "sign"))), PIN1, "Key"
    )
    mechanism = Mechanism(Ckm[f"CKM_ECDSA_{name}"])
    signature = signer.sign(mechanism)
    half = (size + 7) // 8
    assert len(signature) == 2 * half
    numbers = (int.from_bytes(signature[:half]), int.from_bytes(signature[half:]))

    signer.ec.verify(encode_dss_signature(*numbers), DATA, ec.ECDSA(HASHES[name][0]))
    assert signer.verify(mechanism, signature) is Ckr.CKR_OK
    assert signer.verify(mechanism, signature, b"other data") is Ckr.CKR_SIGNATURE_INVALID
    assert signer.verify(mechanism, signature[:-1]) is Ckr.CKR_SIGNATURE_LEN_RANGE


@pytest.mark.parametrize("length", [1, 20, 32, 40, 64, 100])
def test_ecdsa_takes_digests_of_any_length(length: int) -> None:
    signer = Signer(
        Desk(image=encoded("cardos-5.3", key_profile("cardos-5.3", "ec", 256, "sign"))), PIN1, "Key"
    )
    mechanism, digest = Mechanism(Ckm.CKM_ECDSA), bytes(range(1, length + 1))

    assert signer.verify(mechanism, signer.sign(mechanism, digest), digest) is Ckr.CKR_OK


def test_a_card_without_curves_offers_no_ecdsa() -> None:
    signer = Signer(Desk("cardos-4.4"))

    assert signer.init(Mechanism(Ckm.CKM_ECDSA)) is Ckr.CKR_MECHANISM_INVALID
