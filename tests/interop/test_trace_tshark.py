"""Wireshark's tshark reads what is exported: commands, status words and remarks."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

from cardtwin.trace import MaskedExchange, Recorder
from cardtwin.trace.exports import export_traces
from support.interop import TIMEOUT, program
from support.programs import PIN
from support.rig import READER, full_card

if TYPE_CHECKING:
    from pathlib import Path

    from support.interop import Desk

FIELDS = ("frame.interface_name", "gsm_sim.apdu.ins", "gsm_sim.apdu.sw", "udp.payload", "frame.comment")


def read(path: Path, *fields: str) -> list[dict[str, str]]:
    """Return what tshark finds in a file: the fields of each packet."""
    chosen = [option for field in fields for option in ("-e", field)]
    command = [program("tshark"), "-n", "-r", str(path), "-T", "fields", "-E", "separator=|", *chosen]
    output = subprocess.run(command, capture_output=True, check=True, timeout=TIMEOUT, text=True).stdout
    return [dict(zip(fields, line.split("|"), strict=True)) for line in output.splitlines()]


def test_a_session_of_opensc_is_read_packet_by_packet(desk: Desk, tmp_path: Path) -> None:
    recorder = Recorder()
    desk.hub.subscribe(recorder)
    desk.insert("cardos-5.3", full_card("cardos-5.3"))
    desk.run("pkcs15-tool", "--verify-pin", "--pin", PIN.reveal().decode())
    trace = recorder.trace("verify")
    export_traces([trace], "pcapng", tmp_path / "trace.pcapng")
    packets = read(tmp_path / "trace.pcapng", *FIELDS)
    exchanges = [event for event in trace.events if isinstance(event, MaskedExchange)]

    assert [packet["frame.interface_name"] for packet in packets] == [READER] * len(exchanges)

    for packet, event in zip(packets, exchanges, strict=True):
        data = f"{event.command} {event.response}".replace("**", "00")
        assert packet["gsm_sim.apdu.ins"] == f"0x{event.command[3:5].lower()}"
        assert packet["udp.payload"].replace(":", "").endswith(data.replace(" ", "").lower())
        assert packet["gsm_sim.apdu.sw"] == f"0x{event.response[-5:].replace(' ', '').lower()}"
        assert event.meaning.split(",")[0] in packet["frame.comment"]

    (verify,) = [packet for packet in packets if "VERIFY PIN" in packet["frame.comment"]]
    assert "masked, here 00: bytes 6 to 13 of the command" in verify["frame.comment"]
