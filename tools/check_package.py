"""Builds the distributions, looks into them, and tries the wheel in an environment of its own.

Usage: ``python tools/check_package.py FOLDER``; the folder is emptied first. Exit status 0 if all is well.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
import venv
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

CONSUMER = '''\
"""A typed program of somebody else's, above the installed package."""

from cardtwin.cli import PASSED
from cardtwin.iso7816 import CommandApdu
from cardtwin.plugin import ScenarioFile
from cardtwin.scenario import load

reveal_type(PASSED)
reveal_type(CommandApdu.parse(b"").data)
reveal_type(ScenarioFile.collect)
reveal_type(load)
'''


ARGUMENTS_BAD = 7
LIBRARY = "cardtwin/cryptoki/native/libcardtwin-pkcs11.so"


class PackageError(Exception):
    """The package is not as it has to be."""


def main() -> int:
    """Run the checks."""
    folder = Path(sys.argv[1]).resolve()
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)

    try:
        _run(sys.executable, "-m", "build", "--no-isolation", "--outdir", folder, ROOT)
        wheel, sdist = _only(folder, "*.whl"), _only(folder, "*.tar.gz")
        check_sdist(sdist)
        check_wheel(wheel)
        check_platform(wheel)
        check_without_compiler(folder / "pure")
        check_installed(wheel, folder / "environment")
    except (PackageError, subprocess.CalledProcessError) as error:
        print(f"check_package: {error}", file=sys.stderr)
        return 1

    print("check_package: wheel and source distribution are as they have to be")
    return 0


def check_wheel(wheel: Path) -> None:
    """Hold the wheel against the tree: every file of both roots, and nothing else."""
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}

    expected = {
        path.relative_to(root).as_posix()
        for root in (ROOT / "simulator", ROOT / "harness")
        for path in root.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    expected |= {f"cardtwin/ppa/profiles/{path.name}" for path in (ROOT / "profiles").iterdir()}
    expected.discard(LIBRARY)

    if not wheel.name.endswith("-none-any.whl"):
        expected.add(LIBRARY)

    _same("wheel", names, expected)


def check_platform(wheel: Path) -> None:
    """See that the PKCS#11 library is in the wheel, where it can be compiled."""
    if shutil.which("cc") and wheel.name.endswith("-none-any.whl"):
        raise PackageError(f"there is a C compiler, and {wheel.name} has no library")


def check_without_compiler(folder: Path) -> None:
    """See that the wheel is made without the library where there is no C compiler."""
    build = [sys.executable, "-m", "build", "--no-isolation", "--wheel", "--outdir", str(folder), str(ROOT)]
    subprocess.run(build, check=True, env={**os.environ, "CC": str(folder / "no-compiler")})
    check_wheel(_only(folder, "*-py3-none-any.whl"))


def check_sdist(sdist: Path) -> None:
    """See that the source distribution holds what a packager needs, and no working files."""
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}

    needed = {
        "LICENSE",
        "README.md",
        "CHANGELOG.md",
        "pyproject.toml",
        "tox.ini",
        "check",
        "demo",
        "hatch_build.py",
        "docs/index.md",
    }

    if missing := needed - names:
        raise PackageError(f"the source distribution lacks {', '.join(sorted(missing))}")

    if strays := {name for name in names if name.startswith((".tox", ".venv", ".git/"))}:
        raise PackageError(f"the source distribution holds {min(strays)}")


def check_installed(wheel: Path, environment: Path) -> None:
    """Install the wheel alone; see that its command, its types and its pytest plugin work."""
    venv.create(environment, with_pip=True)
    binaries = environment / ("Scripts" if os.name == "nt" else "bin")
    _run(binaries / "python", "-m", "pip", "install", "--quiet", wheel)
    version = _output(binaries / "cardtwin", "--version", cwd=environment)

    if wheel.name.split("-")[1] not in version:
        raise PackageError(f"cardtwin --version says {version!r}, the wheel is {wheel.name}")

    for stray in ("simulator", "harness", "tools", "tests"):
        if next(environment.glob(f"lib*/python*/site-packages/{stray}"), None):
            raise PackageError(f"the wheel puts a top-level {stray!r} into site-packages")

    plugins = _output(
        binaries / "python", "-m", "pytest", "--trace-config", "--collect-only", cwd=environment
    )

    if "PLUGIN registered: <module 'cardtwin.plugin'" not in plugins:
        raise PackageError("pytest does not load the plugin")

    _run(binaries / "cardtwin", "exec", "--card", "cardos-5.3", "--profile", "full", "--", "true")

    if not wheel.name.endswith("-none-any.whl"):
        check_library(environment, binaries)

    check_types(environment, binaries)


def check_library(environment: Path, binaries: Path) -> None:
    """See that the PKCS#11 library can be loaded from where the package says it is."""
    code = (
        "import ctypes; from cardtwin.cryptoki.native import library_path;"
        "print(ctypes.CDLL(library_path()).C_GetFunctionList(None))"
    )
    told = _output(binaries / "python", "-c", code, cwd=environment)

    if told.strip() != str(ARGUMENTS_BAD):
        raise PackageError(f"the library does not load:\n{told}")


def check_types(environment: Path, binaries: Path) -> None:
    """See that mypy finds the package's types where it is installed."""
    program = environment / "consumer.py"
    program.write_text(CONSUMER, encoding="utf-8")
    mypy = [sys.executable, "-m", "mypy", "--strict", "--python-executable", str(binaries / "python")]
    told = _output(*mypy, "--cache-dir", str(environment / "cache"), program.name, cwd=environment)

    if told.count("Revealed type is") != CONSUMER.count("reveal_type") or '"Any"' in told:
        raise PackageError(f"mypy does not see the installed package's types:\n{told}")


def _same(what: str, names: set[str], expected: set[str]) -> None:
    if missing := expected - names:
        raise PackageError(f"the {what} lacks {', '.join(sorted(missing))}")

    if strays := names - expected:
        raise PackageError(f"the {what} holds {', '.join(sorted(strays))}, which no source root has")


def _only(folder: Path, pattern: str) -> Path:
    found = list(folder.glob(pattern))

    if len(found) != 1:
        raise PackageError(f"{len(found)} files {pattern} were built")

    return found[0]


def _run(*command: str | Path) -> None:
    subprocess.run(command, check=True)


def _output(*command: str | Path, cwd: Path) -> str:
    run = subprocess.run(
        command, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    return run.stdout


if __name__ == "__main__":
    sys.exit(main())
