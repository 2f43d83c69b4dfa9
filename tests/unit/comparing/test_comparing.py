"""Two runs side by side: seeded differences are found and named, what is new each time is not one."""

from __future__ import annotations

import pytest

from cardtwin.comparing import Kind, compare_traces, differences
from cardtwin.events import Cause, Exchange
from cardtwin.trace import Recorder, Trace

SELECT = "00A4000C023F00"
FCI = "6F 07 82 01 38 86 02 {} FF 90 00"
RULES = "6F {} 82 01 01 AB {} 90 00"
FREE = "0A 800102 9000 800101 9000"
WITH_A_PIN = "10 800102 A4 06 830103 950108 800101 9000"
MF_CONDITIONS = (
    Kind.ACCESS,
    "access conditions (86) 00 FF (LCYCLE always)",
    "01 FF (LCYCLE object 01)",
)
PAIRS_AS_WELL = (Kind.ACCESS, "access conditions (86) 00 01 FF 00 00 00 FF FF", "00 02 FF 00 00 00 FF FF")
NINE_BYTES = (
    Kind.ACCESS,
    "access conditions (86) 00 01 FF 00 00 00 FF FF FF (UPDATE object 01)",
    "00 02 FF 00 00 00 FF FF FF (UPDATE object 02)",
)
COSMO_CONDITIONS = (
    Kind.ACCESS,
    "access conditions (A1) 8C 03 03 FF 00 (READ always, UPDATE never)",
    "8C 03 03 92 90 (READ never, UPDATE object 02)",
)
EF_CONDITIONS = (
    Kind.ACCESS,
    "access conditions (AB) 80 01 02 90 00 80 01 01 90 00 (UPDATE always)",
    "80 01 02 A4 06 83 01 03 95 01 08 80 01 01 90 00 (UPDATE object 03)",
)


def trace(*pairs: tuple[str, str], step: str = "step 1 (apdu)") -> Trace:
    recorder, cause = Recorder(), Cause(step)

    for command, response in pairs:
        recorder(
            Exchange(
                cause=cause,
                reader="R1",
                command=bytes.fromhex(command),
                response=bytes.fromhex(response),
                unanswered="" if response else "mute",
            )
        )

    return recorder.trace("one")


def found(left: Trace, right: Trace) -> list[tuple[Kind, str, str]]:
    return [(d.kind, d.left, d.right) for d in compare_traces(left, right)]


@pytest.mark.parametrize(
    ("command", "left", "right", "expected"),
    [
        (SELECT, "9000", "6A82", (Kind.STATUS, "9000 (success)", "6A82 (file not found)")),
        ("00200081", "63C2", "63C1", (Kind.COUNTER, "63C2 (counter 2)", "63C1 (counter 1)")),
        (SELECT, FCI.format("00"), FCI.format("01"), MF_CONDITIONS),
        (
            SELECT,
            RULES.format("0F", "0A 800102 9000 800101 9000"),
            RULES.format("15", WITH_A_PIN),
            EF_CONDITIONS,
        ),
        (
            SELECT,
            "6F0D 820101 8608 0001FF000000FFFF 9000",
            "6F0D 820101 8608 0002FF000000FFFF 9000",
            PAIRS_AS_WELL,
        ),
        (
            SELECT,
            "6F0E 820101 8609 0001FF000000FFFFFF 9000",
            "6F0E 820101 8609 0002FF000000FFFFFF 9000",
            NINE_BYTES,
        ),
        (
            SELECT,
            "6F0A 820101 A105 8C0303FF00 9000",
            "6F0A 820101 A105 8C03039290 9000",
            COSMO_CONDITIONS,
        ),
        ("00A40000023F00", "6F0382013890 00", "6F038201399000", (Kind.ATTRIBUTE, "file descriptor 38", "39")),
        ("00B0000004", "010203049000", "010203059000", (Kind.DATA, "04 from byte 3", "05 from byte 3")),
        ("00B0000004", "010203049000", "0102039000", (Kind.LENGTH, "4 bytes", "3 bytes")),
        ("00B0000004", "010203049000", "", (Kind.UNANSWERED, "01 02 03 04 90 00", "no answer: mute")),
        ("0084000004", "010203049000", "0102039000", (Kind.LENGTH, "4 bytes", "3 bytes")),
    ],
)
def test_a_difference_is_found_and_named(
    command: str, left: str, right: str, expected: tuple[Kind, str, str]
) -> None:
    assert found(trace((command, left)), trace((command, right))) == [expected]


@pytest.mark.parametrize("command", ["0084000004", "002A9E9A", "0047000004AC028000"])
def test_what_is_new_each_time_is_no_difference(command: str) -> None:
    assert found(trace((command, "010203049000")), trace((command, "050607089000"))) == []


def test_a_command_of_one_side_alone_is_a_difference_and_the_others_are_still_compared() -> None:
    left = trace((SELECT, "9000"), ("00B0000002", "01029000"))
    right = trace((SELECT, "9000"), ("0084000004", "010203049000"), ("00B0000002", "01039000"))
    assert [kind for kind, _, _ in found(left, right)] == [Kind.COMMAND, Kind.DATA]


def test_masked_bytes_are_taken_as_equal() -> None:
    one, other = (trace(("002A808602 0001", f"{data}9000")) for data in ("0102", "0304"))
    assert "**" in one.text()
    assert found(one, other) == []


def test_a_difference_names_its_step_and_command() -> None:
    (only,) = compare_traces(trace((SELECT, "9000")), trace((SELECT, "6A82")))
    assert str(only) == (
        "step 1 (apdu), APDU 1: 00 A4 00 0C SELECT file 3F00, no data: status word: "
        "9000 (success) against 6A82 (file not found)"
    )


def test_equal_answers_have_no_differences() -> None:
    (event,) = trace((SELECT, "9000")).events
    assert differences(event, event, "here") == ()  # type: ignore[arg-type]  # a masked exchange
