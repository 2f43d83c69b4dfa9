"""Access rules that CREATE FILE of V5 takes, in the file itself or in an EF of access rules."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cardtwin.card.crypto.authentication import Method, respond
from support.cardbench import OK, CardBench, command, pin, tlv

READ_ALWAYS_WRITE_PIN = "8001019000" + "800106A406830101950108"
READ_ALWAYS_WRITE_KEY = "8001019000" + "800106A406830111950180"
KEY = bytes(range(16))


@pytest.fixture(params=["cardos-5.0", "cardos-5.3", "cardos-5.4"])
def bench(request: pytest.FixtureRequest) -> CardBench:
    bench = CardBench(request.param)
    prepare(bench)
    return bench


def prepare(bench: CardBench) -> None:
    bench.put_pin(1, "1234")
    assert (
        bench.put_object("83020011" + "8508020302" + "03FFFF0000" + "8603001111" + "8F10" + KEY.hex()) == OK
    )


def create(bench: CardBench, rules: str, file_id: str = "0101") -> str:
    return bench.send(command("00E00000", tlv("62", f"800200208201018302{file_id}850100{rules}")))


def create_rules(bench: CardBench, *records: str) -> None:
    bench.create_ef("2F12", 0x80, kind="04")

    for record in records:
        bench.ok(command("00E20000", record))

    bench.ok("00A4000C")


def verify(bench: CardBench) -> None:
    bench.ok(command("00200081", pin("1234")))


def authenticate(bench: CardBench) -> None:
    challenge = bytes.fromhex(bench.ok("0084000008"))
    bench.ok(command("00820011", respond(KEY, challenge, Method.ENCRYPTION).hex()))


def test_rules_in_the_file_itself_hold_and_are_told_back(bench: CardBench) -> None:
    assert create(bench, tlv("AB", READ_ALWAYS_WRITE_PIN)) == OK
    assert bench.ok("00A400000201 0100".replace(" ", "")).endswith("AB10" + READ_ALWAYS_WRITE_PIN)
    bench.ok("00B0000001")
    assert bench.send("00D6000001AA") == "6982"
    verify(bench)
    bench.ok("00D6000001AA")


def test_rules_in_an_ef_of_access_rules_hold_and_are_referred_to(bench: CardBench) -> None:
    create_rules(bench, READ_ALWAYS_WRITE_PIN, READ_ALWAYS_WRITE_KEY)
    bench.create_df()
    assert create(bench, "8B032F1202") == OK
    assert bench.ok("00A4080004501501 0100".replace(" ", "")).endswith("8B032F1202")
    bench.ok("00B0000001")
    verify(bench)
    assert bench.send("00D6000001AA") == "6982"
    authenticate(bench)
    bench.ok("00D6000001AA")


def test_a_df_is_created_with_rules(bench: CardBench) -> None:
    rules = tlv("AB", "800102A406830101950108" + "8001409700")
    bench.ok(command("00E00000", tlv("62", f"8102100082013883025015850100{rules}")))
    assert create(bench, "8609" + "00" * 9) == "6982"
    verify(bench)
    assert create(bench, "8609" + "00" * 9) == OK
    bench.ok("00A4000C")
    assert bench.send("00E40000025015") == "6982"


@pytest.mark.parametrize("where", ["AB", "8B"])
def test_a_key_administers_a_df_whose_rules_name_it(bench: CardBench, where: str) -> None:
    rule = "800142" + "A406830111950180"
    create_rules(bench, rule)
    rules = tlv("AB", rule) if where == "AB" else "8B032F1201"
    bench.ok(command("00E00000", tlv("62", f"8102100082013883025015850100{rules}")))
    verify(bench)
    assert create(bench, "8609" + "00" * 9) == "6982"
    authenticate(bench)
    assert create(bench, "8609" + "00" * 9) == OK
    bench.ok("80EA0000")
    bench.ok("00A4000C")
    assert bench.send("00E40000025015") == "6982"
    authenticate(bench)
    bench.ok("00E40000025015")


@pytest.mark.parametrize("reference", ["01", "11"])
@pytest.mark.parametrize("usage", ["08", "80", "88", "00"])
def test_a_usage_that_is_not_the_test_object_s_is_never_met(
    bench: CardBench, reference: str, usage: str
) -> None:
    assert create(bench, tlv("AB", f"800106A40683 01{reference}9501{usage}".replace(" ", ""))) == OK
    verify(bench)
    authenticate(bench)
    meant = {"01": "08", "11": "80"}[reference]
    assert bench.send("00D6000001AA") == (OK if usage in {meant, "88"} else "6982")


def test_a_rule_without_usage_is_met_by_either(bench: CardBench) -> None:
    assert create(bench, tlv("AB", "800106A403830111")) == OK
    authenticate(bench)
    bench.ok("00D6000001AA")


def test_what_no_rule_is_about_is_never_allowed(bench: CardBench) -> None:
    assert create(bench, tlv("AB", "8001019000")) == OK
    verify(bench)
    assert bench.send("00D6000001AA") == "6982"
    assert bench.send("00E40000020101") == "6982"


def test_conditions_take_the_place_of_rules_by_put_data_only_where_allowed(bench: CardBench) -> None:
    assert create(bench, tlv("AB", READ_ALWAYS_WRITE_PIN)) == OK
    verify(bench)
    assert bench.send(command("00DA016F", "8609" + "00" * 9)) == "6982"


@pytest.mark.parametrize(
    "rules",
    [
        "AB00",
        tlv("AB", "9000"),
        tlv("AB", "800100" + "9000"),
        tlv("AB", "80010190"),
        tlv("AB", "800101" + "9001AA"),
        tlv("AB", "800101" + "A403950108"),
        tlv("AB", "800101" + "A00A" + "A403830101" + "A403830111"),
        tlv("AB", READ_ALWAYS_WRITE_PIN) + "8609" + "00" * 9,
        tlv("AB", READ_ALWAYS_WRITE_PIN) + "8B032F1201",
        tlv("AB", READ_ALWAYS_WRITE_PIN) * 2,
        "8B032F1201" * 2,
        "8B032F1201" + "8609" + "00" * 9,
        "8B032F1200",
        "8B022F12",
        "8B0101",
        "8B062F12012F1202",
    ],
)
def test_what_are_no_rules_makes_no_file(bench: CardBench, rules: str) -> None:
    before = bench.card.image
    assert create(bench, rules) in {"6A80", "6A85"}
    assert bench.card.image is before


def test_version_4_takes_no_rules() -> None:
    bench = CardBench("cardos-4.4")
    prepare(bench)
    assert create(bench, tlv("AB", READ_ALWAYS_WRITE_PIN)) == "6A80"
    assert create(bench, "8B032F1201") == "6A80"
    assert create(bench, "8B10" + "FF" * 16 + "8609" + "00" * 9) == OK


@given(st.binary(max_size=24))
def test_whatever_the_rules_are_the_card_answers(rules: bytes) -> None:
    bench = CardBench("cardos-5.3")
    prepare(bench)

    if create(bench, tlv("AB", rules.hex())) == OK:
        assert bench.send("00A400000201 0100".replace(" ", "")).endswith(OK)
        assert bench.send("00B0000001") in {"009000", "6982"}
        assert bench.send("00D6000001AA") in {OK, "6982"}
