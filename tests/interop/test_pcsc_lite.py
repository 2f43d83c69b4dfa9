"""What pcsc-lite's own UnitaryTests look at: the same on our socket as in a real pcscd.

Those scripts are in no package, Debian's or PyPI's, and pcsc-lite's released archives leave them out; so what
they look at is done by programs of ours. The table says which program stands for which script.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from cardtwin.readers.wrappers import Fault, FaultyCard, Removal
from support import pcsc_lite_programs
from support.interop import TIMEOUT
from support.places import READERS, Place, card, in_pcscd, on_our_socket, opened

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

SCRIPT: Final = Path(pcsc_lite_programs.__file__)

SAME: Final = {
    "CheckAutoPowerOff": "after_removal",
    "SCardBeginTransaction_Disconnect": "disconnect_in_nested_transaction",
    "SCardBeginTransaction_ExclusiceMode": "exclusive_after_transaction",
    "SCardBeginTransaction_Reset": "end_by_another",
    "SCardBeginTransaction_SharedMode": "release_beside_a_transaction",
    "SCardBeginTransaction_deadlock": "blocking",
    "SCardBlockingBehaviourTest": "blocking",
    "SCardCancel": "cancel",
    "SCardCancel2": "cancel",
    "SCardCancel3": "cancel",
    "SCardConnect_DIRECT": "direct",
    "SCardConnect_DIRECT2": "direct_between",
    "SCardEndTransaction_extra_call": "extra_end",
    "SCardExclusiveBehaviour": "exclusive",
    "SCardGetStatusChange/SCardGetStatusChange": "status_change",
    "SCardGetStatusChange/SCardGetStatusChange_PnP": "status_change",
    "SCardGetStatusChange/SCardGetStatusChange_loop": "status_change",
    "SCardGetStatusChange/SCardGetStatusChange_nonBlock": "list_while_waiting",
    "SCardGetStatusChange2": "unknown_readers",
    "SCardReconnect": "reset",
    "SCardStatus": "status",
    "ThreadSafe": "contexts_in_threads",
    "ThreadSafeConnect": "connections_in_threads",
    "reset_card": "reset",
    "stress_apdu": "loop",
    "transmit_loop": "loop",
}
"""Scripts of pcsc-lite, and the program that does the same and is told the same on both sides."""

ON_OUR_SOCKET: Final = {
    "FEATURE_GET_TLV_PROPERTIES": "vpcd has no properties: tests/unit/readers looks at ours",
    "SCardGetAttrib": "vpcd has no such attributes: the program is attributes",
    "getAttrib": "as SCardGetAttrib",
    "SCardGetStatusChange": "vpcd's readers stay: the program is reader_goes_and_comes",
    "SCardGetStatusChange/SCardGetStatusChange_PnP_Events": "as SCardGetStatusChange",
    "SCard_RemovedReader": "as SCardGetStatusChange, and the program handles on both sides",
    "transmit_card_removed": "vpcd answers with no bytes: the program is removed_during_a_command",
}
"""Scripts that have an answer from our readers only, and why."""

LEFT_OUT: Final = {
    "FEATURE_CCID_ESC_COMMAND_Gemalto_features": "a vendor's escape commands",
    "FEATURE_CCID_ESC_COMMAND_Xiring": "a vendor's escape commands",
    "MCT_ReaderDirect": "a display and other keys than for PINs: neither ours nor vpcd's readers have any",
    "SCard_fork": "libpcsclite alone decides it: 1.9.9 fails it above pcscd as well",
    "control_get_firmware": "a vendor's escape commands",
    "control_switch_interface": "a vendor's reader with two interfaces",
    "stress_get_firmware": "a vendor's escape commands",
}
"""Scripts that nothing here stands for, and why."""

SCRIPTS: Final = 40


def run(place: Place, name: str) -> list[str]:
    """Run a program, do what it says to the hand at the reader, and return its other lines."""
    hands = {"*remove": place.remove, "*insert": place.insert, **_others(place)}
    lines: list[str] = []

    with place.start(SCRIPT, name) as process:
        assert process.stdout is not None

        for line in process.stdout:
            lines.append(line.rstrip("\n"))

            if lines[-1] in hands:
                hands[lines.pop()]()

        process.wait(TIMEOUT)

    assert (process.returncode, lines[-1:]) == (0, ["done"]), lines
    return lines[:-1]


def _others(place: Place) -> dict[str, Callable[[], object]]:
    manager = place.manager

    if manager is None:
        return {}

    return {
        "*take away": lambda: manager.remove_reader(READERS[0]),
        "*bring another": lambda: manager.add_reader("Another"),
    }


def test_each_script_has_one_verdict() -> None:
    verdicts = [*SAME, *ON_OUR_SOCKET, *LEFT_OUT]
    assert len(set(verdicts)) == len(verdicts) == SCRIPTS


@pytest.mark.parametrize("name", sorted({*SAME.values(), "handles"}))
def test_programs_are_told_the_same_on_our_socket_and_in_pcscd(name: str) -> None:
    with opened(on_our_socket) as place:
        ours = run(place, name)

    with opened(in_pcscd) as place:
        theirs = run(place, name)

    assert ours == theirs
    assert ours


def test_our_readers_tell_what_a_usb_reader_tells() -> None:
    with opened(on_our_socket) as place:
        told = run(place, "attributes")

    vendor, version, serial, name, atr, channel = map(bytes.fromhex, told)
    assert (vendor, name) == (b"cardtwin\0", READERS[0].encode() + b"\0")
    assert atr == card().model.atr
    assert len(version) == len(channel) == 4
    assert len(serial) == 9


def test_a_reader_of_ours_goes_under_a_connection_and_another_one_comes() -> None:
    with opened(on_our_socket) as place:
        gone, refused, disconnected, come = run(place, "reader_goes_and_comes")

    assert gone == "status change 0x80100009"
    assert refused == "transmit 0x80100017"
    assert disconnected == "disconnect 0x00000000"
    assert come == f"{READERS[1]} Another"


@pytest.mark.parametrize("make", [on_our_socket, in_pcscd], ids=["socket", "pcscd"])
def test_a_card_that_goes_during_a_command_is_no_answer(
    make: Callable[[], AbstractContextManager[Place]],
) -> None:
    with make() as place:
        held = FaultyCard(card(), [Fault(Removal())], remove=place.remove)
        place.insert_card(held)
        during, after = run(place, "removed_during_a_command")

    # A real reader's driver tells that there is no card; vpcd's tells of nothing, and answers with no bytes.
    assert during == f"transmit {'0x8010000C' if make is on_our_socket else '0x00000000'}"
    assert after.startswith("status 0x80100069 ")
