"""Access conditions: each operation asks for its own byte, and for no other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from support.cardbench import OK, CardBench, command, pin, tlv

if TYPE_CHECKING:
    from collections.abc import Callable

VERIFY = command("00200081", pin("1234"))
REFUSED = "6982"

EF_OPERATIONS = {
    "READ": (0, "00B0000000"),
    "UPDATE": (1, "00D6000001AA"),
    "DEACTIVATE": (3, "00040000"),
    "DEACTIVATE by identifier": (3, "00040000024401"),
    "DELETE": (5, "00E40000024401"),
    "ADMIN": (6, command("00DA016F", tlv("86", "00" * 9))),
}
RECORD_OPERATIONS = {
    "READ": (0, "00B2010400"),
    "UPDATE": (1, "00DC010402AABB"),
    "UPDATE, previous": (1, "00DC000302AABB"),
    "APPEND": (2, "00E2000002AABB"),
}
PUT_PIN = "830200058508020387 03FFFF0004".replace(" ", "") + "8603000000" + "8F04" + "31" * 4
DF_OPERATIONS = {
    "UPDATE of an object": (1, command("00DA016E", PUT_PIN.replace("83020005", "83020007"))),
    "UPDATE of an object's conditions": (1, command("00DA016E", "83020007" + "8603000000")),
    "UPDATE, deletion of an object": (1, command("00DA016E", "83020007" + "8F00")),
    "UPDATE of an environment": (1, command("00DA016D", "830107" + "86020000" + "8F06" + "00" * 6)),
    "APPEND of an object": (2, command("00DA016E", PUT_PIN)),
    "APPEND of an environment": (2, command("00DA016D", "830105" + "86020000" + "8F06" + "00" * 6)),
    "DEACTIVATE": (3, "00040000"),
    "ADMIN": (6, command("00DA016F", tlv("86", "00" * 8))),
    "CREATE": (7, command("00E00000", tlv("62", "80020010820101830201018609" + "00" * 9))),
}
OBJECT_OPERATIONS = {
    "USE by VERIFY": (0, command("00200087", pin("7777"))),
    "CHANGE with the old PIN": (1, command("00240087", pin("7777") + pin("8888"))),
    "CHANGE": (1, command("00240107", pin("8888"))),
    "CHANGE by CHANGE KEY DATA": (1, command("90240007", "0900" + pin("8888"))),
    "UNBLOCK": (2, "002C0307"),
}


def conditions(length: int, at: int, byte: str, others: str) -> str:
    """Return condition bytes that differ in one place from all others."""
    return others * at + byte + others * (length - at - 1)


def both_ways(make: Callable[[str], CardBench], length: int, at: int, text: str) -> None:
    """Hold that a command needs the one byte met, and nothing but that byte."""
    closed = make(conditions(length, at, "01", "00"))
    before = closed.card.image
    assert closed.send(text) == REFUSED
    assert closed.card.image is before
    closed.ok(VERIFY)
    closed.ok(text)
    assert make(conditions(length, at, "FF", "00")).send(text) == REFUSED
    assert make(conditions(length, at, "00", "FF")).send(text).endswith(OK)


def with_pin() -> CardBench:
    bench = CardBench()
    bench.put_pin(1, "1234")
    return bench


@pytest.mark.parametrize("name", EF_OPERATIONS)
def test_an_operation_on_an_ef_needs_its_condition_alone(name: str) -> None:
    def make(access: str) -> CardBench:
        bench = with_pin()
        bench.create_ef("4401", access=access)
        return bench

    both_ways(make, 9, *EF_OPERATIONS[name])


@pytest.mark.parametrize("name", RECORD_OPERATIONS)
def test_an_operation_on_records_needs_its_condition_alone(name: str) -> None:
    def make(access: str) -> CardBench:
        bench = with_pin()
        bench.create_ef("4401", kind="0621000202")
        bench.ok("00E200000211 22".replace(" ", ""))
        bench.ok(command("00DA016F", tlv("86", access)))
        return bench

    both_ways(make, 9, *RECORD_OPERATIONS[name])


@pytest.mark.parametrize("name", DF_OPERATIONS)
def test_an_operation_in_a_df_needs_its_condition_alone(name: str) -> None:
    def make(access: str) -> CardBench:
        bench = with_pin()
        bench.create_df()
        bench.put_pin(7, "7777", access="000000")
        bench.ok(command("00DA016D", "830107" + "86020000" + "8F06" + "00" * 6))
        bench.ok(command("00DA016F", tlv("86", access)))
        return bench

    both_ways(make, 8, *DF_OPERATIONS[name])


def test_deleting_a_df_needs_its_own_condition_and_not_its_parent_s() -> None:
    def make(access: str) -> CardBench:
        bench = with_pin()
        bench.create_df(access=access)
        bench.ok("00A4000C")
        return bench

    both_ways(make, 8, 5, "00E40000025015")


@pytest.mark.parametrize(("file_id", "length"), [("4401", 9), ("5015", 8)])
def test_activation_needs_its_own_condition(file_id: str, length: int) -> None:
    def make(access: str) -> CardBench:
        bench = with_pin()
        bench.create_df() if file_id == "5015" else bench.create_ef("4401")
        bench.ok("00040000")
        bench.ok(command("00DA016F", tlv("86", access)))
        return bench

    both_ways(make, length, 4, "00440000")


def test_phase_control_needs_the_first_condition_of_the_mf() -> None:
    def make(access: str) -> CardBench:
        bench = with_pin()
        bench.create_df()
        bench.ok("00A4000C")
        bench.ok(command("00DA016F", tlv("86", access)))
        bench.ok("00A4000C025015")
        return bench

    both_ways(make, 10, 0, "80100000")


@pytest.mark.parametrize("name", OBJECT_OPERATIONS)
def test_an_operation_on_a_pin_needs_its_condition_alone(name: str) -> None:
    def make(access: str) -> CardBench:
        bench = with_pin()
        bench.put_pin(7, "7777", access=access)
        return bench

    both_ways(make, 3, *OBJECT_OPERATIONS[name])


@pytest.mark.parametrize("number", ["02", "07", "0B"])
def test_restoring_an_environment_needs_its_condition_use(number: str) -> None:
    def make(access: str) -> CardBench:
        bench = with_pin()
        bench.ok(command("00DA016D", f"8301{number}8602{access}8F06" + "00" * 6))
        return bench

    both_ways(make, 2, 0, f"0022F3{number}")


def test_a_condition_is_met_by_the_test_object_nearest_to_its_file() -> None:
    bench = with_pin()
    bench.create_df("5015", aid="")
    bench.put_pin(1, "5555")
    bench.create_ef("4401", access="01" * 9)
    bench.ok("00A4000C")
    bench.ok(VERIFY)
    bench.ok("00A4080C0450154401")
    assert bench.send("00B0000000") == REFUSED
    bench.ok(command("00200081", pin("5555")))
    bench.ok("00B0000000")
