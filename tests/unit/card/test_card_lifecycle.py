"""The life cycle: PHASE CONTROL, erasing and formatting under the StartKey, the fuse."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cardtwin.card import CardView, diagram, models
from cardtwin.card.crypto import startkey
from cardtwin.card.memory import StartKey
from cardtwin.card.memory.lifecycle import LIVING, TRANSITIONS, LifeCycle
from cardtwin.provenance import Switches
from support.cardbench import OK, CardBench, command, pin, tlv

# A vendor's erase script for V4.3B sends these, made with the public default key FF*16.
ERASE = "8406000010" + "06000008" + "00000000" + "F76AFC09E6D5F465"
FORMAT = "8440000120" + "6F88F29476BD8AA1" + "C30CD7DFB611206A" + "57E1CF8D932A2F55" + "C2E1778B37F0D0FB"
# cardos-tool would send this one.
FORMAT_0080 = "8440000120" + "748CA3A848200B0C" + "752DD82D5BE35CE1" + "DE98AEBB1B485439" + "0235B60B35A0CC19"
KEY = bytes(range(16))


@pytest.fixture
def bench() -> CardBench:
    return CardBench()


def phase(bench: CardBench) -> str:
    return bench.ok("00CA018301")


def protected(header: str, data: str, key: bytes = b"\xff" * 16) -> str:
    _, ins, p1, p2 = bytes.fromhex(header)
    return command(header, startkey.wrap(key, ins, p1, p2, bytes.fromhex(data)).hex())


def tries(bench: CardBench) -> int:
    return int(bench.ok("00CA019600")[6:8], 16)


def set_mf_conditions(bench: CardBench, access: str) -> None:
    bench.ok("00A4000C")
    bench.ok(command("00DA016F", tlv("86", access)))


def test_the_vendor_s_script_erases_and_formats_the_card(bench: CardBench) -> None:
    bench.create_df()
    bench.put_pin(1, "1234")
    assert bench.send(ERASE) == OK
    assert phase(bench) == "34"
    assert not bench.card.image.files
    assert not bench.card.image.objects
    assert bench.send(FORMAT) == OK
    assert phase(bench) == "20"
    assert (
        bench.ok("00A4000000") == "6F1A" + "81020400" + "820138" + "83023F00" + "850101" + "860A" + "00" * 10
    )
    assert tries(bench) == 10


def test_the_client_s_format_makes_a_smaller_mf(bench: CardBench) -> None:
    bench.ok(ERASE)
    bench.ok(FORMAT_0080)
    assert bench.ok("00A4000000").startswith("6F1A" + "81020080")


def test_conditions_that_format_leaves_out_are_never(bench: CardBench) -> None:
    bench.ok(ERASE)
    bench.ok(protected("84400001", "620F" + "81020400" + "850101" + "8606000000000000"))
    assert bench.ok("00A4000000").endswith("860A" + "00" * 6 + "FF" * 4)


def test_in_manufacturing_all_but_a_few_instructions_are_unknown(bench: CardBench) -> None:
    bench.ok(ERASE)
    bench.reset()
    answers = {
        text: bench.send(text) for text in ("00A4000C", "00B0000000", "0020008100", "80100000", "00FF0000")
    }
    assert set(answers.values()) == {"6D00"}
    assert bench.ok("00CA018000").startswith(b"CardOS".hex().upper())
    assert bench.send("00CA018700") == OK
    assert bench.send(ERASE) == OK


def test_format_drops_the_packages(bench: CardBench) -> None:
    package = bytes.fromhex("E10901041302C8088F0101")
    loaded = CardBench(image=replace(bench.card.image, packages=(package,)))
    assert loaded.ok("00CA01880B") == package.hex().upper()
    loaded.ok(ERASE)
    assert loaded.ok("00CA018800") == package.hex().upper()
    loaded.ok(FORMAT)
    assert loaded.ok("00CA018800") == ""


def test_a_wrong_mac_costs_a_try_of_the_start_key(bench: CardBench) -> None:
    wrong = protected("84060000", "", KEY)
    assert [bench.send(wrong) for _ in range(9)] == ["6988"] * 9
    assert tries(bench) == 1
    bench.ok(ERASE)
    assert tries(bench) == 10


@pytest.mark.parametrize("data", ["", "00", "FF" * 16])
def test_a_broken_message_costs_a_try_too(bench: CardBench, data: str) -> None:
    assert bench.send(command("84060000", data)) == "6988"
    assert tries(bench) == 9


def test_without_tries_a_card_can_never_be_erased(bench: CardBench) -> None:
    bench.create_df()
    [bench.send(protected("84060000", "", KEY)) for _ in range(10)]
    assert bench.send(ERASE) == "6983"
    bench.reset()
    assert bench.send(ERASE) == "6983"
    assert phase(bench) == "20"
    assert b"\x3f\x00\x50\x15" in bench.card.image.files


def test_the_start_key_is_changed_under_the_old_one(bench: CardBench) -> None:
    assert bench.send(protected("84240000", "00" * 15)) == "6A80"
    assert tries(bench) == 10
    bench.ok(protected("84240000", KEY.hex()))
    assert bench.send(ERASE) == "6988"
    bench.ok(protected("84060000", "", KEY))
    assert bench.send(FORMAT) == "6988"
    bench.ok(protected("84400001", "62158102040085010186 0A 00000000000000000000 CB00".replace(" ", ""), KEY))
    assert phase(bench) == "20"


def test_a_factory_card_gets_the_default_version_with_its_first_key() -> None:
    image = replace(
        models.get("cardos-4.4").blank(),
        life_cycle=LifeCycle.MANUFACTURING,
        files={},
        start_key=StartKey(KEY, 0x00, 10),
    )
    bench = CardBench(image=image)
    assert bench.ok("00CA019600") == "000A000A0000"
    bench.ok(protected("84240000", "FF" * 16, KEY))
    assert bench.ok("00CA019600") == "000AFF0A0000"
    bench.ok(FORMAT)


@pytest.mark.parametrize(
    "data", ["", "6213", "62138102040085010199 0100", "62048102 0400", "6207810204008601 00"]
)
def test_a_format_that_says_too_little_changes_nothing_but_costs_no_try(bench: CardBench, data: str) -> None:
    bench.ok(ERASE)
    assert bench.send(protected("84400001", data.replace(" ", ""))) in {"6A80", "6A85"}
    assert phase(bench) == "34"
    assert tries(bench) == 10


def test_erase_with_data_is_refused(bench: CardBench) -> None:
    assert bench.send(protected("84060000", "00")) == "6A80"
    assert phase(bench) == "20"
    assert tries(bench) == 10


def test_phase_control_goes_to_operational_and_back(bench: CardBench) -> None:
    bench.ok("80100000")
    assert phase(bench) == "10"
    bench.ok("80100000")
    assert phase(bench) == "20"


def test_in_the_operational_phase_nothing_is_created_deleted_or_erased(bench: CardBench) -> None:
    bench.create_df()
    bench.put_pin(1, "1234")
    bench.ok("00A4000C")
    bench.ok("80100000")
    before = bench.card.image
    create = command("00E00000", tlv("62", "80020010820101830201018609" + "00" * 9))
    commands = [
        create,
        "00E40000025015",
        command("00DA016E", "830200018F00"),
        command("00DA016D", "830101"),
        ERASE,
    ]
    assert {bench.send(text) for text in commands} == {"6985"}
    assert bench.card.image is before


def test_a_switch_says_how_a_command_out_of_its_phase_is_refused() -> None:
    answers = []

    for value in ("6985", "6A81", "6D00"):
        bench = CardBench(switches=Switches({"card.phase-refusal": value}))
        bench.ok("80100000")
        answers.append(bench.send("00E40000025015"))

    assert answers == ["6985", "6A81", "6D00"]


def test_a_burnt_card_with_a_condition_never_stays_operational(bench: CardBench) -> None:
    bench.ok("80100000")
    set_mf_conditions(bench, "FF" * 10)
    assert bench.send("80100000") == "6982"
    assert bench.send(ERASE) == "6985"
    assert bench.send(command("00DA016F", tlv("86", "00" * 10))) == "6982"
    assert CardView(bench.card.image).fuse == "burnt"
    assert CardView(bench.card.image).erasable == "never"


def test_a_burnt_card_opens_again_to_the_credential_that_its_conditions_name(bench: CardBench) -> None:
    bench.put_pin(5, "5555")
    bench.create_df()
    bench.ok("80100000")
    set_mf_conditions(bench, "05" * 10)
    assert bench.send("80100000") == "6982"
    bench.ok(command("00200085", pin("5555")))
    bench.ok("80100000")
    bench.ok("00E40000025015")
    bench.ok(command("00DA016E", "830200058F00"))
    assert CardView(bench.card.image).erasable == "object 05"


def test_the_fuse_is_intact_until_conditions_or_phase_say_otherwise(bench: CardBench) -> None:
    assert CardView(bench.card.image).fuse == "intact"
    bench.ok("80100000")
    assert CardView(bench.card.image).fuse == "burnt"
    bench.ok("80100000")
    assert CardView(bench.card.image).fuse == "intact"
    set_mf_conditions(bench, "0000000000FF00000000")
    assert CardView(bench.card.image).fuse == "burnt"


def test_production_ends_in_administration() -> None:
    image = replace(models.get("cardos-4.4").blank(), life_cycle=LifeCycle.INITIALISATION)
    bench = CardBench(image=image)
    seen = [phase(bench)]

    for _ in range(3):
        bench.ok("80100000")
        seen.append(phase(bench))

    assert seen == ["26", "24", "20", "10"]


def test_death_leaves_get_data_only() -> None:
    bench = CardBench(image=replace(models.get("cardos-4.4").blank(), life_cycle=LifeCycle.DEATH))
    assert phase(bench) == "3F"
    assert {bench.send(text) for text in ("00A4000C", ERASE, FORMAT, "80100000")} == {"6D00"}


def test_every_way_leads_from_phase_to_phase_and_none_out_of_death() -> None:
    assert {source for source, _ in TRANSITIONS} == set(LifeCycle) - {LifeCycle.DEATH}
    assert all(row.target in LIVING for row in TRANSITIONS.values() if row.event.value == "PHASE CONTROL")


def test_the_diagram_shows_every_phase_and_every_way() -> None:
    text = diagram.life_cycle_mermaid()
    assert text.startswith("stateDiagram-v2\n")
    assert all(f"as {member.name}\n" in text for member in LifeCycle)
    assert all(
        f"{row.source.name} --> {row.target.name}: {row.event.value}" in text for row in TRANSITIONS.values()
    )
