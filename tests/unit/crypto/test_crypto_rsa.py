"""RSA: keys as values, the raw operations, the paddings, the public pool."""

from __future__ import annotations

import hashlib
import math

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateNumbers, RSAPublicNumbers
from cryptography.hazmat.primitives.serialization import load_der_public_key
from hypothesis import given, settings
from hypothesis import strategies as st

from cardtwin.card.crypto import (
    KeyFormatError,
    PaddingError,
    RsaPrivateKey,
    UnsupportedKeyError,
    pad_signature,
    unpad_encryption,
    unpad_signature,
)
from cardtwin.card.crypto.primes import POOL, POOL_EXPONENT, is_probable_prime, starting_point
from cardtwin.entropy import SeededEntropy, SystemEntropy

SHA256_DIGEST_INFO = bytes.fromhex("3031300D060960864801650304020105000420")
KEY = RsaPrivateKey.generate(SeededEntropy("tests", "key"), 2048)
SMALL = RsaPrivateKey.generate(SeededEntropy("tests", "small"), 512)

POOL_ENTRIES = [(bits, index) for bits, entries in POOL.items() for index in range(len(entries))]


@pytest.mark.parametrize(("bits", "index"), POOL_ENTRIES)
def test_the_pool_holds_the_next_primes_after_the_public_starting_points(bits: int, index: int) -> None:
    for prime, offset in zip("pq", POOL[bits][index], strict=True):
        start = starting_point(bits, index, prime)
        # Testing all numbers on the way to a prime of 2048 bits takes long: there the last stretch must do.
        begin = start if bits <= 2048 else max(start, start + offset - 300)
        suitable = [n for n in range(begin, start + offset + 1, 2) if math.gcd(n - 1, POOL_EXPONENT) == 1]

        assert start.bit_length() == bits // 2
        assert [n for n in suitable if is_probable_prime(n)] == [start + offset]


@pytest.mark.parametrize(("bits", "index"), POOL_ENTRIES)
def test_openssl_accepts_every_key_of_the_pool(bits: int, index: int) -> None:
    p, q = (starting_point(bits, index, name) + POOL[bits][index][at] for at, name in enumerate("pq"))
    key = RsaPrivateKey.from_primes(p, q, POOL_EXPONENT)
    numbers = RSAPrivateNumbers(
        p=key.p,
        q=key.q,
        d=key.d,
        dmp1=key.dp,
        dmq1=key.dq,
        iqmp=key.qinv,
        public_numbers=RSAPublicNumbers(key.e, key.n),
    )

    assert numbers.private_key().key_size == bits


def test_a_starting_point_is_shake_256_of_the_documented_label() -> None:
    digest = hashlib.shake_256(b"cardtwin public RSA key pool: 2048 bits, key 3, prime q").digest(128)
    start = starting_point(2048, 3, "q")

    assert start >> 1022 == 3
    assert start & 1
    assert (start ^ int.from_bytes(digest)) & ((1 << 1022) - 2) == 0


def test_one_seeded_source_never_gets_a_key_twice() -> None:
    entropy = SeededEntropy("no twins")
    keys = [RsaPrivateKey.generate(entropy, 1024) for _ in range(len(POOL[1024]) + 2)]

    assert len({key.n for key in keys}) == len(keys)


def test_the_same_seed_gives_the_same_keys_in_the_same_order() -> None:
    def keys(seed: str) -> list[int]:
        entropy = SeededEntropy(seed)
        return [RsaPrivateKey.generate(entropy, 2048).n for _ in range(5)]

    assert keys("1") == keys("1")
    assert keys("1") != keys("2")


def test_fresh_keys_come_from_the_seed_and_not_from_the_pool() -> None:
    first = RsaPrivateKey.generate(SeededEntropy("f"), 1024, fresh=True)
    second = RsaPrivateKey.generate(SeededEntropy("f"), 1024, fresh=True)
    pool = {starting_point(1024, index, "p") + POOL[1024][index][0] for index in range(len(POOL[1024]))}

    assert first == second
    assert not {first.p, first.q} & pool


@pytest.mark.parametrize("bits", [512, 528, 1024])
def test_a_key_has_the_size_asked_for(bits: int) -> None:
    assert RsaPrivateKey.generate(SeededEntropy("size"), bits, fresh=True).bits == bits


def test_system_entropy_gives_a_new_key_each_time() -> None:
    one, other = (RsaPrivateKey.generate(SystemEntropy(), 1024) for _ in range(2))

    assert one.n != other.n
    assert one.bits == 1024


@pytest.mark.parametrize("e", [3, 17, 257])
def test_another_public_exponent_is_searched_for(e: int) -> None:
    key = RsaPrivateKey.generate(SeededEntropy("e"), 512, e)

    assert key.e == e
    assert key.public.raw(key.raw(bytes(63) + b"\x07")) == bytes(63) + b"\x07"


@pytest.mark.parametrize(("bits", "e"), [(496, 65537), (1000, 65537), (8208, 65537), (1024, 1), (1024, 4)])
def test_a_size_or_exponent_out_of_range_is_refused(bits: int, e: int) -> None:
    with pytest.raises(UnsupportedKeyError):
        RsaPrivateKey.generate(SeededEntropy("no"), bits, e)


def test_five_parts_give_the_whole_key() -> None:
    assert RsaPrivateKey.from_crt(KEY.p, KEY.q, KEY.dp, KEY.dq, KEY.qinv) == KEY


@pytest.mark.parametrize("part", range(5))
def test_a_wrong_part_is_refused(part: int) -> None:
    parts = [KEY.p, KEY.q, KEY.dp, KEY.dq, KEY.qinv]
    parts[part] ^= 2

    with pytest.raises(KeyFormatError):
        RsaPrivateKey.from_crt(*parts)


def test_parts_that_were_overwritten_with_ff_are_refused() -> None:
    with pytest.raises(KeyFormatError):
        RsaPrivateKey.from_crt(*[int.from_bytes(b"\xff" * 128)] * 5)


@pytest.mark.parametrize("e", [3, 65537, 65539])
def test_modulus_and_private_exponent_give_the_whole_key(e: int) -> None:
    key = RsaPrivateKey.generate(SeededEntropy("two parts"), 512, e)

    assert RsaPrivateKey.from_n_d(key.n, key.d) == key


@pytest.mark.parametrize(
    ("n", "d"),
    [
        (SMALL.n, SMALL.d ^ 2),
        (SMALL.n ^ 2, SMALL.d),
        (SMALL.n, 0),
        (SMALL.n, SMALL.n),
        (0, 0),
        (23, 15),
        (105, 5),
    ],
)
def test_a_modulus_and_an_exponent_that_do_not_match_are_refused(n: int, d: int) -> None:
    with pytest.raises(KeyFormatError):
        RsaPrivateKey.from_n_d(n, d)


@pytest.mark.parametrize(("p", "q", "e"), [(7, 7, 5), (8, 11, 3), (7, 11, 3), (1, 11, 3), (15, 5, 3)])
def test_numbers_that_make_no_key_are_refused(p: int, q: int, e: int) -> None:
    with pytest.raises(KeyFormatError):
        RsaPrivateKey.from_primes(p, q, e)


@given(st.integers(0, SMALL.n - 1))
def test_the_raw_operations_undo_each_other(number: int) -> None:
    block = number.to_bytes(SMALL.size)

    assert SMALL.public.raw(SMALL.raw(block)) == block
    assert SMALL.raw(SMALL.public.raw(block)) == block


@settings(max_examples=20)
@given(st.binary(max_size=KEY.size - 11))
def test_a_padded_block_has_the_same_result_by_openssl_and_by_numbers(data: bytes) -> None:
    block = pad_signature(data, KEY.size)

    assert int.from_bytes(KEY.raw(block)) == pow(int.from_bytes(block), KEY.d, KEY.n)


def test_a_block_that_is_padded_too_little_is_still_raised_to_the_power() -> None:
    block = b"\x00\x01" + b"\xff" * 7 + b"\x00" + bytes(KEY.size - 10)

    assert KEY.public.raw(KEY.raw(block)) == block


def test_a_signature_verifies_by_openssl() -> None:
    signature = KEY.sign_pkcs1(SHA256_DIGEST_INFO + hashlib.sha256(b"text").digest())

    KEY.public.to_cryptography().verify(signature, b"text", padding.PKCS1v15(), hashes.SHA256())


@settings(max_examples=20)
@given(st.binary(max_size=KEY.size - 11))
def test_what_openssl_encrypts_is_deciphered(data: bytes) -> None:
    cryptogram = KEY.public.to_cryptography().encrypt(data, padding.PKCS1v15())

    assert KEY.decipher_pkcs1(cryptogram) == data


@pytest.mark.parametrize("block", [bytes(255), bytes(257), b"", b"\xff" * 256])
def test_a_block_of_another_length_or_beyond_the_modulus_is_refused(block: bytes) -> None:
    with pytest.raises(PaddingError):
        KEY.raw(block)

    with pytest.raises(PaddingError):
        KEY.public.raw(block)


def test_data_too_long_to_be_padded_are_refused() -> None:
    assert len(pad_signature(bytes(117), 128)) == 128

    with pytest.raises(PaddingError, match="at most 117 bytes"):
        pad_signature(bytes(118), 128)


@pytest.mark.parametrize(
    "block",
    [
        b"\x00\x01" + b"\x11" * 8 + b"\x00data",
        b"\x01\x02" + b"\x11" * 8 + b"\x00data",
        b"\x00\x02" + b"\x11" * 7 + b"\x00data",
        b"\x00\x02" + b"\x11" * 20,
        b"\x00\x02",
        b"",
    ],
)
def test_a_block_of_type_2_is_read_strictly(block: bytes) -> None:
    with pytest.raises(PaddingError) as refused:
        unpad_encryption(block)

    assert b"data".hex() not in str(refused.value)


@pytest.mark.parametrize(
    "block",
    [
        b"\x00\x02" + b"\xff" * 8 + b"\x00data",
        b"\x00\x01" + b"\xff" * 7 + b"\x00data",
        b"\x00\x01" + b"\xff" * 7 + b"\xfe\x00data",
        b"\x00\x01" + b"\xff" * 20,
        b"",
    ],
)
def test_a_block_of_type_1_is_read_strictly(block: bytes) -> None:
    with pytest.raises(PaddingError):
        unpad_signature(block)


@given(st.binary(max_size=117))
def test_unpadding_undoes_padding(data: bytes) -> None:
    assert unpad_signature(pad_signature(data, 128)) == data


def test_public_encodings_are_read_by_openssl() -> None:
    for encoded in (KEY.public.der(), KEY.public.spki()):
        assert load_der_public_key(encoded) == KEY.public.to_cryptography()


def test_a_private_key_does_not_show_itself() -> None:
    assert repr(KEY) == str(KEY) == "RsaPrivateKey(2048 bits, ***)"


def test_composite_numbers_are_told_from_primes() -> None:
    primes = {n for n in range(2, 3000) if all(n % d for d in range(2, math.isqrt(n) + 1))}
    strong_pseudoprime = 3825123056546413051  # to the bases 2 to 23

    assert {n for n in range(3000) if is_probable_prime(n)} == primes
    assert is_probable_prime(2**521 - 1)
    assert not is_probable_prime(strong_pseudoprime)
    assert not is_probable_prime((2**127 - 1) * (2**107 - 1))
