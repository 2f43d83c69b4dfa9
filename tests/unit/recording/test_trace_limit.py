"""Traces that are not to grow without end: their last line says what became of the rest."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cardtwin.events import Exchange, because
from cardtwin.source import SourceError
from cardtwin.trace import TraceWriter, read_traces, write_traces
from cardtwin.trace import file as trace_file

if TYPE_CHECKING:
    from pathlib import Path

READ = bytes.fromhex("00B0000004")
CUT = '{"kind": "cut", "limit": 600}\n'


def written(limit: int | None, exchanges: int) -> tuple[str, TraceWriter]:
    stream = io.StringIO()
    writer = TraceWriter(stream, "one", limit=limit)

    for number in range(exchanges):
        with because(f"program {number % 3}"):
            writer(Exchange(reader="R1", command=READ, response=b"\x01\x02\x03\x04\x90\x00"))

    return stream.getvalue(), writer


@given(limit=st.integers(200, 3000), exchanges=st.integers(0, 12))
@settings(max_examples=60, deadline=None)
def test_a_trace_is_never_longer_than_its_limit(limit: int, exchanges: int) -> None:
    whole, _ = written(None, exchanges)
    text, writer = written(limit, exchanges)
    assert len(text.encode()) <= limit
    assert writer.cut or text == whole
    assert not writer.cut or whole.startswith(text[: text.index('{"kind": "cut"')])


def test_what_was_cut_says_so_to_people_and_when_it_is_written_again(tmp_path: Path) -> None:
    text, _ = written(600, 9)
    (tmp_path / "a").write_text(text)
    (trace,) = read_traces(tmp_path / "a")
    assert trace.cut_at == 600
    assert trace.text().splitlines()[-1] == "! cut here: the trace was to have 600 bytes at most"
    write_traces([trace], tmp_path / "b")
    assert (tmp_path / "b").read_text() == text


def test_nothing_follows_the_cut(tmp_path: Path) -> None:
    text, _ = written(600, 9)
    (tmp_path / "a").write_text(text + '{"kind": "defect", "where": "a", "detail": ""}\n')

    with pytest.raises(SourceError, match="nothing but another trace follows"):
        read_traces(tmp_path / "a")


def test_a_limit_without_room_for_anything_is_refused() -> None:
    with pytest.raises(ValueError, match="40 bytes leave no room"):
        TraceWriter(io.StringIO(), "one", limit=40)


def test_a_writer_forgets_old_causes_and_tells_them_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trace_file, "_KNOWN_CAUSES", 2)
    path = tmp_path / "a"

    with path.open("w") as stream:
        writer = TraceWriter(stream, "one")

        with because("first") as first:
            pass

        for name in ("second", "third"):
            with because(name):
                writer(Exchange(reader="R1", command=READ, response=b"\x90\x00", cause=first))
                writer(Exchange(reader="R1", command=READ, response=b"\x90\x00"))

        for name in ("fourth", "fifth"):
            with because(name):
                writer(Exchange(reader="R1", command=READ, response=b"\x90\x00"))

        writer(Exchange(reader="R1", command=READ, response=b"\x90\x00", cause=first))

    (trace,) = read_traces(path)
    told = [event.cause.what for event in trace.events if event.cause]
    assert told == ["first", "second", "first", "third", "fourth", "fifth", "first"]
    assert path.read_text().count('"what": "first"') == 2
