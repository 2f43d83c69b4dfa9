"""Objects: PUT DATA OCI and SECI, their conditions, CHANGE KEY DATA, deletion."""

from __future__ import annotations

import pytest

from cardtwin.card import CardView
from support.cardbench import OK, CardBench, command, pin, tlv

PARAMETERS = "8508020387 03FFFF0004".replace(" ", "")


@pytest.fixture
def bench() -> CardBench:
    """A card whose DF 5015 wants PIN 01 for overwriting objects, and PIN 02 for new ones."""
    bench = CardBench()
    bench.put_pin(1, "1111")
    bench.put_pin(2, "2222")
    bench.create_df("5015", access="0001020000000000")
    return bench


def verify(bench: CardBench, reference: int) -> None:
    bench.ok(command(f"002000{0x80 | reference:02X}", pin(str(reference) * 4)))


def text(id_: str = "05", value: str = "5555") -> str:
    return f"830200{id_}" + PARAMETERS + tlv("86", f"00{id_}FF") + tlv("8F", pin(value))


def test_a_new_object_needs_append_and_an_old_one_update(bench: CardBench) -> None:
    assert bench.put_object(text()) == "6982"
    verify(bench, 1)
    assert bench.put_object(text()) == "6982"
    verify(bench, 2)
    assert bench.put_object(text()) == OK
    bench.ok("80EA0000")
    verify(bench, 2)
    assert bench.put_object(text(value="6666")) == "6982"
    verify(bench, 1)
    assert bench.put_object(text(value="6666")) == OK
    assert bench.send(command("00200085", pin("6666"))) == OK


def test_overwriting_an_object_ends_its_verification(bench: CardBench) -> None:
    verify(bench, 1)
    verify(bench, 2)
    bench.put_object(text())
    bench.ok(command("00200085", pin("5555")))
    assert bench.ok("00CA018400") == "010205"
    bench.put_object(text(value="6666"))
    assert bench.ok("00CA018400") == "0102"


def test_an_object_is_deleted_by_an_empty_body_under_update(bench: CardBench) -> None:
    verify(bench, 2)
    bench.put_object(text())
    assert bench.put_object("830200058F00") == "6982"
    verify(bench, 1)
    bench.ok(command("00200085", pin("5555")))
    assert bench.put_object("830200058F00") == OK
    assert bench.put_object("830200058F00") == "6A88"
    assert bench.send(command("00200085", pin("5555"))) == "6A88"
    assert bench.ok("00CA018400") == "0102"


def test_a_body_alone_neither_overwrites_nor_deletes() -> None:
    bench = CardBench()
    bench.put_pin(5, "5555")
    before = bench.card.image
    assert bench.put_object("83020005" + "8F0155") == "6A80"
    assert bench.card.image is before


def test_the_conditions_of_an_object_are_changed_alone(bench: CardBench) -> None:
    verify(bench, 2)
    bench.put_object(text())
    assert bench.put_object("83020005" + "8603FFFFFF") == "6982"
    verify(bench, 1)
    assert bench.put_object("83020005" + "8603FFFFFF") == OK
    assert bench.put_object("83020006" + "8603FFFFFF") == "6A88"
    assert bench.send(command("00200085", pin("5555"))) == "6982"
    assert CardView(bench.card.image).pins["3F00/5015", 5].access["USE"] == "never"


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ("", "6A85"),
        ("8302", "6A85"),
        ("830200058F0855", "6A85"),
        ("83", "6A85"),
        ("83020005", "6A80"),
        ("830200", "6A85"),
        ("8301058F0155", "6A80"),
        ("83020005" + PARAMETERS + "8F0155", "6A80"),
        ("83020005" + PARAMETERS + "86030000008F00", "6A80"),
        ("83020005" + "8507020387 03FFFF00".replace(" ", "") + "86030000008F0155", "6A80"),
        ("83020005" + PARAMETERS + "86030000008F0155990100", "6A80"),
        ("83020005" + PARAMETERS + "86030000008F01558F0155", "6A80"),
        ("83020005" + PARAMETERS + "86030000008B020000" + "8F0155", "6A80"),
        ("83020005" + "8508020399 03FFFF0004".replace(" ", "") + "86030000008F0155", "6984"),
        ("83022005" + PARAMETERS + "86030000008F0155", "6984"),
        ("83028005" + PARAMETERS + "86030000008F0155", "6A80"),
        ("83020000" + PARAMETERS + "86030000008F0155", "6A80"),
    ],
)
def test_what_no_object_can_be_is_refused(data: str, expected: str) -> None:
    bench = CardBench()
    before = bench.card.image
    assert bench.put_object(data) == expected
    assert bench.card.image is before


def test_lengths_are_single_bytes_and_no_ber() -> None:
    bench = CardBench()
    body = "8100" + "AB" * 128
    data = "83022010" + "850802008C00FFFF0000" + "860700000000000000" + "8F82" + body
    assert bench.put_object(data) == OK
    assert next(iter(bench.card.image.objects.values())).body.hex().upper() == body


def test_a_client_s_pin_object_with_seven_conditions_and_no_secure_messaging_is_taken() -> None:
    bench = CardBench()
    data = "830200458508020F870FFFFF00088607000000000000008B10" + "FF" * 16 + "8F08" + pin("12345678")
    assert bench.put_object(data) == OK
    assert bench.send(command("00200045", pin("12345678"))) == OK


def test_an_object_without_room_is_refused() -> None:
    bench = CardBench()
    numbers = iter(range(0x01, 0xFF))
    response = OK

    while response == OK:
        identifier = f"{next(numbers):02X}"
        size = min(int(bench.ok("00CA018A00"), 16) - 32, 0x8000)

        if size > 0:
            fcp = tlv("62", f"8002{size:04X}8201018302F0{identifier}" + tlv("86", "00" * 9))
            bench.send(command("00E00000", fcp))

        response = bench.put_object(text(identifier))

    assert response == "6A84"


def test_security_environments_are_stored_under_the_conditions_of_objects(bench: CardBench) -> None:
    data = "830132" + "86020000" + "8F06000000B10000"
    assert bench.send(command("00DA016D", data)) == "6982"
    verify(bench, 2)
    assert bench.send(command("00DA016D", data)) == OK
    bench.ok("80EA0000")
    assert bench.send(command("00DA016D", data)) == "6982"
    verify(bench, 1)
    assert bench.send(command("00DA016D", data)) == OK


@pytest.mark.parametrize("data", ["", "83013286020000", "830132860200008F05000000B100", "830186020000"])
def test_what_no_security_environment_can_be_is_refused(data: str) -> None:
    assert CardBench().send(command("00DA016D", data)) in {"6A80", "6A85"}


def test_key_data_are_changed_under_the_condition_change() -> None:
    bench = CardBench()
    bench.put_pin(1, "1111")
    bench.put_key(0x10, ["8100" + "AB" * 128, "8100" + "CD" * 128], algorithm="8C", access="000100")
    change = command("90242110", "8100" + "EE" * 128)
    assert bench.send(change) == "6982"
    verify(bench, 1)
    assert bench.send(change) == OK
    assert bench.card.image.objects[next(k for k in bench.card.image.objects if k.class_ == 0x21)].body == (
        bytes.fromhex("8100") + b"\xee" * 128
    )
    assert bench.send(command("90242110", "EE" * 130)) == "6A85"
    assert bench.send(command("90242110", "8101" + "EE" * 128)) == "6A85"
    assert bench.send(command("90242110", "0300EEEE")) == "6700"
    assert bench.send(command("90242111", "0300EEEE")) == "6A88"


def test_key_data_of_a_pin_keep_its_form() -> None:
    bench = CardBench()
    bench.put_pin(1, "1111", access="0000FF")
    bench.send(command("00200081", pin("9999")))
    bench.ok(command("90240001", "0900" + pin("2222")))
    assert bench.send(command("00200081", pin("2222"))) == OK


def test_no_secret_is_in_the_repr_of_the_memory() -> None:
    bench = CardBench()
    bench.put_pin(1, "13579024")
    shown = repr(bench.card.image) + repr(dict(bench.card.image.objects)) + repr(bench.events)
    assert "13579024" not in shown
    assert pin("13579024") not in shown.upper()
    assert repr(b"\xff" * 16) not in shown
