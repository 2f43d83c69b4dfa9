"""``cardtwin serve``, and ``cardtwin ctl`` from another shell."""

from __future__ import annotations

import json
import re
import shlex
import signal
import subprocess
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner, Result

from cardtwin.cli import main
from support.hosted import TIMEOUT, command, environment, run

if TYPE_CHECKING:
    from collections.abc import Iterator

BLANK = ("--card", "cardos-5.3")


def ctl(*arguments: str | Path, **variables: str) -> Result:
    """Run `cardtwin ctl` in this process."""
    return CliRunner().invoke(main, ["ctl", *map(str, arguments)], env=variables)


class Server:
    """A server that is ready."""

    def __init__(self, process: subprocess.Popen[str], socket: Path) -> None:
        self.process = process
        self.socket = socket
        assert process.stdout is not None
        lines = (shlex.split(process.stdout.readline()) for _ in range(4))
        self.variables = dict(words[1].split("=", 1) for words in lines)

    def ctl(self, *arguments: str | Path) -> Result:
        return ctl("--socket", self.socket, *arguments)

    def told(self, *arguments: str | Path) -> str:
        result = self.ctl(*arguments)
        assert (result.exit_code, result.stderr) == (0, "")
        return result.stdout

    def end(self) -> int:
        output, errors = self.process.communicate(timeout=TIMEOUT)
        assert (output, errors) == ("", "")
        assert not self.socket.exists()
        return self.process.returncode


@contextmanager
def serving(folder: Path, *arguments: str | Path) -> Iterator[Server]:
    socket = folder / "control socket"
    process = subprocess.Popen(
        command("serve", "--socket", socket, "--shell", *arguments),
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )

    with process:
        try:
            yield Server(process, socket)
        finally:
            process.terminate()


def test_the_card_is_taken_out_and_put_in_from_another_shell(tmp_path: Path) -> None:
    with serving(tmp_path, *BLANK, "--reader", "My reader") as server:
        for name in ("remove", "insert", "reset", "power-off", "power-on"):
            assert server.told(name) == ""

        server.told("remove")
        assert server.told("status") == "My reader: empty\n"
        result = server.ctl("reset")
        assert (result.exit_code, result.stderr) == (2, "cardtwin: there is no card in 'My reader'\n")
        assert server.told("stop") == ""
        assert server.end() == 0


def test_the_status_is_for_people_and_for_programs(tmp_path: Path) -> None:
    with serving(tmp_path, *BLANK, "--profile", "full", "--secret", "PIN1=271828") as server:
        text = server.told("status")
        assert text.startswith("Emulated reader: cardos-5.3, serial 02087A51000D3C2E\n")
        assert "life cycle: operational; fuse: burnt; erasable: always" in text
        assert "PIN 3F00:1  3 of 3 tries left" in text
        status = json.loads(server.told("status", "--json"))
        assert status["readers"][0]["card"]["model"] == "cardos-5.3"
        assert "271828" not in text + str(status)


def test_a_pin_is_entered_at_the_reader_from_another_shell(tmp_path: Path) -> None:
    (tmp_path / "pin").write_text("271828\n")

    with serving(tmp_path, *BLANK, "--pinpad") as server:
        assert server.told("pinpad", "enter", f"file:{tmp_path / 'pin'}", "cancel") == ""
        lines = CliRunner().invoke(
            main, ["ctl", "--socket", str(server.socket), "pinpad", "enter"], input="271828\n314159\n"
        )
        assert (lines.exit_code, lines.output) == (0, "")
        refused = server.ctl("pinpad", "enter", "text:2718281828x")
        assert refused.exit_code == 2
        assert "digits, 'cancel' or 'timeout'" in refused.stderr
        assert "2718281828" not in refused.stderr
        missing = server.ctl("pinpad", "enter", "env:NO_SUCH_VARIABLE")
        assert missing.exit_code == 2
        assert "the environment has no variable 'NO_SUCH_VARIABLE'" in missing.stderr


def test_a_snapshot_is_loaded_again(tmp_path: Path) -> None:
    with serving(tmp_path, *BLANK) as server:
        server.told("snapshot", tmp_path / "card.image")
        server.told("load", tmp_path / "card.image")
        result = server.ctl("load", tmp_path / "none")
        assert (result.exit_code, result.stderr) == (
            2,
            f"cardtwin: {tmp_path / 'none'}: No such file or directory\n",
        )

    assert "cardos-5.3" in run("image", "show", tmp_path / "card.image").stdout


def test_what_it_prints_leads_a_shell_to_the_card_and_another_shell_is_told_the_same(tmp_path: Path) -> None:
    with serving(tmp_path, *BLANK) as server:
        assert server.variables["CARDTWIN_CONTROL"] == str(server.socket)
        assert all(
            Path(server.variables[name]).is_socket() for name in ("CARDTWIN_SOCKET", "PCSCLITE_CSOCK_NAME")
        )
        assert ctl("status", **server.variables).stdout.startswith("Emulated reader: cardos-5.3")
        told = server.told("env").splitlines()
        assert {tuple(shlex.split(line)) for line in told} == {
            ("export", f"{name}={value}") for name, value in server.variables.items()
        }


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_as_it_should(tmp_path: Path, number: signal.Signals) -> None:
    with serving(tmp_path, *BLANK) as server:
        server.process.send_signal(number)
        assert server.end() == 0


def test_the_time_ends_it() -> None:
    result = run("serve", *BLANK, "--for", "0")
    assert (result.returncode, result.stderr) == (0, "")
    assert "The card is in the reader 'Emulated reader'." in result.stdout
    assert re.search(r"\n    export CARDTWIN_SOCKET=\S+\n", result.stdout)
    assert re.search(r"\n    cardtwin ctl --socket \S+ status\n", result.stdout)


def test_pins_that_nobody_gave_are_named_and_not_shown() -> None:
    serving_nobody = ("serve", *BLANK, "--profile", "full", "--for", "0")
    assert re.match(
        r"cardtwin: MAN, OP, PIN1, .* are as the profile has them, and shown nowhere",
        run(*serving_nobody).stderr,
    )
    assert run(*serving_nobody, "--secret", "PIN1=271828").stderr == ""


def test_a_card_that_cannot_be_is_told_before_anything_is_printed() -> None:
    result = run("serve", "--card", "cardos-9", "--shell")
    assert (result.returncode, result.stdout) == (2, "")
    assert "there is no card model 'cardos-9'" in result.stderr


def test_a_socket_that_is_taken_is_told(tmp_path: Path) -> None:
    with serving(tmp_path, *BLANK) as server:
        result = run("serve", *BLANK, "--socket", server.socket)
        assert (result.returncode, result.stdout) == (2, "")
        assert "another server is listening there" in result.stderr


def test_no_server_is_told_with_what_to_do(tmp_path: Path) -> None:
    result = ctl("status", CARDTWIN_CONTROL="")
    assert result.exit_code == 2
    assert "CARDTWIN_CONTROL is not set" in result.stderr
    result = ctl("status", CARDTWIN_CONTROL=str(tmp_path / "none"))
    assert (result.exit_code, result.stdout) == (2, "")
    assert f"no server listens at {tmp_path / 'none'}: No such file or directory" in result.stderr
