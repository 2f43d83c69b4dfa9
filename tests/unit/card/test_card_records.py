"""Files of records: linear fixed, linear variable, linear TLV, cyclic."""

from __future__ import annotations

import pytest

from support.cardbench import CardBench, command, extended, tlv


@pytest.fixture
def bench() -> CardBench:
    return CardBench()


def test_linear_fixed_records_have_one_length_and_a_greatest_number(bench: CardBench) -> None:
    bench.create_ef("0101", kind="0221000402")
    assert bench.send("00B2010400") == "6A83"
    bench.ok("00E2000004AABBCCDD")
    assert bench.send("00E2000003AABBCC") == "6700"
    bench.ok("00E200000411223344")
    assert bench.send("00E200000411223344") == "6A84"
    assert bench.ok("00B2020400") == "11223344"
    assert bench.send("00B2030400") == "6A83"
    bench.ok("00DC010404CAFEBABE")
    assert bench.ok("00B2010400") == "CAFEBABE"
    assert bench.send("00DC030404CAFEBABE") == "6A83"


@pytest.mark.parametrize(
    ("descriptor", "expected"),
    [
        ("022100FF01", "9000"),
        ("022101000001", "6A80"),
        ("0221000001", "6A80"),
        ("02210001FE", "9000"),
        ("02210001FF", "6A80"),
        ("0221000100", "6A80"),
    ],
)
def test_length_and_number_of_records_have_bounds(bench: CardBench, descriptor: str, expected: str) -> None:
    create = tlv("82", descriptor) + "83020101" + "8609" + "00" * 9
    assert bench.send(command("00E00000", tlv("62", create))) == expected


def test_linear_variable_records_share_the_size(bench: CardBench) -> None:
    bench.create_ef("0101", 16, kind="04")
    bench.ok("00E2000003AABBCC")
    bench.ok("00E200000101")
    assert bench.send(command("00E20000", "00" * 7)) == "6A84"
    bench.ok(command("00E20000", "00" * 6))
    assert bench.ok("00B2020400") == "01"
    assert bench.send("00DC0204020102") == "6A84"
    bench.ok("00DC010402AABB")
    bench.ok("00DC0204020102")
    assert [bench.ok(f"00B2{number:02X}0400") for number in (1, 2, 3)] == ["AABB", "0102", "00" * 6]


def test_tlv_records_are_found_by_tag_and_returned_whole(bench: CardBench) -> None:
    bench.create_ef("0101", 0x200, kind="05")
    bench.ok("00E20000051003AABBCC")
    bench.ok("00E200000411020102")
    long = "10FF0104" + "77" * 0x104
    bench.ok(extended("00E20000", long))
    assert bench.ok("00B2100000") == "1003AABBCC"
    assert bench.ok("00B2110000") == "11020102"
    assert bench.ok("00B21001000000") == long
    assert bench.send("00B2120000") == "6A83"
    assert bench.ok("00B2020400") == "11020102"


@pytest.mark.parametrize("record", ["10", "1003AABB", "1001AABB", "10FF01", "10FF0002AA"])
def test_records_of_a_tlv_file_must_be_tlv(bench: CardBench, record: str) -> None:
    bench.create_ef("0101", 0x100, kind="05")
    assert bench.send(command("00E20000", record)) == "6A85"


def test_a_deleted_tlv_record_keeps_its_number_and_is_not_found_by_tag(bench: CardBench) -> None:
    bench.create_ef("0101", 0x100, kind="05")
    bench.ok("00E20000031001AA")
    bench.ok("00E20000031101BB")
    bench.ok("00DC0104020000")
    assert bench.send("00B2100000") == "6A83"
    assert bench.ok("00B2010400") == "0000"
    assert bench.ok("00B2020400") == "1101BB"


def test_in_a_cyclic_file_the_newest_record_is_the_first(bench: CardBench) -> None:
    bench.create_ef("0101", kind="0621000103")

    for value in range(5):
        bench.ok(f"00E2000001{value:02X}")

    assert [bench.ok(f"00B2{number:02X}0400") for number in (1, 2, 3)] == ["04", "03", "02"]
    assert bench.send("00B2040400") == "6A83"
    bench.ok("00DC000301AA")
    assert [bench.ok(f"00B2{number:02X}0400") for number in (1, 2, 3)] == ["AA", "04", "03"]


def test_records_are_read_next_previous_first_last_and_current(bench: CardBench) -> None:
    bench.create_ef("0101", 0x40, kind="04")

    for value in ("AA", "BB", "CC"):
        bench.ok(f"00E2000001{value}")

    order = ["00B2000200", "00B2000200", "00B2000400", "00B2000300", "00B2000300", "00B2000100", "00B2000000"]
    assert [bench.send(step)[:-4] for step in order] == ["AA", "BB", "BB", "AA", "", "CC", "AA"]
    bench.ok("00B2000100")
    assert bench.send("00B2000200") == "6A83"


def test_without_a_current_record_previous_is_the_last_one(bench: CardBench) -> None:
    bench.create_ef("0101", 0x40, kind="04")
    bench.ok("00E2000001AA")
    bench.ok("00E2000001BB")
    bench.ok("00A4000C020101")
    assert bench.send("00B2000400") == "6A83"
    assert bench.ok("00B2000300") == "BB"


def test_record_and_binary_commands_keep_to_their_files(bench: CardBench) -> None:
    bench.create_ef("0101", 0x40)
    assert bench.send("00B2010400") == "6981"
    assert bench.send("00E2000001AA") == "6981"
    bench.create_ef("0102", 0x40, kind="04")
    assert bench.send("00B0000000") == "6981"
    assert bench.send("00D6000001AA") == "6981"


def test_forms_that_read_several_records_are_refused(bench: CardBench) -> None:
    bench.create_ef("0101", 0x40, kind="04")
    assert bench.send("00B2010500") == "6A86"
    assert bench.send("00B2010C00") == "6A86"


def test_conditions_hold_for_records(bench: CardBench) -> None:
    bench.create_ef("0101", 0x40, kind="04", access="FFFF00FFFFFF00FFFF")
    bench.ok("00E2000001AA")
    assert bench.send("00B2010400") == "6982"
    assert bench.send("00DC010401AA") == "6982"


def test_an_executable_file_is_written_like_a_transparent_one(bench: CardBench) -> None:
    bench.create_ef("CF13", 0x10, kind="21", access="FF00FFFFFF00")
    bench.ok("00D6000002AABB")
    assert bench.send("00B0000000") == "6982"
