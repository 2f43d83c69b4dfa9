"""DES: encryption, MACs, the StartKey's protected commands, challenge and response."""

from __future__ import annotations

from typing import Final, TypeAlias

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cardtwin.card.crypto import KeyFormatError, SecureMessagingError, authentication, des, startkey
from cardtwin.card.crypto.authentication import Method

Header: TypeAlias = tuple[int, int, int]

FACTORY: Final = b"\xff" * 16
KEY: Final = bytes.fromhex("0123456789ABCDEFFEDCBA9876543210")
MAC_INPUT: Final = b"Now is the time for all "

# Payloads of a vendor's erase script for CardOS V4.3B, and the FORMAT that OpenSC means to send.
VECTORS: Final = (
    ("06 00 00", "", "06000008 00000000 F76AFC09 E6D5F465"),
    (
        "40 00 01",
        "62 15 81 02 0400 85 01 01 86 0A 00000000000000000000 CB 00",
        "6F88F29476BD8AA1 C30CD7DFB611206A 57E1CF8D932A2F55 C2E1778B37F0D0FB",
    ),
    (
        "40 00 01",
        "62 13 81 02 0080 85 01 01 86 0A 00000000000000000000",
        "748CA3A848200B0C 752DD82D5BE35CE1 DE98AEBB1B485439 0235B60B35A0CC19",
    ),
)
BY_VECTOR = pytest.mark.parametrize(
    ("header", "data", "payload"),
    [
        (tuple(bytes.fromhex(header)), bytes.fromhex(data), bytes.fromhex(payload))
        for header, data, payload in VECTORS
    ],
)
BYTE = st.integers(0, 255)
KEYS = st.binary(min_size=16, max_size=16)
PLAIN = st.binary(max_size=239)


@BY_VECTOR
def test_the_payloads_of_the_real_script_come_out(header: Header, data: bytes, payload: bytes) -> None:
    assert startkey.wrap(FACTORY, *header, data) == payload
    assert startkey.unwrap(FACTORY, *header, payload) == data


@given(KEYS, BYTE, BYTE, BYTE, PLAIN)
def test_unwrapping_undoes_wrapping(key: bytes, ins: int, p1: int, p2: int, data: bytes) -> None:
    payload = startkey.wrap(key, ins, p1, p2, data)

    assert len(payload) % 8 == 0
    assert len(payload) <= 255
    assert startkey.unwrap(key, ins, p1, p2, payload) == data


@BY_VECTOR
def test_any_flipped_bit_is_noticed(header: Header, data: bytes, payload: bytes) -> None:
    for bit in range(8 * len(payload)):
        flipped = bytearray(payload)
        flipped[bit // 8] ^= 1 << bit % 8

        with pytest.raises(SecureMessagingError):
            assert startkey.unwrap(FACTORY, *header, bytes(flipped)) != data


@BY_VECTOR
def test_a_payload_fits_one_command_and_one_key_only(header: Header, data: bytes, payload: bytes) -> None:
    for at in range(3):
        ins, p1, p2 = (byte ^ (place == at) for place, byte in enumerate(header))

        with pytest.raises(SecureMessagingError):
            startkey.unwrap(FACTORY, ins, p1, p2, payload)

    with pytest.raises(SecureMessagingError):
        startkey.unwrap(KEY, *header, payload)

    assert startkey.wrap(KEY, *header, data) != payload


@given(st.binary(max_size=64))
def test_bytes_that_nobody_wrapped_are_refused(payload: bytes) -> None:
    with pytest.raises(SecureMessagingError):
        startkey.unwrap(KEY, 0x06, 0, 0, payload)


def test_the_two_halves_of_the_key_have_the_places_that_opensc_gives_them() -> None:
    first, second = KEY[:8], KEY[8:]
    block = bytes.fromhex("0600000800000000")
    mac = des.encrypt_cbc(first, des.decrypt_cbc(second, des.encrypt_cbc(first, block)))
    step = des.encrypt_cbc(first, des.decrypt_cbc(second, des.encrypt_cbc(first, mac)))

    assert startkey.wrap(KEY, 0x06, 0, 0, b"")[:8] == step


def test_data_that_do_not_fit_into_a_short_command_are_refused() -> None:
    with pytest.raises(SecureMessagingError, match="240 bytes"):
        startkey.wrap(KEY, 0x20, 0, 0, bytes(240))


@pytest.mark.parametrize("size", [0, 8, 15, 24])
def test_a_start_key_has_sixteen_bytes(size: int) -> None:
    with pytest.raises(KeyFormatError, match="16 bytes"):
        startkey.wrap(bytes(size), 0x06, 0, 0, b"")

    with pytest.raises(KeyFormatError, match="16 bytes"):
        startkey.unwrap(bytes(size), 0x06, 0, 0, bytes(16))


def test_des_gives_the_result_of_its_standard_example() -> None:
    # FIPS 81, table C1 (CBC with an initial vector), and SP 800-67, B.1 (three keys, block by block).
    iv, key = bytes.fromhex("1234567890ABCDEF"), bytes.fromhex("0123456789ABCDEF")
    three = bytes.fromhex("0123456789ABCDEF 23456789ABCDEF01 456789ABCDEF0123")

    assert des.encrypt_cbc(key, MAC_INPUT, iv).hex() == "e5c7cdde872bf27c43e934008c389c0f683788499a7c05f6"
    assert des.encrypt_cbc(three, b"The qufc").hex() == "a826fd8ce53b855f"


def test_the_macs_give_the_results_of_iso_9797() -> None:
    # ISO/IEC 9797-1:2011, annex B: single DES, and algorithm 3 with two keys; padding method 1.
    assert des.cbc_mac(KEY[:8], des.pad_zero(MAC_INPUT)).hex() == "70a30640cc76dd8b"
    assert des.retail_mac(KEY, des.pad_zero(MAC_INPUT)).hex() == "a1c72e74ea3fa9b6"


@pytest.mark.parametrize("size", [8, 16, 24])
def test_a_key_of_each_length_decrypts_what_it_encrypted(size: int) -> None:
    key = bytes(range(size))

    assert des.decrypt_cbc(key, des.encrypt_cbc(key, bytes(32))) == bytes(32)


def test_a_shorter_key_stands_for_the_longer_one_that_repeats_it() -> None:
    assert des.encrypt_cbc(KEY[:8], bytes(8)) == des.encrypt_cbc(KEY[:8] * 3, bytes(8))
    assert des.encrypt_cbc(KEY, bytes(8)) == des.encrypt_cbc(KEY + KEY[:8], bytes(8))
    assert des.retail_mac(KEY[:8], bytes(8)) == des.cbc_mac(KEY[:8], bytes(8))


@pytest.mark.parametrize("size", [0, 7, 12, 32])
def test_a_key_of_another_length_is_refused(size: int) -> None:
    with pytest.raises(KeyFormatError, match="8, 16 or 24"):
        des.encrypt_cbc(bytes(size), bytes(8))


@given(st.binary(max_size=40))
def test_a_padding_mark_is_found_again(data: bytes) -> None:
    padded = des.pad_mark(data)

    assert len(padded) % 8 == 0
    assert des.unpad_mark(padded) == data


@pytest.mark.parametrize("data", [b"", bytes(8), b"\x80" + bytes(8), b"\x01" * 8])
def test_a_missing_or_distant_padding_mark_is_noticed(data: bytes) -> None:
    assert des.unpad_mark(data) is None


@pytest.mark.parametrize("method", list(Method))
@pytest.mark.parametrize("size", [8, 16, 24])
def test_a_right_response_is_accepted_and_another_is_not(method: Method, size: int) -> None:
    key, challenge = bytes(range(size)), b"challeng"
    response = authentication.respond(key, challenge, method)

    assert authentication.is_response(key, challenge, response, method)
    assert not authentication.is_response(key, challenge, bytes(8), method)
    assert not authentication.is_response(key, challenge, b"", method)
    assert not authentication.is_response(key[::-1], challenge, response, method)


def test_the_methods_differ_for_a_key_of_two_halves() -> None:
    challenge = b"two blocks of it"
    responses = {authentication.respond(KEY, challenge, method) for method in Method}

    assert len(responses) == len(Method)
