"""Logs of any length are imported in the same memory, and only a log that is right leaves a trace."""

from __future__ import annotations

import os
import threading
import tracemalloc
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from cardtwin.cli import main
from cardtwin.source import SourceError
from cardtwin.trace import file as trace_file
from cardtwin.trace import read_traces, write_traces
from cardtwin.trace.imports import import_log, import_traces

if TYPE_CHECKING:
    from pathlib import Path

OPENSC = "P:7; T:0x12 10:00:00.500 [tool] reader-pcsc.c:325:"
SCDAEMON = "2026-01-02 03:04:05 scdaemon[7] DBG: "
SPY = "2026-01-02 03:04:05.100\n"
FORMS = {
    "opensc": (
        f"{OPENSC}pcsc_connect: called\n{OPENSC}refresh_attributes: A reader check\n",
        (
            f"{OPENSC}pcsc_transmit: \nOutgoing APDU (5 bytes):\n00 B0 00 00 00 .....\n"
            f"{OPENSC}pcsc_transmit: \nIncoming APDU (2 bytes):\n90 00 ..\n"
        ),
    ),
    "pcscd": ("00000010 APDU: 00 A4\n", "00250000 APDU: 00 B0 00 00 00 \n00250000 SW: 90 00 \n"),
    "scdaemon": (
        f"{SCDAEMON}detected reader 'A reader'\n",
        f"{SCDAEMON}  PCSC_data: 00 B0 00 00 00\n{SCDAEMON} response: sw=9000  datalen=0\n",
    ),
    "dump": ("# Using A reader\n# ATR: 3B00\n", "# Sent\n00B0000000\n# 24ms\n9000\n"),
    "apdu4j": ('# SCardConnect("A reader", T=*) -> T=1, 3B00\n', "A>> T=1 (4+0000) 00B00000 00\nA<< 9000\n"),
    "pkcs11-spy": (
        "*************** OpenSC PKCS#11 spy *****************\n",
        f"\n{{}}: C_Logout\n{SPY}[in] hSession = 0x1\nReturned:  0 CKR_OK\n",
    ),
}


def log_of(form: str, times: int, log: Path) -> Path:
    """Write a log in which something happened so many times."""
    head, body = FORMS[form]
    log.write_text(head + "".join(body.format(number) for number in range(times)))
    return log


def peak_of(log: Path, trace: Path) -> int:
    """Return the most memory that an import takes, in bytes."""
    tracemalloc.start()

    try:
        import_log(log, trace)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("form", FORMS)
def test_a_log_five_times_as_long_takes_no_more_memory(
    form: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trace_file, "_KNOWN_CAUSES", 16)  # of a trace's causes, the last ones are kept
    logs = [log_of(form, times, tmp_path / f"{times}") for times in (10, 1000, 5000)]
    _, some, more = (peak_of(log, tmp_path / "trace") for log in logs)  # the first one loads modules

    assert more - some < (logs[2].stat().st_size - logs[1].stat().st_size) / 4


@pytest.mark.parametrize("form", FORMS)
def test_what_is_written_is_what_is_kept_in_memory(form: str, tmp_path: Path) -> None:
    log = log_of(form, 3, tmp_path / "log")
    events = import_log(log, tmp_path / "written")
    traces = import_traces(log)
    write_traces(traces, tmp_path / "kept")

    assert (tmp_path / "written").read_text() == (tmp_path / "kept").read_text()
    assert events == sum(len(trace.events) for trace in read_traces(tmp_path / "written")) > 2


def test_a_log_that_goes_wrong_at_its_end_leaves_the_trace_that_was_there(tmp_path: Path) -> None:
    log = log_of("pcscd", 2000, tmp_path / "log")
    log.write_text(log.read_text() + "00250000 APDU: 00 B0 0\n")
    (tmp_path / "trace").write_text("an earlier one")

    with pytest.raises(SourceError, match=":4002:1: error"):
        import_log(log, tmp_path / "trace")

    assert (tmp_path / "trace").read_text() == "an earlier one"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["log", "trace"]


def test_a_disk_that_is_full_leaves_the_trace_that_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def put(writer: trace_file.TraceWriter, lines: list[str]) -> None:
        if writer._causes == 2:  # some calls are written
            raise OSError(28, "No space left on device")

        writer._stream.write("".join(lines))

    monkeypatch.setattr(trace_file.TraceWriter, "_put", put)
    log = log_of("pkcs11-spy", 10, tmp_path / "log")
    (tmp_path / "trace").write_text("an earlier one")
    result = CliRunner().invoke(main, ["trace", "import", str(log), "-o", str(tmp_path / "trace")])

    assert result.exit_code == 2
    assert result.output == f"cardtwin: {tmp_path / 'trace'}: No space left on device\n"
    assert (tmp_path / "trace").read_text() == "an earlier one"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["log", "trace"]


def test_a_trace_that_is_replaced_keeps_its_mode_and_the_link_to_it(tmp_path: Path) -> None:
    (tmp_path / "trace").write_text("an earlier one")
    (tmp_path / "trace").chmod(0o640)
    (tmp_path / "link").symlink_to("trace")
    import_log(log_of("pcscd", 1, tmp_path / "log"), tmp_path / "link")

    assert (tmp_path / "link").is_symlink()
    assert len(read_traces(tmp_path / "trace")) == 1
    assert (tmp_path / "trace").stat().st_mode & 0o777 == 0o640


def test_a_log_and_a_trace_may_be_pipes(tmp_path: Path) -> None:
    text = log_of("dump", 2000, tmp_path / "log").read_bytes()
    import_log(tmp_path / "log", tmp_path / "trace")
    os.mkfifo(tmp_path / "in")
    os.mkfifo(tmp_path / "out")
    read: list[str] = []
    ends = (
        threading.Thread(target=(tmp_path / "in").write_bytes, args=(text,)),
        threading.Thread(target=lambda: read.append((tmp_path / "out").read_text())),
    )

    for end in ends:
        end.start()

    import_log(tmp_path / "in", tmp_path / "out")

    for end in ends:
        end.join()

    assert read[0].splitlines()[1:] == (tmp_path / "trace").read_text().splitlines()[1:]  # but the title


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_a_log_may_have_the_encoding_and_line_ends_of_any_system(
    encoding: str, end: str, tmp_path: Path
) -> None:
    lines = ("# Using Gerät 1", "# ATR: 3B00", *["# nothing"] * 20000, "00B0000000", "9000", "no bytes")
    (tmp_path / "log").write_bytes(end.join(lines[:-1]).encode(encoding))
    (trace,) = import_traces(tmp_path / "log")

    assert "> Gerät 1: 00 B0 00 00 00" in trace.text()

    (tmp_path / "log").write_bytes(end.join(lines).encode(encoding))
    with pytest.raises(SourceError, match=r":20005:1: error: this line is neither"):
        import_traces(tmp_path / "log")


def test_what_has_no_lines_is_no_log(tmp_path: Path) -> None:
    (tmp_path / "log").write_text("# ATR: 3B00\n" + "00" * (1 << 20))

    with pytest.raises(SourceError, match=r":2:1: error: this line has more than 1048576 characters"):
        import_log(tmp_path / "log", tmp_path / "trace")

    assert not (tmp_path / "trace").exists()


@pytest.mark.parametrize("filled", [1 << 14, 1 << 15])
def test_the_form_is_found_wherever_its_lines_are(filled: int, tmp_path: Path) -> None:
    # Two lines that only together are those of pkcs11-spy, at each side of what is looked at at a time.
    for shift in range(30):
        text = (
            "x\n" * ((filled - shift) // 2) + "x" * (shift % 2) + f"\n7: C_Logout\n{SPY}Returned:  0 CKR_OK\n"
        )
        (tmp_path / "log").write_text(text)

        assert len(import_traces(tmp_path / "log")) == 1
