"""Recordings: what happens to an earlier trace, and what a new one begins and ends with."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, NoReturn

import pytest

from cardtwin.card import EmulatedCard, models
from cardtwin.entropy import SystemEntropy
from cardtwin.events import ReaderChanged
from cardtwin.hosting import CardRequest, HostRequest
from cardtwin.recording import Recording, TraceOutput, record
from cardtwin.recording.errors import RecordingRefusedError
from cardtwin.trace import read_traces

if TYPE_CHECKING:
    from pathlib import Path

    from cardtwin.readers import ReaderManager

MODEL = "cardos-5.3"
EARLIER = "an earlier trace\n"


def recording(path: Path, reader: str | None = None) -> Recording:
    return Recording(HostRequest.of(CardRequest(model=MODEL)), TraceOutput(path, "t"), reader=reader)


def test_a_reader_that_is_busy_leaves_an_earlier_trace_where_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def busy(_manager: ReaderManager, name: str) -> NoReturn:
        raise RecordingRefusedError(f"{name} is busy")

    monkeypatch.setattr(record, "pass_reader", busy)
    (tmp_path / "t").write_text(EARLIER)

    with pytest.raises(RecordingRefusedError, match="R is busy"), recording(tmp_path / "t", "R"):
        pass

    assert (tmp_path / "t").read_text() == EARLIER


def test_a_trace_has_the_card_that_a_passed_reader_begins_and_ends_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Passed(AbstractContextManager[None]):
        """A reader that is the system's, as far as a recording can tell."""

        def __init__(self, manager: ReaderManager, name: str) -> None:
            manager.add_reader(name)
            self._manager, self._name = manager, name

        def __enter__(self) -> None:
            card = EmulatedCard(models.get(MODEL), entropy=SystemEntropy(), reader=self._name)
            self._manager.insert(self._name, card)

        def __exit__(self, *_: object) -> None:
            self._manager.remove(self._name)

    monkeypatch.setattr(record, "pass_reader", Passed)

    with recording(tmp_path / "t", "R"):
        pass

    (trace,) = read_traces(tmp_path / "t")
    told = [(each.reader, each.change.value) for each in trace.events if isinstance(each, ReaderChanged)]
    passed = [change for reader, change in told if reader == "R"]
    assert passed == ["inserted", "powered on", "removed"]
