"""What a command isn't given to do: lengths, kinds and states that don't fit it. Nothing changes then."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cardtwin.card.commands import build_routes
from cardtwin.card.cos import CARDOS_44
from cardtwin.card.memory.lifecycle import LifeCycle
from cardtwin.provenance import Switches
from support.cardbench import OK, CardBench, command, pin
from support.cardkeys import KEY, crt

KEY_OBJECT = "8508020302" + "03FFFF0000" + "8603000000"
GENERATE = "004600000820107EAD00100020"


@pytest.fixture
def bench() -> CardBench:
    """A card with PIN 01, test key 11, a pure RSA key object 10 without a value; EF 7EAD is current."""
    bench = CardBench("cardos-5.3")
    bench.put_pin(1, "1234")
    bench.put_pin(2, "2222", access="000105")
    assert bench.put_object("83020011" + KEY_OBJECT + "8F10" + "00" * 16) == OK
    assert bench.put_object("83020012" + KEY_OBJECT + "8F05" + "00" * 5) == OK
    bench.put_key(0x10, ["FF" * 128] * 5)
    bench.create_ef("7EAD", 0x200)
    return bench


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("00D60000", "6700"),
        ("00B000000100", "6700"),
        ("00B20104010000", "6700"),
        ("00CA01830120", "6700"),
        ("8010000001FF", "6700"),
        ("80EA000001FF", "6700"),
        ("002C030101FF", "6A87"),
        ("00E400000101", "6700"),
        ("0004000001FF", "6700"),
        ("00880010", "6700"),
        ("0084000001FF08", "6700"),
        (command("00200011", pin("1234")), "6984"),
        (command("00820001", "00" * 8), "6984"),
        (command("00820011", "00" * 8), "6985"),
        (command("002C0082", pin("1234") + pin("1234")), "6A88"),
        (command("00240082", pin("2222") + pin("1234")), "6982"),
        (command("00DA016F", "87020000"), "6A80"),
        (command("00A40400", "00" * 17), "6A87"),
        ("00A40400", "6A87"),
    ],
)
def test_a_command_that_does_not_fit_changes_nothing(bench: CardBench, text: str, expected: str) -> None:
    before = bench.card.image
    assert bench.send(text) == expected
    assert bench.card.image is before


def test_a_test_key_of_a_length_that_is_no_key_is_not_usable(bench: CardBench) -> None:
    bench.ok("0084000008")
    assert bench.send(command("00820012", "00" * 8)) == "6984"


def test_in_a_deactivated_df_nothing_is_created_or_stored(bench: CardBench) -> None:
    bench.create_df()
    bench.ok("00040000")
    assert bench.send(command("00E00000", "6200")) == "6283"
    assert bench.put_object("830200058F0155") == "6283"
    assert bench.send(command("00DA016D", "830101" + "86020000" + "8F06000000000000")) == "6283"
    assert bench.send("00A40000025015") == "6283"
    bench.ok("00440000")
    assert bench.put_object("830200058F00") == "6A88"


def test_what_is_in_a_deactivated_df_is_as_deactivated_as_it_is(bench: CardBench) -> None:
    bench.create_df()
    bench.create_df("4B01", aid="")
    bench.create_ef("5501", 2)
    bench.put_key(0x21, crt(KEY), algorithm="8A")
    bench.ok("00A4080C025015")
    bench.ok("00040000")
    assert bench.send("00A4080C0650154B015501") == "6283"
    assert bench.send("00B0000001") == bench.send("00D6000001AA") == "6283"
    assert bench.send("00A4080C0450154B01") == "6283"
    assert bench.put_object("830200058F0155") == "6283"
    bench.ok("002241B603840121")
    assert bench.send(command("002A9E9A", "11" * 20, "00")) == "6283"
    assert bench.send(command("90242021", "4100" + "11" * 64)) == "6283"
    bench.send("00A4080C025015")
    bench.ok("00440000")
    bench.ok("00A4080C0650154B015501")
    assert bench.ok("00B0000002") == "0000"


def test_a_pin_in_a_deactivated_df_opens_the_way_to_activate_it(bench: CardBench) -> None:
    bench.create_df(access="00000000" + "05" + "000000")
    bench.put_pin(5, "1234")
    bench.ok("00040000")
    assert bench.send("00440000") == "6982"
    bench.ok(command("00200085", pin("1234")))
    bench.ok("00440000")


def test_with_the_switch_a_deactivated_df_is_so_alone() -> None:
    bench = CardBench(switches=Switches({"card.deactivated-df": "itself"}))
    bench.create_df()
    bench.create_ef("5501", 1)
    bench.ok("00A4080C025015")
    bench.ok("00040000")
    bench.ok("00A4080C0450155501")
    assert bench.ok("00B0000001") == "00"
    assert bench.put_object("830200058F0155") == "6283"


def test_a_key_pair_goes_into_an_active_ef_only(bench: CardBench) -> None:
    bench.ok("00040000")
    assert bench.send(GENERATE) == "6283"
    bench.ok("00440000")
    assert bench.send(GENERATE) == OK
    bench.ok("00E40000027EAD")
    bench.create_df("7EAD", aid="")
    bench.ok("00A4000C")
    assert bench.send(GENERATE) == "6A82"


@pytest.mark.parametrize(
    ("bodies", "algorithm"),
    [
        (["FF" * 128] * 2, "0A"),
        (["FF" * 128] * 4 + ["FF" * 64], "0A"),
        (["FF" * 64] * 2, "0C"),
        (["4100" + "FF" * 64, "2100" + "FF" * 32], "0C"),
        (["FF" * 24] * 5, "0A"),
        (["0602AABB0401FF"], "0E"),
        (["FF"], "0E"),
    ],
)
def test_components_that_can_be_no_key_stay_none(bench: CardBench, bodies: list[str], algorithm: str) -> None:
    bench.put_key(0x18, bodies, algorithm=algorithm)
    before = bench.card.image
    assert bench.send(GENERATE.replace("2010", "2018")) in {"6984", "6A81"}
    bench.ok("002241B603840118")
    assert bench.send(command("002A9E9A", "00" * 8, "00")) == "6984"
    assert bench.card.image is before


def test_components_of_one_kind_are_not_taken_for_a_known_key_of_another(bench: CardBench) -> None:
    bench.create_ef("7EAE", 0x200, kind="05")
    bench.put_key(0x18, ["4100" + "FF" * 64] * 2, algorithm="0C")
    bench.ok(GENERATE.replace("20107EAD", "20187EAE"))
    numbers = [found.body.hex() for key, found in bench.card.image.objects.items() if key.id == 0x18]
    bench.put_key(0x19, numbers, algorithm="0A")

    for id_, expected in (("18", "9000"), ("19", "6984")):
        bench.ok("002241B8038401" + id_)
        assert bench.send(command("002A8086", "00" + "00" * 63 + "02", "00"))[-4:] == expected


def test_a_two_part_key_needs_a_file_of_tlv_records(bench: CardBench) -> None:
    bench.put_key(0x18, ["4100" + "FF" * 64] * 2, algorithm="0C")
    assert bench.send(GENERATE.replace("2010", "2018")) == "6981"


def test_a_crt_part_that_looks_like_a_prefix_is_taken_as_it_is(bench: CardBench) -> None:
    looks = "7F00" + "11" * 126
    bench.put_key(0x18, [looks] * 5)
    assert bench.send(GENERATE.replace("2010", "2018")) == OK
    assert all(len(found.body) == 128 for key, found in bench.card.image.objects.items() if key.id == 0x18)


def test_authentication_with_an_ec_key_signs(bench: CardBench) -> None:
    bench.put_key(0x18, ["06082A8648CE3D0301070420" + "00" * 31 + "05"], algorithm="8E")
    assert len(bench.ok(command("00880018", "AB" * 32, "00"))) == 128


def test_phase_control_in_a_phase_without_it_is_refused() -> None:
    bench = CardBench()
    bench.ok("80100000")
    bench.ok("80100000")
    erasing = CardBench(image=replace(bench.card.image, life_cycle=LifeCycle.ERASE_IN_PROGRESS))
    assert erasing.send("80100000") == "6D00"


def test_two_forms_cannot_have_one_header() -> None:
    form = CARDOS_44.forms[0]

    with pytest.raises(
        ValueError, match=r"SELECT by identifier and again claim|again and SELECT by identifier claim"
    ):
        build_routes((form, replace(form, name="again")), LifeCycle.ADMINISTRATION)
