"""The host, in this process: what it answers when it is told what to do."""

from __future__ import annotations

import re
import socket
import threading
from errno import ENOSPC
from typing import TYPE_CHECKING
from unittest.mock import Mock

import pytest

from cardtwin.card import image as images
from cardtwin.card import models
from cardtwin.cryptoki.api import registry
from cardtwin.cryptoki.dispatch import Caller
from cardtwin.hosting import (
    CONTROL_VARIABLE,
    CardRefusedError,
    CommandRefusedError,
    Control,
    NoServerError,
)
from cardtwin.hosting.actions import ACTIONS
from cardtwin.hosting.host import Host
from cardtwin.middleware import MiddlewareError
from cardtwin.pcsc import CardRemovedError
from cardtwin.plan import Secret
from cardtwin.readers import PinEntry, PinPad
from cardtwin.trace import TraceWriter
from support.hosted import TIMEOUT
from support.hosts import READER, SECRETS, asked, refusal, served
from support.traces import text_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def test_the_card_can_be_taken_out_and_put_in_and_reset() -> None:
    with served() as card, card.control() as control:
        control.remove()
        assert control.status()["readers"][0]["card"] is None
        control.insert()
        control.power_off()
        assert control.status()["readers"][0]["card"]["powered"] is False
        control.power_on()
        assert control.status()["readers"][0]["card"]["powered"] is True
        control.reset()


@pytest.mark.parametrize("command", ["remove", "reset", "power-on", "power-off", "snapshot", "load"])
def test_what_needs_a_card_is_refused_without_one(command: str, tmp_path: Path) -> None:
    path = tmp_path / "blank.image"
    images.save(models.get("cardos-5.3").blank(), path)

    with served() as card, card.control() as control:
        control.remove()

        with pytest.raises(CommandRefusedError, match="there is no card in 'Emulated reader'"):
            control.call(command, path=str(path))


def test_a_second_card_does_not_go_into_a_reader() -> None:
    with served() as card, card.control() as control, pytest.raises(CommandRefusedError, match="already"):
        control.insert()


def test_the_status_tells_the_card_without_its_secrets() -> None:
    with served(profile="full", secrets=SECRETS) as card, card.control() as control:
        with pytest.raises(Exception, match="CKR_PIN_INCORRECT"):
            card.host.bench.client("test").verify_pin(READER, Secret.of("999999"))

        status = control.status()

    (reader,) = status["readers"]
    pins = {pin["reference"]: pin["tries_left"] for pin in reader["card"]["pins"]}
    facts = {name: reader["card"][name] for name in ("model", "serial", "life_cycle", "fuse", "erasable")}
    assert facts == {
        "model": "cardos-5.3",
        "serial": "02087A51000D3C2E",
        "life_cycle": "operational",
        "fuse": "burnt",
        "erasable": "always",
    }
    assert (pins[1], pins[3]) == (2, 3)
    assert status["programs"] == []
    assert not [secret for secret in card.pins.values() if secret in str(status)]


def test_a_snapshot_brings_the_card_back(tmp_path: Path) -> None:
    path = tmp_path / "before.image"

    with served(profile="full") as card, card.control() as control:
        control.snapshot(path)
        before = card.host.desk.image(READER)

        with pytest.raises(Exception, match="CKR_PIN_INCORRECT"):
            card.host.bench.client("test").verify_pin(READER, Secret.of("999999"))

        assert card.host.desk.image(READER) != before
        control.load(path)
        assert card.host.desk.image(READER) == before
        assert path.stat().st_mode & 0o777 == 0o600


def test_a_file_that_is_no_use_is_told(tmp_path: Path) -> None:
    path = tmp_path / "nowhere" / "card.image"

    with served() as card, card.control() as control:
        for command in ("snapshot", "load"):
            with pytest.raises(CommandRefusedError, match=f"{path}: No such file"):
                control.call(command, path=str(path))

        path.parent.mkdir()
        images.save(models.get("cardos-4.4").blank(), path)

        with pytest.raises(CommandRefusedError, match=r"is that of a 'cardos-4\.4'"):
            control.load(path)

        assert control.status()["readers"][0]["card"]["powered"] is True


def test_what_nobody_knows_is_answered_with_what_there_is() -> None:
    with served() as card, card.control() as control:
        for command in ("fly", None, 7):
            with pytest.raises(
                CommandRefusedError, match=r"there is no command .*: there are insert, remove"
            ):
                control.call(command)  # type: ignore[arg-type]

        control.status()


def test_what_is_no_message_ends_that_connection_and_no_other() -> None:
    with served() as card, card.control() as control:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as other, other.makefile("rb") as answers:
            other.connect(card.ready["environment"][CONTROL_VARIABLE])
            other.sendall(b"GET / HTTP/1.1\n\n")
            assert b'"error"' in answers.readline()
            assert answers.readline() == b""

        control.status()


def test_a_bug_is_answered_and_told_at_the_end_without_its_text(monkeypatch: pytest.MonkeyPatch) -> None:
    secret = str(271828)

    def fail(*_: object) -> None:
        raise RuntimeError(secret)

    monkeypatch.setitem(ACTIONS, "reset", fail)
    host = Host(asked(), lambda: None)
    ready = host.open()

    with (
        Control(ready["environment"][CONTROL_VARIABLE]) as control,
        pytest.raises(CommandRefusedError, match="bug of cardtwin"),
    ):
        control.reset()

    (problem,) = host.close()["stopped"]["problems"]
    assert "command reset" in problem
    assert "RuntimeError" in problem
    assert secret not in problem


def test_the_trace_begins_when_the_card_is_ready_and_shows_no_pin(tmp_path: Path) -> None:
    path = tmp_path / "trace"

    with served(profile="full", secrets=SECRETS, trace=str(path)) as card:
        began = text_of(path)
        assert began == (
            f"## cardos-5.3\n* {READER}: inserted\n* {READER}: powered on 3B D2 18 00 81 31 FE 58 C9 03 16\n"
        )
        card.host.bench.client("test").verify_pin(READER, Secret.of(SECRETS["PIN1"]))

    text = text_of(path)
    assert text.startswith(began)
    assert "VERIFY" in text
    assert "file created" not in text
    assert SECRETS["PIN1"].encode().hex(" ") not in text


def test_a_trace_that_can_not_be_written_any_more_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "trace"
    host = Host(asked(trace=str(path)), lambda: None)
    host.open()
    monkeypatch.setattr(TraceWriter, "_lines", Mock(side_effect=OSError(ENOSPC, "No space left")))
    host.desk.reset(READER)
    assert host.close() == {"stopped": {"problems": [f"the trace is not whole: {path}: No space left"]}}


def test_another_users_server_is_told_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    with served() as card:
        monkeypatch.setattr("cardtwin.hosting.commands.Peer.is_own", False)

        with pytest.raises(NoServerError, match="is another user's"):
            card.control()


@pytest.mark.parametrize("path", [None, 5, "beside", "/a\0b"])
@pytest.mark.parametrize("command", ["snapshot", "load"])
def test_what_is_no_path_is_refused(command: str, path: object) -> None:
    with served() as card, card.control() as control:
        with pytest.raises(CommandRefusedError, match="the path of a file"):
            control.call(command, path=path)

        control.status()


@pytest.mark.parametrize("name", ["control", "trace"])
def test_a_folder_that_is_not_there_is_told_and_not_made(name: str, tmp_path: Path) -> None:
    folder = tmp_path / "none"
    assert f"there is no folder '{folder}'" in refusal(**{name: str(folder / "file")})
    assert not folder.exists()


def test_nobody_at_a_socket_is_told(tmp_path: Path) -> None:
    for path in (tmp_path / "socket", tmp_path, tmp_path / ("x" * 200)):
        with pytest.raises(NoServerError, match=f"no server listens at {path}"):
            Control(path)


SELECT = bytes.fromhex("00A4000C023F00")


def test_faults_begin_when_the_card_is_ready() -> None:
    with served(profile="full", faults=("do=answer at=00A4 after=1 sw=6F00 times=always",)) as card:
        connection = card.host.bench.manager.context().connect(READER)
        assert [connection.transmit(SELECT) for _ in range(3)] == [b"\x90\x00", b"\x6f\x00", b"\x6f\x00"]


def test_a_card_that_takes_itself_out_is_put_in_again() -> None:
    with served(faults=("do=remove",)) as card, card.control() as control:
        connection = card.host.bench.manager.context().connect(READER)

        with pytest.raises(CardRemovedError):
            connection.transmit(SELECT)

        assert control.status()["readers"][0]["card"] is None
        control.insert()
        assert card.host.bench.manager.context().connect(READER).transmit(SELECT) == b"\x90\x00"


def test_a_real_speed_takes_real_time_but_not_before_the_card_is_ready(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    slept: list[float] = []
    monkeypatch.setattr("cardtwin.hosting.host.pass_time", lambda seconds, _: slept.append(seconds))

    with served(profile="full", speed="real") as card:
        assert len(slept) == 1  # the reset when it was put in
        card.host.bench.manager.context().connect(READER).transmit(SELECT)
        assert len(slept) == 2


def test_a_fault_that_is_none_is_refused() -> None:
    assert "'do: mute'" in refusal(faults=("do=mute sw=9000",))


def test_what_is_entered_at_the_pin_pad_reaches_the_card() -> None:
    with served(profile="full", secrets=SECRETS, pinpads=(READER,)) as card, card.control() as control:
        control.enter(SECRETS["PIN1"])
        card.host.bench.client("test").verify_pin(READER, None)
        control.enter("cancel")

        with pytest.raises(MiddlewareError, match="cancelled at the reader"):
            card.host.bench.client("test").verify_pin(READER, None)


def test_the_end_of_a_program_ends_its_wait_for_a_pin(monkeypatch: pytest.MonkeyPatch) -> None:
    asked_for = threading.Event()
    ask = PinPad.ask

    def noted(pad: PinPad, seconds: float, check: Callable[[], object]) -> PinEntry:
        asked_for.set()
        return ask(pad, 600.0, check)

    monkeypatch.setattr(PinPad, "ask", noted)

    with served(profile="full", pinpads=(READER,)) as card:
        caller = Caller(card.host.bench.application("program"), registry, card.host.bench.hub)
        (session,) = caller.call("C_OpenSession", (1, 4)).results
        login = threading.Thread(target=caller.call, args=("C_Login", (session, 1, None)), daemon=True)
        login.start()
        assert asked_for.wait(TIMEOUT)
        end = threading.Thread(target=caller.close, kwargs={"gone": True}, daemon=True)
        end.start()
        end.join(TIMEOUT / 4)
        assert not end.is_alive()
        login.join(TIMEOUT)
        assert card.host.bench.manager.state(READER).sharing == 0


@pytest.mark.parametrize("entries", [["12a456"], ["271828", ""], [], [271828], "271828", None])
def test_what_cannot_be_entered_is_refused_and_not_repeated(entries: object) -> None:
    with served(pinpads=(READER,)) as card, card.control() as control:
        with pytest.raises(CommandRefusedError) as refused:
            control.call("enter", entries=entries)

        assert not re.search("12a456|271828", str(refused.value))


def test_a_reader_without_a_pin_pad_takes_nothing() -> None:
    with (
        served() as card,
        card.control() as control,
        pytest.raises(CommandRefusedError, match="has no PIN pad"),
    ):
        control.enter("271828")


def test_a_card_in_pcscd_has_no_pin_pad() -> None:
    with pytest.raises(CardRefusedError, match="no PIN pad"):
        asked(pinpads=(READER,), pcscd="127.0.0.1:1").check()
