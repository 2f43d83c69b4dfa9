"""`cardtwin trace`: import, export, stats, diff."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner, Result

from cardtwin.cli import main
from cardtwin.events import CallBegan, CallEnded, Cause, Exchange
from cardtwin.trace import Masker, Statistics, Trace, write_traces

if TYPE_CHECKING:
    from pathlib import Path

    from cardtwin.events import Event

LOG = """
00000000 winscard.c:258:SCardConnect() Attempting Connect to A reader using protocol: 3
00000010 APDU: 00 20 00 81 06 32 37 31 38 32 38
00000010 SW: 90 00
"""
SELECT, READ = bytes.fromhex("00A4000C023F00"), bytes.fromhex("00B0000000")


def cardtwin(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, ["trace", *map(str, arguments)])


def called(name: str, result: str = "CKR_OK") -> tuple[Event, Event]:
    call = Cause(name)
    return (
        CallBegan(cause=None, call=call, interface="PKCS#11"),
        CallEnded(cause=None, call=call, result=result),
    )


def sent(command: bytes, response: str = "9000", cause: str = "") -> Exchange:
    because = Cause(cause) if cause else None
    return Exchange(reader="R1", command=command, response=bytes.fromhex(response), cause=because)


def traced(*events: Event, times: tuple[float, ...] = ()) -> Trace:
    masker = Masker()
    return Trace("a trace", tuple(map(masker.masked, events)), times)


def diff(folder: Path, left: Trace, right: Trace) -> Result:
    write_traces([left], folder / "left")
    write_traces([right], folder / "right")
    return cardtwin("diff", folder / "left", folder / "right")


def test_a_log_is_imported_without_its_pin(tmp_path: Path) -> None:
    (tmp_path / "log").write_text(LOG)
    result = cardtwin("import", tmp_path / "log", "-o", tmp_path / "trace")

    assert result.exit_code == 0
    assert result.output == f"{tmp_path / 'trace'}: 1 event\n"
    assert "00 20 00 81 06 ** ** ** ** ** **" in cardtwin("show", tmp_path / "trace").output
    assert "32 37" not in (tmp_path / "trace").read_text()


def test_a_log_that_is_none_is_named_and_nothing_is_written(tmp_path: Path) -> None:
    (tmp_path / "log").write_text("1234\n")
    result = cardtwin("import", tmp_path / "log", "-o", tmp_path / "trace")

    assert result.exit_code == 2
    assert f"{tmp_path / 'log'}:1:1: error: this is no log of a known form" in result.output
    assert "pkcs11-spy, opensc, pcscd, apdu4j, scdaemon" in result.output
    assert "1234" not in result.output
    assert not (tmp_path / "trace").exists()


@pytest.mark.parametrize("what", [("import",), ("export", "--to", "pcapng")])
def test_what_is_read_is_not_written_over(what: tuple[str, ...], tmp_path: Path) -> None:
    (tmp_path / "log").write_text(LOG)
    (tmp_path / "same").symlink_to(tmp_path / "log")
    result = cardtwin(*what, tmp_path / "log", "-o", tmp_path / "same")

    assert result.exit_code == 2
    assert "this is what is read; -o names another file" in result.output
    assert (tmp_path / "log").read_text() == LOG


def test_the_form_can_be_said(tmp_path: Path) -> None:
    (tmp_path / "log").write_text("00A40000\n9000\n")
    assert cardtwin("import", tmp_path / "log", "-o", tmp_path / "trace").exit_code == 2
    assert cardtwin("import", tmp_path / "log", "--from", "apdu4j", "-o", tmp_path / "trace").exit_code == 0


def test_a_trace_is_exported(tmp_path: Path) -> None:
    write_traces([traced(sent(SELECT))], tmp_path / "trace")

    assert cardtwin("export", tmp_path / "trace", "--to", "apdu4j", "-o", tmp_path / "dump").exit_code == 0
    assert (tmp_path / "dump").read_text().endswith("00A4000C023F00\n9000\n")


def test_what_cannot_be_exported_is_said(tmp_path: Path) -> None:
    write_traces([traced(*called("C_Sign"))], tmp_path / "trace")
    result = cardtwin("export", tmp_path / "trace", "--to", "pcapng", "-o", tmp_path / "packets")

    assert result.exit_code == 2
    assert "no APDUs in this trace" in result.output


def test_statistics_count_calls_and_apdus(tmp_path: Path) -> None:
    calls = (*called("C_Sign"), *called("C_Sign", "CKR_DEVICE_ERROR"))
    apdus = (sent(SELECT), sent(SELECT, "6A82"), sent(READ, "01029000"))
    write_traces(
        [traced(*calls, *apdus, called("C_Login")[0], times=(0, 0.5, 1, 1.25, 2, 3, 4, 5))],
        tmp_path / "trace",
    )

    assert cardtwin("stats", tmp_path / "trace").output.splitlines() == [
        "## a trace",
        "8 events, 5.000 s",
        "calls: 3",
        "       2  C_Sign       0.750 s  1 CKR_OK, 1 CKR_DEVICE_ERROR",
        "       1  C_Login      0.000 s  1 no return",
        "APDUs at R1, 19 bytes sent, 8 received: 3",
        "       2  SELECT       1 9000 (success), 1 6A82 (file not found)",
        "       1  READ BINARY  1 9000 (success)",
    ]


def test_calls_whose_ends_have_no_times_are_said_to_take_none() -> None:
    statistics = Statistics.of(traced(*called("C_Sign"), *called("C_Sign"), times=(0, 0, 3, 3)))

    assert statistics.seconds == 3
    assert statistics.calls[0].seconds is None


def test_a_terminal_is_told_nothing_by_a_stranger_s_trace(tmp_path: Path) -> None:
    odd = "\x1b[2J\n## other"
    left = Trace(odd, traced(*called(odd), sent(SELECT, cause=odd)).events)
    right = Trace(odd, traced(*called(odd, odd), sent(READ, cause=odd)).events)
    shown = [diff(tmp_path, left, right), *(cardtwin(each, tmp_path / "left") for each in ("show", "stats"))]

    assert all(result.output.count("\\x1b[2J\\n## other") for result in shown)
    assert not any("\x1b" in result.output or "\n## other" in result.output for result in shown)


def test_equal_traces_differ_in_nothing(tmp_path: Path) -> None:
    result = diff(tmp_path, traced(*called("C_Sign"), sent(SELECT)), traced(*called("C_Sign"), sent(SELECT)))

    assert (result.exit_code, result.output) == (0, "no difference\n")


@pytest.mark.parametrize("cause", ["", "a program"])
def test_differences_of_calls_and_of_answers_are_told(tmp_path: Path, cause: str) -> None:
    left = traced(*called("C_Login"), *called("C_Sign"), sent(SELECT), sent(READ, "01029000"))
    right = traced(
        *called("C_Login"),
        *called("C_Sign", "CKR_USER_NOT_LOGGED_IN"),
        *called("C_Logout"),
        sent(SELECT, "6A82", cause),
        sent(READ, "01039000", cause),
    )
    result = diff(tmp_path, left, right)
    place = "the whole trace" if cause else "before any step"

    assert result.exit_code == 1
    assert result.output.splitlines() == [
        "call 2: C_Sign: return value: CKR_OK against CKR_USER_NOT_LOGGED_IN",
        "call 3: called: calls: nothing against C_Logout",
        (
            f"{place}, APDU 1: 00 A4 00 0C SELECT file 3F00, no data: status word: "
            "9000 (success) against 6A82 (file not found)"
        ),
        (
            f"{place}, APDU 2: 00 B0 00 00 READ BINARY offset 0, up to 256 bytes: data: "
            "02 from byte 1 against 03 from byte 1"
        ),
    ]


def test_files_with_different_numbers_of_traces_differ(tmp_path: Path) -> None:
    write_traces([traced(sent(SELECT))], tmp_path / "one")
    write_traces([traced(sent(SELECT))] * 2, tmp_path / "two")
    result = cardtwin("diff", tmp_path / "one", tmp_path / "two")

    assert result.exit_code == 1
    assert result.output == "the left file has 1 traces, the right one 2\n"
