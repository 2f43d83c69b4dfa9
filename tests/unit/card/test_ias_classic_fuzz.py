"""Any byte string is answered by Gemalto's cards, and no sequence of commands breaks their memory."""

from __future__ import annotations

from contextlib import suppress
from functools import cache
from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from cardtwin.card.image.codec import decode, encode
from cardtwin.pcsc import CardMuteError, Protocol
from support.cardbench import CardBench, command, tlv
from support.gemalto import IDPRIME, PKCS15, VERIFY, ClassicBench, bare, idprime, idprime_bench, personalised

if TYPE_CHECKING:
    from cardtwin.card import CardImage

BYTE = st.binary(min_size=1, max_size=1).map(bytes.hex)
SHORT = st.binary(max_size=40).map(bytes.hex)
KNOWN = st.sampled_from([f"{ins:02X}" for ins in bytes.fromhex("A4B0D6E0E4CACBDB20242C222A8447C0")])
CLASS = st.sampled_from(["00", "80", "10"])

LIKELY = st.sampled_from(
    [
        command("00A4040C", PKCS15),
        command("00A40400", IDPRIME),
        "00A40000023F00",
        "00A40000020101",
        "00A4080002500000",
        "00B0000000",
        "00D6000002CAFE",
        "00E40000",
        "00C0000000",
        VERIFY,
        command("00200011", b"1234".ljust(16, b"\0").hex()),
        command("00200083", b"5678".ljust(16, b"\0").hex()),
        "0020000100",
        "0020FF01",
        command("00240011", b"1234".ljust(16, b"\0").hex() * 2),
        command("002C0001", "383736353433323131323334FFFFFFFF"),
        "002241B606800142840101",
        "002241B606800145840102",
        "002241B606800142840156",
        "002241B606800144840158",
        "002241B80680011A840101",
        "002241B80680014D840156",
        "002241B803840158",
        command("002A90A0", tlv("90", "00" * 32)),
        command("002A90A0", tlv("90", "00" * 20), "00"),
        "002A9E9A00",
        command("102A8086", "81" + "00" * 200),
        command("002A8086", "00" * 57, "00"),
        command("802A8084", "01" * 128, "00"),
        command("00DB3FFF", tlv("62", bare(0x43, 0x11, 0, 0))),
        command("00DB3FFF", "7003BF9001"),
        command("00CB3FFF", "5C00", "00"),
        command("00470000", "7003BF9002", "00"),
        "00CA9F7F2D",
        "00CADF302D",
        "0084000008",
        "0084000010",
        "0084000108",
    ]
)
CREATION = st.tuples(
    st.sampled_from(["80020010", "8002FFFF", "81020100", "8003000010", ""]),
    st.sampled_from(["820101", "820138", "8200", "820102"]),
    st.sampled_from(["5015", "3401", "3F00", "2F00"]),
    st.sampled_from(["", bare(0x7F, *bytes(7)), "8C0101", "8C00", "8CFF", tlv("84", PKCS15)]),
).map(lambda parts: command("00E00000", tlv("62", f"{parts[0]}{parts[1]}8302{parts[2]}{parts[3]}")))
ANY_KNOWN = st.tuples(CLASS, KNOWN, BYTE, BYTE, SHORT, st.sampled_from(["", "00", "08"])).map(
    lambda parts: command("".join(parts[:4]), parts[4], parts[5])
)
COMMANDS = st.one_of(LIKELY, CREATION, ANY_KNOWN, st.binary(max_size=20).map(bytes.hex))


@cache
def token() -> CardImage:
    return personalised().card.image


def sound(bench: CardBench) -> None:
    image = bench.card.image
    assert decode(encode(image)) == image
    assert 0 <= image.used <= bench.card.model.memory


@given(st.binary(max_size=300))
def test_any_byte_string_gets_a_status_word(data: bytes) -> None:
    assert len(ClassicBench().send(data)) >= 4
    assert len(idprime_bench().send(data)) >= 4


@settings(max_examples=150)
@given(st.lists(COMMANDS, max_size=40))
def test_any_sequence_of_commands_is_answered_and_leaves_a_memory_that_can_be(commands: list[str]) -> None:
    for bench in (ClassicBench(image=token()), idprime_bench()):
        for text in commands:
            answer = bench.send(text)
            assert len(answer) >= 4
            assert answer[-4] in "69"

        sound(bench)


@settings(max_examples=100)
@given(st.lists(COMMANDS, max_size=25))
def test_no_command_changes_what_is_on_an_idprime_but_pins_and_counters(commands: list[str]) -> None:
    bench = idprime_bench()

    for text in commands:
        bench.send(text)

    assert bench.card.image.files == idprime().files
    assert bench.card.image.objects.keys() == idprime().objects.keys()


@settings(max_examples=100)
@given(st.lists(COMMANDS, max_size=25), st.integers(0, 20))
def test_wherever_the_power_goes_the_memory_is_one_that_can_be(commands: list[str], writes: int) -> None:
    bench = ClassicBench(image=token())
    bench.card.cut_power_after(writes)

    for text in commands:
        with suppress(CardMuteError):
            bench.send(text)

        bench.card.power_on(Protocol.ANY)

    sound(bench)
