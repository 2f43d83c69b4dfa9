"""Files on Cosmo with IAS-ECC: selection, access rules, reading, and what isn't there."""

from __future__ import annotations

import pytest

from cardtwin.card import models
from support.cardbench import command, tlv
from support.cosmo import AWP, CosmoBench, rules

OPEN = rules(0x43, 0, 0, 0)
ROOT = "A000000077010800070000FE00000100"


@pytest.fixture(params=["cosmo-7", "cosmo-8.2"])
def bench(request: pytest.FixtureRequest) -> CosmoBench:
    return CosmoBench(request.param)


def test_the_mf_is_an_application_with_the_name_that_clients_select(bench: CosmoBench) -> None:
    told = bench.ok(command("00A40404", ROOT, "00"))
    assert told.startswith("62")
    assert tlv("84", ROOT) in told


def test_the_card_manager_is_not_there(bench: CosmoBench) -> None:
    assert bench.send(command("00A4040C", "A0000000030000")) == "6A82"
    assert bench.send("80CA9F7F2D") == "6D00"


@pytest.mark.parametrize(
    ("model", "end"),
    [("cosmo-7", "A1098C077B00FFFFFF11008A0105"), ("cosmo-8.2", "8A0105A1098C077B00FFFFFF1100")],
)
def test_control_information_has_the_order_of_the_version(model: str, end: str) -> None:
    bench = CosmoBench(model)
    bench.create("3401", 0x49E, 0x00, 0x11, 0x00)
    told = bench.ok(command("00A40204", "3401", "00"))
    assert told == tlv("62", f"8002049E82010183023401 8800{end}".replace(" ", ""))


def test_access_rules_are_told_as_they_were_given(bench: CosmoBench) -> None:
    given = rules(0x7B, 0x11, 0xFF, 0x12, 0x13, 0x11, 0x00)
    bench.ok(command("00E00000", tlv("62", f"80020010820101830234018800{given}")))
    assert given.upper() in bench.ok(command("00A40204", "3401", "00"))


@pytest.mark.parametrize("condition", [0x40, 0x23, 0x10, 0x4F])
def test_a_condition_that_no_pin_meets_is_told_as_never(bench: CosmoBench, condition: int) -> None:
    bench.create("3401", 16, 0, 0, condition)
    assert bench.ok(command("00A40204", "3401", "00")).count("8C077B00FFFFFF00FF") == 1
    assert bench.send("00B0000010") == "6982"


def test_serial_number_ef_atr_and_ef_dir_have_short_identifiers(bench: CosmoBench) -> None:
    assert bench.ok("00B09C00C0") == tlv("5A", bench.card.image.serial.hex().upper())
    assert bench.ok("00B09D0010").startswith("80004301B8460440701410")
    assert bench.send("00B09E0000") == "6A82"
    bench.create("2F00", 4)
    bench.ok("00D69E0002CAFE")
    assert bench.ok("00B09E0000") == "CAFE0000"


def test_reading_gives_231_bytes_at_most_and_6b00_past_the_end(bench: CosmoBench) -> None:
    bench.create("3401", 300)
    bench.write(bytes(range(256)) + bytes(44))
    assert len(bench.ok("00B0000000")) == 2 * 231
    assert bench.ok("00B000E7E5") == (bytes(range(231, 256)) + bytes(44)).hex().upper()
    assert bench.send("00B0012C00") == "6B00"


def test_deletion_takes_the_current_file_and_its_df_is_current_then(bench: CosmoBench) -> None:
    bench.create_application("5015")
    bench.create("3401", 16)
    bench.ok("00E40000")
    assert bench.send(command("00A4020C", "3401")) == "6A82"
    bench.put_user(1, "1234")
    bench.ok("00E40000")
    assert bench.send(command("00A4040C", AWP)) == "6A82"
    assert bench.send("00E40000") == "6985"
    assert not bench.card.image.objects


def test_a_file_is_deleted_by_whom_its_own_rules_allow(bench: CosmoBench) -> None:
    bench.put_user(1, "1234")
    bench.create("3401", 16, 0x11, 0x00, 0x00)
    assert bench.send("00E40000") == "6982"
    bench.ok(command("00200001", "31323334FFFFFFFF"))
    bench.ok("00E40000")


def test_rules_are_changed_by_who_may_delete_the_file(bench: CosmoBench) -> None:
    bench.create("3401", 16)
    bench.ok(command("00DB3FFF", tlv("62", rules(0x43, 0xFF, 0xFF, 0x00))))
    assert bench.send("00D6000001AA") == "6982"
    assert bench.send(command("00DB3FFF", tlv("62", rules(0x43, 0, 0, 0)))) == "6982"
    assert bench.ok("00B0000001") == "00"


def test_a_closed_df_takes_neither_files_nor_objects(bench: CosmoBench) -> None:
    bench.create_application("5015", AWP, 0xFF, 0xFF)
    assert bench.send(command("00E00000", tlv("62", f"80020010820101830234018800{OPEN}"))) == "6982"
    parameters = tlv("A0", f"80020100{rules(0x7F, 0, 0, 0, 0, 0, 0, 0)}")
    assert bench.put(0x10, 1, parameters) == "6982"


@pytest.mark.parametrize(
    ("text", "status"),
    [
        (tlv("62", f"8002001082010183023F008800{OPEN}"), "6A80"),
        (tlv("62", f"80020010820102830234018800{OPEN}"), "6A80"),
        (tlv("62", f"82010183023401{OPEN}"), "6A80"),
        (tlv("6F", f"80020010820101830234018800{OPEN}"), "6A80"),
        (tlv("62", "80020010820101830234018800"), "6A80"),
        (tlv("62", "80020010820101830234018800A1038C0143"), "6A80"),
        ("6280", "6A85"),
    ],
)
def test_creation_is_refused_for_what_is_wrong_with_it(text: str, status: str) -> None:
    assert CosmoBench().send(command("00E00000", text)) == status


def test_a_file_of_that_identifier_is_there_already(bench: CosmoBench) -> None:
    bench.create("3401", 16)
    assert bench.send(command("00E00000", tlv("62", f"80020010820101830234018800{OPEN}"))) == "6A89"


@pytest.mark.parametrize(
    "ins", ["16", "B2", "DC", "E2", "DA", "CA", "04", "44", "46", "82", "86", "EA", "78"]
)
def test_an_instruction_that_no_client_knows_is_answered_6d00(bench: CosmoBench, ins: str) -> None:
    assert bench.send(f"00{ins}000000") == "6D00"


def test_an_image_may_have_another_atr() -> None:
    model = models.get("cosmo-8.2")
    assert model.atr.hex().upper() == "3BDD96008131FE4580F9A0000000770108000790 0070".replace(" ", "")
    assert models.get("cosmo-7").atr[2:3] == b"\x18"
