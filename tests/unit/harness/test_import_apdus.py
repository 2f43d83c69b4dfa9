"""Logs with APDUs become traces, and no PIN of theirs does."""

from __future__ import annotations

from contextlib import suppress
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cardtwin.source import SourceError
from cardtwin.trace import read_traces, write_traces
from cardtwin.trace.imports import import_traces

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

ATR = bytes.fromhex("3BD218008131FE58C90316")
SELECT = bytes.fromhex("00A4000C023F00")
DONE, LOST = b"\x90\x00", b"\x6a\x82"

Exchanged = tuple[bytes, bytes]


def shown(data: bytes) -> str:
    """Return bytes as most logs have them."""
    return data.hex(" ").upper()


def opensc(exchanged: list[Exchanged]) -> str:
    """Return OpenSC's debug log, with the times of the second before midnight and of that after it."""
    line = "P:7; T:0x12 {} [tool] reader-pcsc.c:325:{}\n"
    log = line.format("23:59:59.500", "pcsc_connect: called")
    log += line.format("23:59:59.500", "refresh_attributes: A reader check")
    log += line.format("23:59:59.500", f"match_atr_table: ATR     : {ATR.hex(':')}") * 2

    for command, response in exchanged:
        log += line.format("00:00:00.250", "pcsc_transmit: ")
        log += f"Outgoing APDU ({len(command)} bytes):\n{_rows(command)}\n"
        log += line.format("00:00:00.250", "pcsc_transmit: ")
        log += f"Incoming APDU ({len(response)} bytes):\n{_rows(response)}\n" if response else ""

    return log


def _rows(data: bytes) -> str:
    return "".join(f"{shown(data[at : at + 16]) + ' ':48}30 31 32\n" for at in range(0, len(data), 16))


def pcscd(exchanged: list[Exchanged]) -> str:
    """Return pcscd's log."""
    log = "00000000 eventhandler.c:423:EHStatusHandlerThread() Card inserted into A reader\n"
    log += f"00000003 Card ATR: {shown(ATR)} \n"
    log += "00000002 winscard.c:258:SCardConnect() Attempting Connect to A reader using protocol: 3\n"

    for command, response in exchanged:
        log += f"00250000 APDU: {shown(command)} \n"
        log += f"00250000 SW: {shown(response)} \n" if response else ""

    return log


def scdaemon(exchanged: list[Exchanged]) -> str:
    """Return scdaemon's log."""
    line = "2026-01-02 03:04:05 scdaemon[7] {}\n"
    log = line.format("detected reader 'A reader'") + line.format(f"slot 0: ATR={shown(ATR)}")

    for command, response in exchanged:
        log += line.format(f"DBG:   PCSC_data: {shown(command)}")

        if response:
            data = shown(response[:-2]) if any(response[:-2]) else "[all zero]"
            log += line.format(
                f"DBG:  response: sw={response[-2:].hex().upper()}  datalen={len(response) - 2}"
            )
            log += line.format(f"DBG:      dump: {data}") if response[-2:] == DONE else ""

    return log


def scdaemon_of_today(exchanged: list[Exchanged]) -> str:
    """Return the log of scdaemon from 2.3 on."""
    line = "2026-01-02 03:04:05 scdaemon[7] {}\n"
    log = line.format("detected reader 'A reader'") + line.format(f"DBG: slot 0: ATR={shown(ATR)}")

    for command, response in exchanged:
        log += line.format(f"DBG: PCSC_data: {_wrapped(command, line)}")

        if response:
            data = _wrapped(response[:-2], line) if any(response[:-2]) else "[all zero]"
            log += line.format(
                f"DBG:  response: sw={response[-2:].hex().upper()}  datalen={len(response) - 2}"
            )
            log += line.format(f"DBG:      dump: {data}") if response[-2:] == DONE else ""

    return log


def _wrapped(data: bytes, line: str) -> str:
    rows = [data[at : at + 32].hex() for at in range(0, len(data), 32)]
    return (" \\\n" + line.format("DBG:  ").rstrip("\n")).join(rows)


def dump(exchanged: list[Exchanged]) -> str:
    """Return a dump of apdu4j."""
    log = f"# Using A reader\n# ATR: {ATR.hex().upper()}\n# PROTOCOL: T=1\n#\n"

    for command, response in exchanged:
        answer = f"# 24ms\n{response.hex().upper()}\n" if response else "# 24ms card removed\n"
        log += f"# Sent\n{command.hex().upper()}\n{answer}"

    return log


def apdu4j(exchanged: list[Exchanged]) -> str:
    """Return a log of apdu4j."""
    log = f'# SCardConnect("A reader", T=*) -> T=1, {ATR.hex().upper()}\n'

    for command, response in exchanged:
        header, data = command[:4].hex().upper(), command[4:].hex().upper()
        log += f"A>> T=1 (4+{len(command) - 5:04}) {header} {data[:2]} {data[2:]}\n"
        answer = (
            f"{response[:-2].hex().upper()} {response[-2:].hex().upper()}" if response else "SCARD_W_REMOVED"
        )
        log += f"A<< ({len(response):04}+2) (1s24ms) {answer}\n"

    return log


FORMS = {
    "opensc": opensc,
    "pcscd": pcscd,
    "scdaemon": scdaemon,
    "scdaemon-2.3": scdaemon_of_today,
    "dump": dump,
    "apdu4j": apdu4j,
}
forms = pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "a.log"


@pytest.mark.cardtwin_proves("RR-04")
@forms
def test_a_log_is_known_by_its_lines(log: Path, form: Callable[[list[Exchanged]], str]) -> None:
    read = bytes.fromhex("00B0000000")
    log.write_text(form([(SELECT, LOST), (read, bytes(range(40)) + DONE), (read, bytes(3) + DONE)]))
    (trace,) = import_traces(log)
    lines = [line.strip() for line in trace.text().splitlines() if not line.startswith("#")]

    assert lines[0].endswith(shown(ATR))
    assert lines[1:] == [
        "> A reader: 00 A4 00 0C 02 3F 00  SELECT file 3F00, no data",
        "< A reader: 6A 82  file not found",
        "> A reader: 00 B0 00 00 00  READ BINARY offset 0, up to 256 bytes",
        f"< A reader: {shown(bytes(range(40)) + DONE)}",
        "> A reader: 00 B0 00 00 00  READ BINARY offset 0, up to 256 bytes",
        "< A reader: 00 00 00 90 00",
    ]


@forms
def test_a_command_without_its_response_is_kept(log: Path, form: Callable[[list[Exchanged]], str]) -> None:
    log.write_text(form([(SELECT, b""), (SELECT, DONE), (SELECT, b"")]))
    (trace,) = import_traces(log)
    answers = [line.strip() for line in trace.text().splitlines() if line.strip().startswith("<")]

    assert [answer.startswith("< A reader: no answer: ") for answer in answers] == [True, False, True]


@pytest.mark.parametrize(("form", "last"), [(opensc, 0.75), (pcscd, 0.750002), (scdaemon, 0.0)])
def test_times_are_kept(log: Path, form: Callable[[list[Exchanged]], str], last: float) -> None:
    log.write_text(form([(SELECT, DONE), (SELECT, DONE)]))
    (trace,) = import_traces(log)

    assert trace.times[0] == 0
    assert all(one <= other for one, other in pairwise(trace.times))
    assert trace.times[-1] == pytest.approx(last)


@pytest.mark.parametrize("form", [dump, apdu4j])
def test_a_log_that_tells_no_times_gives_none(log: Path, form: Callable[[list[Exchanged]], str]) -> None:
    log.write_text(form([(SELECT, DONE)]))

    assert import_traces(log)[0].times == ()


def test_processes_that_write_into_one_log_are_told_apart(log: Path) -> None:
    line = "P:{}; T:0x12 10:00:00.000 [{}] reader-pcsc.c:325:pcsc_transmit: \n"
    commands = [bytes.fromhex(f"00A4000C023F0{number}") for number in range(2)]
    sent = [f"Outgoing APDU (7 bytes):\n{_rows(command)}\n" for command in commands]
    got = [f"Incoming APDU (2 bytes):\n{_rows(response)}\n" for response in (DONE, LOST)]
    heads = [line.format(7, "one"), line.format(8, "other")]
    log.write_text(heads[0] + sent[0] + heads[1] + sent[1] + heads[0] + got[0] + heads[1] + got[1])
    text = import_traces(log)[0].text()

    assert text.splitlines()[1:] == [
        "# one",
        "  > reader: 00 A4 00 0C 02 3F 00  SELECT file 3F00, no data",
        "  < reader: 90 00",
        "# other",
        "  > reader: 00 A4 00 0C 02 3F 01  SELECT file 3F01, no data",
        "  < reader: 6A 82  file not found",
    ]


def test_pcscd_s_apdus_are_those_of_the_reader_connected_to(log: Path) -> None:
    other = "00000001 winscard.c:258:SCardConnect() Attempting Connect to Another using protocol: 3\n"
    coloured = "\x1b[35m00000001\x1b[0m [7f12] \x1b[34mAPDU: 00 A4 00 0C 02 3F 00 \x1b[0m\n"
    coloured += "00000001 [7f12] SW: 90 00\n"
    log.write_text(pcscd([(SELECT, DONE)]) + other + coloured)
    text = import_traces(log)[0].text()

    assert "< A reader: 90 00" in text
    assert text.endswith("< Another: 90 00\n")


def test_programs_that_use_two_readers_of_pcscd_at_once_are_told_apart(log: Path) -> None:
    connect = "00000001 [{0}] winscard.c:258:SCardConnect() Attempting Connect to {0} using protocol: 3\n"
    decipher, plain = "00 2A 80 86 02 00 01 00", "AB CD AB CD 90 00"
    log.write_text(
        connect.format("one")
        + connect.format("two")
        + f"00000001 [one] APDU: {decipher} \n"
        + f"00000001 [two] APDU: {shown(SELECT)} \n"
        + f"00000001 [one] SW: {plain} \n"
        + "00000001 [two] SW: 6A 82 \n"
    )
    (trace,) = import_traces(log)

    assert trace.text().splitlines()[1:] == [
        "> one: 00 2A 80 86 02 00 01 00  PSO DECIPHER 2 bytes",
        "< one: ** ** ** ** 90 00",
        "> two: 00 A4 00 0C 02 3F 00  SELECT file 3F00, no data",
        "< two: 6A 82  file not found",
    ]
    assert trace.times == tuple(sorted(trace.times))


def test_a_response_of_no_bytes_is_none(log: Path) -> None:
    log.write_text(pcscd([(SELECT, b"")]) + "00000001 SW: \n")

    assert import_traces(log)[0].text().endswith("< A reader: no answer: the reader gave none\n")


def test_pcscd_tells_of_resets_and_of_cards_that_go(log: Path) -> None:
    reset = f"00000001 winscard.c:609:SCardReconnect() Reset complete.\n00000001 Card ATR: {shown(ATR)}\n"
    gone = "00000001 eventhandler.c:358:EHStatusHandlerThread() Card Removed From A reader\n"
    log.write_text(pcscd([(SELECT, DONE)]) + reset + gone)
    lines = import_traces(log)[0].text().splitlines()

    assert lines[-2:] == [f"* A reader: reset {shown(ATR)}", "* A reader: removed"]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (opensc([(SELECT, DONE)]).replace("3F 00", "3F"), 6),
        ("Outgoing APDU (5 bytes):\n", 1),
        (pcscd([(SELECT, DONE)]).replace("3F 00", "3F 0"), 4),
        (scdaemon([(SELECT, DONE)]).replace("3F 00", "3F 0"), 3),
        (dump([(SELECT, DONE)]).replace("3F00", "3F0"), 6),
        (apdu4j([(SELECT, DONE)]).replace("3F00", "3F0"), 2),
        (apdu4j([])[:-1] + "3\n", 1),
    ],
)
def test_bytes_that_cannot_be_read_are_refused_with_their_line(log: Path, text: str, line: int) -> None:
    log.write_text(text)

    with pytest.raises(SourceError) as raised:
        import_traces(log)

    assert f"{log}:{line}:1: error" in str(raised.value)
    assert "3F" not in str(raised.value)


def test_a_verify_that_scdaemon_hides_has_its_length(log: Path) -> None:
    line = "2026-01-02 03:04:05 scdaemon[7] DBG: "
    log.write_text(f"{line}PCSC_data: 00 20 00 81 06 [hidden]\n{line} response: sw=63C2  datalen=0\n")
    text = import_traces(log)[0].text()

    assert "> reader: 00 20 00 81 06 ** ** ** ** ** **  VERIFY PIN 1 (backtracking), 6 bytes\n" in text
    assert "< reader: 63 C2  counter 2\n" in text


def test_bytes_of_scdaemon_that_do_not_go_on_are_refused_with_their_line(log: Path) -> None:
    whole = scdaemon_of_today([(bytes.fromhex("00DA016E28") + bytes(range(40)), DONE)])
    log.write_text("".join(whole.splitlines(keepends=True)[:3]))

    with pytest.raises(SourceError, match=":3:1: error") as raised:
        import_traces(log)

    assert "0102" not in str(raised.value)


def test_a_log_of_two_forms_is_not_guessed_at(log: Path) -> None:
    log.write_text(pcscd([(SELECT, DONE)]) + scdaemon([(SELECT, LOST)]))

    with pytest.raises(SourceError, match="pcscd and scdaemon"):
        import_traces(log)

    assert "6A 82" in import_traces(log, "scdaemon")[0].text()


def test_a_dump_that_has_lost_a_response_shows_no_command_in_its_place(log: Path) -> None:
    verify = bytes.fromhex("002000810431323334")
    without = dump([(SELECT, DONE), (verify, DONE)]).replace("9000\n", "", 1)
    log.write_text(without.replace("# 24ms\n", "", 1))
    text = import_traces(log)[0].text()

    assert "> A reader: 00 A4 00 0C 02 3F 00  SELECT file 3F00, no data\n< A reader: no answer" in text
    assert "> A reader: 00 20 00 81 04 ** ** ** **" in text

    log.write_text(without)
    with pytest.raises(SourceError, match=":9:1: error: this line stands in the place of a response"):
        import_traces(log)

    log.write_text(f"# ATR: {ATR.hex()}\n{SELECT.hex()}\n{verify.hex()}\n9000\n")
    with pytest.raises(SourceError, match=":3:1: error: this line stands in the place of a response"):
        import_traces(log)


def test_what_else_a_program_says_in_its_log_is_left_out(log: Path) -> None:
    log.write_text(f"CPLC: ICFabricator=4790\n{apdu4j([(SELECT, DONE)])}Cafe\n6A82\n")
    text = import_traces(log)[0].text()

    assert text.count("\n> ") == text.count("\n< ") == 1


@pytest.mark.parametrize("form", [scdaemon, scdaemon_of_today])
def test_a_time_that_there_cannot_be_is_refused_with_its_line(
    log: Path, form: Callable[[list[Exchanged]], str]
) -> None:
    log.write_text(form([(SELECT, DONE)]).replace("03:04:05", "03:64:05", 1))

    with pytest.raises(SourceError, match=":1:1: error: there is no such time"):
        import_traces(log)


def test_of_a_log_that_is_wrong_all_over_the_first_errors_are_told(log: Path) -> None:
    log.write_text("# ATR: 3B\n" + "no bytes\n" * 1000)

    with pytest.raises(SourceError, match=":1001:1: error: 980 more such errors") as raised:
        import_traces(log)

    assert str(raised.value).count(": error: ") == 21


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    form=st.sampled_from(list(FORMS.values())),
    kept=st.data(),
)
def test_a_damaged_log_is_read_or_refused(
    log: Path, form: Callable[[list[Exchanged]], str], kept: st.DataObject
) -> None:
    whole = form([(SELECT, LOST), (bytes.fromhex("00B0000000"), bytes(range(40)) + DONE)])
    first, last = sorted(kept.draw(st.integers(0, len(whole)), label="place") for _ in range(2))
    damage = kept.draw(st.sampled_from(["", "\n", "\r\n", "0", "F", "\0", "\u2028", "\u0663", "9" * 5000]))
    log.write_text(whole[:first] + damage + whole[last:])

    with suppress(SourceError):
        traces = import_traces(log)
        write_traces(traces, log.with_suffix(".trace"))
        assert [t.text() for t in read_traces(log.with_suffix(".trace"))] == [t.text() for t in traces]


HEADERS = ("00200081", "00200001", "00240181", "002C0081", "00240081")


@pytest.mark.cardtwin_proves("RR-04")
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    form=st.sampled_from(list(FORMS.values())),
    sent=st.lists(
        st.tuples(
            st.sampled_from(HEADERS),
            st.binary(min_size=6, max_size=16),
            st.sampled_from([DONE, b"\x63\xc2", b""]),
        ),
        min_size=1,
        max_size=4,
    ),
    cut=st.integers(0, 200),
)
def test_no_pin_of_a_log_reaches_the_trace_or_a_message(
    log: Path,
    form: Callable[[list[Exchanged]], str],
    sent: list[tuple[str, bytes, bytes]],
    cut: int,
) -> None:
    text = form([(bytes.fromhex(head) + bytes([len(pin)]) + pin, answer) for head, pin, answer in sent])
    log.write_text(text[: len(text) - cut])

    try:
        write_traces(import_traces(log), log.with_suffix(".trace"))
    except SourceError as error:
        written = str(error)
    else:
        written = log.with_suffix(".trace").read_text()

    for _, pin, _ in sent:
        assert len(set(pin)) < 3 or shown(pin[:6]) not in written


@pytest.mark.parametrize(
    "text",
    [
        "",
        "something else\n",
        "> 0: C_Initialize\n> 2026-01-01 00:00:00.000\n",
        "00000000 winscard.c:258:SCardConnect() Attempting Connect to A reader using protocol: 3\n",
        "00000000 APDU: 00 A4 00 0C \n00000000 APDU: 00 A",
        "2026-01-01 00:00:00 scdaemon[7] DBG:  PCSC_data: 00 A4 00 0",
        opensc([(SELECT, DONE)])[:-56],
        "Returned:  0 CKR_OK\n0: C_Initialize\n2026-01-01 00:00:00.000\n",
    ],
)
def test_what_is_wrong_with_a_log_has_a_remedy(text: str, log: Path) -> None:
    log.write_text(text)

    with pytest.raises(SourceError, match="remedy: "):
        import_traces(log)
