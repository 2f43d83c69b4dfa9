"""The two commands, in a checkout of their own with interpreters that are played by shell scripts."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]

# Plays Python: makes environments whose pip notes what it installs, with a cardtwin that tells its arguments.
PYTHON = r"""#!/bin/sh
here={here}

case "$1" in
    --version)
        echo Python 3.11 ;;
    -c)
        case "$2" in
            *ensurepip*) exit {without_venv} ;;
            *sys.exit*) exit {too_old} ;;
            *) echo python3.11-venv ;;
        esac ;;
    -)
        exec {real} "$@" ;;
    -m)
        if [ "$2" = venv ]; then
            mkdir -p "$3/bin"
            cp "$0" "$3/bin/python"
        else
            echo "$*" >>"$here/installed"
            [ ! -e "$here/no-index" ] || exit 1
            printf '#!/bin/sh\necho cardtwin "$@" in "$PWD"\n' >"${{0%/*}}/cardtwin"
            chmod +x "${{0%/*}}/cardtwin"
        fi ;;
esac
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A folder with the commands in it."""
    folder = tmp_path / "check out"
    (folder / "tools").mkdir(parents=True)

    for name in ("demo", "check", "pyproject.toml", "tools/environment.sh"):
        shutil.copy(ROOT / name, folder / name)

    for name in ("cat", "chmod", "cp", "dirname", "mkdir", "rm"):
        (tmp_path / name).symlink_to(str(shutil.which(name)))

    return folder


def python(checkout: Path, *, too_old: bool = False, without_venv: bool = False) -> Path:
    """Put a script that plays Python beside the checkout."""
    script = checkout.parent / "python3"
    facts = {"here": f"'{checkout.parent}'", "real": f"'{sys.executable}'"}
    text = PYTHON.format(too_old=int(too_old), without_venv=int(without_venv), **facts)
    script.write_text(text, encoding="utf-8")
    script.chmod(0o755)
    return script


def run(
    checkout: Path, *arguments: str, name: str = "demo", cwd: Path | None = None
) -> subprocess.CompletedProcess[str]:
    command = ["/bin/sh", str(checkout / name), *arguments]
    environment = {"PATH": str(checkout.parent)}
    folder = cwd or checkout
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def installed(checkout: Path) -> list[str]:
    note = checkout.parent / "installed"
    return note.read_text("utf-8").splitlines() if note.exists() else []


def test_the_first_run_makes_an_environment_and_says_so(checkout: Path) -> None:
    python(checkout)
    result = run(checkout)
    assert result.returncode == 0, result.stderr
    assert installed(checkout) == ["-m pip install --editable ."]
    assert "==> Making .venv" in result.stdout
    assert result.stdout.endswith(f"==> cardtwin run scenarios\ncardtwin run scenarios in {checkout}\n")


def test_a_second_run_takes_the_environment_that_is_there(checkout: Path) -> None:
    python(checkout)
    run(checkout)
    result = run(checkout)
    assert len(installed(checkout)) == 1
    assert "Making" not in result.stdout


def test_a_changed_project_makes_it_anew(checkout: Path) -> None:
    python(checkout)
    run(checkout)
    (checkout / "pyproject.toml").write_text("[project]\n", encoding="utf-8")
    run(checkout)
    assert len(installed(checkout)) == 2


def test_the_tests_leave_a_changed_project_to_tox(checkout: Path) -> None:
    python(checkout)
    assert run(checkout, name="check").returncode == 0
    (checkout / "pyproject.toml").write_text("[project]\n", encoding="utf-8")
    run(checkout, name="check")
    assert installed(checkout) == ["-m pip install tox>=4.30,<5"]


def test_the_environments_of_tox_go_when_the_checkout_is_moved(checkout: Path) -> None:
    python(checkout)
    run(checkout, name="check")
    (checkout / ".tox" / "lint").mkdir()
    moved = checkout.rename(checkout.parent / "moved")
    run(moved, name="check")
    assert not (moved / ".tox" / "lint").exists()


def test_a_checkout_that_was_moved_makes_it_anew(checkout: Path) -> None:
    python(checkout)
    run(checkout)
    moved = checkout.rename(checkout.parent / "moved")
    run(moved)
    assert len(installed(moved)) == 2


def test_an_environment_that_was_left_half_made_is_made_anew(checkout: Path) -> None:
    python(checkout)
    (checkout.parent / "no-index").touch()
    result = run(checkout)
    assert result.returncode == 2
    assert "pip could not install --editable ." in result.stderr
    (checkout / ".venv" / "leftover").touch()
    (checkout.parent / "no-index").unlink()
    assert run(checkout).returncode == 0
    assert not (checkout / ".venv" / "leftover").exists()


def test_arguments_are_passed_on_from_where_the_user_is(checkout: Path, tmp_path: Path) -> None:
    python(checkout)
    result = run(checkout, "my files", "--list", cwd=tmp_path)
    assert result.stdout.endswith(f"cardtwin run my files --list in {tmp_path}\n")


def test_a_python_without_venv_is_told_with_the_package_to_install(checkout: Path) -> None:
    python(checkout, without_venv=True)
    result = run(checkout)
    assert result.returncode == 2
    assert "the modules venv and ensurepip are missing" in result.stderr
    assert "apt-get install python3.11-venv" in result.stderr


def test_a_python_that_is_too_old_is_told_with_what_is_needed(checkout: Path) -> None:
    python(checkout, too_old=True)
    result = run(checkout)
    assert result.returncode == 2
    assert "Python 3.11 or later is needed" in result.stderr
    assert "apt-get install python3 python3-venv" in result.stderr
