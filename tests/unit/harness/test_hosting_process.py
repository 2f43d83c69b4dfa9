"""Cards in processes of their own: how they begin, and that they end in every case."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from cardtwin.hosting import (
    CONTROL_VARIABLE,
    CardRefusedError,
    CardRequest,
    CommandRefusedError,
    Control,
    HostedCards,
    HostLostError,
    HostRequest,
)
from cardtwin.sockets import private_directory
from support.hosted import TIMEOUT, environment

if TYPE_CHECKING:
    from collections.abc import Iterator

BLANK = HostRequest.of(CardRequest(model="cardos-5.3"))

STARTER = """\
import signal, sys
from cardtwin.hosting import CardRequest, HostedCards, HostRequest

card = HostedCards(HostRequest.of(CardRequest(model="cardos-5.3"), control=sys.argv[1]))
print(card._process.pid, card.environment["PCSCLITE_CSOCK_NAME"], flush=True)
signal.pause()
"""


def folder_of(card: HostedCards) -> Path:
    """Return the folder of all sockets."""
    return Path(card.environment["PCSCLITE_CSOCK_NAME"]).parents[1]


def ends(descriptor: int) -> bool:
    """Wait for the end of the process that a descriptor stands for; give up at last."""
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    return bool(poll.poll(TIMEOUT * 1000))


def test_a_card_is_taken_down_with_everything_it_has_made() -> None:
    with HostedCards(BLANK) as card:
        folder = folder_of(card)
        assert all(Path(card.environment[name]).is_socket() for name in ("CARDTWIN_SOCKET", CONTROL_VARIABLE))
        assert folder.stat().st_mode & 0o777 == 0o700

    assert card.lost
    assert not folder.exists()
    card.close()

    with pytest.raises(HostLostError):
        card.status()


def test_a_card_that_is_refused_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    folders: list[Path] = []

    @contextmanager
    def noted() -> Iterator[Path]:
        with private_directory() as folder:
            folders.append(folder)
            yield folder

    monkeypatch.setattr("cardtwin.hosting.hosted.private_directory", noted)

    with pytest.raises(CardRefusedError, match="no card model 'cardos-9'"):
        HostedCards(HostRequest.of(CardRequest(model="cardos-9")))

    assert [folder.exists() for folder in folders] == [False]


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_a_card_ends_with_the_process_that_started_it(tmp_path: Path, number: int) -> None:
    control = tmp_path / "control"
    starter = subprocess.Popen(
        [sys.executable, "-c", STARTER, str(control)],
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )

    with starter:
        assert starter.stdout is not None
        pid, socket_path = starter.stdout.readline().split()
        host = os.pidfd_open(int(pid))
        starter.send_signal(number)
        starter.wait(TIMEOUT)

    assert ends(host)
    os.close(host)
    assert not Path(socket_path).parents[1].exists()
    assert not control.exists()


def test_a_card_outlives_an_interrupt_of_the_terminal() -> None:
    with HostedCards(BLANK) as card:
        assert os.getsid(card._process.pid) != os.getsid(0)
        os.kill(card._process.pid, signal.SIGINT)
        card.status()


def test_a_process_that_is_told_to_end_ends_in_good_order() -> None:
    with HostedCards(BLANK) as card:
        os.kill(card._process.pid, signal.SIGTERM)
        card.wait(TIMEOUT)


def test_a_process_that_was_killed_is_told_and_what_it_has_made_taken_away() -> None:
    card = HostedCards(BLANK)
    folder = folder_of(card)
    os.kill(card._process.pid, signal.SIGKILL)
    card._process.wait(TIMEOUT)

    with pytest.raises(HostLostError):
        card.status()

    with pytest.raises(HostLostError, match="has not ended as it should"):
        card.close()

    assert not folder.exists()


def test_a_process_that_never_begins_is_told_with_its_last_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cardtwin.hosting.hosted._PROGRAM", "import no_such_module")

    with pytest.raises(HostLostError, match=r"before the card was ready:[\s\S]*no_such_module"):
        HostedCards(BLANK)


def test_who_stops_the_server_by_its_socket_ends_the_wait_for_it() -> None:
    with HostedCards(BLANK) as card:
        card.wait(0)

        with Control(card.environment[CONTROL_VARIABLE]) as control:
            control.stop()

        card.wait()

        with pytest.raises(HostLostError, match="stopped"):
            card.status()


def test_many_threads_may_tell_a_card_what_to_do() -> None:
    refused: list[str] = []

    def move(card: HostedCards) -> None:
        for _ in range(20):
            for command in (card.remove, card.insert):
                try:
                    command()
                except CommandRefusedError as error:
                    refused.append(str(error))

    with HostedCards(BLANK) as card:
        threads = [threading.Thread(target=move, args=(card,)) for _ in range(4)]

        for thread in threads:
            thread.start()

        for thread in threads:
            thread.join(TIMEOUT)

        present = card.status()["readers"][0]["card"] is not None
        removals = sum("already" in text for text in refused) - sum("no card" in text for text in refused)
        assert present == (removals == 0)


def test_this_process_is_led_to_the_card_for_as_long_as_it_wants(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CARDTWIN_SOCKET", "before")
    monkeypatch.delenv("PCSCLITE_CSOCK_NAME", raising=False)

    with HostedCards(BLANK) as card:
        with card.in_environment():
            assert {name: os.environ[name] for name in card.environment} == card.environment

        assert os.environ["CARDTWIN_SOCKET"] == "before"
        assert "PCSCLITE_CSOCK_NAME" not in os.environ


def test_pins_are_known_to_the_starter_and_masked() -> None:
    asked = CardRequest(model="cardos-5.3", profile="full", secrets={"PIN1": "271828"})
    request = HostRequest.of(asked, seed="pins")

    with HostedCards(request) as card:
        assert card.pin() == "271828"
        assert card.pins["PUK"].reveal().decode() == card.pin("PUK")
        assert "271828" not in repr(card.pins) + repr(card) + repr(request)
        assert "271828" not in " ".join(map(str, card._process.args))  # type: ignore[arg-type]

        with pytest.raises(KeyError):
            card.pin("PIN3")
