"""Card images: saving, loading, comparing, and the view of them."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cardtwin.card import CardView, ImageError, ImageVersionError, image, models
from cardtwin.card.image.codec import decode, encode
from cardtwin.card.memory import MF, Df, Ef, FileKind
from cardtwin.card.memory.lifecycle import LifeCycle
from support.cardbench import CardBench, command, pin

if TYPE_CHECKING:
    from pathlib import Path

    from cardtwin.card import CardImage


def furnished() -> CardBench:
    """A card with something of everything."""
    bench = CardBench()
    bench.create_df()
    bench.put_pin(1, "13579024", access="000102")
    bench.put_key(0x10, ["AB" * 128] * 5)
    bench.ok(command("00DA016D", "830101" + "86020000" + "8F06000000000000"))
    bench.create_ef("4401", 0x20)
    bench.ok("00D6000004CAFEBABE")
    bench.create_ef("4402", kind="0221000402")
    bench.ok("00E2000004AABBCCDD")
    bench.create_ef("4403", 0x20, kind="05", access="FF" + "00" * 8)
    bench.ok("00E2000004100277 77".replace(" ", ""))
    bench.ok("00A4000C")
    return bench


def saved(tmp_path: Path, change: Any = None) -> Path:
    """Write an image into a file, after a change of its JSON value."""
    path = tmp_path / "card.json"
    image.save(furnished().card.image, path)

    if change:
        value = json.loads(path.read_text())
        change(value)
        path.write_text(json.dumps(value))

    return path


def test_what_is_no_file_is_not_replaced(tmp_path: Path) -> None:
    pipe, link = tmp_path / "pipe", tmp_path / "link"
    os.mkfifo(pipe)
    link.symlink_to(pipe)

    for path in (pipe, link, tmp_path):
        with pytest.raises(OSError, match="something else than a file"):
            image.save(furnished().card.image, path)

    assert pipe.is_fifo()
    assert link.is_symlink()


def test_a_link_stays_one_when_a_card_is_saved_through_it(tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "card.json")
    image.save(furnished().card.image, link)
    assert link.is_symlink()
    assert image.load(tmp_path / "card.json") == furnished().card.image


def test_what_is_saved_is_what_is_loaded(tmp_path: Path) -> None:
    before = furnished().card.image
    image.save(before, tmp_path / "card.json")
    after = image.load(tmp_path / "card.json")
    assert after == before
    assert list(after.files) == list(before.files)
    assert image.compare(before, after) == ()
    assert CardBench(image=after).send("00A4000C025015") == "9000"


def test_an_image_file_is_for_its_owner_only_and_alone_in_its_folder(tmp_path: Path) -> None:
    path = saved(tmp_path)
    assert path.stat().st_mode & 0o077 == 0
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("step", ["os.fsync", "pathlib.Path.replace"])
def test_an_image_that_cannot_be_written_leaves_the_old_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    path = saved(tmp_path)
    before = path.read_bytes()

    def full(*_: object) -> None:
        raise OSError("no space")

    monkeypatch.setattr(step, full)

    with pytest.raises(OSError, match="no space"):
        image.save(models.get("cardos-4.4").blank(), path)

    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_an_unknown_version_is_told(tmp_path: Path) -> None:
    path = saved(tmp_path, lambda value: value.update(version=2))

    with pytest.raises(
        ImageVersionError, match=r"card\.json: a card image of version 2; this program knows version 1"
    ):
        image.load(path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda v: v.update(format="other"), "this is no card image"),
        (lambda v: v.pop("serial"), "card: serial is missing"),
        (lambda v: v.update(more=1), "card: unknown member more"),
        (lambda v: v.update(atr="3B0"), "card.atr: hex digits are expected"),
        (lambda v: v.update(life_cycle="77"), "card.life_cycle: no such phase"),
        (lambda v: v.update(files={}), "card.files: a list is expected"),
        (lambda v: v["files"].pop(0), "there is no master file"),
        (lambda v: v["files"].append(7), r"card.files\[5\]: an object is expected"),
        (lambda v: v["files"][1].update(type="XF"), r"card.files\[1\].type: DF or EF is expected"),
        (lambda v: v["files"][1].update(path="3F00/5"), r"card.files\[1\].path: hex digits are expected"),
        (lambda v: v["files"][1].update(path="5015"), r"card.files\[1\].path: a path from 3F00 is expected"),
        (
            lambda v: v["files"][1].update(path="3F00/5016"),
            "there is no DF 3F00/5015, but something is in it",
        ),
        (lambda v: v["files"][2].update(kind="ROUND"), r"card.files\[2\].kind: one of TRANSPARENT, "),
        (lambda v: v["files"][2].update(size=True), r"card.files\[2\].size: a value of type int is expected"),
        (lambda v: v["files"][2].update(size=-1), r"card.files\[2\].size: a value of type int"),
        (
            lambda v: v["files"][2].update(size=3),
            "file 3F00/5015/4401: its content isn't as long as its size says",
        ),
        (lambda v: v["files"][2].update(size=99999), "file 3F00/5015/4401: its size is out of range"),
        (lambda v: v["files"][3].update(size=1), "file 3F00/5015/4402: its records take more than its size"),
        (lambda v: v["files"][3].update(records="AA"), r"card.files\[3\].records: a list is expected"),
        (
            lambda v: v["files"][3].update(records=["A"]),
            r"card.files\[3\].records\[0\]: hex digits are expected",
        ),
        (lambda v: v["files"][2].update(access="00"), "file 3F00/5015/4401: it takes 9 condition bytes"),
        (lambda v: v["objects"][0].update(tries_left=99), "object 3F00/5015:00-01: a value is out of range"),
        (
            lambda v: v["objects"][0].update({"class": "0000"}),
            r"card.objects\[0\].class: one byte is expected",
        ),
        (lambda v: v["objects"][0].update(id="010203"), r"card.objects\[0\].id: one byte is expected, or"),
        (lambda v: v["objects"][0].update(id="0001"), r"objects\[0\].id: one byte is expected, or"),
        (
            lambda v: v["environments"][0].update(components="00"),
            "security environment 1: a value has the wrong length",
        ),
        (
            lambda v: v["environments"][0].update(number=256),
            "security environment 256: its number is out of range",
        ),
        (lambda v: v["start_key"].update(key="00"), "start_key: the key has the wrong length"),
        (lambda v: v["start_key"].update(tries_left=256), "start_key: a value is out of range"),
        (lambda v: v.update(version=True), "card.version: a value of type int is expected"),
        (lambda v: v.update(version={"x": "13579024"}), "version: a value of type int is expected"),
        (lambda v: v.update(atr="3B00FF"), "card.atr: "),
        (
            lambda v: v["files"].append(v["files"][2]),
            r"card.files\[5\]: there is one of the same place",
        ),
        (
            lambda v: v["objects"].append(v["objects"][0]),
            r"card.objects\[6\]: there is one of",
        ),
        (
            lambda v: v["environments"].append(v["environments"][0]),
            r"environments\[1\]: there is one of",
        ),
        (lambda v: v["files"][1].update(name="00" * 17), "file 3F00/5015: its name is too long"),
        (lambda v: v["files"][2].update(descriptor=""), "4401: its descriptor is another kind's"),
        (lambda v: v["files"][2].update(descriptor="05"), "its descriptor is another kind's"),
        (lambda v: v["files"][3].update(record_length=5), "its size isn't that of its records"),
        (lambda v: v["files"][3].update(records=["AA"]), "a record has the wrong length"),
        (lambda v: v["files"][4].update(records=[""]), "a record is empty"),
        (lambda v: v["files"][2].update(size=10**400), "4401: its size is out of range"),
        (lambda v: v["start_key"].update(left=3), "card.start_key: unknown member left"),
    ],
)
def test_broken_content_is_refused_with_its_place(tmp_path: Path, change: Any, message: str) -> None:
    with pytest.raises(ImageError, match=message) as caught:
        image.load(saved(tmp_path, change))

    assert "card.json" in str(caught.value)
    assert pin("13579024") not in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"{", b"[1", b"\xff\xfe", b"[" * 100_000])
def test_a_file_that_is_no_json_is_no_image(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "card.json"
    path.write_bytes(content)

    with pytest.raises(ImageError, match="no JSON text"):
        image.load(path)


def test_a_member_that_comes_twice_is_refused(tmp_path: Path) -> None:
    path = saved(tmp_path)
    path.write_text(path.read_text().replace('"serial"', '"model": "cardos-4.4",\n "serial"', 1))

    with pytest.raises(ImageError, match=r"card\.json: the member model is there twice"):
        image.load(path)


def test_the_image_of_another_model_does_not_go_into_the_card() -> None:
    bench = CardBench()

    with pytest.raises(ImageError, match=r"that of a 'cardos-5\.3', the card is a 'cardos-4\.4'"):
        bench.card.load(models.get("cardos-5.3").blank())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"serial": bytes(40)},
            r"the serial number of a cardos-4\.4 has 6 bytes, the image's has 40",
        ),
        (
            {
                "files": {
                    MF: Df(0x400, bytes(10)),
                    MF + b"\1\1": Ef(FileKind.TRANSPARENT, 0xFFFF, bytes(9), b"\1", bytes(0xFFFF)),
                }
            },
            r"the image takes 65599 bytes, a cardos-4\.4 has 64512",
        ),
    ],
)
def test_an_image_that_does_not_fit_the_card_is_refused(change: dict[str, Any], message: str) -> None:
    broken = replace(models.get("cardos-4.4").blank(), **change)
    bench = CardBench()

    with pytest.raises(ImageError, match=message):
        bench.card.load(broken)

    with pytest.raises(ImageError, match=message):
        CardBench(image=broken)


def test_loading_an_image_is_a_reset() -> None:
    bench = furnished()
    snapshot = bench.card.image
    bench.ok("00E40000025015")
    assert bench.send("00A4000C025015") == "6A82"
    bench.card.load(snapshot)
    assert bench.card.image is snapshot
    assert bench.ok("00CA018700") == ""
    bench.ok("00A4000C025015")


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
        max_leaves=8,
    ),
    st.sampled_from(
        ["files", "objects", "environments", "start_key", "packages", "serial", "life_cycle", "model"]
    ),
)
def test_any_value_in_an_image_is_taken_or_refused_but_never_breaks_the_reader(
    value: Any, member: str
) -> None:
    with suppress(ImageError):
        decode({**encode(models.get("cardos-4.4").blank()), member: value})


def differences(before: CardImage, after: CardImage) -> list[str]:
    return [str(found) for found in image.compare(before, after)]


def test_differences_are_told_file_by_file() -> None:
    bench = furnished()
    before = bench.card.image
    bench.ok("00A4080C0450154401")
    bench.ok("00D600020100")
    bench.ok(command("00DA016F", "8609" + "00FF" + "00" * 7))
    bench.ok("00A4000C")
    bench.create_ef("0777", 4)
    bench.ok("80100000")
    assert differences(before, bench.card.image) == [
        "life cycle: ADMINISTRATION -> OPERATIONAL",
        "3F00/5015/4401 conditions: 00 00 00 00 00 00 00 00 00 -> 00 FF 00 00 00 00 00 00 00",
        (
            "3F00/5015/4401 content from 0002: BA BE 00 00 00 00 00 00 00 00 00 00 00 00 00 00"
            " -> 00 BE 00 00 00 00 00 00 00 00 00 00 00 00 00 00"
        ),
        (
            "3F00/0777: not there -> kind transparent, size 4 bytes, conditions 00 00 00 00 00 00 00 00 00,"
            " state active, options 00, descriptor 01"
        ),
    ]
    assert differences(bench.card.image, before)[-1].endswith("descriptor 01 -> not there")


def test_differences_show_no_secret_and_no_content_that_is_not_free_to_read() -> None:
    bench = furnished()
    before = bench.card.image
    bench.ok("00A4080C025015")
    bench.put_pin(1, "24680135", access="000102")
    bench.put_key(0x10, ["CD" * 128] * 5)
    bench.ok("00A4080C0450154403")
    bench.ok("00DC010404100288 88".replace(" ", ""))
    found = differences(before, bench.card.image)
    text = "\n".join(found).replace(" ", "")
    assert "3F00/5015:00-01 value: not free to read -> not free to read" in found
    assert len([line for line in found if ":2" in line]) == 5
    assert "3F00/5015/4403 records: 1: not free to read -> 1: not free to read" in found
    assert not any(
        secret in text for secret in (pin("13579024"), pin("24680135"), "ABABAB", "CDCDCD", "7777", "8888")
    )


def test_differences_of_the_card_itself_are_told() -> None:
    before = models.get("cardos-4.4").blank()
    after = replace(
        before,
        serial=b"\1" * 6,
        packages=(b"\2",),
        life_cycle=LifeCycle.DEATH,
        start_key=replace(before.start_key, key=b"\3" * 16, tries_left=9),
    )
    subjects = [found.subject for found in image.compare(before, after)]
    assert subjects == ["serial number", "life cycle", "StartKey tries", "packages", "StartKey"]
    assert "03 03" not in str(image.compare(before, after))


def test_the_view_names_what_is_on_the_card() -> None:
    bench = furnished()
    view = CardView(bench.card.image)
    assert list(view.files) == ["3F00", "3F00/5015", "3F00/5015/4401", "3F00/5015/4402", "3F00/5015/4403"]
    file = view.files["3F00/5015/4401"]
    assert (file.kind, file.size, file.content[:4]) == ("transparent", 0x20, bytes.fromhex("CAFEBABE"))
    assert file.access["READ"] == "always"
    assert view.files["3F00/5015/4403"].access["READ"] == "never"
    assert view.files["3F00/5015/4402"].records == (bytes.fromhex("AABBCCDD"),)
    assert set(view.files["3F00"].access) >= {"LCYCLE", "CREATE", "EXECUTE", "ALLOCATE"}
    assert view.files["3F00/5015"].name.endswith(b"PKCS-15")
    found = view.pins["3F00/5015", 1]
    assert (found.tries_left, found.max_tries, found.blocked) == (3, 3, False)
    assert found.access == {"USE": "always", "CHANGE": "object 01", "UNBLOCK": "object 02"}
    assert view.keys["3F00/5015", 0x10].purpose == "decipher"
    assert view.serial == bench.card.image.serial


@pytest.mark.parametrize(
    ("path", "change"),
    [
        ("3F00/5015", {"size": 1}),
        ("3F00/5015", {"name": b"other"}),
        ("3F00/5015", {"name": b""}),
        ("3F00/5015", {"options": b"\1"}),
        ("3F00/5015", {"active": False}),
        ("3F00/5015/4401", {"descriptor": b"\x41"}),
        ("3F00/5015/4401", {"content": b"\1" * 0x20}),
        ("3F00/5015/4403", {"records": (b"\x10\x01\x11",)}),
        ("3F00/5015/4402", {"records": ()}),
    ],
)
def test_no_difference_of_a_file_stays_untold(path: str, change: dict[str, Any]) -> None:
    before = furnished().card.image
    key = bytes.fromhex(path.replace("/", ""))
    after = replace(before, files={**before.files, key: replace(before.files[key], **change)})
    assert [found.subject.startswith(path) for found in image.compare(before, after)] == [True]


@pytest.mark.parametrize(
    "change",
    [{name: 0x55} for name in ("option", "algorithm", "uses_left", "dek", "consent", "min_length")]
    + [{"flags": 0x45}, {"tries_left": 1}, {"tells_tries": True}, {"access": b"\0"}, {"body": b"other"}],
    ids=lambda change: next(iter(change)),
)
def test_no_difference_of_an_object_stays_untold(change: dict[str, Any]) -> None:
    before = furnished().card.image
    key = next(iter(before.objects))
    after = replace(before, objects={**before.objects, key: replace(before.objects[key], **change)})
    found = image.compare(before, after)
    assert found
    assert all(difference.subject.startswith("3F00/5015:00-01") for difference in found)
    assert image.compare(before, replace(before, environments={}))
