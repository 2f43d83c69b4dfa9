from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import cardtwin.card
import cardtwin.targets
from cardtwin.card import EmulatedCard, models
from cardtwin.card import image as images
from cardtwin.card.memory import MF, Ef
from cardtwin.entropy import SeededEntropy
from cardtwin.pcsc import CardMuteError, Protocol
from cardtwin.targets.kept import KeptCard

PROGRAM = Path(__file__).parents[2] / "support" / "kept_card_program.py"
ROOTS = [str(Path(package.__path__[0]).parents[1]) for package in (cardtwin.card, cardtwin.targets)]
FILE = MF + bytes.fromhex("4401")
CREATE = bytes.fromhex("00E000001B621980020010820101830244018501008609" + "00" * 9)
WRITE = bytes.fromhex("00D6000002CAFE")
BOUND = 60


def kept(path: Path) -> KeptCard:
    card = KeptCard(EmulatedCard(models.get("cardos-5.3"), entropy=SeededEntropy("kept")), path)
    card.power_on(Protocol.ANY)
    return card


def test_what_a_command_has_changed_is_in_the_file_when_it_is_answered(tmp_path: Path) -> None:
    path = tmp_path / "card.image"
    card = kept(path)
    assert card.process(CREATE) == b"\x90\x00"
    assert images.load(path) == card.card.image

    assert card.process(WRITE) == b"\x90\x00"
    assert images.load(path) == card.card.image


def test_a_command_that_changes_nothing_writes_nothing(tmp_path: Path) -> None:
    card = kept(tmp_path / "card.image")
    card.process(bytes.fromhex("00A4000C023F00"))
    card.process(bytes.fromhex("00E40000029999"))
    assert list(tmp_path.iterdir()) == []


def test_what_a_torn_command_has_written_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "card.image"
    card = kept(path)
    card.process(CREATE)
    erase = bytes.fromhex("84060000100600000800000000F76AFC09E6D5F465")
    card.card.cut_power_after(1)

    with pytest.raises(CardMuteError):
        card.process(erase)

    assert images.load(path) == card.card.image


@pytest.mark.parametrize("answered", [1, 5, 23])
def test_a_process_that_is_killed_leaves_the_card_as_before_or_after_a_command(
    tmp_path: Path, answered: int
) -> None:
    path = tmp_path / "card.image"
    kept(path).process(CREATE)

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
