"""Chips' serial numbers and clients' versions in scenario files."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cardtwin.scenario.loader import load
from cardtwin.source import SourceError

if TYPE_CHECKING:
    from pathlib import Path

SCENARIO = """format: 1
title: t
cards: {C: {model: cardos-5.3, %s}}
readers: {R1: C}
processes: {java.exe: {%s}}
steps: [{get_property: chip_serial, expect: {value: 02087A51000D3C2F}}]
"""


def problems(folder: Path, card: str, process: str = "bits: 32") -> str:
    path = folder / "t.scenario.yaml"
    path.write_text(SCENARIO % (card, process))

    with pytest.raises(SourceError) as caught:
        load(path)

    return str(caught.value)


def test_a_serial_number_of_the_wrong_length_is_told_before_the_run(tmp_path: Path) -> None:
    assert "has 8 bytes, not 2" in problems(tmp_path, "serial: 0102")


def test_an_image_has_a_serial_number_of_its_own(tmp_path: Path) -> None:
    assert "brings its own serial number" in problems(tmp_path, "serial: 02087A51000D3C2F, image: x")


def test_a_version_that_is_none_is_told(tmp_path: Path) -> None:
    assert "'5.x' is no version" in problems(tmp_path, "serial: 02087A51000D3C2F", "version: 5.x")
