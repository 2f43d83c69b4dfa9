"""The system's pcscd, started for one test: on a socket of its own, with vpcd on ports of its own."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cardtwin.sockets import listen, private_directory
from support.interop import MissingProgramError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

DRIVER = "/usr/lib/pcsc/drivers/serial/libifdvpcd.so"
DAEMON = "/usr/sbin/pcscd"
READERS = ("Virtual PCD 00 00", "Virtual PCD 00 01")
WAIT = """
import sys
from smartcard.Exceptions import NoCardException
from smartcard.System import readers
from smartcard.scard import *
_, context = SCardEstablishContext(SCARD_SCOPE_USER)
names = SCardListReaders(context, [])[1]
state = {"present": SCARD_STATE_PRESENT, "empty": SCARD_STATE_EMPTY}[sys.argv[2]]
known = SCARD_STATE_UNAWARE
while True:
    rv, states = SCardGetStatusChange(context, 20000, [(sys.argv[1], known)])
    assert rv == SCARD_S_SUCCESS, SCardGetErrorMessage(rv)
    known = states[0][1]
    if known & state:
        break
"""
"""A program that waits until a reader (first argument) is in a state (second one): present or empty."""

_CONFIGURATION = """FRIENDLYNAME "Virtual PCD"
DEVICENAME /dev/null:{port:#x}
LIBPATH {driver}
CHANNELID {port:#x}
"""

# A daemon that systemd starts takes its socket as descriptor 3, and looks for no other daemon.
_START = """import os, sys
os.dup2(int(sys.argv[1]), 3)
os.environ |= {"LISTEN_FDS": "1", "LISTEN_PID": str(os.getpid())}
os.execv(sys.argv[2], sys.argv[2:])
"""


@dataclass
class Daemon:
    """A pcscd.

    Attributes:
        port: Of vpcd's first slot; the second one has the next port.
        environment: What leads programs to this daemon.
        folder: Its own.
        log: Where it writes what it does, with all APDUs; nowhere if not given.
    """

    port: int
    environment: Mapping[str, str]
    folder: Path
    log: Path | None = None
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it; who connects meanwhile waits until it is ready."""
        with listen(self.folder / "pcscd") as listener, open(self.log or os.devnull, "ab") as output:
            descriptor = listener.fileno()
            os.set_inheritable(descriptor, True)  # noqa: FBT003  # os.set_inheritable takes it by place
            command = [DAEMON, "--foreground", "--config", str(self.folder / "readers")]
            command += ["--debug", "--apdu"] if self.log else []
            self.process = subprocess.Popen(
                [sys.executable, "-c", _START, str(descriptor), *command],
                close_fds=False,
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    def stop(self) -> None:
        """End it."""
        process, self.process = self.process, None

        if process is not None:
            process.kill()
            process.wait()


@contextmanager
def started_daemon(log: Path | None = None) -> Iterator[Daemon]:
    """Start a pcscd, and end it; `log` is where it writes what it does."""
    missing = next((path for path in (DAEMON, DRIVER) if not os.path.exists(path)), None)

    if missing:
        raise MissingProgramError(f"{missing} is not there; install pcscd and vsmartcard-vpcd")

    with private_directory() as folder:
        port = _two_ports()
        (folder / "readers").mkdir()
        (folder / "readers" / "vpcd").write_text(_CONFIGURATION.format(port=port, driver=DRIVER))
        daemon = Daemon(port, {"PCSCLITE_CSOCK_NAME": str(folder / "pcscd")}, folder, log)
        daemon.start()

        try:
            yield daemon
        finally:
            daemon.stop()


def _two_ports() -> int:
    """Return a free port whose successor is free as well."""
    while True:
        with socket.create_server(("", 0)) as first:
            port: int = first.getsockname()[1]

            try:
                socket.create_server(("", port + 1)).close()
            except (OSError, OverflowError):
                continue

            return port
