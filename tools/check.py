"""Runs the tests: looks for interpreters and system packages, then hands over to tox.

Exit status: 0 all passed, 1 something failed, 2 something needed is missing.
"""

from __future__ import annotations

import argparse
import ctypes.util
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

ROOT = Path(__file__).resolve().parent.parent
VERSIONS = ("3.11", "3.12", "3.13")
_PCSC_HEADERS = "-I/usr/include/PCSC"
_VPCD = Path("/usr/lib/pcsc/drivers/serial/libifdvpcd.so")
QUICK = ("lint", "type", "package")
WATCHED = {"3.12", "3.13"}
"""Where Python tells which code is run: the sabotages need that."""


@dataclass(frozen=True, slots=True)
class SystemPackage:
    """A Debian package, and how to tell whether what is needed of it is there."""

    name: str
    what_for: str
    present: Callable[[], bool]


def _command(name: str) -> Callable[[], bool]:
    return lambda: shutil.which(name) is not None


def _compiles(include: str, flags: Sequence[str] = ()) -> Callable[[], bool]:
    """Return a check that a C program which includes that header compiles."""

    def check() -> bool:
        compiler = shutil.which("cc")

        if compiler is None:
            return False

        with tempfile.TemporaryDirectory() as folder:
            source = Path(folder, "check.c")
            source.write_text(f"#include <{include}>\n", encoding="ascii")
            command = [compiler, *flags, "-c", str(source), "-o", str(source.with_suffix(".o"))]
            return subprocess.run(command, capture_output=True, check=False).returncode == 0

    return check


def _has_engine() -> bool:
    """Whether OpenSSL has the engine for PKCS#11 libraries."""
    openssl = shutil.which("openssl")
    return (
        openssl is not None
        and subprocess.run([openssl, "engine", "pkcs11"], capture_output=True, check=False).returncode == 0
    )


def system_packages() -> tuple[SystemPackage, ...]:
    """Return what the tests need of the system; pyscard is compiled, having no wheels for Linux."""
    headers = sysconfig.get_path("include")
    return (
        SystemPackage("opensc", "the third opinion on the card", _command("pkcs15-tool")),
        SystemPackage("openssl", "the second opinion on signatures", _command("openssl")),
        SystemPackage("scdaemon", "GnuPG's opinion on the card", Path("/usr/lib/gnupg/scdaemon").exists),
        SystemPackage("gnutls-bin", "a client of the PKCS#11 library", _command("p11tool")),
        SystemPackage("poppler-utils", "the second opinion on PIN letters", _command("pdftotext")),
        SystemPackage("p11-kit", "a client of the PKCS#11 library", _command("p11-kit")),
        SystemPackage("libnss3-tools", "a client of the PKCS#11 library", _command("modutil")),
        SystemPackage("openssh-client", "a client of the PKCS#11 library", _command("ssh-agent")),
        SystemPackage("default-jdk-headless", "a client of the PKCS#11 library", _command("javac")),
        SystemPackage("libengine-pkcs11-openssl", "a client of the PKCS#11 library", _has_engine),
        SystemPackage("softhsm2", "how fast another PKCS#11 library signs", _command("softhsm2-util")),
        SystemPackage("tshark", "a reader of exported traces", _command("tshark")),
        SystemPackage("pcscd", "the system's own resource manager", Path("/usr/sbin/pcscd").exists),
        SystemPackage("vsmartcard-vpcd", "a virtual reader in pcscd", _VPCD.exists),
        SystemPackage("libpcsclite1", "PC/SC", lambda: ctypes.util.find_library("pcsclite") is not None),
        SystemPackage("gcc", "compiling pyscard and the PKCS#11 library", _command("cc")),
        SystemPackage("g++", "using the PKCS#11 library's header from C++", _command("c++")),
        SystemPackage("libc6-dev", "compiling pyscard and the PKCS#11 library", _compiles("stdlib.h")),
        SystemPackage("pkg-config", "compiling pyscard", _command("pkg-config")),
        SystemPackage("libpcsclite-dev", "compiling pyscard", _compiles("PCSC/winscard.h", [_PCSC_HEADERS])),
        SystemPackage(
            f"python{sys.version_info.major}.{sys.version_info.minor}-dev",
            "compiling pyscard",
            _compiles("Python.h", [f"-I{headers}"]),
        ),
    )


def say(text: str) -> None:
    """Tell what is being done."""
    print(f"==> {text}", flush=True)


def interpreters() -> dict[str, Path]:
    """Return an interpreter for each version that is on PATH, or where pyenv keeps them."""
    found = {f"{sys.version_info.major}.{sys.version_info.minor}": Path(sys.executable)}

    for version in VERSIONS:
        on_path = shutil.which(f"python{version}")
        kept = sorted(_pyenv().glob(f"versions/{version}.*/bin/python{version}"))
        candidates = [Path(on_path)] if on_path else []
        works = next((path for path in (*candidates, *reversed(kept)) if _is_version(path, version)), None)

        if works:
            found.setdefault(version, works)

    return found


def _pyenv() -> Path:
    return Path(os.environ.get("PYENV_ROOT") or Path("~/.pyenv").expanduser())


def _is_version(path: Path, version: str) -> bool:
    code = "import ensurepip, sys, venv; print('%d.%d' % sys.version_info[:2])"
    run = subprocess.run([path, "-c", code], capture_output=True, text=True, check=False)
    return run.returncode == 0 and run.stdout.strip() == version


def install(missing: Sequence[SystemPackage]) -> bool:
    """Install packages with apt, as root or by sudo; returns whether that was possible."""
    names = [package.name for package in missing]
    apt = shutil.which("apt-get")
    sudo: list[str] = [] if os.geteuid() == 0 else ["sudo", "-n"]

    if apt is None or (sudo and not _may_sudo()):
        return False

    say(f"Installing {' '.join(names)}")
    quiet = [*sudo, "env", "DEBIAN_FRONTEND=noninteractive", apt, "-q", "-y"]
    subprocess.run([*quiet, "update"], check=False)
    return subprocess.run([*quiet, "install", "--no-install-recommends", *names], check=False).returncode == 0


def _may_sudo() -> bool:
    sudo = shutil.which("sudo")
    return (
        sudo is not None
        and subprocess.run([sudo, "-n", "true"], capture_output=True, check=False).returncode == 0
    )


def provide_packages() -> bool:
    """See to it that the system packages are there; says which are missing where it cannot."""
    missing = [package for package in system_packages() if not package.present()]

    if not missing:
        return True

    if install(missing) and all(package.present() for package in missing):
        return True

    for package in missing:
        print(f"./check: missing: {package.name} ({package.what_for})", file=sys.stderr)

    names = " ".join(package.name for package in missing)
    print(f"./check: install them first, on Debian and Ubuntu: apt-get install {names}", file=sys.stderr)
    return False


def environments(found: Iterable[str]) -> list[str]:
    """Return the tox environments in the order in which they run.

    Unit tests run on the oldest Python and on the newest: what is there in both is there in between. What
    lies between runs the scenarios, and the programs of others, where the interpreter matters most.
    """
    versions = sorted(found, key=_by_number, reverse=True)
    outer = dict.fromkeys((versions[0], versions[-1]))
    sabotage = ["sabotage"] if WATCHED.intersection(versions) else []
    return [
        *QUICK,
        *(f"py{version.replace('.', '')}" for version in outer),
        "scenarios",
        *sabotage,
        "interop",
        "bench",
        "coverage",
    ]


def _by_number(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="./check", description="Runs every test, linter and type check.")
    parser.add_argument("environment", nargs="*", help="tox environment, such as lint; default: all")
    chosen = parser.parse_args(arguments).environment
    started = time.monotonic()
    found = interpreters()
    absent = [version for version in VERSIONS if version not in found]

    if absent and not chosen:
        say(f"Not here, so not tested: Python {', '.join(absent)}")

        if os.environ.get("CI") == "true":
            print("./check: with CI=true, every supported Python has to be there", file=sys.stderr)
            return 2

    if ("interop" in chosen or not chosen) and not provide_packages():
        return 2

    names = chosen or environments(found)
    say(f"tox: {' '.join(names)}")
    discover = ["--discover", *map(str, found.values())]
    command = [sys.executable, "-m", "tox", "run", *discover, "-e", ",".join(names)]
    thorough = {"CARDTWIN_THOROUGH": max(found, key=_by_number)}
    status = subprocess.run(command, cwd=ROOT, env=os.environ | thorough, check=False).returncode
    minutes, seconds = divmod(round(time.monotonic() - started), 60)
    say(f"{'passed' if status == 0 else 'FAILED'} after {minutes} min {seconds} s")
    return min(status, 1)


if __name__ == "__main__":
    sys.exit(main())
