"""Any byte string is answered by a Cosmo, and no sequence of commands breaks its memory."""

from __future__ import annotations

from contextlib import suppress
from functools import cache
from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from cardtwin.card.image.codec import decode, encode
from cardtwin.pcsc import CardMuteError, Protocol
from support.cardbench import command, tlv
from support.cosmo import AWP, CosmoBench, personalised, rules

if TYPE_CHECKING:
    from cardtwin.card import CardImage

BYTE = st.binary(min_size=1, max_size=1).map(bytes.hex)
SHORT = st.binary(max_size=40).map(bytes.hex)
KNOWN = st.sampled_from([f"{ins:02X}" for ins in bytes.fromhex("A4B0D6E0E4CBDB20242C222A884784C0")])
OPEN = rules(0x7F, *bytes(7))

SDO = st.tuples(
    st.sampled_from(["BF8101", "BF9001", "BFA001", "BF9002", "BFA002", "BFFB01", "BF8105", "9001"]),
    st.lists(
        st.sampled_from(
            [
                tlv("A0", f"80020080{OPEN}"),
                tlv("A0", f"9A0103{OPEN}"),
                tlv("A0", "9A00"),
                tlv("A0", ""),
                tlv("7F41", "8204" + "31323334"),
                tlv("7F41", "81020005"),
                tlv("7F48", "92012A"),
                tlv("7F49", "8203010001"),
                tlv("7F49", "820103"),
                tlv("7F49", "8200"),
                "7F4880",
                "A080",
            ]
        ),
        max_size=3,
    ).map("".join),
).map(lambda parts: command("00DB3FFF", tlv("70", tlv(*parts))))
LIKELY = st.sampled_from(
    [
        command("00A4040C", AWP),
        "00A4000C023F00",
        "00A40904025031",
        "00A4010402700100",
        "00B09C0000",
        "00B09D0000",
        "00B09E0000",
        "00B0000000",
        "00D6000002CAFE",
        "00D69E0002CAFE",
        "00E40000",
        command("00200001", "31323334FFFFFFFF"),
        "00200001",
        "0020FF01",
        command("00240001", "31323334FFFFFFFF" * 2),
        command("002C0201", "31323334FFFFFFFF"),
        "002C0301",
        "002241A406840181800102",
        "002241AA03800140",
        "002241AA03800110",
        "002241B606840181800142",
        "002241B80684018180011A",
        command("002A90A0", "90008003AABBCC"),
        command("002A90A0", tlv("90", "00" * 40) + "8000"),
        "002A9E9A00",
        "00880000081122334455667788 00".replace(" ", ""),
        command("00DB3FFF", tlv("62", rules(0x43, 0x11, 0, 0))),
        command("00DB3FFF", tlv("62", "8C00")),
        command("00470000", "7003BF9002", "00"),
        "0084000008",
    ]
)
CREATION = st.tuples(
    st.sampled_from(["80020010", "8002FFFF", "8003000010", ""]),
    st.sampled_from(["820101", "820138", "8200", "820102"]),
    st.sampled_from(["5015", "3401", "3F00", "2F00"]),
    st.sampled_from(["8800", "8C0101", "8800" + OPEN, "A1028C00", "A100", tlv("84", AWP)]),
).map(lambda parts: command("00E00000", tlv("62", f"{parts[0]}{parts[1]}8302{parts[2]}{parts[3]}")))
GETTING = st.tuples(st.sampled_from(["BF8101", "BF9001", "BFA001", "BF7B01", "BF8100"]), SHORT).map(
    lambda parts: command("00CB3FFF", tlv("4D", tlv("70", tlv(*parts))), "00")
)
ANY_KNOWN = st.tuples(st.just("00"), KNOWN, BYTE, BYTE, SHORT, st.sampled_from(["", "00", "08"])).map(
    lambda parts: command("".join(parts[:4]), parts[4], parts[5])
)
COMMANDS = st.one_of(SDO, LIKELY, CREATION, GETTING, ANY_KNOWN, st.binary(max_size=20).map(bytes.hex))


@cache
def token() -> CardImage:
    return personalised().card.image


@given(st.binary(max_size=300))
def test_any_byte_string_gets_a_status_word(data: bytes) -> None:
    assert len(CosmoBench().send(data)) >= 4


@settings(max_examples=200)
@given(st.lists(COMMANDS, max_size=40))
def test_any_sequence_of_commands_is_answered_and_leaves_a_memory_that_can_be(commands: list[str]) -> None:
    bench = CosmoBench(image=token())

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
    bench = CosmoBench(image=token())
    bench.card.cut_power_after(writes)

    for text in commands:
        with suppress(CardMuteError):
            bench.send(text)

        bench.card.power_on(Protocol.ANY)

    image = bench.card.image
    assert decode(encode(image)) == image
