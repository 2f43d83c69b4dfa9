"""Traces in the forms of other programs: every byte, and what is masked is said."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cardtwin.events import Exchange, PowerChange, ReaderChanged, because
from cardtwin.trace import MaskedExchange, Masker, Trace
from cardtwin.trace.exports import FORMS, ExportError, export_traces, packets_of
from cardtwin.trace.imports import import_traces

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from cardtwin.events import Event

ATR = bytes.fromhex("3BD218008131FE58C90316")
SELECT = bytes.fromhex("00A4000C023F00")
READ = bytes.fromhex("00B0000000")
VERIFY = bytes.fromhex("0020008108") + b"12345678"
DONE = b"\x90\x00"


def traced(*events: Event, title: str = "a trace", times: tuple[float, ...] = ()) -> Trace:
    masker = Masker()
    return Trace(title, tuple(map(masker.masked, events)), times)


def exchange(command: bytes, response: bytes = DONE, reader: str = "R1", unanswered: str = "") -> Exchange:
    return Exchange(reader=reader, command=command, response=response, unanswered=unanswered)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "exported"


def blocks(content: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield the blocks of a pcapng file: type and body."""
    while content:
        kind, length = struct.unpack_from("<II", content)
        assert struct.unpack_from("<I", content, length - 4) == (length,)
        yield kind, content[8 : length - 4]
        content = content[length:]


def test_a_dump_has_the_card_the_apdus_and_what_they_mean(path: Path) -> None:
    with because("step 1 (apdu)"):
        events = (
            ReaderChanged(reader="R1", change=PowerChange.RESET, atr=ATR),
            exchange(SELECT, b"\x6a\x82"),
            exchange(VERIFY),
        )

    export_traces([traced(*events)], "apdu4j", path)

    assert path.read_text().splitlines() == [
        "# Using R1",
        "# ATR: 3BD218008131FE58C90316",
        "# PROTOCOL: T=1",
        "#",
        "# a trace",
        "# before: R1: reset 3B D2 18 00 81 31 FE 58 C9 03 16",
        "# SELECT file 3F00, no data",
        "# because of step 1 (apdu)",
        "00A4000C023F00",
        "6A82",
        "#",
        "# a trace",
        "# VERIFY PIN 1 (backtracking), 8 bytes",
        "# because of step 1 (apdu)",
        "# masked, here 00: bytes 6 to 13 of the command",
        "00200081080000000000000000",
        "9000",
    ]


def test_a_command_without_an_answer_is_a_remark_in_a_dump(path: Path) -> None:
    export_traces(
        [traced(exchange(READ, b"", unanswered="the card is mute"), exchange(SELECT))], "apdu4j", path
    )
    lines = path.read_text().splitlines()

    assert [line for line in lines if not line.startswith("#")] == ["00A4000C023F00", "9000"]
    assert "# no answer: the card is mute" in lines
    assert "# sent 00B0000000" in lines


def test_what_is_no_command_or_no_response_is_a_remark_in_a_dump(path: Path) -> None:
    odd = (exchange(b"", b"\x6f\x00"), exchange(b"\x00", b"\x6f\x00"), exchange(READ, b"\x61"))
    export_traces([traced(*odd, exchange(SELECT))], "apdu4j", path)
    lines = path.read_text().splitlines()

    assert [line for line in lines if not line.startswith("#")] == ["00A4000C023F00", "9000"]
    assert lines[lines.index("# sent 00B0000000") + 1] == "# received 61"

    with pytest.raises(ExportError, match="this trace has none"):
        export_traces([traced(*odd)], "apdu4j", path)


def test_a_remark_that_is_longer_than_an_option_is_cut(path: Path) -> None:
    select = bytes.fromhex("00A4040000C350") + bytes(50_000)
    export_traces([traced(exchange(select), title="\u00fc" * 40_000)], "pcapng", path)

    assert b"00..." in path.read_bytes()
    assert b"\xc3\xbc..." in path.read_bytes()


def test_a_dump_has_one_reader(path: Path) -> None:
    trace = traced(exchange(SELECT), exchange(READ, reader="R2"))

    with pytest.raises(ExportError, match=r"R1, R2.*--reader"):
        export_traces([trace], "apdu4j", path)

    export_traces([trace], "apdu4j", path, reader="R2")
    assert "00B0000000" in path.read_text()
    assert "00A4" not in path.read_text()


def test_a_name_of_several_lines_is_a_remark_of_one(path: Path) -> None:
    export_traces([traced(exchange(SELECT, reader="R\r\n9000"), title="a\n00A40000")], "apdu4j", path)

    assert path.read_text().splitlines()[-2:] == ["00A4000C023F00", "9000"]
    assert sum(not line.startswith("#") for line in path.read_text().splitlines()) == 2


@pytest.mark.parametrize("form", FORMS)
def test_a_trace_without_apdus_is_refused(path: Path, form: str) -> None:
    with pytest.raises(ExportError, match="no APDUs"):
        export_traces([traced(ReaderChanged(reader="R1", change=PowerChange.REMOVED))], form, path)

    with pytest.raises(ExportError, match="'R2'"):
        export_traces([traced(exchange(SELECT))], form, path, reader="R2")

    assert not path.exists()


def test_packets_have_their_reader_time_and_bytes(path: Path) -> None:
    trace = traced(exchange(SELECT), exchange(READ, b"\1\2" + DONE, reader="R2"), times=(0.0, 5000.25))
    export_traces([trace, trace], "pcapng", path)
    found = list(blocks(path.read_bytes()))

    assert [kind for kind, _ in found] == [0x0A0D0D0A, 1, 1, 6, 6] * 2
    assert b"R2" in found[2][1]
    interface, high, low, length, original = struct.unpack_from("<IIIII", found[4][1])
    assert (interface, high << 32 | low) == (1, 5_000_250_000)
    datagram = found[4][1][20 : 20 + length]
    assert length == original == struct.unpack_from(">H", datagram, 2)[0]
    assert sum(struct.unpack_from(">10H", datagram)) % 0xFFFF == 0, "the sum of an IPv4 header"
    assert struct.unpack_from(">HHH", datagram, 20) == (4729, 4729, length - 20)
    assert datagram[28:44] == bytes((2, 4, 4, *(0,) * 13))
    assert datagram[44:] == READ + b"\1\2" + DONE


def test_what_no_packet_has_room_for_is_refused(path: Path) -> None:
    with pytest.raises(ExportError, match="no packet has room"):
        export_traces([traced(exchange(READ, bytes(65_500) + DONE))], "pcapng", path)


def test_remarks_tell_which_bytes_are_masked() -> None:
    event = MaskedExchange(
        cause=None, reader="R1", meaning="", command="00 ** 01 ** **", response="** 90 00", status=""
    )
    (packet,) = packets_of(Trace("", (event,)))

    assert packet.remarks[-2:] == (
        "masked, here 00: bytes 2, 4 to 5 of the command",
        "masked, here 00: bytes 1 of the response",
    )
    assert (packet.command, packet.response) == (bytes((0, 0, 1, 0, 0)), b"\0" + DONE)


BYTES = st.binary(min_size=4, max_size=40)
STATUSES = st.builds(
    lambda first, second: bytes((first, second)), st.integers(0x60, 0x6F), st.integers(0, 255)
)
RESPONSES = st.builds(bytes.__add__, st.binary(max_size=38), STATUSES | st.just(DONE))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    sent=st.lists(st.tuples(BYTES, RESPONSES), min_size=1),
    reader=st.text(min_size=1),
)
def test_a_dump_is_read_again_as_it_was(path: Path, sent: list[tuple[bytes, bytes]], reader: str) -> None:
    trace = traced(*(exchange(command, response, reader=reader) for command, response in sent), title=reader)
    export_traces([trace], "apdu4j", path)
    (read,) = import_traces(path, "apdu4j")

    assert [(packet.command, packet.response) for packet in packets_of(read)] == [
        (packet.command, packet.response) for packet in packets_of(trace)
    ]
