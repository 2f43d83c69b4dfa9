from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cardtwin.iso7816 import StatusWord


@given(st.integers(0, 0xFFFF))
def test_every_value_is_a_status_word_and_the_same_one_each_time(value: int) -> None:
    assert StatusWord(value) == value
    assert StatusWord(value) is StatusWord(value)
    assert StatusWord(value).to_bytes(2) == value.to_bytes(2)


@pytest.mark.parametrize("value", [-1, 0x10000])
def test_a_value_of_more_than_two_bytes_is_none(value: int) -> None:
    with pytest.raises(ValueError, match="is not a valid StatusWord"):
        StatusWord(value)


@pytest.mark.parametrize(
    ("value", "name"),
    [
        (0x9000, "SUCCESS"),
        (0x6982, "SECURITY_STATUS_NOT_SATISFIED"),
        (0x6110, "BYTES_AVAILABLE_16"),
        (0x6C08, "CORRECT_LENGTH_8"),
        (0x63C2, "COUNTER_2"),
        (0x6FAB, "UNKNOWN_6FAB"),
    ],
)
def test_names_are_the_standards_and_families_carry_their_number(value: int, name: str) -> None:
    assert StatusWord(value).name == name


@given(st.integers(0, 0xFFFF))
def test_success_warning_and_tries_follow_the_first_byte(value: int) -> None:
    word = StatusWord(value)
    assert word.is_success == (value >> 8 in {0x90, 0x61})
    assert word.is_warning == (value >> 8 in {0x62, 0x63})
    assert word.tries_left == (value & 0x0F if 0x63C0 <= value <= 0x63CF else None)


@given(st.integers(0, 100))
def test_a_counter_says_at_most_fifteen(tries: int) -> None:
    assert StatusWord.counter(tries).tries_left == min(tries, 15)


def test_a_status_word_is_shown_in_hex_with_its_name() -> None:
    word = StatusWord(0x6A82)
    assert str(word) == "6A82 (file not found)"
    assert f"{word}" == "6A82 (file not found)"
    assert f"{word:04X}" == "6A82"
