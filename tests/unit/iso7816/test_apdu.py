from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

import strategies
from cardtwin.iso7816 import ApduFormatError, CommandApdu, ResponseApdu, StatusWord

CASES = {
    "00A40000": CommandApdu(0x00, 0xA4),
    "00B0000000": CommandApdu(0x00, 0xB0, le=256),
    "00B0000010": CommandApdu(0x00, 0xB0, le=16),
    "00A4000C023F00": CommandApdu(0x00, 0xA4, 0x00, 0x0C, b"\x3f\x00"),
    "00A40000023F0000": CommandApdu(0x00, 0xA4, data=b"\x3f\x00", le=256),
    "00B00000000000": CommandApdu(0x00, 0xB0, le=65536, extended=True),
    "00B00000000100": CommandApdu(0x00, 0xB0, le=256, extended=True),
    "00D60000000001AA": CommandApdu(0x00, 0xD6, data=b"\xaa", extended=True),
    "00D60000000001AA0000": CommandApdu(0x00, 0xD6, data=b"\xaa", le=65536, extended=True),
}


@pytest.mark.parametrize("text", CASES)
def test_every_case_of_7816_3_is_read_and_written(text: str) -> None:
    command = bytes.fromhex(text)
    assert CommandApdu.parse(command) == CASES[text]
    assert CASES[text].encode() == command


@given(strategies.command_apdus())
def test_a_command_comes_back_from_its_bytes(command: CommandApdu) -> None:
    assert CommandApdu.parse(command.encode()) == command


@given(strategies.command_apdus())
def test_bytes_of_a_command_come_back_from_it(command: CommandApdu) -> None:
    encoded = command.encode()
    assert CommandApdu.parse(encoded).encode() == encoded


@given(st.binary(max_size=300))
def test_any_bytes_are_a_command_that_says_the_same_or_are_refused(data: bytes) -> None:
    try:
        command = CommandApdu.parse(data)
    except ApduFormatError:
        return

    assert command.encode() == data


@pytest.mark.parametrize(
    "text",
    [
        "",
        "00",
        "00A400",
        "00A4000005AABB",
        "00A4000001AABBCC",
        "00A400000000",
        "00A4000000000000",
        "00A40000000002AA",
    ],
)
def test_length_fields_that_do_not_fit_are_refused(text: str) -> None:
    with pytest.raises(ApduFormatError):
        CommandApdu.parse(bytes.fromhex(text))


def test_long_data_takes_the_extended_form_unasked() -> None:
    assert CommandApdu(0, 0xD6, data=bytes(256)).encode()[4:7] == b"\x00\x01\x00"
    assert CommandApdu(0, 0xB0, le=257).encode()[4:] == b"\x00\x01\x01"


@pytest.mark.parametrize(
    "command",
    [CommandApdu(0, 0, data=bytes(65536)), CommandApdu(0, 0, le=0), CommandApdu(0, 0, le=65537)],
)
def test_a_length_beyond_the_extended_form_is_refused(command: CommandApdu) -> None:
    with pytest.raises(ApduFormatError, match="out of range"):
        command.encode()


@pytest.mark.parametrize(("cla", "chained"), [(0x00, False), (0x10, True), (0x1C, True), (0x90, False)])
def test_chaining_is_read_from_the_interindustry_class_only(cla: int, chained: bool) -> None:
    assert CommandApdu(cla, 0x2A).chained is chained


def test_the_repr_of_commands_and_responses_hides_their_data() -> None:
    assert "1234" not in repr(CommandApdu(0, 0x20, data=b"1234"))
    assert "1234" not in repr(ResponseApdu(b"1234"))


@given(strategies.response_apdus())
def test_a_response_comes_back_from_its_bytes(response: ResponseApdu) -> None:
    assert ResponseApdu.parse(response.encode()) == response


@pytest.mark.parametrize("data", [b"", b"\x90"])
def test_a_response_without_a_status_word_is_refused(data: bytes) -> None:
    with pytest.raises(ApduFormatError):
        ResponseApdu.parse(data)


def test_a_response_succeeds_unless_told_otherwise() -> None:
    assert ResponseApdu(b"\x01").encode() == b"\x01\x90\x00"
    assert ResponseApdu().sw is StatusWord.SUCCESS


def test_the_header_is_the_first_four_bytes() -> None:
    assert CommandApdu(0x80, 0xDA, 1, 2, b"x").header == b"\x80\xda\x01\x02"
