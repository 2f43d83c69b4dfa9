"""GET DATA, and what tells one model from the other."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from cardtwin.card import EmulatedCard, UnknownModelError, UnknownQuirkError, UnknownSystemError, cos, models
from cardtwin.card.chip.quirks import quirks, register_quirk
from cardtwin.card.cos import CARDOS_43B, CARDOS_44, CARDOS_50, CARDOS_53, CARDOS_54
from cardtwin.card.models import register
from cardtwin.entropy import SeededEntropy
from cardtwin.provenance import Basis
from support.cardbench import CARDOS, CardBench

SYSTEMS = (CARDOS_43B, CARDOS_44, CARDOS_50, CARDOS_53, CARDOS_54)
ASKED_BY_CARDOS_TOOL = ["80", "82", "81", "83", "84", "85", "86", "88", "89", "8A", "8D", "96", "87"]


@pytest.mark.parametrize("name", CARDOS)
def test_everything_that_cardos_tool_asks_is_there(name: str) -> None:
    bench = CardBench(name)
    tags = [*ASKED_BY_CARDOS_TOOL, *(["8B"] if name.startswith("cardos-5") else [])]
    assert all(bench.send(f"00CA01{tag}00").endswith("9000") for tag in tags)
    assert all(bench.send(f"00CA01{tag}FF").endswith("9000") for tag in tags)


def test_version_4_tells_its_facts() -> None:
    bench = CardBench()
    assert bytes.fromhex(bench.ok("00CA018000")).startswith(b"CardOS V4.4 (C) Siemens AG")
    assert bench.ok("00CA018000").endswith("00")
    chip = bytes.fromhex(bench.ok("00CA018100"))
    assert len(chip) == 32
    assert chip[10:16] == models.get("cardos-4.4").serial
    assert bench.ok("00CA018200") == "C80D"
    assert bench.ok("00CA018D02") == "0300"
    assert len(bench.ok("00CA018A00")) == 4
    assert bench.send("00CA018B00") == "6A88"


def test_version_5_tells_its_facts() -> None:
    bench = CardBench("cardos-5.3")
    assert bytes.fromhex(bench.ok("00CA018000")) == b"CardOS V5.3, 2014\0"
    assert bytes.fromhex(bench.ok("00CA018100")) == models.get("cardos-5.3").serial
    assert len(models.get("cardos-5.3").serial) == 8
    assert bench.ok("00CA018200") == "C903"
    assert bench.ok("00CA018800") == "E10B530603041302C9038F0101"
    assert len(bench.ok("00CA018A00")) == 8
    assert len(bench.ok("00CA018B00")) == 2 * 76
    assert len(bench.ok("00CA018900")) == 16


def test_another_atr_is_told_to_be_in_the_eeprom() -> None:
    bench = CardBench()
    assert bench.ok("00CA018600") == "00"
    other = CardBench(image=replace(bench.card.image, atr=bytes.fromhex("3BF2180002C10A31FE58C80D71")))
    assert other.ok("00CA018600") == "80"


def test_memory_sizes_and_chip_stand_where_clients_look_for_them() -> None:
    assert CardBench("cardos-4.4").ok("00CA018900") == "0004" + "0040" + "66" + "3F"
    assert CardBench("cardos-5.3").ok("00CA018900") == "0008" + "0053" + "78" + "00" + "3F" + "05"


def test_the_fci_of_version_5_has_the_form_of_a_recorded_card() -> None:
    bench = CardBench("cardos-5.3")
    bench.create_df()
    access = "0011111111111111FF"
    bench.put_object("83020011" + "850802030203FFFF0000" + "8603001111" + "8F10" + "AA" * 16)
    bench.create_ef("5031", 0x3C, access=access)
    assert bench.ok("00A40800045015503100") == (
        "6F8125830250318201018002003C8800850100"
        "8A0105"
        "AB10" + "80010190 00800106A40683011195 0180".replace(" ", "")
    )


def test_the_fci_of_a_df_on_version_5_tells_who_deletes_and_creates() -> None:
    bench = CardBench("cardos-5.3")
    bench.put_pin(1, "1234")
    bench.create_df(access="0000000000010000", aid="A0000001")
    assert bench.ok("00A4080002501500") == (
        "6F812B" + "83025015" + "820138" + "81021000" + "8800" + "8404A0000001" + "850100" + "8A0105"
        "AB10" + "800140" + "A406830101950108" + "800106" + "9000"
    )
    bench.ok("00040000")
    assert "8A0104" in bench.send("00A4080002501500")


def test_the_fci_of_version_5_names_pins_and_never() -> None:
    bench = CardBench("cardos-5.3")
    bench.put_pin(1, "1234")
    bench.create_ef("0101", 4, access="FF01" + "00" * 7)
    assert "AB1080010197008001 06A406830101950108".replace(" ", "") in bench.ok(
        "00A40000020101 00".replace(" ", "")
    )


@pytest.mark.parametrize("name", CARDOS)
def test_an_empty_card_is_in_administration_with_everything_open(name: str) -> None:
    image = models.get(name).blank()
    (master,) = image.files.values()
    assert image.life_cycle == 0x20
    assert master.access == bytes(10)
    assert (image.start_key.key, image.start_key.tries_left) == (b"\xff" * 16, 10)
    assert image.atr == models.get(name).atr


def test_a_card_can_have_its_own_serial_number() -> None:
    model = models.get("cardos-4.4")
    bench = CardBench(image=model.blank(serial=bytes.fromhex("010203040506")))
    assert "010203040506" in bench.ok("00CA018100")

    with pytest.raises(ValueError, match="6 bytes, not 2"):
        model.blank(serial=b"\1\2")


def test_an_unknown_model_is_told_with_the_nearest_name() -> None:
    with pytest.raises(UnknownModelError, match=r"no card model 'cardos-4\.5'; did you mean 'cardos-"):
        models.get("cardos-4.5")


def test_a_name_in_the_catalogue_is_taken_once() -> None:
    with pytest.raises(ValueError, match="already"):
        register(models.get("cardos-4.4"))


def test_a_model_with_an_unknown_quirk_or_capability_is_refused() -> None:
    model = models.get("cardos-4.4")

    with pytest.raises(UnknownQuirkError, match="did you mean 'drop_pin_on_select'"):
        replace(model, quirks=frozenset({"drop_pins_on_select"}))

    with pytest.raises(ValueError, match="unknown capabilities: flying"):
        replace(model, capabilities=frozenset({"flying"}))

    with pytest.raises(ValueError, match="already"):
        register_quirk("drop_pin_on_select", "again")

    assert "drop_pin_on_select" in quirks()


@pytest.mark.parametrize("system", SYSTEMS, ids=lambda system: system.name)
def test_every_command_form_and_data_object_says_where_it_comes_from(system: object) -> None:
    for form in (*system.forms, *system.data_objects.values()):  # type: ignore[attr-defined]
        assert isinstance(form.basis, Basis)
        assert re.search(r"\w{3}", form.source), form.name


def test_what_writes_on_version_5_by_version_4_s_commands_is_ours() -> None:
    for system in (CARDOS_50, CARDOS_53, CARDOS_54):
        ours = {form.name for form in system.forms if form.basis is Basis.OURS}
        assert {"CREATE FILE", "DELETE FILE", "PUT DATA OCI", "GENERATE KEY PAIR", "ERASE FILES"} <= ours

    assert not any(form.basis is Basis.OURS for form in (*CARDOS_43B.forms, *CARDOS_44.forms))


def test_form_names_are_unique_in_a_system() -> None:
    for system in SYSTEMS:
        names = [form.name for form in system.forms]
        assert len(names) == len(set(names))


def test_a_model_of_an_unknown_system_is_refused_with_a_hint() -> None:
    model = replace(models.get("cardos-4.4"), system="CardOS V4.5")

    with pytest.raises(UnknownSystemError, match=r"no card system 'CardOS V4\.5'.*CardOS V4\.4"):
        EmulatedCard(model, entropy=SeededEntropy("x"))


def test_a_system_of_that_name_is_there_already() -> None:
    with pytest.raises(ValueError, match=r"a card system 'CardOS V4\.4' already"):
        cos.register(CARDOS_44)


def test_what_a_trust_centre_s_client_asks_version_5_4_for_is_told_by_it_alone() -> None:
    """The client selects, asks, and then asks for the PIN's tries: a public report has it."""
    assert CardBench("cardos-5.4").send("80CA000B00") == "E304900200009000"
    assert CardBench("cardos-5.4").send("80CA000C00") == "6A86"
    assert CardBench("cardos-5.4").send("80CA000B0100") == "6700"
    assert CardBench("cardos-5.3").send("80CA000B00") == "6D00"
