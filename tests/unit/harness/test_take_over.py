"""A card that is read, and the emulated card that its image makes."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from cardtwin.card import CardView, EmulatedCard, models
from cardtwin.card import image as images
from cardtwin.card.memory import LifeCycle, StartKey
from cardtwin.decode import Effect, decode
from cardtwin.entropy import SeededEntropy
from cardtwin.readers import ReaderManager
from cardtwin.targets import TargetError
from cardtwin.targets.takeover import choose_reader, take_over
from cardtwin.targets.takeover.channel import ReadingChannel
from support.rig import full_card
from support.takeovers import MAIN_PIN, answers, both, ef, in_place_of, powered, taken, taken_from, with_files
from support.tokens import READER, TokenDesk

if TYPE_CHECKING:
    from pathlib import Path


@both
@pytest.mark.parametrize("ask_tries", [False, True])
def test_only_reading_commands_reach_the_card(model: str, ask_tries: bool) -> None:
    desk = TokenDesk(model, image=full_card(model))
    before = desk.card.image
    taken_from(desk, ask_tries=ask_tries)

    assert desk.commands

    for command in desk.commands:
        effect = decode(command).effect
        assert not effect & ~(Effect.READS | Effect.SELECTS), decode(command).name

    verifications = [command for command in desk.commands if command[1] == 0x20]
    assert all(len(command) == 4 for command in verifications)
    assert bool(verifications) == (ask_tries and model == "cardos-5.3")
    assert desk.card.image == before


@pytest.mark.parametrize("command", ["00D60000", "00200081", "00E40000", "80100000", "00840000", "80EA0000"])
def test_a_command_that_does_not_read_is_not_sent(command: str) -> None:
    desk = TokenDesk()

    with desk.context.connect(READER) as connection, pytest.raises(TargetError, match="not sent"):
        ReadingChannel(connection).ask(command)

    assert desk.commands == []


def test_a_pin_is_not_sent_where_tries_are_asked_for() -> None:
    desk = TokenDesk("cardos-5.3")

    with desk.context.connect(READER) as connection:
        channel = ReadingChannel(connection, ask_tries=True)

        with pytest.raises(TargetError, match="not sent"):
            channel.ask("00200081", b"123456")

    assert desk.commands == []


@both
def test_the_copy_answers_for_every_file_as_the_card(model: str, tmp_path: Path) -> None:
    original = full_card(model)
    copy = taken(original, ask_tries=True)
    images.save(copy.image, tmp_path / "copy")
    loaded = images.load(tmp_path / "copy")

    assert loaded == copy.image
    assert not copy.differences
    assert not copy.omitted
    assert set(loaded.files) == set(original.files)
    assert answers(loaded, list(original.files)) == answers(original, list(original.files))


@both
def test_the_copy_shows_the_same_token(model: str) -> None:
    original = full_card(model)
    copy = taken(original, ask_tries=True).image
    tokens = [TokenDesk(model, image=image).client.token(READER) for image in (original, copy)]

    assert tokens[0].objects
    assert tokens[0] == tokens[1]
    states = [TokenDesk(model, image=image).client.card_state(READER) for image in (original, copy)]
    assert states[0] == states[1]


def test_tries_are_told_where_they_are_asked_for_and_else_assumed() -> None:
    image = full_card("cardos-5.3")
    spent = {
        key: found.with_tries(1) if (key.class_, key.id) == (0, MAIN_PIN) else found
        for key, found in image.objects.items()
    }
    image = replace(image, objects=spent)
    asked, unasked = taken(image, ask_tries=True), taken(image)

    assert CardView(asked.image).pins["3F00", MAIN_PIN].tries_left == 1
    assert CardView(unasked.image).pins["3F00", MAIN_PIN].tries_left == 3
    assert "3F00:01 'PIN'  1 tries left; no value" in "\n".join(asked.lines())
    assert "3F00:01 'PIN'  tries assumed; no value" in "\n".join(unasked.lines())


@both
def test_no_secret_is_in_the_copy(model: str) -> None:
    copy = taken(full_card(model)).image

    assert copy.objects
    assert not any(found.body for found in copy.objects.values())
    assert not any(found.known for found in CardView(copy).pins.values())
    assert not any(found.kind or found.public for found in CardView(copy).keys.values())


@both
def test_a_pin_without_a_value_is_refused_and_costs_no_try(model: str) -> None:
    card = powered(taken(full_card(model)).image)
    before = card.image

    for command in ("0020008106313233343536", "002400810C313233343536363534333231", "0024018106313233343536"):
        assert card.process(bytes.fromhex(command)).hex() == "6984", command

    assert card.image == before


@both
def test_a_private_key_without_a_value_is_refused(model: str) -> None:
    copy = taken(full_card(model))
    card = powered(copy.image)
    key = copy.keys[0]
    card.process(bytes.fromhex("00A40800025015"))
    template = bytes((0x83 if model == "cardos-4.4" else 0x84, 1, key.reference))

    assert card.process(bytes.fromhex("002241B603") + template) == b"\x90\x00"
    assert card.process(bytes.fromhex("002A9E9A04") + b"data" + b"\0").hex() == "6984"


def test_what_the_copy_answers_otherwise_is_told() -> None:
    other = replace(models.get("cardos-5.3"), product="CardOS DI V5.3, 2015")
    desk = in_place_of(TokenDesk("cardos-5.3"), EmulatedCard(other, entropy=SeededEntropy("other")))
    (difference,) = taken_from(desk).differences

    assert "GET DATA" in difference.command
    assert bytes.fromhex(difference.card.split()[0]) == b"CardOS DI V5.3, 2015\0"


def test_a_start_key_that_is_not_the_public_one_has_no_value_and_is_refused() -> None:
    image = replace(models.get("cardos-4.4").blank(), start_key=StartKey(b"k" * 16, 0x01, 7))
    copy = taken(image)
    card = powered(copy.image)

    assert copy.image.start_key == StartKey(b"", 0x01, 7)
    assert card.process(bytes.fromhex("84060000") + b"\x08" + bytes(8)).hex() == "6984"
    assert card.image == copy.image
    assert taken(models.get("cardos-4.4").blank()).image.start_key == StartKey()


def test_the_report_is_json_and_holds_no_content() -> None:
    image = with_files("cardos-4.4", {"0101": ef(b"a private note", read=0)})
    copy = taken(image)
    told = json.dumps(copy.as_json())

    assert {"path": "3F00/0101", "read": "whole", "size": 14} in json.loads(told)["files"]
    assert b"a private note".hex() not in told.lower()
    assert "a private note" not in told


def test_a_card_in_manufacturing_is_read_without_files() -> None:
    image = replace(models.get("cardos-4.4").blank(), life_cycle=LifeCycle.MANUFACTURING, files={})
    copy = taken(image)
    assert copy.image == image


@pytest.mark.parametrize(
    ("readers", "name", "message"),
    [
        ((), None, "there are no readers"),
        (("A", "B"), None, "several readers; name it: 'A', 'B'"),
        (("A", "B"), "C", "no reader 'C', only 'A', 'B'"),
    ],
)
def test_a_reader_that_is_not_clear_is_an_error(
    readers: tuple[str, ...], name: str | None, message: str
) -> None:
    manager = ReaderManager()

    for reader in readers:
        manager.add_reader(reader)

    with pytest.raises(TargetError, match=message):
        choose_reader(manager.context(), name, "name it")


def test_the_only_reader_is_the_one() -> None:
    manager = ReaderManager()
    manager.add_reader("A")
    assert choose_reader(manager.context(), None) == "A"
    assert choose_reader(manager.context(), "A") == "A"


def test_an_empty_reader_is_an_error() -> None:
    manager = ReaderManager()
    manager.add_reader(READER)

    with pytest.raises(TargetError, match="there is no card in the reader"):
        take_over(manager.context(), READER)


def test_a_card_of_an_unknown_family_is_an_error() -> None:
    desk = TokenDesk("cardos-5.3")
    other = replace(
        models.get("cardos-5.3"), version=b"\xc8\x02", atr=bytes.fromhex("3BD218008131FE58C90114")
    )

    with pytest.raises(TargetError, match="no driver knows the card with the ATR 3B D2"):
        taken_from(in_place_of(desk, EmulatedCard(other, entropy=SeededEntropy("unknown"))))


def test_a_card_without_a_model_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    desk = TokenDesk("cardos-5.3")
    monkeypatch.setattr(models, "names", lambda: ("cardos-4.4",))

    with pytest.raises(TargetError, match="there is no card model for"):
        taken_from(desk)
