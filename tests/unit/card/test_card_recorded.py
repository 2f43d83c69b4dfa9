"""A real card's answers, as they were recorded, from the emulated one with that card's content."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cardtwin.card import EmulatedCard, models
from cardtwin.card.memory import MF, Df, Ef, FileKind, ObjectKey, SecurityObject
from cardtwin.card.memory.access import complete
from cardtwin.entropy import SeededEntropy
from cardtwin.pcsc import Protocol

RECORDED = Path(__file__).parents[2] / "golden" / "cardos-5.3-recorded.apdus"
APPLICATION = MF + bytes.fromhex("5015")
ADMINISTRATOR = 0x11
MAIN_PIN = 0x01
BY_RULE = bytes.fromhex("2F1201")
"""Record 1 of the EF of access rules 2F12, which is not among what was recorded."""


def exchanges() -> list[tuple[bytes, bytes]]:
    lines = [line[2:] for line in RECORDED.read_text().splitlines() if line.startswith(("> ", "< "))]
    data = [bytes.fromhex(line) for line in lines]
    return list(zip(data[::2], data[1::2], strict=True))


def file(content: bytes, update: int = ADMINISTRATOR, *, size: int = 0, rules: bytes = b"") -> Ef:
    size = size or len(content)
    access = complete(bytes((0, update, update)))
    return Ef(FileKind.TRANSPARENT, size, access, b"\x01", content.ljust(size, b"\0"), rules=rules)


def card_with_that_content() -> EmulatedCard:
    answers = [response[:-2] for _, response in exchanges()]
    files = {
        "5031": file(answers[5]),
        "5032": file(answers[7]),
        "4471": file(answers[9], MAIN_PIN),
        "F001": file(answers[11]),
        "4401": file(answers[13], size=1900, rules=BY_RULE),
    }
    model = replace(models.get("cardos-5.3"), max_data=0x0180)
    blank = model.blank()
    pin = SecurityObject(
        option=0x02,
        flags=0x03,
        algorithm=0x87,
        tries_left=3,
        uses_left=0xFF,
        dek=0xFF,
        consent=0,
        min_length=4,
        access=bytes(7),
        body=b"123456",
    )
    image = replace(
        blank,
        files={
            **blank.files,
            APPLICATION: Df(0x1000, complete(b"", df=True), bytes.fromhex("A000000063504B43532D3135")),
            MF + bytes.fromhex("2F12"): Ef(
                FileKind.LINEAR_VARIABLE,
                64,
                complete(b"\0"),
                b"\x04",
                records=(bytes.fromhex("8001019000800106A406830101950108"),),
            ),
            **{APPLICATION + bytes.fromhex(name): content for name, content in files.items()},
        },
        objects={
            ObjectKey(MF, 0, MAIN_PIN): pin,
            ObjectKey(MF, 0, ADMINISTRATOR): replace(pin, algorithm=0x81, body=bytes(16)),
        },
    )
    card = EmulatedCard(model, image=image, entropy=SeededEntropy("recorded"))
    card.power_on(Protocol.ANY)
    return card


def test_a_card_with_the_recorded_content_gives_the_recorded_answers() -> None:
    card = card_with_that_content()

    for number, (command, response) in enumerate(exchanges(), 1):
        assert card.process(command).hex(" ") == response.hex(" "), f"exchange {number}"


def test_a_file_whose_rules_are_elsewhere_is_read_and_written_by_these() -> None:
    card = card_with_that_content()
    card.process(bytes.fromhex("00A408000450154401 00"))
    update = bytes.fromhex("00D600000131")

    assert card.process(bytes.fromhex("00B0000001")) == b"0\x90\x00"
    assert card.process(update) == bytes.fromhex("6982")
    assert card.process(bytes.fromhex("0020008106313233343536")) == b"\x90\x00"
    assert card.process(update) == b"\x90\x00"


@pytest.mark.parametrize("rules", ["9999", "2F13", "2F1202", "2F1200", "2F120101", "501501"])
def test_a_reference_to_rules_that_are_not_there_allows_nothing(rules: str) -> None:
    card = card_with_that_content()
    path = APPLICATION + bytes.fromhex("4401")
    image = card.image
    held = replace(image.files[path], rules=bytes.fromhex(rules))
    card.load(replace(image, files={**image.files, path: held}))
    card.power_on(Protocol.ANY)

    assert card.process(bytes.fromhex("00A4080C0450154401")) == b"\x90\x00"
    assert card.process(bytes.fromhex("00B0000001")) == bytes.fromhex("6982")


@given(st.binary(max_size=40))
def test_no_record_of_rules_breaks_the_card(record: bytes) -> None:
    card = card_with_that_content()
    path = MF + bytes.fromhex("2F12")
    image = card.image
    rules = image.files[path]
    assert isinstance(rules, Ef)
    rules = replace(rules, records=(record,) if record else ())
    card.load(replace(image, files={**image.files, path: rules}))
    card.power_on(Protocol.ANY)
    card.process(bytes.fromhex("00A4080C0450154401"))

    assert card.process(bytes.fromhex("00B0000001")) in {b"0\x90\x00", bytes.fromhex("6982")}
