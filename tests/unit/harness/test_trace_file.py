"""Traces in files: the same again after reading, and clear errors for files that are no traces."""

from __future__ import annotations

import io
import json
from pathlib import Path

import jsonschema
import pytest
from click.testing import CliRunner

from cardtwin.cli import main
from cardtwin.events import Exchange, Hub
from cardtwin.scenario import load
from cardtwin.scenario.pool import Options, run_all
from cardtwin.source import SourceError
from cardtwin.trace import Recorder, Trace, TraceWriter, json_schema, read_traces, write_traces

ROOT = Path(__file__).parents[3]
LOST_LOGIN = ROOT / "scenarios" / "lost-login.scenario.yaml"
VERIFY = bytes.fromhex("0020008104 31323334")


@pytest.fixture(scope="module")
def traces() -> tuple[Trace, ...]:
    return tuple(
        outcome.trace for outcome in run_all(load(LOST_LOGIN), Options(record=True)) if outcome.trace
    )


def written(text: str, folder: Path) -> Path:
    path = folder / "written.trace"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.cardtwin_proves("RR-01")
def test_a_run_is_recorded_as_calls_with_their_apdus_and_what_these_changed(tmp_path: Path) -> None:
    arguments = ["run", str(LOST_LOGIN), "-k", "select", "--trace", str(tmp_path / "a")]
    assert CliRunner().invoke(main, arguments).exit_code == 0
    text = (tmp_path / "a").read_text()
    lines = [json.loads(line) for line in text.splitlines()]
    (login,) = [line["number"] for line in lines if line.get("what") == "C_Login"]
    inside = [line for line in lines if login in (line.get("cause"), line.get("call"))]
    assert inside[0]["arguments"][-1] == ["pPin", "**"]
    changes = [line["change"] for line in inside if line["kind"] == "card"]
    assert changes == ["counter changed", "counter changed", "security status gained"]
    sent = [line["command"] for line in inside if line["kind"] == "exchange"]
    assert sent[-1] == "00 20 00 81 08 ** ** ** ** ** ** ** **"
    assert inside[-1]["result"] == "CKR_OK"
    assert "31 32 33 34" not in text
    assert "1234" not in text


def test_what_is_read_says_the_same_as_what_was_written(traces: tuple[Trace, ...], tmp_path: Path) -> None:
    write_traces(traces, tmp_path / "a")
    read = read_traces(tmp_path / "a")
    assert [trace.text() for trace in read] == [trace.text() for trace in traces]
    write_traces(read, tmp_path / "b")
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


@pytest.mark.parametrize("sign", ["\u2028", "\x85", "\x1d", "\n", "\0", "é"])
def test_names_with_whatever_signs_are_read_again(sign: str, tmp_path: Path) -> None:
    event = Exchange(reader=f"R{sign}1", command=VERIFY, response=b"\x90\x00")
    recorder = Recorder()
    recorder(event)
    write_traces([recorder.trace(f"a{sign}b")], tmp_path / "a")
    (trace,) = read_traces(tmp_path / "a")

    assert trace == recorder.trace(f"a{sign}b")


def test_a_name_that_is_no_text_disturbs_nobody(tmp_path: Path) -> None:
    recorder = Recorder()
    recorder(Exchange(reader="R\udcff", command=VERIFY, response=b"\x90\x00"))
    write_traces([recorder.trace("a\udcff")], tmp_path / "a")
    (trace,) = read_traces(tmp_path / "a")

    assert trace.title == "a?"
    assert "> R?: 00 20 00 81 04 ** ** ** **" in trace.text()


def test_each_line_is_as_the_schema_says(traces: tuple[Trace, ...], tmp_path: Path) -> None:
    write_traces(traces, tmp_path / "a")
    validator = jsonschema.Draft202012Validator(json_schema())
    lines = (tmp_path / "a").read_text().splitlines()
    assert len(lines) > len(traces)

    for line in lines:
        validator.validate(json.loads(line))


def test_what_was_written_before_a_crash_is_there(tmp_path: Path) -> None:
    path = tmp_path / "a"

    with path.open("w") as stream:
        writer = TraceWriter(stream, "one")
        writer(Exchange(reader="R1", command=VERIFY, response=b"\x90\x00"))
        (trace,) = read_traces(path)

    assert "00 20 00 81 04 ** ** ** **" in trace.text()


def test_times_are_kept_where_they_are_asked_for(tmp_path: Path) -> None:
    ticks = iter((100.0, 100.25, 102.0))
    stream = io.StringIO()
    writer = TraceWriter(stream, "one", ticks.__next__)

    for _ in range(2):
        writer(Exchange(reader="R1", command=VERIFY, response=b"\x90\x00"))

    (trace,) = read_traces(written(stream.getvalue(), tmp_path))
    assert trace.times == (0.25, 2.0)
    write_traces([trace], tmp_path / "again")
    assert (tmp_path / "again").read_text() == stream.getvalue()


def test_a_full_disk_is_noted_and_disturbs_nobody() -> None:
    class Full(io.StringIO):
        def write(self, text: str) -> int:
            if "exchange" in text:
                raise OSError("full")

            return super().write(text)

    writer, hub, recorder = TraceWriter(Full(), "one"), Hub(), Recorder()
    hub.subscribe(writer)
    hub.subscribe(recorder)
    hub.emit(Exchange(reader="R1", command=VERIFY, response=b"\x90\x00"))
    assert str(writer.problem) == "full"
    assert len(recorder.trace("").events) == 1


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("## demo\n", "1:1: error: Invalid JSON"),
        ('{"kind": "defect", "where": "a", "detail": ""}', "a trace begins with a line of the kind 'trace'"),
        ('{"kind": "trace", "version": 2, "title": "", "recorder": ""}', "version: Input should be 1"),
        ('{"kind": "riddle"}', "Input tag 'riddle'"),
    ],
)
def test_another_file_is_refused_with_its_line(text: str, problem: str, tmp_path: Path) -> None:
    with pytest.raises(SourceError) as refused:
        read_traces(written(text, tmp_path))

    assert problem in str(refused.value)


def test_nothing_of_a_file_that_is_no_trace_is_shown(tmp_path: Path) -> None:
    with pytest.raises(SourceError) as refused:
        read_traces(written("00000001 APDU: 00 20 00 81 04 31 32 33 34\n", tmp_path))

    assert "31 32" not in str(refused.value)
    assert "trace import" in str(refused.value)


@pytest.mark.parametrize("ends", ["\n", "\r\n", "\n\n"])
def test_line_ends_of_all_systems_are_read(ends: str, traces: tuple[Trace, ...], tmp_path: Path) -> None:
    write_traces(traces, tmp_path / "a")
    text = (tmp_path / "a").read_text().replace("\n", ends)
    (tmp_path / "a").write_bytes(b"\xef\xbb\xbf" + text.encode())

    assert [trace.text() for trace in read_traces(tmp_path / "a")] == [trace.text() for trace in traces]


def test_an_event_of_an_unknown_cause_is_refused_with_its_line(tmp_path: Path) -> None:
    text = (
        '{"kind": "trace", "version": 1, "title": "", "recorder": ""}\n'
        '{"kind": "defect", "where": "a", "detail": "", "cause": 7}\n'
    )

    with pytest.raises(SourceError, match=r":2:1: .*no line before tells of cause 7"):
        read_traces(written(text, tmp_path))
