"""A batch on the disk: whole or not at all, whatever ends the process."""

from __future__ import annotations

import csv
import hashlib
import json
import os
import subprocess
import sys
import zipfile
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import cardtwin.cli
import cardtwin.source
from cardtwin.issuance.keygeneration import (
    Batch,
    BatchBrokenError,
    BatchBusyError,
    BatchExistsError,
    OtherBatchError,
)
from support.batches import contents, made_up, order_of

if TYPE_CHECKING:
    from cardtwin.issuance.keygeneration import BatchOrder

ROOTS = [str(Path(module.__path__[0]).parents[1]) for module in (cardtwin.cli, cardtwin.source)]
TESTS = Path(__file__).parents[2]
NAMES = ["batch", "batch.zip"]


def make(path: Path, order: BatchOrder, *, until: int | None = None, resume: bool = False) -> None:
    with Batch(path, order, resume=resume) as batch:
        for index in list(batch.missing())[:until]:
            batch.add(made_up(order, index))

        if until is None:
            batch.finish()


@pytest.mark.parametrize("name", NAMES)
def test_a_process_that_is_killed_at_any_moment_costs_no_card_and_doubles_none(
    tmp_path: Path, name: str
) -> None:
    program = subprocess.run(
        [sys.executable, "-m", "support.killed_batch_program", str(tmp_path), name],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([*ROOTS, str(TESTS)])},
        capture_output=True,
        text=True,
        check=False,
    )
    assert program.returncode == 0, program.stderr
    found = [line.split(maxsplit=2)[2] for line in program.stdout.splitlines()]
    assert found.count("True [] True []") > 150
    assert sorted(set(found)) == ["False [] True []", "True [] True []"]


@pytest.mark.parametrize("name", NAMES)
def test_cards_may_come_in_any_order(tmp_path: Path, name: str) -> None:
    order = order_of(count=5)
    (tmp_path / "straight").mkdir()
    make(tmp_path / "straight" / name, order)
    (tmp_path / "crossed").mkdir()

    with Batch(tmp_path / "crossed" / name, order) as batch:
        for index in (3, 0, 4, 2, 1):
            batch.add(made_up(order, index))

        batch.finish()

    assert contents(tmp_path / "crossed" / name) == contents(tmp_path / "straight" / name)


def test_the_list_has_every_card_in_its_order(tmp_path: Path) -> None:
    order = order_of(count=12)
    make(tmp_path / "batch", order)
    lines = (tmp_path / "batch" / "production.jsonl").read_text(encoding="utf-8").splitlines()
    records = [json.loads(line) for line in lines]
    assert [record["index"] for record in records] == list(range(1, 13))
    assert len({record["serial"] for record in records}) == 12

    with (tmp_path / "batch" / "production.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))

    assert [row["label"] for row in rows] == [record["label"] for record in records]
    assert [row["keys"] for row in rows] == [f"KEY={r['keys'][0]['fingerprint']}" for r in records]


def test_an_archive_appears_when_it_is_whole(tmp_path: Path) -> None:
    order = order_of(count=3)
    path = tmp_path / "batch.zip"
    make(path, order, until=2)
    assert not path.exists()
    make(path, order, resume=True)
    assert {each.name for each in tmp_path.iterdir()} == {"batch.zip"}

    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        images = [name for name in archive.namelist() if name.startswith("cards/")]
        assert images == [made_up(order, index).record.image for index in range(3)]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("until", [1, None])
def test_what_is_there_is_not_written_over(tmp_path: Path, name: str, until: int | None) -> None:
    order = order_of(count=2)
    make(tmp_path / name, order, until=until)
    before = contents(tmp_path)

    with pytest.raises(BatchExistsError):
        Batch(tmp_path / name, order)

    assert contents(tmp_path) == before


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("until", [1, None])
@pytest.mark.parametrize(
    ("other", "told"),
    [
        ({"count": 3}, "count"),
        ({"seed": "other"}, "keys, seed"),
        ({"label": "L"}, "label"),
        ({"first_serial": bytes(8)}, "first serial"),
        ({"model": "other"}, "model"),
        ({"parameters": {"A": b"1"}}, "parameters"),
        ({"public_keys": True}, "public keys"),
    ],
)
def test_another_batch_is_not_gone_on_with(
    tmp_path: Path, name: str, until: int | None, other: dict[str, Any], told: str
) -> None:
    make(tmp_path / name, order_of(count=2), until=until)
    before = contents(tmp_path)

    with pytest.raises(OtherBatchError, match=rf"ordered otherwise \({told}\)"):
        Batch(tmp_path / name, replace(order_of(count=2), **other), resume=True)

    assert contents(tmp_path) == before


def test_another_seed_is_another_batch(tmp_path: Path) -> None:
    make(tmp_path / "batch", order_of(count=2, seed="one"), until=1)

    with pytest.raises(OtherBatchError, match=r"\(seed\)"):
        Batch(tmp_path / "batch", order_of(count=2, seed="two"), resume=True)

    order = (tmp_path / "batch" / "batch.json").read_text(encoding="utf-8")
    assert '"one"' not in order


def test_what_differs_besides_a_secret_is_told_and_the_secret_not(tmp_path: Path) -> None:
    order = order_of(count=2, seed="one", parameters={"A": b"1"})
    make(tmp_path / "batch", order, until=1)

    with pytest.raises(OtherBatchError) as refused:
        Batch(tmp_path / "batch", replace(order, count=3), resume=True)

    assert refused.value.differences == ("count",)

    with pytest.raises(OtherBatchError) as refused:
        Batch(tmp_path / "batch", replace(order, count=3, parameters={"A": b"2"}), resume=True)

    assert refused.value.differences == ("count", "parameters")


def test_a_parameter_cannot_be_found_by_trying_checksums(tmp_path: Path) -> None:
    make(tmp_path / "batch", order_of(count=1, parameters={"CODE": b"4711"}), until=1)
    text = (tmp_path / "batch" / "batch.json").read_text(encoding="utf-8")
    order = json.loads(text)
    assert order["parameters"]["names"] == ["CODE"]
    salt, told = bytes.fromhex(order["salt"]), order["parameters"]["values"]
    assert told == hashlib.scrypt(b'["34373131"]', salt=salt, n=1 << 14, r=8, p=1, dklen=16).hex()
    spellings = (b"4711", b"34373131", b'["34373131"]', salt + b"4711", b"4711" + salt)
    quick = [hashlib.new(name, each).hexdigest() for name in ("md5", "sha1", "sha256") for each in spellings]
    assert [each for each in quick if each[:32] in text] == []


@pytest.mark.parametrize(
    "found", ["", "[]", "[" * 100_000, '{"salt": 1}', '{"salt": "x"}', '{"format": "cardtwin batch"}', "\xff"]
)
@pytest.mark.parametrize("name", NAMES)
def test_an_order_that_cannot_be_read_is_told(tmp_path: Path, name: str, found: str) -> None:
    path = tmp_path / name

    if path.suffix:
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("batch.json", found.encode("latin-1"))
    else:
        path.mkdir()
        (path / "batch.json").write_bytes(found.encode("latin-1"))

    with pytest.raises(BatchBrokenError, match=r"its batch\.json can't be read: take another place"):
        Batch(path, order_of(), resume=True)


@given(
    places=st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 255)), max_size=4),
    end=st.integers(0, 10_000),
)
def test_a_damaged_archive_is_told_and_never_more(
    tmp_path_factory: pytest.TempPathFactory, places: list[tuple[int, int]], end: int
) -> None:
    path = tmp_path_factory.mktemp("damaged") / "batch.zip"
    make(path, order := order_of(count=1))
    content = bytearray(path.read_bytes())

    for place, byte in places:
        content[place % len(content)] = byte

    path.write_bytes(content[:end])

    with suppress(BatchBrokenError, OtherBatchError), Batch(path, order, resume=True) as batch:
        assert batch.complete


@pytest.mark.parametrize("index", ['"1"', "null", "1.0", "true"])
def test_a_line_of_the_journal_without_a_place_is_no_card(tmp_path: Path, index: str) -> None:
    order = order_of(count=2)
    make(tmp_path / "batch", order, until=1)
    journal = tmp_path / "batch" / "journal.jsonl"
    journal.write_text(journal.read_text(encoding="utf-8").replace('"index": 1,', f'"index": {index},'))

    with Batch(tmp_path / "batch", order, resume=True) as batch:
        assert list(batch.missing()) == [0, 1]


def test_a_batch_is_made_where_standard_input_is_closed(tmp_path: Path) -> None:
    # The lock, or the journal, has the descriptor 0 then.
    program = (
        "import os, sys, pathlib\n"
        "os.close(0)\n"
        "from cardtwin.issuance.keygeneration import Batch\n"
        "from support.batches import made_up, order_of\n"
        "order = order_of(count=2)\n"
        "for resume in (False, True):\n"
        "    with Batch(pathlib.Path(sys.argv[1]), order, resume=resume) as batch:\n"
        "        assert batch.missing() and not batch.add(made_up(order, int(resume)))\n"
        "    try:\n"
        "        os.fstat(0)\n"
        "    except OSError:\n"
        "        print('closed')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "batch")],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([*ROOTS, str(TESTS)])},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout, done.returncode) == ("closed\nclosed\n", 0), done.stderr


def test_two_processes_do_not_work_on_one_batch(tmp_path: Path) -> None:
    order = order_of(count=2)

    with Batch(tmp_path / "batch", order) as batch:
        batch.add(made_up(order, 0))

        with pytest.raises(BatchBusyError):
            Batch(tmp_path / "batch", order, resume=True)

    make(tmp_path / "batch", order, resume=True)


def test_of_two_that_begin_at_once_one_is_refused(tmp_path: Path) -> None:
    order = order_of(count=2)

    with Batch(tmp_path / "batch", order) as one, Batch(tmp_path / "batch", order) as other:
        one.add(made_up(order, 0))

        with pytest.raises(BatchBusyError):
            other.add(made_up(order, 0))


def test_a_folder_with_other_things_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("Dear")

    with pytest.raises(BatchExistsError):
        Batch(tmp_path / "mine", order_of())

    with pytest.raises(BatchBrokenError):
        Batch(tmp_path / "mine", order_of(), resume=True)

    assert contents(tmp_path / "mine") == {"mine/letter.txt": b"Dear"}


def test_an_empty_folder_is_taken(tmp_path: Path) -> None:
    (tmp_path / "batch").mkdir()
    make(tmp_path / "batch", order_of(count=1))
    assert (tmp_path / "batch" / "production.csv").is_file()


def test_nothing_is_there_before_the_first_card(tmp_path: Path) -> None:
    with Batch(tmp_path / "batch", order_of()):
        pass

    assert list(tmp_path.iterdir()) == []


def test_a_memory_that_was_cut_off_is_made_again(tmp_path: Path) -> None:
    order = order_of(count=3)
    make(tmp_path / "whole", order)
    make(tmp_path / "batch", order, until=2)
    image = tmp_path / "batch" / made_up(order, 0).record.image
    image.write_bytes(image.read_bytes()[:10])

    with Batch(tmp_path / "batch", order, resume=True) as batch:
        assert list(batch.missing()) == [0, 2]

    make(tmp_path / "batch", order, resume=True)
    assert sorted(contents(tmp_path / "batch").values()) == sorted(contents(tmp_path / "whole").values())


def test_a_disk_that_is_full_leaves_the_cards_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    order = order_of(count=3)
    write = os.write

    with Batch(tmp_path / "batch", order) as batch:
        batch.add(made_up(order, 0))

        def full(descriptor: int, data: bytes) -> int:
            if len(data) < 20:
                raise OSError(28, "No space left on device")

            return write(descriptor, data[: len(data) // 2])

        with monkeypatch.context() as patched:
            patched.setattr("cardtwin.issuance.keygeneration.batch.os.write", full)

            with pytest.raises(OSError, match="No space left"):
                batch.add(made_up(order, 1))

        assert batch.done == 1
        batch.add(made_up(order, 1))

    with Batch(tmp_path / "batch", order, resume=True) as batch:
        assert list(batch.missing()) == [2]


def test_files_of_a_batch_are_their_owners_alone(tmp_path: Path) -> None:
    make(tmp_path / "batch", order_of(count=1))
    make(tmp_path / "batch.zip", order_of(count=1))
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert {path.stat().st_mode & 0o077 for path in files} == {0}


def test_a_batch_that_is_complete_is_left_as_it_is(tmp_path: Path) -> None:
    order = order_of(count=2)

    for name in NAMES:
        make(tmp_path / name, order)
        before = contents(tmp_path / name)

        with Batch(tmp_path / name, order, resume=True) as batch:
            assert (batch.complete, batch.done, list(batch.missing())) == (True, 2, [])
            batch.finish()

        assert contents(tmp_path / name) == before
