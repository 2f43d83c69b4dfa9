"""A real card's answers, as they were recorded, from the emulated one with that card's content."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cardtwin.card.memory import MF, Ef
from cardtwin.pcsc import Protocol
from support.recorded import APPLICATION, card_with_that_content, exchanges


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
