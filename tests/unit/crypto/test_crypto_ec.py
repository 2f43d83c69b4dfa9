"""Elliptic curves: signatures by chance and by RFC 6979, agreement, encodings."""

from __future__ import annotations

import hashlib
from typing import Final

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, encode_dss_signature
from cryptography.hazmat.primitives.serialization import load_der_public_key
from hypothesis import given
from hypothesis import strategies as st

from cardtwin.card.crypto import Curve, EcPrivateKey, KeyFormatError
from cardtwin.entropy import SeededEntropy, SystemEntropy

SHA1 = hashes.SHA1()  # noqa: S303  # cards sign what they are given, SHA-1 among it
HASHES: Final = (SHA1, hashes.SHA224(), hashes.SHA256(), hashes.SHA384(), hashes.SHA512())
CURVES = pytest.mark.parametrize("curve", list(Curve), ids=lambda curve: curve.value)
BY_HASH = pytest.mark.parametrize("algorithm", HASHES, ids=lambda algorithm: algorithm.name)

# RFC 6979, A.2.5: P-256, SHA-256, message "sample".
RFC_KEY: Final = EcPrivateKey(Curve.P256, 0xC9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721)
RFC_SIGNATURE: Final = (
    "EFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716"
    "F7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8"
)


def as_der(signature: bytes) -> bytes:
    half = len(signature) // 2
    return encode_dss_signature(int.from_bytes(signature[:half]), int.from_bytes(signature[half:]))


def key_on(curve: Curve, seed: str = "tests") -> EcPrivateKey:
    return EcPrivateKey.generate(SeededEntropy(seed), curve)


def test_the_vector_of_rfc_6979_comes_out() -> None:
    assert RFC_KEY.sign(hashlib.sha256(b"sample").digest()).hex().upper() == RFC_SIGNATURE


@CURVES
@BY_HASH
def test_a_seeded_signature_is_the_one_that_openssl_makes_by_rfc_6979(
    curve: Curve, algorithm: hashes.HashAlgorithm
) -> None:
    digest = hashlib.new(algorithm.name, b"text").digest()
    key = key_on(curve)
    expected = key.to_cryptography().sign(digest, ec.ECDSA(Prehashed(algorithm), deterministic_signing=True))

    assert as_der(key.sign(digest)) == expected
    assert key.sign(digest, SeededEntropy("whatever")) == key.sign(digest)


@CURVES
@BY_HASH
def test_a_signature_with_a_random_nonce_verifies(curve: Curve, algorithm: hashes.HashAlgorithm) -> None:
    digest = hashlib.new(algorithm.name, b"text").digest()
    key = key_on(curve)
    one, other = key.sign(digest, SystemEntropy()), key.sign(digest, SystemEntropy())

    assert one != other
    assert len(one) == 2 * curve.size
    key.to_cryptography().public_key().verify(as_der(one), digest, ec.ECDSA(Prehashed(algorithm)))


@given(st.binary(min_size=1, max_size=32))
def test_a_short_digest_counts_as_the_number_that_it_is(digest: bytes) -> None:
    key = key_on(Curve.P256)

    key.to_cryptography().public_key().verify(
        as_der(key.sign(digest)), digest.rjust(32, b"\0"), ec.ECDSA(Prehashed(hashes.SHA256()))
    )


def test_an_empty_digest_is_refused() -> None:
    with pytest.raises(ValueError, match="empty"):
        key_on(Curve.P256).sign(b"")


@CURVES
def test_both_sides_agree_on_the_secret(curve: Curve) -> None:
    one, other = key_on(curve), key_on(curve, "peer")
    secret = one.agree(other.public_point)

    assert len(secret) == curve.size
    assert secret == other.agree(one.public_point) == other.agree(one.public_point[1:])


@pytest.mark.parametrize(
    "point", [b"", bytes(64), b"\x04" + b"\x11" * 64, b"\x02" + b"\x11" * 32, bytes(200)]
)
def test_what_is_no_point_on_the_curve_is_refused(point: bytes) -> None:
    with pytest.raises(KeyFormatError, match="no point on P-256"):
        key_on(Curve.P256).agree(point)


@CURVES
def test_a_key_follows_from_the_seed(curve: Curve) -> None:
    assert key_on(curve) == key_on(curve)
    assert key_on(curve) != key_on(curve, "another")


@CURVES
def test_a_number_out_of_range_is_no_key(curve: Curve) -> None:
    for number in (0, -1, curve.order, curve.order + 1):
        with pytest.raises(KeyFormatError):
            EcPrivateKey(curve, number)


@CURVES
def test_the_public_key_is_read_by_openssl(curve: Curve) -> None:
    key = key_on(curve)

    assert load_der_public_key(key.spki()) == key.to_cryptography().public_key()
    assert len(key.public_point) == 1 + 2 * curve.size


def test_an_ec_key_does_not_show_itself() -> None:
    assert repr(RFC_KEY) == str(RFC_KEY) == "EcPrivateKey(P-256, ***)"
