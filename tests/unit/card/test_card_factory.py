"""Cards from the factory, and the vendor's erase script for V4.3B to its end."""

from __future__ import annotations

import pytest

from cardtwin.card import CardModel, models
from cardtwin.card.chip.model import FACTORY_START_KEY
from cardtwin.card.crypto import startkey
from support.cardbench import CARDOS, OK, CardBench, command, pin, tlv

ERASE = "8406000010" + "06000008" + "00000000" + "F76AFC09E6D5F465"
FORMAT = "8440000120" + "6F88F29476BD8AA1" + "C30CD7DFB611206A" + "57E1CF8D932A2F55" + "C2E1778B37F0D0FB"
CREATE_PACKAGE = "00E0000018" + "6216" + "800201BA" + "820121" + "8302CF13" + "850100" + "8606FF00FFFFFF00"
LOAD = "8420000017" + "5A" * 23
PACKAGE = "E10901041302C8088F0101"
"""What the script sends, but for bytes of code and of their protection, which aren't public."""

CODE = [("00D60000", 240), ("00D600F0", 202)]


@pytest.fixture
def bench() -> CardBench:
    return CardBench("cardos-4.3b")


def load_package(bench: CardBench) -> None:
    bench.ok("00A4000C")
    bench.ok(CREATE_PACKAGE)

    for header, length in CODE:
        bench.ok(command(header, "C0" * length))

    bench.ok(LOAD)


def test_the_vendor_s_script_runs_to_its_end(bench: CardBench) -> None:
    bench.create_df()
    bench.put_pin(1, "1234")
    assert bench.ok("00CA018202") == "C808"
    assert bench.ok("00CA018301") == "20"
    bench.ok(ERASE)
    assert bench.ok("00CA018301") == "34"
    bench.ok(FORMAT)
    assert bench.ok("00CA018301") == "20"
    load_package(bench)
    assert bench.ok("00CA01880B") == PACKAGE
    assert not bench.card.image.objects


@pytest.mark.parametrize("bit", range(0, 128, 7))
def test_a_flipped_bit_costs_a_try_of_the_start_key_and_erases_nothing(bench: CardBench, bit: int) -> None:
    message = bytearray.fromhex(ERASE)
    message[5 + bit // 8] ^= 1 << bit % 8
    assert bench.send(bytes(message)) == "6988"
    assert bench.ok("00CA019606") == "000AFF090000"
    assert bench.ok("00CA018301") == "20"
    bench.ok(ERASE)
    assert bench.ok("00CA019606") == "000AFF0A0000"


def test_tries_run_out_and_then_the_right_message_erases_no_more(bench: CardBench) -> None:
    wrong = ERASE[:-2] + "66"
    assert [bench.send(wrong) for _ in range(11)] == ["6988"] * 10 + ["6983"]
    assert bench.send(ERASE) == "6983"
    assert bench.ok("00CA019606") == "000AFF000000"


def test_a_package_is_loaded_from_an_ef_of_code_alone(bench: CardBench) -> None:
    assert bench.send(LOAD) == "6986"
    bench.create_ef("0101", 0x1BA)
    assert bench.send(LOAD) == "6981"
    bench.create_ef("0102", 0x1BB, kind="21")
    assert bench.send(LOAD) == "6988"
    bench.create_ef("0103", 0x1BA, kind="21")
    assert bench.send(LOAD[:8] + "16" + "5A" * 22) == "6988"
    assert bench.ok("00CA018800") == ""
    bench.ok(LOAD)
    bench.ok(LOAD)
    assert bench.ok("00CA018800") == PACKAGE


def test_loading_needs_the_mf_s_condition_execute(bench: CardBench) -> None:
    bench.put_pin(5, "5555")
    bench.ok(command("00DA016F", tlv("86", "00" * 8 + "0500")))
    bench.ok(CREATE_PACKAGE)
    assert bench.send(LOAD) == "6982"
    bench.ok(command("00200085", pin("5555")))
    bench.ok(LOAD)


def test_formatting_drops_what_was_loaded(bench: CardBench) -> None:
    load_package(bench)
    bench.ok(ERASE)
    bench.ok(FORMAT)
    assert bench.ok("00CA018800") == ""


def test_other_versions_know_no_way_to_load_packages() -> None:
    for name in ("cardos-4.4", "cardos-5.3"):
        assert CardBench(name).send(LOAD) == "6D00"


@pytest.fixture(params=CARDOS)
def model(request: pytest.FixtureRequest) -> CardModel:
    return models.get(request.param)


def test_a_card_from_the_factory_tells_of_itself_and_knows_next_to_nothing_else(model: CardModel) -> None:
    bench = CardBench(model, image=model.factory())
    assert bench.ok("00CA018301") == "34"
    assert bench.ok("00CA018202") == model.version.hex().upper()
    assert bench.ok("00CA018800") == ""
    assert bench.ok("00CA019606") == "000A000A0000"
    assert int(bench.ok("00CA018A00"), 16) == model.memory
    others = ("00A4000C", "00A4040C01A0", "00B0000000", "0020008100", "80100000", CREATE_PACKAGE, LOAD)
    assert {bench.send(text) for text in others} == {"6D00"}


def test_the_public_key_does_not_erase_a_card_from_the_factory(model: CardModel) -> None:
    bench = CardBench(model, image=model.factory())
    assert bench.send(FORMAT) == "6988"
    assert bench.ok("00CA019606") == "000A00090000"


def test_a_card_from_the_factory_gets_the_default_key_and_is_formatted(model: CardModel) -> None:
    bench = CardBench(model, image=model.factory())
    change = startkey.wrap(FACTORY_START_KEY, 0x24, 0, 0, b"\xff" * 16)
    assert len(change) == 0x20, "as long as the message in the vendor's script"
    assert bench.send(command("84240000", change.hex())) == OK
    assert bench.ok("00CA019606") == "000AFF0A0000"
    bench.ok(FORMAT)
    assert bench.ok("00CA018301") == "20"
    bench.ok("00A4000C")


def test_a_card_from_the_factory_can_have_its_own_serial_number(model: CardModel) -> None:
    serial = bytes(range(len(model.serial)))
    assert model.factory(serial=serial).serial == serial

    with pytest.raises(ValueError, match=f"{len(serial)} bytes, not 1"):
        model.factory(serial=b"\0")


def test_the_key_of_the_factory_is_not_shown(model: CardModel) -> None:
    assert FACTORY_START_KEY.hex() not in repr(model.factory()).lower()
    assert repr(FACTORY_START_KEY) not in repr(model.factory())


def test_every_fact_about_a_model_says_where_it_comes_from(model: CardModel) -> None:
    assert set(model.evidence) == set(model.facts())
    assert all(getattr(model, fact) is not None and found.source for fact, found in model.evidence.items())


def test_a_model_s_version_word_is_in_its_atr(model: CardModel) -> None:
    assert model.version in model.atr
    assert all(package[-5:-3] == model.version for package in model.packages)


def test_the_atrs_are_those_that_clients_know() -> None:
    assert {name: models.get(name).atr.hex().upper() for name in CARDOS} == {
        "cardos-4.3b": "3BF2180002C10A31FE58C80874",
        "cardos-4.4": "3BD21802C10A31FE58C80D51",
        "cardos-5.0": "3BD218008131FE58C90114",
        "cardos-5.3": "3BD218008131FE58C90316",
        "cardos-5.3-di": "3BD218008131FE58C90217",
        "cardos-5.4": "3BD218008131FE58C90411",
    }


@pytest.mark.parametrize(
    ("name", "product", "max_data"),
    [
        ("cardos-4.3b", "CardOS V4.3B (C) Siemens AG 1994-2004", "012C"),
        ("cardos-5.0", "CardOS V5.0, 2012", "0280"),
        ("cardos-5.3-di", "CardOS DI V5.3, 2015", "0280"),
        ("cardos-5.4", "CardOS V5.4     2019", "01B5"),
    ],
)
def test_product_text_and_greatest_data_field_are_as_reported(name: str, product: str, max_data: str) -> None:
    bench = CardBench(name)
    assert bytes.fromhex(bench.ok("00CA018000")) == product.encode() + b"\0"
    assert bench.ok("00CA018D02") == max_data


def test_what_is_longer_than_the_greatest_data_field_is_refused() -> None:
    bench = CardBench("cardos-5.4")
    bench.create_ef("0101", 0x300)
    assert bench.send("00D60000" + "0001B5" + "AA" * 437) == OK
    assert bench.send("00D60000" + "0001B6" + "AA" * 438) == "6700"
