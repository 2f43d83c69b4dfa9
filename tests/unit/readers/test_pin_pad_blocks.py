"""How PINs entered at a reader get into a command: PC/SC part 10, 2.5.2 and 2.5.3."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cardtwin.events import PinPadAnswer, PinPrompt
from cardtwin.pcsc import PinModification, PinVerification
from cardtwin.readers import EntryError, PinEntry
from cardtwin.readers.errors import PinFormatError, PinRefusedError
from cardtwin.readers.pinpad.operations import PinCollector

if TYPE_CHECKING:
    from collections.abc import Iterator

BYTES, BCD, ASCII, RIGHT = 0x80, 0x01, 0x02, 0x04
TIMED_OUT, CANCELLED, DIFFERENT, WRONG_LENGTH = 0x6400, 0x6401, 0x6402, 0x6403
VERIFY = PinVerification(
    format_string=BYTES | ASCII,
    pin_block_string=8,
    min_digits=4,
    max_digits=8,
    command=bytes.fromhex("00200081 08 FFFFFFFFFFFFFFFF"),
)
MODIFY = PinModification(
    format_string=BYTES | ASCII,
    pin_block_string=8,
    insertion_offset_new=8,
    min_digits=4,
    max_digits=8,
    confirmation=3,
    command=bytes.fromhex("00240081 10") + bytes(16),
)


class Person:
    """Enters one thing after the other, and then nothing more."""

    def __init__(self, *entries: str) -> None:
        self._entries: Iterator[PinEntry] = iter([PinEntry.parse(entry) for entry in entries])
        self.seconds: list[float] = []
        self.told: list[tuple[PinPrompt, PinPadAnswer]] = []
        self.collector = PinCollector(self._ask, lambda prompt, answer: self.told.append((prompt, answer)))

    def _ask(self, seconds: float) -> PinEntry:
        self.seconds.append(seconds)
        return next(self._entries, PinEntry.parse("timeout"))


def built(wanted: PinVerification | PinModification, *entries: str) -> str:
    collector = Person(*entries).collector

    if isinstance(wanted, PinVerification):
        return collector.verification(wanted).hex().upper()

    return collector.modification(wanted).hex().upper()


def refusal(wanted: PinVerification | PinModification, *entries: str) -> int:
    with pytest.raises(PinRefusedError) as refused:
        built(wanted, *entries)

    return int.from_bytes(refused.value.status)


def test_ascii_digits_overwrite_the_fillers_of_their_block() -> None:
    assert built(VERIFY, "1234") == "002000810831323334FFFFFFFF"


def test_what_stands_beside_a_block_stays_as_it_is() -> None:
    command = bytes.fromhex("00200081 0C AAAA FFFFFFFFFFFFFFFF BBBB")
    wanted = replace(VERIFY, format_string=BYTES | ASCII | 2 << 3, command=command)
    assert built(wanted, "12345678") == "002000810CAAAA3132333435363738BBBB"


def test_digits_at_the_right_stand_at_the_end_of_the_block() -> None:
    command = bytes.fromhex("00200081 0A FFFFFFFFFFFFFFFF BBBB")
    assert built(replace(VERIFY, format_string=BYTES | ASCII | RIGHT, command=command), "12345") == (
        "002000810AFFFFFF3132333435BBBB"
    )


def test_bcd_takes_half_a_byte_for_a_digit_and_leaves_the_other_half() -> None:
    wanted = replace(VERIFY, format_string=BYTES | BCD)
    assert built(wanted, "12345") == "002000810812345FFFFFFFFFFF"


def test_binary_takes_a_byte_for_the_number_of_each_digit() -> None:
    assert built(replace(VERIFY, format_string=BYTES), "1209") == "002000810801020009FFFFFFFF"


def test_a_global_platform_pin_has_its_length_in_half_a_byte() -> None:
    """As OpenSC's reader driver asks for: position 8 bits, block 8 bytes, 4 bits of length at bit 4."""
    wanted = replace(
        VERIFY,
        format_string=BCD | 8 << 3,
        pin_block_string=0x48,
        pin_length_format=0x04,
        command=bytes.fromhex("00200001 08 2FFFFFFFFFFFFFFF"),
    )
    assert built(wanted, "1234") == "0020000108241234FFFFFFFFFF"


def test_positions_in_bits_are_those_of_a_vendors_example() -> None:
    """Example 2 in the manual of ACS's reader ACR83: 4 bits of length at bit 6, BCD from bit 11 on."""
    wanted = replace(
        VERIFY,
        format_string=BCD | 11 << 3,
        pin_block_string=0x48,
        pin_length_format=0x06,
        command=bytes.fromhex("00200001 08 5730303030303030"),
    )
    assert built(wanted, "12345") == "00200001085562468A30303030"


def test_the_length_may_stand_in_a_byte_of_its_own() -> None:
    wanted = replace(
        VERIFY,
        format_string=BYTES | ASCII | 1 << 3,
        pin_block_string=0x88,
        pin_length_format=0x10,
        command=bytes.fromhex("00200001 09") + bytes(9),
    )
    assert built(wanted, "123456") == "0020000109063132333435360000"


@pytest.mark.parametrize("command", ["00200081", "0020008100"])
def test_a_command_without_data_gets_the_digits_alone_and_their_number(command: str) -> None:
    wanted = replace(VERIFY, pin_block_string=0, command=bytes.fromhex(command))
    assert built(wanted, "12345") == "00200081053132333435"


def test_bcd_alone_is_filled_up_to_whole_bytes() -> None:
    wanted = replace(VERIFY, format_string=BCD, pin_block_string=0, command=bytes.fromhex("00200081"))
    assert built(wanted, "12345") == "002000810312345F"


def test_old_and_new_pin_go_each_into_its_block() -> None:
    assert built(MODIFY, "1234", "567890", "567890") == "002400811031323334000000003536373839300000"


def test_a_new_pin_alone_leaves_what_the_host_has_put_into_the_first_block() -> None:
    command = bytes.fromhex("002C0081 10 3837363534333231") + bytes(8)
    wanted = replace(MODIFY, confirmation=1, command=command)
    assert built(wanted, "4321", "4321") == "002C00811038373635343332313433323100000000"


def test_pins_of_a_change_without_data_stand_one_behind_the_other() -> None:
    command = bytes.fromhex("0024008100")
    wanted = replace(MODIFY, pin_block_string=0, insertion_offset_new=0, command=command)
    assert built(wanted, "1234", "56789", "56789") == "0024008109313233343536373839"


@pytest.mark.parametrize(
    ("confirmation", "prompts"),
    [
        (0, [PinPrompt.NEW_PIN]),
        (1, [PinPrompt.NEW_PIN, PinPrompt.NEW_PIN_AGAIN]),
        (2, [PinPrompt.CURRENT_PIN, PinPrompt.NEW_PIN]),
        (3, [PinPrompt.CURRENT_PIN, PinPrompt.NEW_PIN, PinPrompt.NEW_PIN_AGAIN]),
    ],
)
def test_the_confirmation_says_what_is_asked_for(confirmation: int, prompts: list[PinPrompt]) -> None:
    person = Person(*["5678"] * 3)
    person.collector.modification(replace(MODIFY, confirmation=confirmation))
    assert person.told == [(prompt, PinPadAnswer.ENTERED) for prompt in prompts]


def test_a_new_pin_that_is_repeated_otherwise_is_refused() -> None:
    assert refusal(MODIFY, "1234", "5678", "5679") == DIFFERENT


@pytest.mark.parametrize("before", [[], ["1234"], ["1234", "5678"]])
@pytest.mark.parametrize(("word", "status"), [("cancel", CANCELLED), ("timeout", TIMED_OUT)])
def test_each_prompt_can_be_cancelled_or_left_alone(before: list[str], word: str, status: int) -> None:
    assert refusal(MODIFY, *before, word) == status


@pytest.mark.parametrize("digits", ["123", "123456789"])
def test_too_few_and_too_many_digits_are_refused(digits: str) -> None:
    assert refusal(VERIFY, digits) == WRONG_LENGTH
    assert refusal(MODIFY, "1234", digits) == WRONG_LENGTH


def test_digits_that_the_block_has_no_room_for_are_too_many() -> None:
    assert refusal(replace(VERIFY, max_digits=12), "123456789") == WRONG_LENGTH


def test_no_more_digits_are_taken_than_the_display_has_room_for() -> None:
    wanted = replace(VERIFY, pin_block_string=0, max_digits=40, command=bytes.fromhex("00200081"))
    assert refusal(wanted, "1" * 17) == WRONG_LENGTH
    assert built(wanted, "1" * 16) == "0020008110" + "31" * 16


@pytest.mark.parametrize(
    ("condition", "digits", "taken"),
    [
        (0x01, "12345678", "12345678"),
        (0x01, "123456789", "12345678"),
        (0x01, "1234", None),
        (0x03, "1234", "1234"),
        (0x04, "1234", "1234"),
        (0x04, "timeout", None),
        (0x07, "timeout", None),
    ],
)
def test_an_entry_ends_as_the_validation_condition_says(
    condition: int, digits: str, taken: str | None
) -> None:
    wanted = replace(VERIFY, validation=condition)

    if taken is None:
        assert refusal(wanted, digits) == TIMED_OUT
    else:
        assert built(wanted, digits).startswith("0020008108" + taken.encode().hex())


@pytest.mark.parametrize(("given", "has"), [(0, 30), (7, 7)])
def test_the_person_has_the_time_that_the_host_gives(given: int, has: float) -> None:
    person = Person("1234")
    person.collector.verification(replace(VERIFY, timeout=given))
    assert person.seconds == [has]


@pytest.mark.parametrize(
    "wrong",
    [
        {"format_string": 0x83},
        {"command": bytes.fromhex("00D60000 08 FFFFFFFFFFFFFFFF")},
        {"command": bytes.fromhex("00240081 08 FFFFFFFFFFFFFFFF")},
        {"command": bytes.fromhex("10200081 08 FFFFFFFFFFFFFFFF")},
        {"command": bytes.fromhex("00200081 09 FFFFFFFFFFFFFFFF")},
        {"command": bytes.fromhex("002000")},
        {"command": bytes.fromhex("00200081")},
        {"format_string": BYTES | ASCII | 8 << 3},
        {"pin_block_string": 0x88, "pin_length_format": 0x18},
        {"max_digits": 0, "min_digits": 0},
        {"min_digits": 9},
        {"validation": 0},
        {"validation": 0x08},
        {"number_message": 2},
        {"number_message": 1, "message": 3},
    ],
)
def test_what_cannot_be_done_is_refused_before_anything_is_asked(wrong: dict[str, Any]) -> None:
    person = Person("1234")

    with pytest.raises(PinFormatError):
        person.collector.verification(replace(VERIFY, **wrong))

    assert not person.seconds


@pytest.mark.parametrize(
    "wrong",
    [
        {"confirmation": 4},
        {"insertion_offset_new": 16},
        {"number_message": 4},
        {"number_message": 3, "messages": (0, 1, 3)},
        {"command": bytes.fromhex("00200081 10") + bytes(16)},
        {"command": bytes.fromhex("00240081"), "pin_block_string": 0},
    ],
)
def test_what_of_a_change_cannot_be_done_is_refused_before_anything_is_asked(wrong: dict[str, Any]) -> None:
    person = Person("1234", "1234")

    with pytest.raises(PinFormatError):
        person.collector.modification(replace(MODIFY, **wrong))

    assert not person.seconds


@pytest.mark.parametrize("number", [0, 1, 0xFF])
def test_messages_are_none_or_the_readers_own(number: int) -> None:
    assert built(replace(VERIFY, number_message=number, message=2 if number == 1 else 9), "1234")


@pytest.mark.parametrize("text", ["", "12a4", "Cancel", "12 34", "\N{ARABIC-INDIC DIGIT ONE}234"])
def test_only_digits_and_two_words_can_be_entered(text: str) -> None:
    with pytest.raises(EntryError) as refused:
        PinEntry.parse(text)

    assert not text or text not in str(refused.value)


def test_no_repr_shows_digits() -> None:
    assert "1234" not in repr(PinEntry.parse("1234"))
    assert "31323334" not in repr(replace(VERIFY, command=b"1234")).replace(" ", "")


@given(
    st.text("0123456789", min_size=4, max_size=8),
    st.binary(min_size=8, max_size=30),
    st.integers(0, 15),
    st.booleans(),
)
def test_nothing_but_the_digits_changes_whatever_the_command_brings(
    digits: str, data: bytes, position: int, right: bool
) -> None:
    data = data.ljust(position + 8, b"\xa5")
    form = BYTES | ASCII | position << 3 | (RIGHT if right else 0)
    command = bytes.fromhex("00200081") + bytes((len(data),)) + data
    at = position + (8 - len(digits) if right else 0)
    expected = data[:at] + digits.encode() + data[at + len(digits) :]
    assert bytes.fromhex(built(replace(VERIFY, format_string=form, command=command), digits))[5:] == expected


@given(st.binary(max_size=60))
def test_any_bytes_are_a_structure_that_gives_them_again_or_none(data: bytes) -> None:
    for kind in (PinVerification, PinModification):
        try:
            found = kind.parse(data)
        except ValueError:
            continue

        assert found.encode() == data


def test_the_structures_have_the_sizes_of_those_in_c() -> None:
    assert len(VERIFY.encode()) == 19 + len(VERIFY.command)
    assert len(MODIFY.encode()) == 24 + len(MODIFY.command)
