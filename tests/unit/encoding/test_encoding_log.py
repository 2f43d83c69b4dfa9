from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from cardtwin.encoding import Engine
from cardtwin.middleware import ENCODER_LOG, Ckr, LogFile, MiddlewareError
from cardtwin.plan import Secret
from cardtwin.source import SourceError
from support.encodings import FakeMiddleware, job

if TYPE_CHECKING:
    from pathlib import Path

NOON = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
INIT = "InitToken=true\nChipProfile=token.cpf\nInitialPUK=PUK\nICCSN=F\n"
VALUES: dict[str, str | Secret | None] = {"PUK": Secret.of("31415926"), "F": ""}


def written(folder: Path, error: Exception | None = None, settings: str = INIT) -> list[str]:
    """Run an encoding, and return what the log says after the program's name."""
    middleware = FakeMiddleware()
    middleware.failure = error
    engine = Engine(middleware, log=LogFile(folder, ENCODER_LOG, "java.exe", lambda: NOON))

    try:
        engine.run(job(settings, VALUES, read="F"))
    finally:
        lines = (folder / "jpki_encoder.log").read_text(encoding="utf-8").splitlines()

    return [line.partition(" java.exe ")[2] for line in lines]


def test_commands_and_the_end_of_an_encoding_are_logged(tmp_path: Path) -> None:
    lines = written(tmp_path)

    assert lines[0].startswith("check ")
    assert " success" in lines[0]
    assert lines[1:] == [
        "InitToken [Reader 1] success",
        "ICCSN [Reader 1] success",
        "encoding [Reader 1] success",
    ]


def test_a_failure_is_logged_with_its_return_value_and_nothing_after_it(tmp_path: Path) -> None:
    lines = written(tmp_path, MiddlewareError(Ckr.CKR_DEVICE_REMOVED, "the card is gone"))

    assert lines[1:] == ["encoding [Reader 1] error: CKR_DEVICE_REMOVED: the card is gone"]


def test_a_refused_description_is_logged_by_rule_and_place_alone(tmp_path: Path) -> None:
    with pytest.raises(SourceError):
        written(tmp_path, settings="InitToken=true\nInitialPUK=#31415926\nPIN=#271828\nSignPUK=#271828\n")

    text = (tmp_path / "jpki_encoder.log").read_text(encoding="utf-8")
    assert " refused: " in text
    assert text.count("\n") == 1
    assert not [secret for secret in ("31415926", "271828") if secret in text]


def test_without_log_the_encoding_is_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    assert Engine(FakeMiddleware()).run(job(INIT, VALUES, read="F")).succeeded
    assert list(tmp_path.iterdir()) == []
