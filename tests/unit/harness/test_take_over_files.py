"""Files of a card that is read, of every kind, and how they are found."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cardtwin import pkcs15
from cardtwin.card import CardView, EmulatedCard, models
from cardtwin.card.memory import MF, Df, Ef, FileKind, path_text
from cardtwin.card.memory.access import complete
from cardtwin.entropy import SeededEntropy
from cardtwin.pkcs15 import DirectoryKind, DirectoryPath, KeyUsage
from cardtwin.pkcs15 import Path as Path15
from support.rig import full_card
from support.takeovers import (
    ADMINISTRATOR,
    MAIN_PIN,
    MODELS,
    answers,
    both,
    ef,
    in_place_of,
    taken,
    taken_from,
    with_files,
)
from support.tokens import READER, TokenDesk


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
