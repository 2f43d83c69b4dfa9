"""The file system: creating, selecting, reading, writing, deleting."""

from __future__ import annotations

import pytest

from support.cardbench import AID, CardBench, command, tlv


@pytest.fixture
def bench() -> CardBench:
    """A card with 3F00/5015/{4401, 5031} and 3F00/2F00."""
    bench = CardBench()
    bench.create_df()
    bench.create_ef("4401", 0x100)
    bench.create_ef("5031", 0x20)
    bench.ok("00A4000C")
    bench.create_ef("2F00", 0x80)
    bench.ok("00A4000C")
    return bench


FCI_5031 = "6F19800200208201018302503185010086" + "09" + "00" * 9


@pytest.mark.parametrize(
    "steps",
    [
        ["00A4080004 50155031 00"],
        ["00A4080006 3F0050155031 00"],
        ["00A40000025015", "00A4000002503100"],
        ["00A40100025015", "00A4020002503100"],
        ["00A40000025015", "00A4090002503100"],
        ["00A4090004 50155031 00"],
        [f"00A404000C{AID}", "00A4000002503100"],
        ["00A4040005A000000063", "00A4000002503100"],
    ],
)
def test_every_form_of_select_finds_the_file(bench: CardBench, steps: list[str]) -> None:
    assert [bench.ok(step) for step in steps][-1] == FCI_5031
    assert bench.ok("00CA018700") == "5015"


def test_select_gives_fci_fcp_or_nothing(bench: CardBench) -> None:
    assert bench.ok("00A40800045015503100").startswith("6F19")
    assert bench.ok("00A40804045015503100").startswith("6219")
    assert bench.ok("00A4080C0450155031") == ""


@pytest.mark.parametrize(
    "step",
    [
        "00A40000020999",
        "00A40100024401",
        "00A40200025015",
        "00A40800045015FFFF",
        "00A4040002BEEF",
        "00A409000244FF",
    ],
)
def test_a_failed_select_leaves_the_current_file(bench: CardBench, step: str) -> None:
    bench.ok("00A4080C0450154401")
    bench.ok("00D6000001AB")
    assert bench.send(step) == "6A82"
    assert bench.ok("00CA018700") == "5015"
    assert bench.ok("00B0000001") == "AB"


@pytest.mark.parametrize("step", ["00A4080003501550", "00A4000001 50", "00A40300023F00", "00A40900"])
def test_a_select_with_data_of_the_wrong_length_is_refused(bench: CardBench, step: str) -> None:
    assert bench.send(step) == "6A87"


def test_select_by_identifier_climbs_to_parent_and_mf(bench: CardBench) -> None:
    bench.ok("00A4080C025015")
    bench.create_df("4B01", aid="")
    assert bench.ok("00CA018700") == "50154B01"
    bench.ok("00A4000C025015")
    assert bench.ok("00CA018700") == "5015"
    bench.ok("00A40000025015")
    bench.ok("00A4030C")
    assert bench.ok("00CA018700") == ""
    bench.ok("00A4030C")
    assert bench.ok("00CA018700") == ""


def test_the_next_df_of_a_partial_name_is_found(bench: CardBench) -> None:
    bench.create_df("5016", aid="A00000006301")
    bench.ok("00A4000C")
    bench.ok("00A4040C05A000000063")
    assert bench.ok("00CA018700") == "5015"
    bench.ok("00A4040E05A000000063")
    assert bench.ok("00CA018700") == "5016"
    assert bench.send("00A4040E05A000000063") == "6A82"


def test_files_are_read_and_written_in_pieces(bench: CardBench) -> None:
    bench.ok("00A4080C0450154401")
    bench.ok(command("00D60000", "11" * 255))
    bench.ok("00D600FF01EE")
    assert bench.ok("00B0000000") == "11" * 255 + "EE"
    assert bench.ok("00B000FE00") == "11EE"
    assert bench.ok("00B000FF04") == "EE"


def test_reading_without_le_gives_no_data(bench: CardBench) -> None:
    bench.create_ef("0707", 4)
    assert bench.send("00B00000") == "9000"


def test_the_name_of_a_df_has_sixteen_bytes_at_most(bench: CardBench) -> None:
    create = "81020100" + "820138" + "83020707" + "8609" + "00" * 9
    assert bench.send(command("00E00000", tlv("62", create + tlv("84", "A0" * 17)))) == "6A80"
    bench.ok(command("00E00000", tlv("62", create + tlv("84", "A0" * 16))))


def test_reading_and_writing_past_the_end_is_refused(bench: CardBench) -> None:
    bench.ok("00A4080C0450155031")
    assert bench.send("00B0002000") == "6B00"
    assert bench.send("00B07FFF00") == "6B00"
    assert bench.send("00D6002001AA") == "6B00"
    assert bench.send("00D6001F02AABB") == "6A84"
    assert bench.ok("00B0000000") == "00" * 0x20


def test_short_file_identifiers_are_not_taken(bench: CardBench) -> None:
    bench.ok("00A4080C0450155031")
    assert bench.send("00B0810000") == "6A86"
    assert bench.send("00D6810001AA") == "6A86"


def test_without_a_current_ef_nothing_is_read(bench: CardBench) -> None:
    bench.ok("00A4080C025015")
    assert bench.send("00B0000000") == "6986"
    assert bench.send("00B2010400") == "6986"
    assert bench.send("00D6000001AA") == "6986"


def test_an_existing_identifier_or_name_is_refused(bench: CardBench) -> None:
    fcp = f"6216 800200108201018302{{}}850100{tlv('86', '00' * 6)}"
    assert bench.send(command("00E00000", fcp.format("2F00").replace(" ", ""))) == "6A89"
    df = tlv(
        "62",
        f"81021000820138830250178 4{len(AID) // 2:02X}{AID}850100".replace(" ", "") + tlv("86", "00" * 8),
    )
    assert bench.send(command("00E00000", df)) == "6A8A"


@pytest.mark.parametrize(
    ("objects", "expected"),
    [
        ("8002001082010183023F00850100", "6A80"),
        ("80020010820101830201850100", "6A80"),
        ("800200108201018302010185010099 0100", "6A80"),
        ("82010183020101", "6A80"),
        ("800200008201018302 0101", "6A80"),
        ("80020010820107 83020101", "6A80"),
        ("80020010 8302 0101", "6A80"),
        ("8002001082010183020101 8B 03 010203", "6A80"),
        ("81021000820138 8302 0102 84 00", "6A80"),
        ("820202 21 8302 0101", "6A80"),
        ("8003000010820101 8302 0101", "6A80"),
        ("8000 820101 8302 0101", "6A80"),
    ],
)
def test_what_no_file_can_be_is_refused(bench: CardBench, objects: str, expected: str) -> None:
    assert bench.send(command("00E00000", tlv("62", objects.replace(" ", "")))) == expected


@pytest.mark.parametrize("data", ["62", "6205800200", "6420", "FF"])
def test_control_parameters_that_are_no_tlv_are_refused(bench: CardBench, data: str) -> None:
    assert bench.send(command("00E00000", data)) in {"6A85", "6A80"}


def test_the_long_form_of_another_client_is_taken(bench: CardBench) -> None:
    objects = "8102008C820305FF008302E1E18503010000" + tlv("86", "00" * 9) + tlv("8B", "FF" * 24)
    bench.ok(command("00E00000", tlv("6F", objects)))
    bench.ok("00A4090C02E1E1")
    bench.ok(command("00E20000", "1003AABBCC"))
    assert bench.ok("00B2100000") == "1003AABBCC"


@pytest.mark.parametrize("head", ["81020100820138", "80020100820101"])
@pytest.mark.parametrize(
    ("given", "told"), [("", "850100"), ("850101", "850101"), ("8503010000", "8503010000")]
)
def test_options_are_told_as_they_were_given(bench: CardBench, head: str, given: str, told: str) -> None:
    bench.ok(command("00E00000", tlv("62", f"{head}83020707{given}8609" + "00" * 9)))
    bench.ok("00A4000C")
    assert f"83020707{told}8609" in bench.ok("00A40000020707" + "00")


def test_missing_condition_bytes_are_never(bench: CardBench) -> None:
    bench.ok(command("00E00000", tlv("62", "8002001082010183020777850100" + tlv("86", "FF00"))))
    assert bench.send("00B0000000") == "6982"
    assert bench.ok("00D6000001AA") == ""
    assert bench.send("00E40000020777") == "6982"


def test_a_created_file_is_the_current_one(bench: CardBench) -> None:
    bench.create_ef("0777", 4)
    bench.ok("00D6000004AABBCCDD")
    bench.create_df("5020", aid="")
    assert bench.ok("00CA018700") == "5020"


def test_a_file_is_deleted_by_its_identifier(bench: CardBench) -> None:
    bench.ok("00A4080C0450155031")
    assert bench.ok("00E40000025031") == ""
    assert bench.send("00B0000000") == "6986"
    assert bench.send("00A4080C0450155031") == "6A82"
    assert bench.send("00E40000025031") == "6A82"


def test_deleting_a_df_deletes_all_that_is_in_it(bench: CardBench) -> None:
    bench.ok("00A4080C025015")
    bench.put_pin(3, "1234")
    bench.ok("00DA016D0F8301018602 00008F06000000000000".replace(" ", ""))
    bench.ok("00A4000C")
    bench.ok("00E40000025015")
    assert list(bench.card.image.files) == [b"\x3f\x00", b"\x3f\x00\x2f\x00"]
    assert not bench.card.image.objects
    assert not bench.card.image.environments


def test_the_mf_cannot_be_deleted(bench: CardBench) -> None:
    assert bench.send("00E40000023F00") == "6A82"
    assert bench.send("00E40000") == "6700"


def test_directory_lists_children_in_the_order_of_creation(bench: CardBench) -> None:
    assert bench.ok("8016020000") == "6F0486025015" + "6F0486022F00"
    bench.ok("00A4080C025015")
    assert bench.ok("8016020000") == "6F0486024401" + "6F0486025031"


def test_an_empty_df_has_an_empty_listing(bench: CardBench) -> None:
    bench.create_df("5016", aid="")
    assert bench.ok("8016020000") == "6F00"


def test_a_long_directory_comes_in_pages(bench: CardBench) -> None:
    bench.create_df("5016", aid="")

    for number in range(90):
        bench.create_ef(f"{0x1000 + number:04X}", 1)

    pages = [bench.ok(f"801602{page:02X}00") for page in range(3)]
    assert all(len(page) <= 512 for page in pages)
    assert pages[0].endswith("8A0101")
    assert pages[1].endswith("8A0102")
    assert "8A" not in pages[2]
    assert sum(page.count("8602") for page in pages) == 90
    assert bench.send("8016020300") == "6A86"


def test_a_deactivated_file_is_refused_until_it_is_activated(bench: CardBench) -> None:
    bench.ok("00A4080C0450155031")
    bench.ok("00040000")
    assert bench.send("00B0000000") == "6283"
    assert bench.send("00D6000001AA") == "6283"
    assert bench.send("00A40800045015503100").endswith("6283")
    bench.ok("00A4080C025015")
    bench.ok("00440000025031")
    bench.ok("00A4080C0450155031")
    assert bench.ok("00B0000001") == "00"
    assert bench.send("00440000024499") == "6A82"


def test_memory_is_counted_and_runs_out(bench: CardBench) -> None:
    def free() -> int:
        return int(bench.ok("00CA018A00"), 16)

    before = free()
    bench.create_ef("0100", 0x1000)
    assert before - free() == 0x1000 + 32
    bench.ok("00E40000020100")
    assert free() == before

    numbers = iter(range(0x200, 0x300))
    response = "9000"

    while response == "9000":
        fcp = tlv("62", f"80024000820101 8302{next(numbers):04X}".replace(" ", "") + tlv("86", "00" * 9))
        response = bench.send(command("00E00000", fcp))

    assert response == "6A84"
    assert free() < 0x4000 + 32


def test_the_free_memory_of_the_mf_is_told_after_every_kind_of_write(bench: CardBench) -> None:
    free = int(bench.ok("00CA018A00"), 16)
    bench.put_pin(1, "1234")
    after = int(bench.ok("00CA018A00"), 16)
    assert free - after == 24 + 8
    bench.put_pin(1, "4321")
    assert int(bench.ok("00CA018A00"), 16) == after


def test_the_fci_of_the_mf_has_ten_condition_bytes(bench: CardBench) -> None:
    assert (
        bench.ok("00A40000023F0000")
        == "6F1A" + "81020400" + "820138" + "83023F00" + "850100" + "860A" + "00" * 10
    )


def test_conditions_are_replaced_for_the_current_file(bench: CardBench) -> None:
    bench.ok("00A4080C0450155031")
    bench.ok(command("00DA016F", tlv("86", "00FFFFFFFFFF00FFFF")))
    assert bench.send("00D6000001AA") == "6982"
    bench.ok(command("00DA016F", tlv("86", "00FFFFFFFFFFFFFFFF")))
    assert bench.send(command("00DA016F", tlv("86", "00" * 9))) == "6982"
    assert bench.send(command("00DA016F", tlv("87", "00" * 9))) == "6A80"


def test_the_conditions_of_the_mf_are_replaced_with_the_mf_selected(bench: CardBench) -> None:
    bench.ok("00A4000C")
    bench.ok(command("00DA016F", tlv("86", "00" * 7 + "FF")))
    assert bench.ok("00A40000023F0000").endswith("860A" + "00" * 7 + "FFFFFF")
    fcp = tlv("62", "8002001082010183020777850100" + tlv("86", "00" * 9))
    assert bench.send(command("00E00000", fcp)) == "6982"


@pytest.mark.parametrize("kind", ["12", "14"])
def test_keys_have_no_files_of_their_own(bench: CardBench, kind: str) -> None:
    fcp = f"800200408201{kind}8302010185010086" + "09" + "00" * 9
    assert bench.send(command("00E00000", tlv("62", fcp))) == "6A80"
