"""Other people's programs as subprocesses, above an emulated card on a socket of its own."""

from __future__ import annotations

import os
import pty
import select
import shutil
import subprocess
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from cardtwin.card import CardImage, EmulatedCard, models
from cardtwin.entropy import SystemEntropy
from cardtwin.events import Defect, Event, Exchange, Hub
from cardtwin.readers import ReaderManager
from cardtwin.readers.pcsclite import PcscLiteServer
from cardtwin.sockets import private_directory

if TYPE_CHECKING:
    from collections.abc import Iterator

READER = "Emulated reader"
TIMEOUT = 60

PACKAGES = {
    "cardos-tool": "opensc",
    "cc": "gcc",
    "certtool": "gnutls-bin",
    "certutil": "libnss3-tools",
    "cmsutil": "libnss3-tools",
    "gids-tool": "opensc",
    "java": "default-jdk-headless",
    "javac": "default-jdk-headless",
    "keytool": "default-jdk-headless",
    "modutil": "libnss3-tools",
    "opensc-explorer": "opensc",
    "opensc-tool": "opensc",
    "openssl": "openssl",
    "p11-kit": "p11-kit",
    "p11tool": "gnutls-bin",
    "pdftotext": "poppler-utils",
    "pkcs11-tool": "opensc",
    "pkcs15-crypt": "opensc",
    "pkcs15-init": "opensc",
    "pkcs15-tool": "opensc",
    "softhsm2-util": "softhsm2",
    "ssh-add": "openssh-client",
    "ssh-agent": "openssh-client",
    "ssh-keygen": "openssh-client",
    "tshark": "tshark",
}
"""Which Debian package a program comes from."""

LIBRARIES = {
    "libpcsclite.so.1": "libpcsclite1",
    "p11-kit-proxy.so": "p11-kit",
    "pkcs11-spy.so": "opensc",
    "libsofthsm2.so": "softhsm2",
}
"""Which Debian package brings a library, in one that it needs, that others load as a PKCS#11 library."""

SHORT = "app default { reader_driver pcsc { max_send_size = 255; max_recv_size = 256; } }\n"
EXTENDED = "app default { reader_driver pcsc { max_send_size = 65535; max_recv_size = 65536; } }\n"


class MissingProgramError(Exception):
    """A program, or a library, that the test needs isn't installed."""


def program(name: str) -> str:
    """Return where a program is; its absence is an error, not a reason to skip."""
    path = shutil.which(name)

    if path is None:
        raise MissingProgramError(f"{name} is not installed; it comes with the package {PACKAGES[name]!r}")

    return path


def shared_library(name: str) -> str:
    """Return where a library is that others load as a PKCS#11 library; its absence is an error."""
    roots = (Path("/usr/lib"), Path("/usr/lib64"), Path("/usr/local/lib"))
    found = (
        path
        for root in roots
        for pattern in (name, f"*/{name}", f"*/pkcs11/{name}")
        for path in root.glob(pattern)
    )
    path = next(found, None)

    if path is None:
        raise MissingProgramError(f"{name} is not installed; it comes with the package {LIBRARIES[name]!r}")

    return str(path)


lengths = pytest.mark.parametrize(
    "config", [pytest.param(SHORT, id="short"), pytest.param(EXTENDED, id="extended")]
)
"""Runs a test without and with extended length."""


@dataclass
class Desk:
    """A reader on a socket, perhaps with a card, and programs that use it from a folder of their own."""

    folder: Path
    server: PcscLiteServer
    manager: ReaderManager
    hub: Hub
    config: str = SHORT
    events: list[Event] = field(default_factory=list)

    def insert(self, model: str, image: CardImage | None = None) -> EmulatedCard:
        """Put a card of that model into the reader, empty or with that image."""
        card = EmulatedCard(
            models.get(model), image=image, entropy=SystemEntropy(), hub=self.hub, reader=READER
        )
        self.manager.insert(READER, card)
        return card

    @property
    def environment(self) -> dict[str, str]:
        """The environment of the programs: our socket, their own home and configuration, plain English."""
        config = self.folder / "opensc.conf"
        config.write_text(self.config)
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder),
            "LC_ALL": "C",
            "OPENSC_CONF": str(config),
            **self.server.environment,
        }

    def start(self, name: str, *arguments: str) -> subprocess.Popen[str]:
        """Start a program; the caller waits for it."""
        return subprocess.Popen(
            [program(name), *arguments],
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, name: str, *arguments: str, succeeds: bool = True) -> str:
        """Run a program to its end and return what it printed; whether it succeeds is checked."""
        with self.start(name, *arguments) as process:
            try:
                output, _ = process.communicate(timeout=TIMEOUT)
            except subprocess.TimeoutExpired:
                process.kill()
                raise

        assert (process.returncode == 0) == succeeds, f"{name} returned {process.returncode}:\n{output}"
        return output

    def ask(self, name: str, *arguments: str, told: str) -> str:
        """Run a program that asks, with its output on a terminal, and return what it printed there.

        OpenSC's programs read the answer from their standard input, after they have found a terminal at their
        output.
        """
        terminal, other_end = pty.openpty()
        command = [program(name), *arguments]
        streams = {"stdin": subprocess.PIPE, "stdout": other_end, "stderr": other_end}

        with subprocess.Popen(command, cwd=self.folder, env=self.environment, **streams) as process:  # type: ignore[call-overload]  # streams are what it takes
            os.close(other_end)
            process.stdin.write(told.encode())
            process.stdin.close()
            output = _all_of(terminal)

            if output is None:
                process.kill()

        assert output is not None, f"{name} still waits after {TIMEOUT} s"
        assert process.returncode == 0, f"{name} returned {process.returncode}:\n{output}"
        return output

    def verified(self, digest: str, key: str, signature: str, message: str) -> bool:
        """Let OpenSSL verify a signature."""
        arguments = ("dgst", f"-{digest}", "-verify", key, "-signature", signature, message)
        return "Verified OK" in self.run("openssl", *arguments)

    @property
    def commands(self) -> list[bytes]:
        """The commands that the card got."""
        return [event.command for event in self.events if isinstance(event, Exchange)]

    def check(self) -> None:
        """Raise if the card had a bug to report."""
        defects = [event for event in self.events if isinstance(event, Defect)]
        assert not defects, defects[0].detail


def _all_of(terminal: int) -> str | None:
    """Return what is written to a terminal until nobody has its other end open; None if that takes long."""
    output = b""

    with os.fdopen(terminal, "rb", buffering=0) as reader:
        while select.select([reader], [], [], TIMEOUT)[0]:
            try:
                more = reader.read(4096)
            except OSError:  # Linux's way to tell that the other end is closed
                return output.decode()

            if not more:
                return output.decode()

            output += more

    return None


@contextmanager
def opened_desk(folder: Path) -> Iterator[Desk]:
    """Open a desk with an empty reader."""
    hub = Hub()
    manager = ReaderManager(hub)
    manager.add_reader(READER)

    with private_directory() as sockets, PcscLiteServer(manager, sockets / "pcscd") as server:
        desk = Desk(folder, server, manager, hub)
        hub.subscribe(desk.events.append)
        yield desk
        desk.check()
