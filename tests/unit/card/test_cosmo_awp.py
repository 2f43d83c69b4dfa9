"""An AuthentIC V2 card on Cosmo 5, command by command."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cardtwin.card.image.codec import decode, encode
from support.awp import (
    BLANK,
    CARD_MANAGER,
    CODE,
    DEFINE_USER,
    MODEL,
    OFFICER,
    OPEN,
    USER,
    create,
    create_df,
    enter,
    pin,
    taken_into_use,
)
from support.cardbench import OK, CardBench, command, tlv

AID = "A000000077010303000000F100000002"
PUK = command("00200084", pin("87654321"))
DEFINE_PUK = command("00240104", "0340" + pin("87654321"))
RESET = command("002C0001", CODE + pin("4321"))


@pytest.fixture
def bench() -> CardBench:
    """An empty card."""
    return CardBench(MODEL, image=BLANK)


@pytest.fixture
def used(bench: CardBench) -> CardBench:
    return taken_into_use(bench)


def test_the_card_manager_is_left_for_the_application_with_no_pin_verified(bench: CardBench) -> None:
    bench.ok(OFFICER)
    bench.ok(CARD_MANAGER)
    assert bench.ok("80CA9F7F2D")[30:38] == bench.card.image.serial.hex().upper()
    bench.ok(command("00A4040C", AID))
    assert bench.send("00200004") == "63C3"
    assert bench.send(command("00A4040C", "A0000000030001")) == "6A82"


def test_files_are_created_by_the_officer_and_tell_what_they_were_given(bench: CardBench) -> None:
    assert bench.send(create_df()) == "6982"
    bench.ok(OFFICER)
    bench.ok(create_df())
    assert bench.ok("00A40000023F0000") == "6F168202380083023F0085020000860824FF0024FFFFFFFF"
    assert bench.ok("00A4000002501100") == "6F1682023800830250118502002886" + "08" + "24FF0000240024FF"
    bench.ok(create("0101", "1000", 36, "242400FFFFFFFFFF"))
    assert bench.ok("00A4000002100000") == "6F16820201018302100080020024" + "8608" + "242400FFFFFFFFFF"
    assert bench.send(create("0101", "1000", 36)) == "6A89"


@pytest.mark.parametrize("conditions", ["25" + "00" * 7, "60" + "00" * 7, "23" + "00" * 7, "00" * 7])
def test_conditions_that_the_card_can_t_follow_are_refused(bench: CardBench, conditions: str) -> None:
    bench.ok(OFFICER)
    assert bench.send(create("0101", "1000", 36, conditions)) == "6A80"


@pytest.mark.parametrize(
    ("kind", "size"), [("0101", 0), ("0201", 4), ("1100", 64), ("1400", 768), ("0401", 0), ("01", 4)]
)
def test_files_of_other_kinds_and_sizes_are_refused(bench: CardBench, kind: str, size: int) -> None:
    bench.ok(OFFICER)
    text = f"82{len(kind) // 2:02X}{kind}830210008502{size:04X}{tlv('86', OPEN)}"
    assert bench.send(command("00E00000", tlv("62", text))) == "6A80"


def test_records_are_appended_told_updated_and_deleted(bench: CardBench) -> None:
    bench.ok(OFFICER)
    bench.ok(create_df(conditions="00" * 8))
    bench.ok(create("0401", "3000", 2))
    bench.ok(command("00E20000", "11" * 9))
    bench.ok(command("00E20000", "22" * 5))
    assert bench.send(command("00E20000", "33")) == "6A84"
    assert bench.ok("00A4000002300000").startswith("6F19820504010009028302300085020002")
    assert bench.ok("00B2020400") == "22" * 5
    bench.ok(command("00DC0204", "44" * 5))
    bench.ok("80320104")
    assert bench.ok("00B2010400") == "44" * 5
    assert bench.send("80320204") == "6A83"


def test_a_file_is_deleted_under_its_df_s_condition_and_a_df_when_it_is_empty(used: CardBench) -> None:
    used.ok(create("0101", "3100", 4, "21" * 4 + "FF" * 4))
    assert used.ok("8034000040") == "3100"
    used.ok("00A4030C")
    assert used.send("00E40100029002") == "6985"
    assert used.send("00E40200029002") == "6A82"
    enter(used)
    used.ok("00E40200023100")
    assert used.ok("8034000040") == ""
    used.ok("00A4030C")
    used.ok("00E40100029002")


def test_the_user_s_pin_is_defined_by_the_officer_alone(bench: CardBench) -> None:
    bench.ok(OFFICER)
    bench.ok(create_df())
    bench.ok("802E0024")
    assert bench.send(DEFINE_USER) == "6982"
    bench.ok(OFFICER)
    bench.ok(DEFINE_USER)
    assert bench.send("00200081") == "63C5"


@pytest.mark.parametrize(
    ("reference", "data"),
    [("01", "0540" + "31" * 63), ("01", "0040" + "31" * 64), ("01", "053F" + "31" * 64),
     ("01", "0540" + "31" * 64 + "0502" + "00" * 32), ("01", "0540" + "31" * 64 + "0501" + "00" * 15),
     ("04", "0540" + "31" * 64 + "0501" + "00" * 16)],
)  # fmt: skip
def test_a_pin_of_another_form_is_not_defined(bench: CardBench, reference: str, data: str) -> None:
    bench.ok(OFFICER)
    bench.ok(create_df())
    assert bench.send(command(f"002401{reference}", data)) == "6A80"
    assert bench.send(command("00240102", data)) == "6A88"


def test_a_pin_is_defined_anew_on_a_card_that_is_full(used: CardBench) -> None:
    image = used.card.image
    bench = CardBench(replace(used.card.model, memory=image.used), image=image)
    bench.ok(OFFICER)
    bench.ok("00A4000C025011")
    bench.ok(DEFINE_USER)
    assert bench.send(DEFINE_PUK) == "6A84"


def test_the_user_s_pin_is_found_from_below_and_changed_by_whoever_knows_it(used: CardBench) -> None:
    assert used.send("00200081") == OK
    used.ok(command("00240001", pin("1234") + pin("5678")))
    assert used.send(USER) == "63C4"
    used.ok(command("00200081", pin("5678")))
    assert used.send("00200001") == "6A88"


def test_a_blocked_pin_is_reset_by_the_officer_and_the_code(used: CardBench) -> None:
    wrong = command("00200081", pin("0000"))
    assert [used.send(wrong) for _ in range(6)] == ["63C4", "63C3", "63C2", "63C1", "63C0", "6983"]
    assert used.send(RESET) == "6982"
    used.ok(command("00200084", pin("12345678")))
    assert used.send(command("002C0001", "00" * 16 + pin("4321"))) == "63C4"
    used.ok(RESET)
    used.ok(command("00200081", pin("4321")))


@pytest.mark.parametrize("order", [[DEFINE_PUK, DEFINE_USER], [DEFINE_USER, DEFINE_PUK]])
def test_a_puk_of_the_df_takes_the_officer_s_place(bench: CardBench, order: list[str]) -> None:
    bench.ok(OFFICER)
    bench.ok(create_df())

    for text in order:
        bench.ok(text)

    assert bench.send(RESET) == "6982"
    assert bench.send(command("00200084", pin("12345678"))) == "63C2"
    bench.ok(PUK)
    bench.ok(RESET)
    assert bench.send("00200004") == OK


def test_logging_out_forgets_one_pin(used: CardBench) -> None:
    used.ok(OFFICER)
    used.ok("802E0021")
    assert used.send("00200081") == "63C5"
    assert used.send("00200004") == OK
    used.ok("802E0024")
    assert used.send("00200004") == "63C3"
    assert used.send("802E0004") == used.send("802E0023") == "6A88"


NAMES = st.sampled_from(["3F00", "5011", "9002", "1000", "3001", "1012", "FFFF"])
KINDS = st.sampled_from(["3800", "0101", "0401", "1200", "1400"])
LIKELY = st.one_of(
    st.sampled_from([OFFICER, USER, DEFINE_USER, DEFINE_PUK, RESET, CARD_MANAGER, "8034000040", "00A4030C"]),
    NAMES.map(lambda name: f"00A4000C02{name}"),
    st.builds(create, KINDS, NAMES, st.sampled_from([4, 512])),
    st.builds(lambda p1, name: f"00E4{p1}0002{name}", st.sampled_from(["01", "02"]), NAMES),
    st.sampled_from(["80B4010000", "002241B603800111", command("00460000", "10123001"), "80320104"]),
    st.sampled_from([command("80D80104", "A301FF00"), command("90D80104", "A101FF00"), "00E2000002CAFE"]),
    st.binary(max_size=20).map(lambda data: "00" + data.hex()),
)  # fmt: skip


@given(st.lists(LIKELY, max_size=25))
def test_any_sequence_of_commands_is_answered_and_leaves_a_memory_that_can_be(commands: list[str]) -> None:
    bench = CardBench(MODEL, image=BLANK)

    for text in commands:
        assert len(bench.send(text)) >= 4

    image = bench.card.image
    assert decode(encode(image)) == image
    assert 0 <= image.used <= bench.card.model.memory


def test_each_condition_of_a_df_is_for_its_own_operation(bench: CardBench) -> None:
    bench.ok(OFFICER)
    bench.ok(create_df("6000", "000024240000" + "00FF"))
    bench.ok("802E0024")
    bench.ok(create("0101", "6001", 4))
    assert bench.send("8034000040") == bench.send("00E40200026001") == "6982"
    bench.ok(OFFICER)
    assert bench.ok("8034000040") == "6001"
    bench.ok("00E40200026001")


def test_a_df_that_says_never_is_not_deleted_by_whom_its_parent_lets(bench: CardBench) -> None:
    bench.ok(OFFICER)
    bench.ok(create_df("6000", "000000FF000000FF"))
    bench.ok("00A4030C")
    assert bench.send("00E40100026000") == "6982"


def test_a_record_is_deleted_where_its_file_lets_it(bench: CardBench) -> None:
    bench.ok(OFFICER)
    bench.ok(create_df(conditions="00" * 8))
    bench.ok(create("0401", "3000", 2, "000000FFFFFFFFFF"))
    bench.ok("00E2000001CA")
    assert bench.send("80320104") == "6982"
    assert bench.ok("00B2010400") == "CA"


def test_a_file_that_was_not_created_is_not_current(bench: CardBench) -> None:
    bench.ok(OFFICER)
    assert bench.send(create("1200", "1001", 512)) == "6982"
    assert bench.send("80B4010000") == "6986"
