from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cardtwin.iso7816 import Atr, AtrFormatError

# CardOS 4.4, CardOS 5.3 and a card with T=0 only, which has no check byte.
KNOWN = {
    "3BD218008131FE58C90217": ((1,), "C902"),
    "3BD2180081 31FE58C90316": ((1,), "C903"),
    "3B6500002063CB6600": ((0,), "2063CB6600"),
}


@pytest.mark.parametrize("text", KNOWN)
def test_known_answers_are_taken_apart(text: str) -> None:
    protocols, historical = KNOWN[text]
    atr = Atr.parse(bytes.fromhex(text))
    assert atr.protocols == protocols
    assert atr.historical == bytes.fromhex(historical)


def test_interface_bytes_have_their_names() -> None:
    atr = Atr.parse(bytes.fromhex("3BD218008131FE58C90217"))
    names = {"TA1": 0x18, "TC1": 0x00, "TD1": 0x81, "TD2": 0x31, "TA3": 0xFE, "TB3": 0x58}
    assert dict(atr.interface) == names


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "begins with 3B or 3F"),
        ("3A00", "begins with 3B or 3F"),
        ("3B10", "TA1 is announced and missing"),
        ("3B05AA", "5 historical bytes announced, 1 are there"),
        ("3BD218008131FE58C902", "expected one check byte"),
        ("3BD218008131FE58C90218", "TCK is 18, but the bytes give 17"),
        ("3B6500002063CB6600AABB", "expected one check byte"),
    ],
)
def test_a_wrong_answer_is_refused_with_what_is_wrong(text: str, says: str) -> None:
    with pytest.raises(AtrFormatError, match=says):
        Atr.parse(bytes.fromhex(text))


@given(st.binary(max_size=33))
def test_any_bytes_are_an_answer_or_refused(data: bytes) -> None:
    try:
        atr = Atr.parse(b"\x3b" + data)
    except AtrFormatError:
        return

    assert atr.raw == b"\x3b" + data
    assert atr.historical in atr.raw


@given(st.integers(6, 10), st.integers(1, 255))
def test_one_changed_byte_behind_the_last_td_is_noticed_by_its_check_byte(at: int, flip: int) -> None:
    raw = bytearray.fromhex("3BD218008131FE58C90217")
    raw[at] ^= flip

    with pytest.raises(AtrFormatError):
        Atr.parse(bytes(raw))


def test_an_answer_is_shown_in_hex() -> None:
    assert str(Atr.parse(bytes.fromhex("3B6500002063CB6600"))) == "3B 65 00 00 20 63 CB 66 00"
