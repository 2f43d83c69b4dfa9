"""Served cards that are kept: whenever their process ends, a client being in the midst of it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from cardtwin.card import EmulatedCard, models
from cardtwin.card import image as images
from cardtwin.card.memory import MF, Ef
from cardtwin.entropy import SeededEntropy
from cardtwin.hosting import CardRefusedError, CardRequest, HostedCards, HostLostError, HostRequest
from cardtwin.pcsc import Protocol
from support import kept_client_program
from support.hosted import ROOTS, TIMEOUT
from support.hosts import READER

TESTS = Path(kept_client_program.__file__).parents[1]
FILE = MF + bytes.fromhex("4401")
CREATE = bytes.fromhex("00E000001B621980020010820101830244018501008609" + "00" * 9)


def with_a_file(path: Path) -> None:
    """Save the memory of a card that has a file to write to."""
    card = EmulatedCard(models.get("cardos-5.3"), entropy=SeededEntropy("kept"))
    card.power_on(Protocol.ANY)
    assert card.process(CREATE) == b"\x90\x00"
    images.save(card.image, path)


def client(cards: HostedCards, reader: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, kept_client_program.__file__, cards.environment["PCSCLITE_CSOCK_NAME"], reader],
        env={"PYTHONPATH": f"{ROOTS}{os.pathsep}{TESTS}"},
        stdout=subprocess.PIPE,
        text=True,
    )


def number_in(path: Path) -> int:
    file = images.load(path).files[FILE]
    assert isinstance(file, Ef)
    return int.from_bytes(file.content)


@pytest.mark.parametrize("answered", [1, 7, 40])
def test_a_host_that_is_killed_leaves_the_card_as_before_or_after_its_clients_command(
    tmp_path: Path, answered: int
) -> None:
    path = tmp_path / "card.image"
    with_a_file(path)
    kept = HostRequest.of(CardRequest(keep=str(path)))
    cards = HostedCards(kept)

    with client(cards, READER) as program:
        assert program.stdout is not None
        seen = [int(program.stdout.readline()) for _ in range(answered)]
        os.kill(cards._process.pid, signal.SIGKILL)
        seen += [int(line) for line in program.stdout]

    assert program.wait(TIMEOUT) == 0
    assert number_in(path) in {seen[-1], seen[-1] + 1}

    with pytest.raises(HostLostError):
        cards.close()

    before = path.read_bytes()

    with HostedCards(kept) as cards:
        assert [each.name for each in tmp_path.iterdir()] == ["card.image"]
        assert path.read_bytes() == before
        assert cards.status()["readers"][0]["card"]["kept"] == str(path)


def test_cards_of_one_host_have_a_file_each(tmp_path: Path) -> None:
    paths = {name: tmp_path / f"{name}.image" for name in ("Left", "Right")}

    for path in paths.values():
        with_a_file(path)

    readers = {name: CardRequest(keep=str(path)) for name, path in paths.items()}

    with HostedCards(HostRequest.arranged(readers)) as cards:
        with client(cards, "Left") as program:
            assert program.stdout is not None
            last = [int(program.stdout.readline()) for _ in range(5)][-1]
            program.kill()

        assert number_in(paths["Left"]) >= last
        assert number_in(paths["Right"]) == 0

        with pytest.raises(CardRefusedError, match="another card has its memory there"):
            HostedCards(HostRequest.of(readers["Right"]))

    HostedCards(HostRequest.of(readers["Right"])).close()
