"""What the environment ``coverage`` does with what others have left."""

from __future__ import annotations

import subprocess
from configparser import ConfigParser
from pathlib import Path

import pytest

import check_coverage

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The commands that would have been started; none is."""
    commands: list[list[str]] = []

    def note(command: list[str], **_: object) -> object:
        commands.append(command)
        return type("Completed", (), {"returncode": 1})()

    monkeypatch.setattr(subprocess, "run", note)
    return commands


def left(folder: Path, *environments: str) -> Path:
    for environment in environments:
        (folder / f"{environment}.json").touch()

    return folder


def test_every_file_is_counted_and_its_status_is_the_commands(
    tmp_path: Path, started: list[list[str]]
) -> None:
    folder = left(tmp_path, "scenarios", "py311", "py313", "interop", "bench")
    assert check_coverage.main([str(folder)]) == 1
    (command,) = started
    assert command[:2] == ["cardtwin", "coverage"]
    assert [Path(word).stem for word in command if word.endswith(".json")] == [
        "scenarios", "py311", "py313", "interop",
    ]  # fmt: skip
    assert command[-1] == "--complete"


@pytest.mark.parametrize(
    ("there", "told"),
    [
        (("py311", "interop"), "tox -e scenarios,"),
        (("scenarios", "py313"), "tox -e interop,"),
        (("scenarios", "interop"), "tox -e py3"),
        ((), "tox -e scenarios,py3"),
    ],
)
def test_what_has_to_be_run_first_is_told(
    tmp_path: Path,
    started: list[list[str]],
    capsys: pytest.CaptureFixture[str],
    there: tuple[str, ...],
    told: str,
) -> None:
    assert check_coverage.main([str(left(tmp_path, *there))]) == 2
    assert started == []
    assert told in capsys.readouterr().err


def test_the_environments_that_are_counted_write_their_files() -> None:
    settings = ConfigParser(interpolation=None)
    settings.read(ROOT / "tox.ini", encoding="utf-8")
    written = "pytest --cardtwin-proved={work_dir}{/}proved{/}{env_name}.json "

    for section in ("testenv", "testenv:scenarios", "testenv:interop"):
        assert settings[section]["commands"].startswith(written)

    assert settings["testenv:coverage"]["commands"].endswith("{work_dir}{/}proved")
    assert settings["tox"]["env_list"].endswith("coverage")
