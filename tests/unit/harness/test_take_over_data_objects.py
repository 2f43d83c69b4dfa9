"""Cards that keep PINs and keys as data objects are taken over too: Cosmo, and Gemalto's IDClassic."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cardtwin.card import CardView, EmulatedCard, models
from cardtwin.card import image as images
from cardtwin.card.memory import MF, Ef, ObjectKey
from cardtwin.card.memory.access import complete
from cardtwin.decode import Effect, decode
from cardtwin.entropy import SeededEntropy
from cardtwin.pcsc import Protocol
from cardtwin.targets import TargetError
from cardtwin.targets.takeover import take_over
from support.rig import full_card
from support.tokens import READER, TokenDesk

if TYPE_CHECKING:
    from pathlib import Path

    from cardtwin.card import CardImage
    from cardtwin.targets.takeover import TakenCard

MODELS = ("cosmo-7", "cosmo-8.2", "idclassic-340")
every = pytest.mark.parametrize("model", MODELS)
MAIN_PIN = 0x01
PRIVATE, PUBLIC = range(0x20, 0x25), 0x30
OTHER_ATR = bytes.fromhex("3BDB960080B1FE451F830031C064BAFC10000790000F")
"""A Cosmo's that is no model's own."""


def taken(card: EmulatedCard, *, ask_tries: bool = False) -> TakenCard:
    desk = TokenDesk(card.model.name)
    desk.manager.remove(READER)
    desk.manager.insert(READER, card)
    return take_over(desk.context, READER, ask_tries=ask_tries)


def card_with(image: CardImage, kind: type[EmulatedCard] = EmulatedCard) -> EmulatedCard:
    return kind(models.get(image.model), image=image, entropy=SeededEntropy("original"))


def powered(image: CardImage) -> EmulatedCard:
    card = card_with(image)
    card.power_on(Protocol.ANY)
    return card


def answers(image: CardImage, paths: list[bytes]) -> list[bytes]:
    """Return what a card answers to SELECT and to reading, for each file, and for its list of files."""
    card = powered(image)
    found = []

    for path in paths:
        select = bytes((0, 0xA4, 8, 4, len(path) - 2)) + path[2:] if len(path) > 2 else b"\0\xa4\0\4\2" + path
        reads = [bytes.fromhex("00B0") + at.to_bytes(2) + b"\x80" for at in range(0, 0x1000, 0x80)]
        found += [card.process(command) for command in (select + b"\0", *reads, b"\0\xcb\x3f\xff\2\x5c\0\0")]

    return found


@every
def test_only_reading_commands_reach_the_card(model: str) -> None:
    desk = TokenDesk(model, image=full_card(model))
    before = desk.card.image
    take_over(desk.context, READER)
    effects = {decode(command).effect for command in desk.commands}

    assert effects
    assert not any(effect & ~(Effect.READS | Effect.SELECTS) for effect in effects)
    assert desk.card.image == before


@every
def test_the_copy_answers_for_every_file_as_the_card(model: str, tmp_path: Path) -> None:
    original = full_card(model)
    copy = taken(card_with(original))
    images.save(copy.image, tmp_path / "copy")
    loaded = images.load(tmp_path / "copy")

    assert loaded == copy.image
    assert (loaded.model, loaded.serial, loaded.atr) == (original.model, original.serial, original.atr)
    assert not copy.differences
    assert not copy.omitted
    assert not copy.unlisted
    assert loaded.files.keys() == original.files.keys()
    assert answers(loaded, list(original.files)) == answers(original, list(original.files))


@every
def test_the_copy_shows_the_same_token(model: str) -> None:
    original = full_card(model)
    copy = taken(card_with(original)).image
    tokens = [TokenDesk(model, image=image).client.token(READER) for image in (original, copy)]

    assert tokens[0].objects
    assert tokens[0] == tokens[1]
    states = [TokenDesk(model, image=image).client.card_state(READER) for image in (original, copy)]
    assert states[0] == states[1]


@every
def test_pins_and_keys_have_the_card_s_tries_and_conditions(model: str) -> None:
    image = full_card(model)
    key = ObjectKey(MF, 0, MAIN_PIN)
    image = replace(image, objects={**image.objects, key: image.objects[key].with_tries(1)})
    copy = taken(card_with(image))

    assert copy.image.objects.keys() == image.objects.keys()
    assert {at: found.access for at, found in copy.image.objects.items()} == {
        at: found.access for at, found in image.objects.items()
    }
    pin = copy.image.objects[key]
    assert (pin.max_tries, pin.tries_left) == (3, 1)
    assert "PIN 3F00:01 'PIN'  1 tries left; no value" in list(copy.lines())


@every
def test_no_secret_is_in_the_copy(model: str) -> None:
    original = full_card(model)
    copy = taken(card_with(original)).image

    for key, found in copy.objects.items():
        if key.class_ == PUBLIC:
            assert found.body == original.objects[key].body
        elif key.class_ in PRIVATE:
            assert not found.body.strip(b"\xff")
        else:
            assert not found.body

    assert not any(found.known for found in CardView(copy).pins.values())


@every
def test_a_pin_without_a_value_is_refused_and_costs_no_try(model: str) -> None:
    card = powered(taken(card_with(full_card(model))).image)
    before = card.image

    for command in ("0020000106313233343536", "002400010C313233343536363534333231"):
        assert card.process(bytes.fromhex(command)).hex() == "6984", command

    assert card.image == before


@every
def test_a_private_key_without_a_value_is_refused(model: str) -> None:
    image = taken(card_with(full_card(model))).image
    opened = {key: replace(found, access=bytes(len(found.access))) for key, found in image.objects.items()}
    card = powered(replace(image, objects=opened))
    card.process(bytes.fromhex("00A40804025015"))
    gemalto = model.startswith("idclassic")
    choose = "002241B606800102840101" if gemalto else "002241A406840181800102"

    assert card.process(bytes.fromhex(choose)) == b"\x90\x00"

    if gemalto:
        digest = bytes.fromhex("3031300D060960864801650304020105000420") + bytes(32)
        card.process(bytes.fromhex("002A90A035") + b"\x90\x33" + digest)

    use = bytes.fromhex("002A9E9A00") if gemalto else bytes.fromhex("00880000") + b"\4data\0"
    assert card.process(use).hex() == "6984"


@every
def test_a_file_that_may_not_be_read_is_zeros_and_told_so(model: str) -> None:
    image = full_card(model)
    path = MF + b"\x01\x02"
    closed = Ef(image.files[MF + b"\x2f\x00"].kind, 6, complete(bytes((MAIN_PIN,))), b"\x01", b"closed")  # type: ignore[union-attr]  # an EF
    copy = taken(card_with(replace(image, files={**image.files, path: closed})))

    assert CardView(copy.image).files["3F00/0102"].content == bytes(6)
    assert CardView(copy.image).files["3F00/0102"].access["READ"] == "object 01"
    assert "file 3F00/0102  not readable: zeros, 6 bytes" in list(copy.lines())
    assert not copy.differences


@pytest.mark.parametrize("model", ["cosmo-7", "cosmo-8.2"])
def test_a_card_with_another_atr_is_of_the_model_that_answers_alike(model: str) -> None:
    copy = taken(card_with(replace(full_card(model), atr=OTHER_ATR)))

    assert (copy.model.name, copy.image.model, copy.image.atr) == (model, model, OTHER_ATR)
    assert not copy.differences


class Silent(EmulatedCard):
    """A card that knows no GET DATA for data objects, as is to be expected of one that others made."""

    asked = 0

    def process(self, command: bytes) -> bytes:
        self.asked += command[1] == 0xCB
        return b"\x6d\x00" if command[1] == 0xCB else super().process(command)


@every
def test_without_data_objects_and_lists_pkcs15_leads_to_files_pins_and_keys(model: str) -> None:
    image = full_card(model)
    card = card_with(image, Silent)
    copy = taken(card)
    kinds = {(key.df, key.class_, key.id) for key in copy.image.objects}

    assert isinstance(card, Silent)
    assert card.asked == len(copy.unlisted) + 1
    assert copy.unlisted
    assert {(MF, 0, MAIN_PIN), (MF + b"\x50\x15", 0x20, 1)} <= kinds
    assert "PIN 3F00:01 'PIN'  tries assumed; no value" in list(copy.lines())
    tokens = [TokenDesk(model, image=each).client.token(READER) for each in (image, copy.image)]
    assert tokens[0] == tokens[1]


@given(st.binary(max_size=40) | st.binary(max_size=12).map(lambda data: b"\x70\x05\xbf\x81\x01" + data))
def test_nothing_that_a_card_tells_of_an_object_ends_the_reading_otherwise_than_by_an_error(
    data: bytes,
) -> None:
    class Telling(EmulatedCard):
        def process(self, command: bytes) -> bytes:
            return data + b"\x90\x00" if command[1] == 0xCB else super().process(command)

    try:
        assert taken(card_with(models.get("cosmo-8.2").blank(), Telling)).image.files
    except TargetError as error:
        assert "list the files" in str(error)  # noqa: PT017  # most data are a list, some are none
