"""Masking: what may be a secret never shows, in whatever form it travels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cardtwin.decode import Decoder, decode, masked, masked_response, secrets_in_response
from cardtwin.iso7816 import CommandApdu

if TYPE_CHECKING:
    from collections.abc import Iterator

SECRETS = st.binary(min_size=2, max_size=64)
CHANNELS = st.integers(0, 3)


@dataclass(frozen=True)
class Carrier:
    """A command's header and the bytes around the secret in its data field."""

    header: tuple[int, int, int]
    before: bytes = b""
    after: bytes = b""
    cla: int = 0

    def data(self, secret: bytes) -> bytes:
        length = bytes((len(secret),)) if self.before[-1:] == b"\x8f" else b""
        return self.before + length + secret + self.after


OBJECT = bytes.fromhex("8302 0002 8508020A870AFFFF0004 8603 0002FF 8F")
KEY = bytes.fromhex("8302 2010 850822008C00FFFF0000 8607 03030300000000 8F")
PUT_OCI = (0xDA, 0x01, 0x6E)

CARRIERS = (
    *(Carrier((0x20, 0x00, p2)) for p2 in (0x01, 0x81, 0x82, 0x8F)),
    Carrier((0x20, 0xFF, 0x81)),
    Carrier((0x21, 0x00, 0x81)),
    Carrier((0x24, 0x00, 0x81)),
    Carrier((0x24, 0x01, 0x01)),
    *(Carrier((0x2C, p1, 0x81)) for p1 in range(4)),
    Carrier((0x26, 0x00, 0x81)),
    Carrier((0x28, 0x00, 0x81)),
    Carrier(PUT_OCI, OBJECT),
    Carrier(PUT_OCI, KEY),
    Carrier(PUT_OCI, OBJECT, bytes.fromhex("8B0100")),
    Carrier(PUT_OCI, b"\x8f"),
    Carrier(PUT_OCI, bytes.fromhex("8302 0002 99FF")),
    Carrier(PUT_OCI, bytes.fromhex("8302 0002 8F00 8F")),
    Carrier(PUT_OCI, bytes.fromhex("8302 0002 8F00"), bytes.fromhex("9900")),
    Carrier((0xDB, 0x3F, 0xFF), bytes.fromhex("A503")),
    *(Carrier((0xDB, 0xA0, p2), bytes.fromhex("DF24")) for p2 in (0x11, 0x13, 0x14)),
    Carrier((0x87, 0x00, 0x00), bytes.fromhex("7C0A82")),
    Carrier((0x87, 0x00, 0x00), bytes.fromhex("7C0A8100")),
    Carrier((0x24, 0x20, 0x10), cla=0x90),
    Carrier((0x2A, 0x84, 0x80)),
    Carrier((0x82, 0x00, 0x05)),
    Carrier((0xFE, 0x07, 0x9A), bytes.fromhex("01")),
    *(Carrier((ins, 0x00, 0x00), cla=0x84) for ins in (0x06, 0x40, 0x20, 0x24, 0x77)),
    Carrier((0x99, 0x00, 0x00), cla=0x80),
    Carrier((0x99, 0x00, 0x00)),
    Carrier((0xD6, 0x00, 0x00), bytes.fromhex("81"), cla=0x0C),
)
BY_CARRIER = st.sampled_from(CARRIERS)
INTERINDUSTRY = st.sampled_from([carrier for carrier in CARRIERS if carrier.cla < 0x80])


def shown(text: str) -> list[int | None]:
    """Read masked text: a number for each byte that shows."""
    return [None if digits == "**" else int(digits, 16) for digits in text.split()]


def check(command: bytes, text: str, hidden: range) -> None:
    """The text is the command, byte for byte, and shows none of the hidden ones."""
    read = shown(text)

    assert len(read) == len(command)
    assert all(byte in {None, command[at]} for at, byte in enumerate(read))
    assert all(read[at] is None for at in hidden)
    assert read[:4] == list(command[:4])


@given(BY_CARRIER, SECRETS, st.booleans(), st.sampled_from([None, 256]))
def test_a_secret_in_one_command_does_not_show(
    carrier: Carrier,
    secret: bytes,
    extended: bool,
    le: int | None,
) -> None:
    data = carrier.data(secret)
    command = CommandApdu(carrier.cla, *carrier.header, data, le, extended).encode()
    start = (7 if extended else 5) + data.rindex(secret, 0, len(data) - len(carrier.after))

    check(command, masked(command), range(start, start + len(secret)))
    check(command, Decoder().read(command, b"\x90\x00").command, range(start, start + len(secret)))


@given(INTERINDUSTRY, SECRETS, CHANNELS, st.integers(1, 40))
def test_a_secret_in_a_chain_does_not_show(carrier: Carrier, secret: bytes, channel: int, size: int) -> None:
    decoder = Decoder()
    data = carrier.data(secret)

    for command in pieces(carrier, data, channel, min(size, len(data) - 1)):
        check(command, decoder.read(command, b"\x90\x00").command, range(5, len(command)))


def pieces(carrier: Carrier, data: bytes, channel: int, size: int) -> Iterator[bytes]:
    for at in range(0, len(data), size):
        goes_on = 0x10 if at + size < len(data) else 0
        yield CommandApdu(carrier.cla | channel | goes_on, *carrier.header, data[at : at + size]).encode()


@given(SECRETS, st.integers(0, 255))
def test_a_secret_behind_a_wrong_length_does_not_show(pin: bytes, length: int) -> None:
    command = bytes((0x00, 0x20, 0x00, 0x81, length)) + pin

    check(command, masked(command), range(5, len(command)))


@given(st.binary(max_size=40))
def test_any_bytes_are_read_without_an_error(command: bytes) -> None:
    text = masked(command)
    decoded = decode(command)

    assert len(shown(text)) == len(command)
    assert decoded.name
    assert all(0 <= place.start < place.stop <= len(command) for place in decoded.secrets)


@given(SECRETS)
def test_a_deciphered_text_does_not_show(plain: bytes) -> None:
    for command in ("002A808602000100", "002A80A602000100", "8099000000"):
        response = plain + b"\x90\x00"

        assert secrets_in_response(bytes.fromhex(command), response) == (slice(0, len(plain)),)
        assert masked_response(bytes.fromhex(command), response) == " ".join(
            ["**"] * len(plain) + ["90", "00"]
        )


@given(SECRETS)
def test_a_deciphered_text_fetched_afterwards_does_not_show(plain: bytes) -> None:
    decoder = Decoder()
    decoder.read(bytes.fromhex("102A8086020001"), b"\x90\x00")
    decoder.read(bytes.fromhex("002A80860101"), b"\x61\x40")

    for status in ("6110", "9000"):
        reading = decoder.read(bytes.fromhex("00C0000000"), plain + bytes.fromhex(status))
        assert shown(reading.response)[: len(plain)] == [None] * len(plain)

    decoder.read(bytes.fromhex("00A4000000"), b"\x61\x01")
    assert decoder.read(bytes.fromhex("00C0000000"), b"\x01\x90\x00").response == "01 90 00"


@pytest.mark.parametrize("retried", ["6C40", ""], ids=["wrong length", "no answer"])
@given(SECRETS)
def test_a_deciphered_text_that_is_fetched_again_does_not_show(retried: str, plain: bytes) -> None:
    decoder = Decoder()
    decoder.reset()
    decoder.read(bytes.fromhex("002A808602000100"), b"\x61\x00")
    decoder.read(bytes.fromhex("00C0000000"), bytes.fromhex(retried))
    reading = decoder.read(bytes.fromhex("00C0000040"), plain + b"\x90\x00")

    assert shown(reading.response)[: len(plain)] == [None] * len(plain)


@given(SECRETS, st.sampled_from([1, 2, 3, 0x40, 0x4F]))
def test_another_channel_in_between_leaves_a_secret_hidden(plain: bytes, other: int) -> None:
    decoder = Decoder()
    decoder.reset()
    decoder.read(bytes.fromhex("002A808602000100"), b"\x61\x00")
    decoder.read(bytes((other,)) + bytes.fromhex("A4000C023F00"), b"\x90\x00")
    reading = decoder.read(bytes.fromhex("00C0000040"), plain + b"\x90\x00")

    assert shown(reading.response)[: len(plain)] == [None] * len(plain)


def test_a_chain_goes_on_after_another_channel_s_command() -> None:
    decoder = Decoder()
    decoder.read(bytes.fromhex("1020008102 3132"), b"\x90\x00")
    decoder.read(bytes.fromhex("01A4000C023F00"), b"\x90\x00")

    assert decoder.read(bytes.fromhex("0020008102 3334"), b"\x90\x00").decoded.parameters.endswith("4 bytes")


def test_what_follows_an_open_answer_shows() -> None:
    decoder = Decoder()
    decoder.read(bytes.fromhex("00A40000023F00"), b"\x61\x02")

    assert decoder.read(bytes.fromhex("00C0000002"), b"\x6f\x00\x90\x00").response == "6F 00 90 00"


def test_an_answer_fetched_without_its_command_is_hidden() -> None:
    assert masked_response(bytes.fromhex("00C0000002"), b"\x6f\x00\x90\x00") == "** ** 90 00"


@pytest.mark.parametrize("status", ["9000", "6982", ""])
def test_an_answer_that_the_command_before_did_not_announce_is_hidden(status: str) -> None:
    decoder = Decoder()
    decoder.read(bytes.fromhex("00B0000000"), bytes.fromhex(status))

    assert decoder.read(bytes.fromhex("00C0000002"), b"\x6f\x00\x90\x00").response == "** ** 90 00"


@pytest.mark.parametrize(
    "command",
    [
        "00B0000000",
        "00A4000000",
        "00CA018100",
        "00D6000002 0102",
        "00E0000002 6200",
        "002241B603 830111",
        "00870000047C028100",
        "00DBA01005DF2402ABCD",
        "00DA016D02 8301",
    ],
)
def test_what_holds_no_secret_shows_whole(command: str) -> None:
    data = bytes.fromhex(command)

    assert "**" not in masked(data)
    assert "**" not in masked_response(data, bytes.fromhex("01029000"))


def test_in_object_control_information_only_the_body_is_hidden() -> None:
    command = bytes.fromhex("00DA016E 19 83020002 8508020A870AFFFF0004 86030002FF 8F04 31323334")

    assert masked(command) == (
        "00 DA 01 6E 19 83 02 00 02 85 08 02 0A 87 0A FF FF 00 04 86 03 00 02 FF 8F 04 ** ** ** **"
    )


def test_nothing_that_a_decoder_gives_shows_a_secret_in_its_repr() -> None:
    decoder = Decoder()
    first = decoder.read(bytes.fromhex("1020008102 3132"), b"\x90\x00")
    midway = repr(vars(decoder))
    second = decoder.read(bytes.fromhex("0020008102 3334"), b"\x90\x00")

    for text in map(repr, (first, second, midway, vars(decoder))):
        assert "31 32" not in text
        assert "1234" not in text
        assert "b'12" not in text
