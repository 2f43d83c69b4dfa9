"""The benchmark works. How fast anything is, no test says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench import bench_card

if TYPE_CHECKING:
    import pytest


def test_the_benchmark_prints_its_table(capsys: pytest.CaptureFixture[str]) -> None:
    bench_card.main(["--commands", "3", "--rounds", "2"])
    lines = capsys.readouterr().out.splitlines()

    assert lines[0] == "READ BINARY of 256 bytes, best of 2 x 3 commands"
    assert sum(line.startswith("emulated card, ") for line in lines) == 3
    assert sum(line.startswith("peer of vpicc's shape, ") for line in lines) == 3
    assert all(line.endswith("/s") for line in lines[1:])
