"""Any byte string is answered, and no sequence of commands shows a defect or breaks the memory."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from cardtwin.card.image.codec import decode, encode
from cardtwin.pcsc import CardMuteError, Protocol
from support.cardbench import CARDOS, CardBench, command, extended, pin, tlv

if TYPE_CHECKING:
    from cardtwin.card import CardImage

MODELS = st.sampled_from(CARDOS)

FILE_IDS = st.sampled_from(["3F00", "5015", "4401", "4402", "7EAD", "FFFF", "0000"])
CLASSES = st.sampled_from(["00", "10", "80", "84", "90", "0C", "01", "A0"])
KNOWN = st.sampled_from(
    [f"{ins:02X}" for ins in bytes.fromhex("A4B0D6B2DCE2E0E4044416DA20242CEA222A4684868288CA100640C0")]
)
BYTE = st.binary(min_size=1, max_size=1).map(bytes.hex)
SHORT = st.binary(max_size=40).map(bytes.hex)


def _data_objects(tags: list[str]) -> st.SearchStrategy[str]:
    one = st.tuples(st.sampled_from(tags), SHORT).map(lambda pair: tlv(*pair))
    return st.lists(one, max_size=5).map("".join)


CREATION = st.tuples(
    st.sampled_from(["80020010", "80020200", "81020100", ""]),
    st.sampled_from(
        ["820101", "820105", "820104", "82050221000402", "82050621000402", "820138", "8200", "820177"]
    ),
    FILE_IDS,
    st.sampled_from(["8609" + "00" * 9, "8603010203", "", "8609" + "01" * 9, "8A0105"]),
).map(lambda parts: command("00E00000", tlv("62", f"{parts[0]}{parts[1]}8302{parts[2]}{parts[3]}")))

OBJECTS = st.tuples(
    st.sampled_from(["0001", "0002", "2010", "2110", "2210", "2410", "0045"]),
    st.sampled_from(
        ["8508020387 03FFFF0004", "8508220 00A00FFFF0000", "850802008C00FFFF0000", "850802000E00FFFF0000"]
    ),
    st.sampled_from(["8603000102", "860700000000000000", "8600", ""]),
    st.sampled_from(
        ["8F00", "8F08" + pin("1234"), "8F80" + "FF" * 128, "8F82" + "8100" + "FF" * 128, "8F0401000203"]
    ),
).map(lambda parts: command("00DA016E", f"8302{''.join(parts)}".replace(" ", "")))

LIKELY = st.sampled_from(
    [
        "00A4000C",
        "00A4080C025015",
        "00A4030C",
        "8016020000",
        "80100000",
        "80EA0000",
        command("00200081", pin("1234")),
        command("00200082", pin("1234")),
        command("00240081", pin("1234") + pin("1234")),
        command("002C0081", pin("1234") + pin("1234")),
        "002C0301",
        "00200081",
        "002241B603830110",
        "002241B803840110",
        "0022F30100",
        "004600000820107EAD00100020",
        "002A9E9A08" + "AA" * 8 + "00",
        "102A808608" + "AA" * 8,
        extended("002A8086", "00" * 129, "0000"),
        "0084000008",
        command("00820001", "11" * 8),
        command("00880010", "11" * 8, "00"),
        "840600001006000008" + "00000000" + "F76AFC09E6D5F465",
        "8440000120" + "6F88F29476BD8AA1C30CD7DFB611206A57E1CF8D932A2F55C2E1778B37F0D0FB",
        command("00E00000", tlv("62", "800201BA8201218302CF13850100")),
        "8420000017" + "5A" * 23,
        command(
            "00E00000", tlv("62", "8002002082010183020102" + tlv("AB", "8001019000800106A406830101950108"))
        ),
        command("00E00000", tlv("62", "8002002082010183020103" + "8B032F1201")),
        command("00DA016F", "8609" + "00" * 9),
        command("00DA016D", "830101" + "86020000" + "8F06000000100000"),
        command("90242010", "0300AABB"),
        "00E200000410020102",
        "00E2000004AABBCCDD",
        "00DC010404CAFEBABE",
        "00B2010400",
        "00B0000000",
        "00D6000004CAFEBABE",
        "00040000",
        "00440000",
        "00CA018400",
        "00C0000000",
    ]
)

ANY_KNOWN = st.tuples(CLASSES, KNOWN, BYTE, BYTE, SHORT, st.sampled_from(["", "00", "08"])).map(
    lambda parts: command("".join(parts[:4]), parts[4], parts[5])
)
WITH_FILE = st.tuples(
    st.sampled_from(["00A4000C", "00A4080C", "00A40200", "00E40000", "00040000"]), FILE_IDS
).map(lambda parts: command(*parts))
STRANGE = st.one_of(
    _data_objects(["80", "81", "82", "83", "84", "85", "86", "8B", "AB"]).map(
        lambda data: command("00E00000", data[:400])
    ),
    _data_objects(["83", "85", "86", "8F"]).map(lambda data: command("00DA016E", data[:400])),
    _data_objects(["80", "83", "84", "95"]).map(lambda data: command("002241B6", data[:400])),
)
COMMANDS = st.one_of(
    CREATION, OBJECTS, LIKELY, ANY_KNOWN, WITH_FILE, STRANGE, st.binary(max_size=20).map(bytes.hex)
)


@given(MODELS, st.binary(max_size=300))
def test_any_byte_string_gets_a_status_word(model: str, data: bytes) -> None:
    assert len(CardBench(model).send(data)) >= 4


@settings(max_examples=200)
@given(MODELS, st.lists(COMMANDS, max_size=40))
def test_any_sequence_of_commands_is_answered_and_leaves_a_memory_that_can_be(
    model: str, commands: list[str]
) -> None:
    bench = CardBench(model)

    for text in commands:
        response = bench.send(text)
        assert len(response) >= 4
        assert response[-4] in "69"

    image = bench.card.image
    assert decode(encode(image)) == image
    assert 0 <= image.used <= bench.card.model.memory


def without_counters(image: CardImage) -> CardImage:
    """Return a memory without tries and uses left: a failed command may take these."""
    objects = {key: replace(found, tries_left=0, uses_left=0) for key, found in image.objects.items()}
    return replace(image, objects=objects, start_key=replace(image.start_key, tries_left=0))


@settings(max_examples=200)
@given(MODELS, st.lists(COMMANDS, max_size=40))
def test_a_failed_command_changes_nothing_but_counters(model: str, commands: list[str]) -> None:
    bench = CardBench(model)

    for text in commands:
        before = bench.card.image
        response = bench.send(text)

        if response[-4:-2] not in {"90", "61"}:
            assert without_counters(bench.card.image) == without_counters(before)


@settings(max_examples=200)
@given(MODELS, st.lists(COMMANDS, max_size=25), st.integers(0, 20))
def test_wherever_the_power_goes_the_memory_is_one_that_can_be(
    model: str, commands: list[str], writes: int
) -> None:
    bench = CardBench(model)
    bench.card.cut_power_after(writes)

    for text in commands:
        with suppress(CardMuteError):
            bench.send(text)

        bench.card.power_on(Protocol.ANY)

    image = bench.card.image
    assert decode(encode(image)) == image


@settings(max_examples=100)
@given(MODELS, st.lists(COMMANDS, max_size=40))
def test_what_is_told_of_commands_shows_no_pin(model: str, commands: list[str]) -> None:
    bench = CardBench(model)
    bench.put_pin(1, "1234")

    for text in commands:
        bench.send(text)

    told = repr(bench.events) + str(bench.events) + repr(bench.card.image) + repr(bench.card.image.objects)
    assert "31323334" not in told
    assert "1234" + r"\x00" not in told


@settings(max_examples=50)
@given(st.lists(COMMANDS, max_size=25))
def test_the_same_commands_and_seed_give_the_same_bytes(commands: list[str]) -> None:
    first, second = CardBench(seed="s"), CardBench(seed="s")
    assert [first.send(text) for text in commands] == [second.send(text) for text in commands]
    assert first.card.image == second.card.image
