from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cardtwin.middleware import Ckr, LogFile, MiddlewareError
from cardtwin.middleware.logfile import _printable

if TYPE_CHECKING:
    from pathlib import Path

NOON = datetime(2026, 5, 4, 12, 0, 0, 250_000, UTC)


def log_in(folder: Path | None, program: str = "java.exe") -> LogFile:
    return LogFile(folder, "personal.log", program, lambda: NOON)


def lines(folder: Path) -> list[str]:
    return (folder / "personal.log").read_text(encoding="utf-8").splitlines()


def test_a_line_tells_time_program_operation_reader_and_result(tmp_path: Path) -> None:
    log = log_in(tmp_path / "Personal" / "log")
    log.write("InitTokenPPA", "CKR_OK", reader="R1")
    log.write("Personal.cfg", "warning", detail="odd")

    assert lines(tmp_path / "Personal" / "log") == [
        "2026-05-04T12:00:00.250+00:00 java.exe InitTokenPPA [R1] CKR_OK",
        "2026-05-04T12:00:00.250+00:00 java.exe Personal.cfg warning: odd",
    ]


def test_an_operation_is_logged_once_with_how_it_ended(tmp_path: Path) -> None:
    log = log_in(tmp_path)

    with log.operation("token", "R1"):
        pass

    with pytest.raises(MiddlewareError), log.operation("login", "R1"):
        raise MiddlewareError(Ckr.CKR_PIN_INCORRECT, "the PIN is wrong")

    assert [line.partition(" java.exe ")[2] for line in lines(tmp_path)] == [
        "token [R1] CKR_OK",
        "login [R1] CKR_PIN_INCORRECT: the PIN is wrong",
    ]


def test_of_an_error_that_is_not_expected_only_its_kind_is_told(tmp_path: Path) -> None:
    log = log_in(tmp_path)

    with pytest.raises(ValueError, match="1234"), log.operation("login", "R1"):
        raise ValueError("the PIN is 1234")

    assert lines(tmp_path)[0].endswith("login [R1] CKR_GENERAL_ERROR: ValueError")


def test_without_folder_nothing_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    log_in(None).write("token", "CKR_OK")

    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_is_told_once_and_breaks_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "log").write_text("a file where the folder should be")
    log = log_in(tmp_path / "log")

    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            with log.operation("token", "R1"):
                pass

    assert len(caplog.records) == 1
    assert "personal.log cannot be written" in caplog.text


def test_programs_share_a_file(tmp_path: Path) -> None:
    log_in(tmp_path, "java.exe").write("token", "CKR_OK")
    log_in(tmp_path, "javaw.exe").write("token", "CKR_OK")

    assert [line.split()[1] for line in lines(tmp_path)] == ["java.exe", "javaw.exe"]


@given(st.text(max_size=3000))
def test_whatever_is_told_is_one_printable_line(text: str) -> None:
    shown = _printable(text)

    assert shown.isprintable()
    assert len(shown.splitlines()) <= 1
    assert len(shown) <= 2003 * 10
