"""Any byte string is answered by a virtual smart card, and no sequence of commands breaks its memory."""

from __future__ import annotations

from contextlib import suppress
from functools import cache
from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from cardtwin.card.image.codec import decode, encode
from cardtwin.pcsc import CardMuteError, Protocol
from support.cardbench import command, tlv
from support.gids import ACTIVATE, AID, APPLICATION, CHOOSE_ADMIN, FORGET, PIN, STATE, GidsBench, prepared

if TYPE_CHECKING:
    from cardtwin.card import CardImage

BYTE = st.binary(min_size=1, max_size=1).map(bytes.hex)
SHORT = st.binary(max_size=40).map(bytes.hex)
KNOWN = st.sampled_from([f"{ins:02X}" for ins in bytes.fromhex("A4E044E4CBDB20242C87222A47C0")])
LIKELY = st.sampled_from(
    [
        command("00A40400", AID, "00"),
        command("00A40408", AID[:18], "00"),
        APPLICATION,
        ACTIVATE,
        FORGET,
        STATE,
        CHOOSE_ADMIN,
        "00A4000402B08100",
        "00A4000402A01000",
        "00A4000C02B082",
        "00E40000",
        command("00200080", PIN.hex()),
        command("00200080", "30303030"),
        command("00240080", (PIN + PIN).hex()),
        command("00240180", PIN.hex()),
        command("002C0280", PIN.hex()),
        "00870000047C02810000",
        command("00870000", tlv("7C", tlv("81", "00" * 16)), "00"),
        command("00870000", tlv("7C", tlv("82", "00" * 8))),
        command("00470000", "AC06800106830181", "00"),
        command("00CB3FFF", "7008840181A5037F4980", "00"),
        command("002241B6", "800156840181"),
        command("002241B8", "800146840181"),
        command("002A9E9A", "3031", "00"),
        command("002A8086", "00" * 128, "00"),
        command("00DB3FFF", tlv("70", "840180" + tlv("A5", tlv("87", "00" * 24)))),
        command("00DB3FFF", tlv("70", "840181" + tlv("A5", "83010284010087020000"))),
        "10DB3FFF0470820100",
    ]
)
CREATION = st.tuples(
    st.sampled_from(["820139", "820118", "820101", "8200"]),
    st.sampled_from(["A010", "B081", "B082", "B080", "3F00", "2F00"]),
    st.sampled_from(["", "8C03033000", "8C058F10101000", "8C0487002020", "8C00"]),
    st.sampled_from(
        ["", "A50BB609800156830181950140", "A50BA409800102830180 9501C0".replace(" ", ""), "A500"]
    ),
).map(lambda parts: command("00E00000", tlv("62", f"{parts[0]}8302{parts[1]}{parts[2]}{parts[3]}")))
OBJECTS = st.tuples(
    st.sampled_from(["00DBA010", "00DBA000", "00DB0000", "00DBB081", "00CBA010", "00CB0000"]),
    st.sampled_from(["DF2400", "DF2401AA", "DF2402BBBB", "5C02DF24", "5C00", "24", "DF24"]),
).map(lambda parts: command(*parts, "00"))
ANY_KNOWN = st.tuples(st.just("00"), KNOWN, BYTE, BYTE, SHORT, st.sampled_from(["", "00", "08"])).map(
    lambda parts: command("".join(parts[:4]), parts[4], parts[5])
)
COMMANDS = st.one_of(LIKELY, CREATION, OBJECTS, ANY_KNOWN, st.binary(max_size=20).map(bytes.hex))


@cache
def token(*, activated: bool) -> CardImage:
    bench = prepared(activated=False)
    bench.create_key(0x81, size=0x06)
    bench.generate(size=0x06)

    if activated:
        bench.ok(APPLICATION)
        bench.ok(ACTIVATE)

    return bench.card.image


@given(st.binary(max_size=300))
def test_any_byte_string_gets_a_status_word(data: bytes) -> None:
    assert len(GidsBench().send(data)) >= 4


@settings(max_examples=200)
@given(st.lists(COMMANDS, max_size=40), st.booleans())
def test_any_sequence_of_commands_is_answered_and_leaves_a_memory_that_can_be(
    commands: list[str], activated: bool
) -> None:
    bench = GidsBench(token(activated=activated))

    for text in commands:
        answer = bench.send(text)
        assert len(answer) >= 4
        assert answer[-4] in "69"

    image = bench.card.image
    assert decode(encode(image)) == image
    assert 0 <= image.used <= bench.card.model.memory


@settings(max_examples=100)
@given(st.lists(COMMANDS, max_size=25), st.integers(0, 20))
def test_wherever_the_power_goes_the_memory_is_one_that_can_be(commands: list[str], writes: int) -> None:
    bench = GidsBench(token(activated=True))
    bench.card.cut_power_after(writes)

    for text in commands:
        with suppress(CardMuteError):
            bench.send(text)

        bench.card.power_on(Protocol.ANY)

    image = bench.card.image
    assert decode(encode(image)) == image
