"""The benchmark of the readers works, with pcscd, vpcd and pyscard. How fast anything is, no test says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench import bench_readers

if TYPE_CHECKING:
    import pytest


def test_the_benchmark_of_the_readers_sets_all_places_side_by_side(
    capsys: pytest.CaptureFixture[str],
) -> None:
    bench_readers.main(["--commands", "2", "--rounds", "1"])
    lines = capsys.readouterr().out.splitlines()

    assert lines[0] == "READ BINARY of 256 bytes through pyscard, median of 1 x 2 commands"
    assert [line[:52].strip() for line in lines[1:]] == [
        "our socket, emulated card",
        "pcscd and vpcd, emulated card",
        "pcscd and vpcd, a responder in C",
        "pcscd and vpcd, one in Python, acknowledging late",
        "aim, our socket",
        "pcscd and vpcd, of what the responder in C gets",
        "aim",
        "in memory: emulated card, in a reader, recorded",
    ]
