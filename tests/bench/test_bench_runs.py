"""The benchmarks work. How fast anything is, no test says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench import bench_card, bench_issuing, bench_pkcs11

if TYPE_CHECKING:
    import pytest


def test_the_benchmark_of_the_card_prints_its_table(capsys: pytest.CaptureFixture[str]) -> None:
    bench_card.main(["--commands", "3", "--rounds", "2"])
    lines = capsys.readouterr().out.splitlines()

    assert lines[0] == "READ BINARY of 256 bytes, best of 2 x 3 commands"
    assert sum(line.startswith("emulated card, ") for line in lines) == 3
    assert sum(line.startswith("peer of vpicc's shape, ") for line in lines) == 3
    assert all(line.endswith("/s") for line in lines[1:])


def test_the_benchmark_of_pkcs11_sets_both_libraries_side_by_side(capsys: pytest.CaptureFixture[str]) -> None:
    bench_pkcs11.main(["--signatures", "4", "--rounds", "1", "--clients", "2"])
    lines = capsys.readouterr().out.splitlines()

    assert lines[0] == "RSA-2048 signatures through python-pkcs11, best of 1 x 4"
    assert [line.rpartition("  ")[0].strip() for line in lines[1:]] == [
        "SoftHSM2, clients: 1",
        "cardtwin, clients: 1",
        "SoftHSM2, clients: 2",
        "cardtwin, clients: 2",
        "C_GetInfo through the library, median",
        "C_GetSessionInfo through the library, median",
        "aim, for either",
    ]


def test_the_benchmark_of_issuing_prints_its_table(capsys: pytest.CaptureFixture[str]) -> None:
    bench_issuing.main(["--encodings", "1", "--cards", "2"])
    lines = capsys.readouterr().out.splitlines()

    assert lines[0] == "1 encodings of each model, batches of 2 cards"
    units = [line.rpartition(" ")[2].lstrip("0123456789.,") for line in lines[1:6]]
    assert units == ["/s", "/s", "/min", "/min", "/min"]
    assert [line.split()[:3] for line in lines[6:]] == [["memory", "after", "2"], ["memory", "after", "8"]]
    assert all(line.endswith(" MiB") for line in lines[6:])
