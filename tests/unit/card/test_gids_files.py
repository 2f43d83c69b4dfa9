"""Files, data objects and their conditions on a virtual smart card."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cardtwin.card import CardView
from cardtwin.card.image.codec import decode, encode
from cardtwin.card.memory.lifecycle import LifeCycle
from support.cardbench import CardBench, command, tlv
from support.gids import ACTIVATE, AID, APPLICATION, FORGET, STATE, GidsBench, prepared

GET = "00CBA010045C02DF2400"


@pytest.fixture
def bench() -> GidsBench:
    return prepared()


def put(file_id: str, data: str) -> str:
    return command(f"00DB{file_id}", data)


def test_the_application_is_selected_by_name_and_by_the_beginning_of_it(bench: GidsBench) -> None:
    for name in (AID, AID[:18]):
        told = bench.ok(command("00A40400", name, "00"))
        assert told == "61124F0B" + AID + "7303" + "4001C0"

    assert bench.ok(command("00A40404", AID, "00")) == "62088201388C03033030"
    assert bench.ok(command("00A40408", AID, "00")) == "64095F2F01607F65028000"


def test_an_unknown_name_or_identifier_is_refused(bench: GidsBench) -> None:
    assert bench.send("00A4040009A0000003080000100000") == "6A82"
    assert bench.send("00A4040809A0000003080000100000") == "6A82"
    assert bench.send("00A4000C02A099") == "6A82"


def test_the_application_goes_by_three_identifiers(bench: GidsBench) -> None:
    for text in ("00A4000C023FFF", "00A4000C023F00", "00A4000C"):
        bench.ok("00A4000C02A000")
        bench.ok(text)
        bench.ok(ACTIVATE)


def test_a_file_tells_its_conditions_and_no_fci(bench: GidsBench) -> None:
    assert bench.ok("00A4000402A01200") == "620C8201398302A0128C03032000"
    assert bench.ok("00A4000402B08000") == "621A8201188302B0808C04870020FFA50BA4098001028301809501C0"
    assert bench.send("00A4000002A01200") == "6A86"


def test_the_states_of_the_card_are_told(bench: GidsBench) -> None:
    assert bench.ok(STATE) == "7F7106970103930103"
    assert bench.ok("00CB3FFF045C027F7200") == "7F7206970103930103"
    assert bench.send("00CB3FFF045C027F7300") == "6A88"
    assert bench.send("00CB3FFF045C027F6900") == "6984"
    assert bench.ok("00CB2F01025C0000").startswith("4301F44703080180")
    assert bench.send("00CB2F01035C010000") == "6984"


def test_a_data_object_is_made_changed_emptied_and_deleted(bench: GidsBench) -> None:
    bench.verify()
    assert bench.send(GET) == "6A88"
    bench.ok(put("A010", "DF2400"))
    assert bench.ok(GET) == "DF2400"
    bench.ok(put("A010", "DF2402ABCD"))
    assert bench.ok(GET) == "DF2402ABCD"
    bench.ok(put("A010", "DF2400"))
    assert bench.ok(GET) == "DF2400"
    bench.ok(put("A010", "DF2400"))
    assert bench.send(GET) == "6A88"


def test_all_objects_of_a_file_are_told_at_once(bench: GidsBench) -> None:
    bench.verify()
    bench.ok(put("A010", "DF2401AA"))
    bench.ok(put("A010", "DF2502BBBB"))
    bench.ok(put("A000", "DF1F01CC"))
    assert bench.ok("00CBA010025C0000") == "DF2401AADF2502BBBB"
    assert bench.ok("00CBA010035C015C00") == "DF2401AADF2502BBBB"


def test_reading_and_writing_make_the_file_the_current_one(bench: GidsBench) -> None:
    bench.verify()
    assert bench.send("00CB0000045C02DF2400") == "6986"
    bench.ok(put("A010", "DF2401AA"))
    bench.ok(put("0000", "DF2401BB"))
    assert bench.ok("00CB0000045C02DF2400") == "DF2401BB"


def test_a_long_object_is_written_in_a_chain_and_read_in_parts(bench: GidsBench) -> None:
    bench.verify()
    content = bytes(range(256)) * 4
    data = bytes.fromhex("DF24820400") + content
    assert bench.chained("DBA010", data) == "9000"
    assert bench.response(GET) == data


@pytest.mark.parametrize(
    ("file_id", "reader", "writer"),
    [
        ("A000", "anybody", "either"),
        ("A010", "anybody", "either"),
        ("A011", "nobody", "either"),
        ("A012", "anybody", "admin"),
        ("A013", "either", "either"),
        ("A014", "admin", "admin"),
    ],
)
@pytest.mark.parametrize("who", ["nobody", "user", "admin"])
def test_a_file_is_read_and_written_by_whom_its_conditions_name(
    bench: GidsBench, file_id: str, reader: str, writer: str, who: str
) -> None:
    assert bench.prove() == "9000" if file_id in {"A012", "A014"} else bench.verify() == "9000"
    bench.ok(put(file_id, "DF2401AA"))
    bench.ok(FORGET)
    assert {"nobody": lambda: "9000", "user": bench.verify, "admin": bench.prove}[who]() == "9000"
    allowed = {"anybody": {"nobody", "user", "admin"}, "either": {"user", "admin"}, "admin": {"admin"}}
    read = bench.send(f"00CB{file_id}045C02DF2400")
    assert read == ("DF2401AA9000" if who in allowed.get(reader, set()) else "6982")
    assert bench.send(put(file_id, "DF2401BB")) == ("9000" if who in allowed[writer] else "6982")


@pytest.mark.parametrize(
    ("condition", "who", "allowed"),
    [
        ("90", "user", True),
        ("90", "admin", False),
        ("A0", "admin", True),
        ("A0", "user", False),
        ("91", "user", True),
        ("92", "user", False),
        ("B0", "user", False),
        ("50", "user", False),
        ("FF", "admin", False),
        ("00", "nobody", True),
    ],
)
def test_a_security_condition_byte_asks_for_what_the_standard_says(
    bench: GidsBench, condition: str, who: str, *, allowed: bool
) -> None:
    bench.verify()
    assert bench.create_objects("A020", f"03{condition}00") == "9000"
    bench.ok(ACTIVATE)
    bench.ok(FORGET)
    assert {"nobody": lambda: "9000", "user": bench.verify, "admin": bench.prove}[who]() == "9000"
    assert bench.send(put("A020", "DF2401AA")) == ("9000" if allowed else "6982")


def test_before_activation_every_condition_counts_as_met_and_afterwards_none(bench: GidsBench) -> None:
    fresh = prepared(activated=False)
    fresh.ok(put("A014", "DF2401AA"))
    assert fresh.create_objects("A020", "033000") == "9000"
    assert fresh.send("00CBA011045C02DF2400") == "6982"
    assert bench.send(put("A014", "DF2401AA")) == "6982"
    assert bench.create_objects("A020", "033000") == "6982"


def test_activation_is_seen_in_the_life_cycle_and_survives_a_reset() -> None:
    bench = prepared(activated=False)
    assert (bench.card.image.life_cycle, CardView(bench.card.image).fuse) == (
        LifeCycle.ADMINISTRATION,
        "intact",
    )
    bench.ok(APPLICATION)
    bench.ok(ACTIVATE)
    bench.reset()
    assert (bench.card.image.life_cycle, CardView(bench.card.image).fuse) == (LifeCycle.OPERATIONAL, "burnt")
    assert bench.send(put("A000", "DF1F00")) == "6982"


def test_a_new_file_has_to_be_activated_before_it_is_used(bench: GidsBench) -> None:
    bench.verify()
    bench.create_objects("A020", "030000")
    assert bench.send(put("A020", "DF2401AA")) == "6985"
    assert bench.send("00CBA020045C02DF2400") == "6985"
    bench.ok("00A4000C02A000")
    assert bench.send("00A4000C02A020") == "6283"
    bench.ok(ACTIVATE)
    bench.ok(put("A020", "DF2401AA"))


def test_a_file_is_deleted_by_user_or_administrator_and_never_the_admin_key_s(bench: GidsBench) -> None:
    bench.ok("00A4000C02A013")
    assert bench.send("00E40000") == "6982"
    bench.verify()
    bench.ok("00E40000")
    assert bench.send("00A4000C02A013") == "6A82"
    bench.ok("00A4000C02B080")
    assert bench.send("00E40000") == "6982"
    bench.ok(APPLICATION)
    assert bench.send("00E40000") == "6986"
    assert bench.send("00E4000002A010") == "6700"


@pytest.mark.parametrize(
    "data",
    [
        "",
        "6200",
        "8201",
        tlv("62", "8201398302A0"),
        tlv("62", "8201398302A010"),
        tlv("62", "82013983023FFF"),
        tlv("62", "8201018302A020"),
        tlv("62", "8201398302A0208C0203"),
        tlv("62", "8201398302A0208C"),
        tlv("62", "8201398302A0208C03833030"),
        tlv("62", "8201188302B082"),
        tlv("62", "8201188302B082A502B600"),
        tlv("62", "8201188302A082A50BB609800107830182950140"),
        tlv("62", "8201188302B082A50BA409800102830180950140"),
        tlv("62", "8201188302B080A50BB609800107830182950140"),
    ],
)
def test_a_file_that_cannot_be_is_refused(bench: GidsBench, data: str) -> None:
    bench.verify()
    before = bench.card.image
    assert bench.send(command("00E00000", data)) == "6984"
    assert bench.card.image is before


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("00CBA099045C02DF2400", "6A82"),
        ("00CBB080045C02DF2400", "6A86"),
        ("00CBA0100400000000", "6984"),
        ("00CBA01003DF240000", "6984"),
        ("00DBA01002DF24", "6984"),
        ("00DBA01004DF2400DF", "6984"),
        ("00DBA010", "6984"),
        ("00B0000000", "6D00"),
        ("00840000 08".replace(" ", ""), "6D00"),
        ("00E6000000", "6D00"),
    ],
)
def test_what_the_card_has_not_is_refused(bench: GidsBench, text: str, status: str) -> None:
    bench.verify()
    assert bench.send(text) == status


def test_a_key_file_holds_no_data_objects(bench: GidsBench) -> None:
    bench.verify()
    bench.ok("00A4000C02B080")
    assert bench.send(put("0000", "DF2401AA")) == "6981"


def test_a_full_card_and_a_full_file_take_no_more(bench: GidsBench) -> None:
    bench.verify()
    content = bytes(0x1000)
    answers = [bench.chained("DBA010", bytes((0xDF, at, 0x82, 0x10, 0)) + content) for at in range(1, 0x20)]
    assert "6A84" in answers
    assert 0 <= bench.card.image.used <= bench.card.model.memory


def test_the_image_survives_saving(bench: GidsBench) -> None:
    bench.verify()
    bench.ok(put("A010", "DF2400"))
    bench.ok(put("A010", "DF2501AA"))
    bench.create_key(0x81)
    bench.generate()
    image = bench.card.image
    assert decode(encode(image)) == image


def test_other_card_systems_make_no_such_files() -> None:
    for descriptor in ("18", "39"):
        text = tlv(
            "62", f"80020010{tlv('82', descriptor)}8302440185010086090000000000000000 00".replace(" ", "")
        )
        assert CardBench("cardos-5.3").send(command("00E00000", text)) == "6A80"


def test_a_key_s_file_whose_key_is_not_in_the_image_lets_nobody_use_it() -> None:
    bench = GidsBench()
    bench.create_key(0x81)
    image = bench.card.image
    left = {key: found for key, found in image.objects.items() if key.id != 0x81}
    bench = GidsBench(replace(image, objects=left))
    assert "8C058FFFFFFFFF" in bench.ok("00A4000402B08100")
    assert bench.send("002241B606800157840181") == "6984"
