"""GnuPG's smart card daemon as a subprocess, spoken to over its pipe by the Assuan protocol."""

from __future__ import annotations

import subprocess
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING
from urllib.parse import unquote_to_bytes

from support.interop import TIMEOUT, MissingProgramError, shared_library

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.interop import Desk

_PROGRAM = Path("/usr/lib/gnupg/scdaemon")
_CONFIGURATION = "disable-ccid\npcsc-driver {driver}\nlog-file {log}\n"
LOG = "scdaemon.log"
"""The daemon's log, in the desk's folder."""


class AssuanError(Exception):
    """The daemon answered ERR; the message is its own."""


class Scdaemon:
    """A conversation with the daemon.

    Attributes:
        pin: What it is told when it asks for a PIN.
    """

    def __init__(self, stdin: IO[bytes], stdout: IO[bytes], pin: str) -> None:
        self._stdin = stdin
        self._stdout = stdout
        self.pin = pin
        self._answer()

    def command(self, line: str) -> tuple[list[str], bytes]:
        """Send a command; return the status lines and the data that it is answered with.

        Raises:
            AssuanError: It is refused.
        """
        self._send(line)
        return self._answer()

    def _send(self, line: str) -> None:
        self._stdin.write(f"{line}\n".encode())
        self._stdin.flush()

    def _answer(self) -> tuple[list[str], bytes]:
        status: list[str] = []
        data = b""

        while True:
            kind, _, rest = self._stdout.readline().rstrip(b"\n").partition(b" ")

            match kind:
                case b"D":
                    data += unquote_to_bytes(rest)
                case b"S":
                    status.append(rest.decode())
                case b"INQUIRE":
                    self._send(f"D {self.pin}%00")
                    self._send("END")
                case b"OK":
                    return status, data
                case _:
                    raise AssuanError(f"{kind.decode()} {rest.decode()}")


@contextmanager
def opened_scdaemon(desk: Desk, *, pin: str = "", more: str = "") -> Iterator[Scdaemon]:
    """Run a daemon for the card at a desk, with a home of its own.

    Args:
        desk: Whose reader it uses.
        pin: What it is told when it asks for a PIN.
        more: Lines of its configuration.

    Raises:
        MissingProgramError: It isn't installed.
    """
    if not _PROGRAM.exists():
        raise MissingProgramError("scdaemon is not installed; it comes with the package 'scdaemon'")

    home = desk.folder / "gnupg"
    home.mkdir(mode=0o700, exist_ok=True)
    driver = shared_library("libpcsclite.so.1")
    (home / "scdaemon.conf").write_text(_CONFIGURATION.format(driver=driver, log=desk.folder / LOG) + more)

    with subprocess.Popen(
        [_PROGRAM, "--homedir", str(home), "--server"],
        cwd=desk.folder,
        env=desk.environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None

        try:
            yield Scdaemon(process.stdin, process.stdout, pin)
        finally:
            process.stdin.close()

            try:
                process.wait(TIMEOUT)
            except subprocess.TimeoutExpired:
                process.kill()
                raise
