from __future__ import annotations

import hashlib
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cardtwin.entropy import Entropy, SeededEntropy, SystemEntropy

SOURCES = [SystemEntropy(), SeededEntropy("seed")]


@given(st.text(), st.text(), st.lists(st.integers(0, 300), max_size=8))
def test_a_seeded_stream_is_the_same_however_it_is_cut(seed: str, label: str, sizes: list[int]) -> None:
    cut = SeededEntropy(seed, label)
    pieces = b"".join(cut.bytes(size) for size in sizes)
    assert pieces == SeededEntropy(seed, label).bytes(sum(sizes))


def test_a_seeded_stream_is_shake_256_in_counter_mode() -> None:
    key = b"cardtwin entropy\0seed\0label\0"
    blocks = [hashlib.shake_256(key + number.to_bytes(8)).digest(256) for number in range(2)]
    assert SeededEntropy("seed", "label").bytes(512) == b"".join(blocks)


def test_another_seed_or_label_is_another_stream() -> None:
    streams = {SeededEntropy(*names).bytes(16) for names in [("a", ""), ("b", ""), ("a", "x"), ("a", "y")]}
    assert len(streams) == 4


@pytest.mark.parametrize("entropy", SOURCES, ids=["system", "seeded"])
def test_as_many_bytes_come_as_were_asked_for(entropy: Entropy) -> None:
    assert [len(entropy.bytes(count)) for count in (0, 1, 257)] == [0, 1, 257]


@pytest.mark.parametrize("entropy", SOURCES, ids=["system", "seeded"])
@pytest.mark.parametrize("limit", [1, 2, 10, 256, 257])
def test_a_number_below_a_limit_is_below_it_and_not_negative(entropy: Entropy, limit: int) -> None:
    assert all(0 <= entropy.below(limit) < limit for _ in range(50))


@pytest.mark.parametrize("entropy", SOURCES, ids=["system", "seeded"])
def test_no_number_is_below_zero(entropy: Entropy) -> None:
    with pytest.raises(ValueError, match=r"limit|Upper bound"):
        entropy.below(0)


def test_no_number_is_favoured() -> None:
    entropy = SeededEntropy("seed")
    counts = Counter(entropy.below(200) for _ in range(20_000))
    low, high = sum(counts[n] for n in range(56)), sum(counts[n] for n in range(56, 200))

    # Taking bytes modulo 200 would give each of the first 56 numbers twice the chance.
    assert low / high == pytest.approx(56 / 144, rel=0.1)


def test_a_source_says_whether_a_run_can_be_had_again() -> None:
    assert SeededEntropy("seed").deterministic
    assert not SystemEntropy().deterministic
    assert SystemEntropy().bytes(16) != SystemEntropy().bytes(16)
