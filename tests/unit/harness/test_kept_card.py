"""Cards whose memory is in a file: what is there whenever the process ends, and whose the file is."""

from __future__ import annotations

import fcntl
import subprocess
import sys
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import cardtwin.card
import cardtwin.targets
from cardtwin.card import EmulatedCard, ImageError, models
from cardtwin.card import image as images
from cardtwin.card.memory import MF, Ef
from cardtwin.entropy import SeededEntropy
from cardtwin.events import Hub
from cardtwin.pcsc import CardMuteError, Protocol
from cardtwin.targets import CardSetup, FaultSetup, Setup, TargetError
from cardtwin.targets.emulated import EmulatedBench
from cardtwin.targets.kept import CardFile, CardFileBusyError, KeptCard

if TYPE_CHECKING:
    from collections.abc import Iterator

PROGRAM = Path(__file__).parents[2] / "support" / "kept_card_program.py"
KILLED = PROGRAM.with_name("killed_card_program.py")
ROOTS = [str(Path(package.__path__[0]).parents[1]) for package in (cardtwin.card, cardtwin.targets)]
FILE = MF + bytes.fromhex("4401")
CREATE = bytes.fromhex("00E000001B621980020010820101830244018501008609" + "00" * 9)
WRITE = bytes.fromhex("00D6000002CAFE")
ERASE = bytes.fromhex("84060000100600000800000000F76AFC09E6D5F465")


@contextmanager
def kept(path: Path, told: list[str] | None = None) -> Iterator[KeptCard]:
    with closing(CardFile(path)) as file:
        model = models.get("cardos-5.3")
        inner = EmulatedCard(model, image=file.image, entropy=SeededEntropy("kept"), reader="R")
        card = KeptCard(inner, file, (told if told is not None else []).append)
        card.power_on(Protocol.ANY)
        yield card


@contextmanager
def bench(path: Path, model: str = "cardos-5.3", **more: object) -> Iterator[EmulatedBench]:
    setup = Setup({"R": "A"}, {"A": CardSetup(model, keep=str(path), **more)}, {})  # type: ignore[arg-type]

    with EmulatedBench(setup, Hub()) as found:
        yield found


def test_a_card_that_was_never_used_is_in_its_file_and_only_its_owner_may_read_it(tmp_path: Path) -> None:
    path = tmp_path / "card.image"

    with kept(path):
        assert images.load(path) == models.get("cardos-5.3").blank()
        assert path.stat().st_mode & 0o777 == 0o600


def test_what_a_command_has_changed_is_in_the_file_when_it_is_answered(tmp_path: Path) -> None:
    path = tmp_path / "card.image"

    with kept(path) as card:
        for command in (CREATE, WRITE):
            assert card.process(command) == b"\x90\x00"
            assert images.load(path) == card.card.image


def test_a_card_goes_on_with_what_is_in_its_file(tmp_path: Path) -> None:
    path = tmp_path / "card.image"

    with kept(path) as card:
        card.process(CREATE)
        left = card.card.image

    with kept(path) as card:
        assert card.card.image == left


def test_a_command_that_changes_nothing_writes_nothing(tmp_path: Path) -> None:
    with kept(tmp_path / "card.image") as card:
        before = (tmp_path / "card.image").stat().st_ino
        card.process(bytes.fromhex("00A4000C023F00"))
        card.process(bytes.fromhex("00E40000029999"))
        assert (tmp_path / "card.image").stat().st_ino == before


def test_what_a_torn_command_has_written_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "card.image"

    with kept(path) as card:
        card.process(CREATE)
        card.cut_power_after(1)

        with pytest.raises(CardMuteError):
            card.process(ERASE)

        assert images.load(path) == card.card.image


def test_a_memory_that_cannot_be_written_makes_the_card_mute_until_it_can(tmp_path: Path) -> None:
    folder, told = tmp_path / "folder", list[str]()
    folder.mkdir()

    with kept(folder / "card.image", told) as card:
        folder.rename(tmp_path / "elsewhere")

        with pytest.raises(CardMuteError, match="can't be written"):
            card.process(CREATE)

        with pytest.raises(CardMuteError):
            card.process(bytes.fromhex("00A4000C023F00"))

        (tmp_path / "elsewhere").rename(folder)
        assert card.process(bytes.fromhex("00A4000C023F00"))[-2:] == b"\x90\x00"
        assert images.load(folder / "card.image") == card.card.image

    assert (
        told[0] == f"the card's memory can't be written to {folder / 'card.image'}: No such file or directory"
    )


@pytest.mark.parametrize("answered", [1, 5, 23])
def test_a_process_that_is_killed_leaves_the_card_as_before_or_after_a_command(
    tmp_path: Path, answered: int
) -> None:
    path = tmp_path / "card.image"

    with kept(path) as card:
        card.process(CREATE)

    with subprocess.Popen(
        [sys.executable, str(PROGRAM), str(path)],
        env={"PYTHONPATH": ":".join(ROOTS)},
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        seen = [int(process.stdout.readline()) for _ in range(answered)]
        process.kill()
        seen += [int(line) for line in process.stdout if line.endswith("\n")]

    file = images.load(path).files[FILE]
    assert isinstance(file, Ef)
    assert int.from_bytes(file.content) in {seen[-1], seen[-1] + 1}

    with kept(path):
        assert [each.name for each in tmp_path.iterdir()] == ["card.image"]


def test_a_process_that_is_killed_at_any_moment_of_a_write_leaves_the_card_as_before_or_after_it(
    tmp_path: Path,
) -> None:
    path = tmp_path / "card.image"

    with kept(path) as card:
        card.process(CREATE)

    told = subprocess.run(
        [sys.executable, str(KILLED), str(path)],
        env={"PYTHONPATH": ":".join(ROOTS)},
        capture_output=True,
        text=True,
        check=True,
    )
    *moments, end = [line.split() for line in told.stdout.splitlines()]
    numbers = [number for _, _, _, number in moments]

    assert end[2:] == ["False", "1"]
    assert {killed for _, _, killed, _ in moments} == {"True"}
    assert [kind for kind, *_ in moments].count("bytes") == 3
    assert len(moments) > 20
    assert numbers == sorted(numbers)  # as before, until it is as after
    assert set(numbers) == {"0", "1"}

    with kept(path):
        assert [each.name for each in tmp_path.iterdir()] == ["card.image"]


def test_a_file_is_one_cards_and_no_others(tmp_path: Path) -> None:
    path, link = tmp_path / "card.image", tmp_path / "link"
    link.symlink_to(path)

    with kept(path) as card:
        for name in (path, link):
            with pytest.raises(CardFileBusyError, match=f"{path}: another card has its memory there"):
                CardFile(name)

        card.process(CREATE)  # the file is another one now

        with pytest.raises(CardFileBusyError):
            CardFile(path)

    CardFile(path).close()


def test_a_file_that_changes_while_its_lock_is_waited_for_is_looked_at_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, lock = tmp_path / "card.image", fcntl.flock
    images.save(models.get("cardos-5.3").blank(), path)

    def changed_before(descriptor: int, operation: int) -> None:
        monkeypatch.undo()
        images.save(models.get("cardos-5.3").factory(), path)  # its owner writes once more, and ends
        lock(descriptor, operation)

    monkeypatch.setattr(fcntl, "flock", changed_before)

    with closing(CardFile(path)) as file:
        assert file.image == models.get("cardos-5.3").factory()

        with pytest.raises(CardFileBusyError):
            CardFile(path)


def test_what_a_killed_process_was_writing_is_taken_away(tmp_path: Path) -> None:
    path = tmp_path / "card.image"

    with kept(path):
        pass

    (tmp_path / ".card.image.cardtwin-new").write_text("half a mem")

    with kept(path) as card:
        assert [each.name for each in tmp_path.iterdir()] == ["card.image"]
        assert card.card.image == models.get("cardos-5.3").blank()


def test_a_file_that_no_card_came_to_use_is_taken_away(tmp_path: Path) -> None:
    path = tmp_path / "card.image"
    CardFile(path).close()
    assert not path.exists()


def test_what_is_no_card_memory_is_refused_and_left(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("remember the milk")

    with pytest.raises(ImageError, match=str(path)):
        CardFile(path)

    assert path.read_text() == "remember the milk"


def test_a_card_on_a_bench_is_kept_with_what_a_fault_has_torn(tmp_path: Path) -> None:
    path = tmp_path / "card.image"
    fault = FaultSetup.parse("do=tear at=8406 writes=1")

    with bench(path, faults=(fault,)) as found:
        connection = found.connection("p", "R")
        connection.transmit(CREATE)
        connection.transmit(bytes.fromhex("00A4000C023F00"))

        with pytest.raises(CardMuteError):
            connection.transmit(ERASE)

        assert images.load(path) == found.desk.image("R")
        assert images.load(path) != models.get("cardos-5.3").blank()

    with bench(path) as found:
        assert images.load(path) == found.desk.image("R")


def test_a_memory_that_is_loaded_by_hand_is_kept_too(tmp_path: Path) -> None:
    path = tmp_path / "card.image"

    with bench(path) as found:
        found.connection("p", "R").transmit(CREATE)
        found.desk.load("R", models.get("cardos-5.3").blank())
        assert images.load(path) == models.get("cardos-5.3").blank()


def test_the_memory_of_another_model_is_refused_and_the_file_let_go(tmp_path: Path) -> None:
    path = tmp_path / "card.image"

    with bench(path):
        pass

    with pytest.raises(TargetError, match=r"the memory of a cardos-5\.3, and the card 'A' is a cardos-4\.4"):
        bench(path, "cardos-4.4").__enter__()

    with bench(path):
        pass


def test_a_bench_that_cannot_be_set_up_lets_go_of_every_file(tmp_path: Path) -> None:
    keep = str(tmp_path / "card.image")
    cards = {name: CardSetup("cardos-5.3", keep=keep) for name in ("A", "B")}

    for _ in range(2):
        with pytest.raises(TargetError, match="another card has its memory there"):
            EmulatedBench(Setup({"R": "A"}, cards, {}), Hub())
