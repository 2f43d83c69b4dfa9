from __future__ import annotations

import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

import cardtwin.targets
from support.fake_target import FakeTarget
from support.pytests import Run, runner_in

Write = Callable[..., Path]


@pytest.fixture
def scenario(tmp_path: Path) -> Write:
    """Write a scenario file: the steps, and keys that replace or add to a small head."""

    def write(steps: str, *, name: str = "demo", **keys: str) -> Path:
        head = {"format": "1", "title": "A demonstration", "readers": "{R1: cardos-4.4}", **keys}
        lines = [f"{key}: {value}" for key, value in head.items() if value]
        path = tmp_path / f"{name}.scenario.yaml"
        path.write_text("\n".join(lines) + "\nsteps:\n" + textwrap.indent(textwrap.dedent(steps), "  "))
        return path

    return write


@pytest.fixture
def target(monkeypatch: pytest.MonkeyPatch) -> FakeTarget:
    """Put a card that answers from a table in the place of the emulated target."""
    fake = FakeTarget({"00A4000C023F00": "9000", "0084000004": "010203049000", "00200001": "63C2"})
    monkeypatch.setitem(cardtwin.targets._TARGETS, "emulated", lambda: fake)
    return fake


@pytest.fixture
def run_pytest(tmp_path: Path) -> Run:
    """Run pytest in the test's folder."""
    return runner_in(tmp_path)
