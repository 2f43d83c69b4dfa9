"""A card that is read, and the emulated card that its image makes."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cardtwin import pkcs15
from cardtwin.card import CardImage, CardView, EmulatedCard, models
from cardtwin.card import image as images
from cardtwin.card.memory import (
    MF,
    Df,
    Ef,
    FileKind,
    LifeCycle,
    ObjectKey,
    SecurityObject,
    StartKey,
    path_text,
)
from cardtwin.card.memory.access import complete
from cardtwin.decode import Effect, decode
from cardtwin.entropy import SeededEntropy
from cardtwin.pcsc import Protocol
from cardtwin.pkcs15 import DirectoryKind, DirectoryPath, KeyUsage
from cardtwin.pkcs15 import Path as Path15
from cardtwin.readers import ReaderManager
from cardtwin.targets import TargetError
from cardtwin.targets.takeover import choose_reader, take_over
from cardtwin.targets.takeover.channel import ReadingChannel
from support.rig import full_card
from support.tokens import READER, TokenDesk

if TYPE_CHECKING:
    from pathlib import Path

    from cardtwin.targets.takeover import TakenCard

MODELS = ("cardos-4.4", "cardos-5.3")
both = pytest.mark.parametrize("model", MODELS)
MAIN_PIN = 0x01
ADMINISTRATOR = 0x11


def taken_from(desk: TokenDesk, *, ask_tries: bool = False) -> TakenCard:
    return take_over(desk.context, READER, ask_tries=ask_tries)


def taken(image: CardImage, *, ask_tries: bool = False) -> TakenCard:
    return taken_from(TokenDesk(image.model, image=image), ask_tries=ask_tries)


def powered(image: CardImage) -> EmulatedCard:
    card = EmulatedCard(models.get(image.model), image=image, entropy=SeededEntropy("copy"))
    card.power_on(Protocol.ANY)
    return card


def answers(image: CardImage, paths: list[bytes]) -> dict[str, list[bytes]]:
    """Return what a card answers to SELECT and to reading, for each file."""
    card = powered(image)
    found = {}

    for path in paths:
        steps = path[2:]
        select = b"\x00\xa4\x08\x00" + bytes((len(steps),)) + steps + b"\0" if steps else b"\0\xa4\0\0\0"
        reads = [bytes.fromhex("00B0") + at.to_bytes(2) + b"\0" for at in range(0, 0x1000, 256)]
        records = [bytes((0, 0xB2, number, 4, 0)) for number in range(1, 5)]
        found[path_text(path)] = [card.process(command) for command in (select, *reads, *records)]

    return found


def pin(value: bytes = b"123456", *, tries: int = 3, algorithm: int = 0x87) -> SecurityObject:
    return SecurityObject(
        option=0x02,
        flags=0x03,
        algorithm=algorithm,
        tries_left=tries,
        uses_left=0xFF,
        dek=0xFF,
        consent=0,
        min_length=4,
        access=bytes(7),
        body=value,
    )


def with_files(model: str, files: dict[str, Df | Ef]) -> CardImage:
    blank = models.get(model).blank()
    more = {MF + bytes.fromhex(path): file for path, file in files.items()}
    objects = {
        ObjectKey(MF, 0, MAIN_PIN): pin(tries=2),
        ObjectKey(MF, 0, ADMINISTRATOR): pin(bytes(16), algorithm=0x02),
    }
    return replace(blank, files={**blank.files, **more}, objects=objects)


def ef(content: bytes, *, read: int = 0, update: int = 0xFF, rules: bytes = b"", active: bool = True) -> Ef:
    access = complete(bytes((read, update, update)))
    return Ef(FileKind.TRANSPARENT, len(content), access, b"\x01", content, active=active, rules=rules)


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


def test_a_file_that_may_not_be_read_is_zeros_and_told_so() -> None:
    image = with_files("cardos-4.4", {"0101": ef(b"open"), "0102": ef(b"closed", read=MAIN_PIN)})
    copy = taken(image)

    assert CardView(copy.image).files["3F00/0102"].content == bytes(6)
    assert CardView(copy.image).files["3F00/0101"].content == b"open"
    assert "file 3F00/0102  not readable: zeros, 6 bytes" in list(copy.lines())
    assert not copy.differences


def test_a_condition_names_a_credential_that_the_copy_has() -> None:
    image = with_files("cardos-5.3", {"0101": ef(b"x", read=MAIN_PIN, update=ADMINISTRATOR)})
    copy = taken(image, ask_tries=True)
    kinds = {found.key.id: (found.is_key, found.tries) for found in copy.credentials}

    assert kinds == {MAIN_PIN: (False, 2), ADMINISTRATOR: (True, None)}
    assert not copy.differences


def test_a_deactivated_file_stays_one() -> None:
    copy = taken(with_files("cardos-4.4", {"0101": ef(b"asleep", active=False)}))

    assert not CardView(copy.image).files["3F00/0101"].active
    assert not copy.differences


def test_of_a_deactivated_df_the_files_stay_as_they_are_themselves() -> None:
    files: dict[str, Df | Ef] = {
        "4B01": Df(0, complete(b"", df=True), active=False),
        "4B015501": ef(b"asleep with it"),
    }
    copy = taken(with_files("cardos-5.3", files))
    states = {path: file.active for path, file in CardView(copy.image).files.items()}
    assert (states["3F00/4B01"], states["3F00/4B01/5501"]) == (False, True)
    assert not copy.differences


def test_access_rules_in_a_file_of_their_own_hold_in_the_copy() -> None:
    rule = bytes.fromhex("8001019000800106A406830101950108")
    arr = Ef(FileKind.LINEAR_VARIABLE, 64, complete(b"\0"), b"\x04", records=(rule,))
    image = with_files("cardos-5.3", {"2F12": arr, "0101": ef(b"ruled", rules=bytes.fromhex("2F1201"))})
    copy = taken(image)

    assert copy.image.files[MF + b"\x2f\x12"] == replace(
        arr, access=copy.image.files[MF + b"\x2f\x12"].access
    )
    assert CardView(copy.image).files["3F00/0101"].access["UPDATE"] == "object 01"
    assert not copy.differences


KINDS = {
    "linear fixed": Ef(
        FileKind.LINEAR_FIXED,
        8,
        complete(b"\0"),
        bytes.fromhex("0221000402"),
        records=(b"aaaa", b"bbbb"),
        record_length=4,
        record_count=2,
    ),
    "linear variable": Ef(FileKind.LINEAR_VARIABLE, 64, complete(b"\0"), b"\x04", records=(b"a", b"bb")),
    "linear TLV": Ef(FileKind.LINEAR_TLV, 64, complete(b"\0"), b"\x45", records=(b"\x10\x01a", b"\x11\x00")),
    "cyclic": Ef(
        FileKind.CYCLIC,
        8,
        complete(b"\0"),
        bytes.fromhex("0621000402"),
        records=(b"new.", b"old."),
        record_length=4,
        record_count=2,
    ),
    "executable": Ef(FileKind.EXECUTABLE, 4, complete(b"\0"), b"\x21", b"code"),
}


@both
@pytest.mark.parametrize("kind", KINDS)
def test_files_of_every_kind_are_taken_over(model: str, kind: str) -> None:
    image = with_files(model, {"0101": KINDS[kind]})
    copy = taken(image)
    path = MF + b"\x01\x01"
    file = copy.image.files[path]

    assert isinstance(file, Ef)
    assert (file.records, file.content) == (KINDS[kind].records, KINDS[kind].content)
    assert answers(copy.image, [path]) == answers(image, [path])
    assert not copy.differences


@given(
    st.dictionaries(
        st.integers(0x0101, 0x01FF),
        st.tuples(st.binary(min_size=1, max_size=600), st.sampled_from([0x00, 0x01, 0x11, 0xFF])),
        max_size=50,
    ),
    st.sampled_from(MODELS),
)
def test_the_copy_answers_as_the_card_whatever_files_there_are(
    contents: dict[int, tuple[bytes, int]], model: str
) -> None:
    files: dict[str, Df | Ef] = {"7F00": Df(0x100, complete(bytes(3), df=True), b"application")}
    files |= {f"7F00{at:04X}": ef(content, read=read) for at, (content, read) in contents.items()}
    image = with_files(model, files)
    copy = taken(image)

    assert list(copy.image.files) == list(image.files)
    assert not copy.differences
    assert answers(copy.image, list(image.files)) == answers(image, list(image.files))


class Unlisting(EmulatedCard):
    """A card that lists no files."""

    def process(self, command: bytes) -> bytes:
        return b"\x6d\x00" if command[1] == 0x16 else super().process(command)


@both
def test_without_a_list_of_files_pkcs15_leads_to_them(model: str) -> None:
    image = full_card(model)
    card = Unlisting(models.get(model), image=image, entropy=SeededEntropy("unlisting"))
    copy = taken_from(in_place_of(TokenDesk(model), card))
    rooms = {path for path in image.files if path not in copy.image.files}

    assert copy.unlisted
    assert "3F00  lists no files" in "\n".join(copy.lines())
    assert any(path.endswith(b"\x50\x31") for path in copy.image.files)
    tokens = [TokenDesk(model, image=each).client.token(READER) for each in (image, copy.image)]
    assert tokens[0] == tokens[1]
    assert all(path_text(path).startswith("3F00/5015/") for path in rooms)


def in_place_of(desk: TokenDesk, card: EmulatedCard) -> TokenDesk:
    """Put another card into the desk's reader."""
    desk.manager.remove(READER)
    desk.manager.insert(READER, card)
    return desk


def test_pkcs15_is_followed_through_records_and_nested_dfs() -> None:
    def records(*objects: bytes) -> Ef:
        stored = tuple(bytes((0x10 + at, len(found))) + found for at, found in enumerate(objects))
        return Ef(FileKind.LINEAR_TLV, 400, complete(b"\0"), b"\x05", records=stored)

    home = Path15.of(0x3F00, 0x5015, 0x5072, 0x4B01)
    key = pkcs15.PrivateKey(id=b"\1", label="Nested", size=2048, usage=KeyUsage.SIGN, reference=1, path=home)
    odf = pkcs15.encode_odf([DirectoryPath(DirectoryKind.PRIVATE_KEYS, Path15.of(0x3F00, 0x5015, 0x4400))])
    files: dict[str, Df | Ef] = {
        "5015": Df(0x100, complete(b"", df=True), pkcs15.AID),
        "50155031": records(odf),
        "50154400": records(pkcs15.encode_object(key)),
        "50155072": Df(0x100, complete(b"", df=True)),
        "501550724B01": Df(0x100, complete(b"", df=True)),
        "501550724B025501": ef(b"nothing refers to it"),
    }
    files["501550724B02"] = files["501550724B01"]
    image = with_files("cardos-5.3", dict(sorted(files.items(), key=lambda item: len(item[0]))))
    card = Unlisting(models.get("cardos-5.3"), image=image, entropy=SeededEntropy("nested"))
    copy = taken_from(in_place_of(TokenDesk("cardos-5.3"), card))

    assert {path_text(path) for path in copy.image.files} == {
        "3F00",
        "3F00/5015",
        "3F00/5015/5031",
        "3F00/5015/4400",
        "3F00/5015/5072",
        "3F00/5015/5072/4B01",
    }
    assert [(found.df, found.reference) for found in copy.keys] == [("3F00/5015/5072/4B01", 1)]
    assert path_text(MF + bytes.fromhex("50155072")) in map(path_text, copy.unlisted)


class Odd(EmulatedCard):
    """A card whose transparent files call themselves something unknown."""

    def process(self, command: bytes) -> bytes:
        return super().process(command).replace(b"\x82\x01\x01", b"\x82\x01\x14")


def test_a_file_of_a_kind_that_is_not_known_is_left_out_and_told() -> None:
    image = with_files("cardos-4.4", {"0101": ef(b"odd")})
    card = Odd(models.get("cardos-4.4"), image=image, entropy=SeededEntropy("odd"))
    copy = taken_from(in_place_of(TokenDesk("cardos-4.4"), card))

    assert set(copy.image.files) == {MF}
    assert "file 3F00/0101  not in the image: its kind is not known: 14" in list(copy.lines())
    assert copy.as_json()["omitted"] == [{"path": "3F00/0101", "reason": "its kind is not known: 14"}]


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
