"""How events read as a trace: what stands below what, and what is said of a login that got lost."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from cardtwin.events import (
    CallBegan,
    CallEnded,
    CardChange,
    CardChanged,
    Cause,
    Defect,
    Event,
    Exchange,
    Hub,
    LoginEnd,
    LoginEnded,
    PinPadAnswer,
    PinPadUsed,
    PinPrompt,
    PowerChange,
    ReaderChanged,
    because,
)
from cardtwin.trace import Recorder
from support.threads import in_thread, joined

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SELECT, READ, OK = bytes.fromhex("00A4000C023F00"), bytes.fromhex("00B0000010"), b"\x90\x00"
SELECT_LINES = ["> R1: 00 A4 00 0C 02 3F 00  SELECT file 3F00, no data", "< R1: 90 00"]
LOST = "CKR_USER_NOT_LOGGED_IN"


def written(*events: Event) -> list[str]:
    recorder = Recorder()

    for event in events:
        recorder(event)

    title, *lines = recorder.text("title").splitlines()
    assert title == "## title"
    return lines


class Story:
    """Events as they would be emitted."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.step = Cause("step 1 (sign)")

    def begin(self, name: str, program: str = "java.exe", parent: Cause | None = None) -> Cause:
        call = Cause(name, parent or self.step)
        self.events.append(
            CallBegan(
                cause=call.parent, call=call, interface="PKCS#11", program=program, arguments=(("h", "1"),)
            )
        )
        return call

    def end(self, call: Cause, result: str = "CKR_OK", **more: object) -> None:
        self.events.append(CallEnded(cause=call.parent, call=call, result=result, **more))  # type: ignore[arg-type]

    def apdu(self, cause: Cause | None, command: bytes = SELECT, response: bytes = OK) -> None:
        self.events.append(Exchange(reader="R1", command=command, response=response, cause=cause))

    def status(self, cause: Cause | None, change: CardChange = CardChange.STATUS_LOST, pin: int = 1) -> None:
        self.events.append(
            CardChanged(
                reader="R1",
                change=change,
                subject=f"3F00:00-{pin:02X}",
                detail=f"PIN {pin:02X}",
                reference=pin,
                cause=cause,
            )
        )

    def asked(self, cause: Cause | None, answer: PinPadAnswer) -> None:
        self.events.append(PinPadUsed(reader="R1", prompt=PinPrompt.PIN, answer=answer, cause=cause))

    def power(self, cause: Cause | None, change: PowerChange = PowerChange.RESET) -> None:
        self.events.append(ReaderChanged(reader="R1", change=change, cause=cause))

    def login_ended(self, cause: Cause | None, why: LoginEnd, pin: int = 0x81) -> LoginEnded:
        ended = LoginEnded(reader="R1", slot=1, user="CKU_USER", pin=pin, why=why, cause=cause)
        self.events.append(ended)
        return ended

    @property
    def lines(self) -> list[str]:
        return written(*self.events)


def test_apdus_stand_below_their_call_and_changes_below_their_apdu() -> None:
    story = Story()
    call = story.begin("C_Login")
    story.status(call, CardChange.STATUS_GAINED)
    story.apdu(call)
    story.end(call, results=(("*pulCount", "2"),))
    assert story.lines == [
        "# step 1 (sign)",
        "  [1] java.exe: C_Login(h=1)",
        *("    " + line for line in SELECT_LINES),
        "      * R1: security status gained 3F00:00-01 PIN 01",
        "  [1] -> CKR_OK, *pulCount=2",
    ]


def test_a_command_that_is_not_answered_says_why() -> None:
    story = Story()
    story.events.append(
        Exchange(reader="R1", command=SELECT, unanswered="the power was cut", cause=story.step)
    )
    assert story.lines[1:] == ["  " + SELECT_LINES[0], "  < R1: no answer: the power was cut"]


def test_a_call_in_which_nothing_happens_takes_one_line() -> None:
    story = Story()
    story.end(story.begin("C_GetInfo", program=""), "CKR_GENERAL_ERROR", reason="because")
    assert story.lines == ["# step 1 (sign)", "  [1] C_GetInfo(h=1) -> CKR_GENERAL_ERROR: because"]


def test_what_a_pin_pad_asks_for_stands_before_the_command_that_it_makes() -> None:
    story = Story()
    call = story.begin("C_Login")
    story.asked(call, PinPadAnswer.ENTERED)
    story.apdu(call)
    story.end(call)
    again = story.begin("C_Login")
    story.asked(again, PinPadAnswer.CANCELLED)
    story.end(again, "CKR_FUNCTION_CANCELED")
    assert story.lines == [
        "# step 1 (sign)",
        "  [1] java.exe: C_Login(h=1)",
        "    = R1: PIN pad: PIN: entered",
        *("    " + line for line in SELECT_LINES),
        "  [1] -> CKR_OK",
        "  [2] java.exe: C_Login(h=1)",
        "    = R1: PIN pad: PIN: cancelled",
        "  [2] -> CKR_FUNCTION_CANCELED",
    ]


def test_causes_within_a_call_stand_below_it_and_are_not_said_twice() -> None:
    story = Story()
    call = story.begin("cardtwin_InitTokenPPA")
    inner = Cause("InitTokenPPA", call)
    story.apdu(inner)
    story.apdu(inner)
    story.apdu(call)
    story.end(call)
    assert story.lines == [
        "# step 1 (sign)",
        "  [1] java.exe: cardtwin_InitTokenPPA(h=1)",
        "    # InitTokenPPA",
        *("      " + line for line in SELECT_LINES * 2),
        *("    " + line for line in SELECT_LINES),
        "  [1] -> CKR_OK",
    ]


def test_calls_of_several_programs_that_take_turns_are_named_again() -> None:
    story = Story()
    first_client, second_client = Cause("client 1 java"), Cause("client 2 ssh")
    first = story.begin("C_Sign", "java", first_client)
    story.apdu(first)
    second = story.begin("C_Sign", "ssh", second_client)
    story.apdu(first)
    story.apdu(second)
    story.end(first)
    story.end(second)
    select = ["    " + line for line in SELECT_LINES]
    assert story.lines == [
        "# client 1 java",
        "  [1] java: C_Sign(h=1)",
        *select,
        "# client 2 ssh",
        "  [2] ssh: C_Sign(h=1)",
        "# client 1 java goes on",
        "  [1] java: C_Sign goes on",
        *select,
        "# client 2 ssh goes on",
        "  [2] ssh: C_Sign goes on",
        *select,
        "# client 1 java goes on",
        "  [1] -> CKR_OK",
        "# client 2 ssh goes on",
        "  [2] -> CKR_OK",
    ]


def test_threads_that_call_at_once_keep_their_apdus_apart() -> None:
    hub, recorder = Hub(), Recorder()
    hub.subscribe(recorder)
    turns = threading.Barrier(2)

    def program(name: str) -> None:
        with because(name):
            for _ in range(5):
                turns.wait(20)

                with because("C_Sign") as call:
                    hub.emit(CallBegan(cause=call.parent, call=call, interface="PKCS#11", program=name))
                    hub.emit(Exchange(reader=name, command=SELECT, response=OK))
                    hub.emit(CallEnded(cause=call.parent, call=call, result=f"CKR_OK of {name}"))

    for thread in [in_thread(one) for one in (lambda: program("A"), lambda: program("B"))]:
        joined(thread)

    place, calls, ended = "", dict[str, str](), list[tuple[str, str]]()

    for line in recorder.text("title").splitlines()[1:]:
        if line.startswith("  ["):
            place = line[2:].split("]")[0]

            if "-> " in line:
                ended.append((calls[place], line[-1]))
            else:
                calls[place] = line.split("] ")[1][0]
        elif line.startswith("    "):
            assert line.split()[1] == f"{calls[place]}:"

    assert len(ended) == 10
    assert all(program == result for program, result in ended)


def test_what_no_apdu_brought_stands_by_itself() -> None:
    story = Story()
    story.status(None)
    story.apdu(story.step)
    story.events.append(CardChanged(reader="R2", change=CardChange.LIFE_CYCLE, subject="3F00", cause=None))
    story.events.append(Defect(where="card", detail="frames"))
    assert story.lines == [
        "* R1: security status lost 3F00:00-01 PIN 01",
        "# step 1 (sign)",
        *("  " + line for line in SELECT_LINES),
        "* R2: life cycle changed 3F00",
        "! defect in card",
    ]


@pytest.mark.parametrize(
    ("status", "told"),
    [("9000", "90 00"), ("6982", "69 82  security status not satisfied"), ("63C2", "63 C2  counter 2")],
)
def test_a_status_word_that_is_not_success_stands_there_in_words(status: str, told: str) -> None:
    story = Story()
    story.apdu(None, READ, bytes.fromhex(status))
    assert story.lines[1] == f"< R1: {told}"


def test_long_runs_of_a_byte_are_written_once() -> None:
    story = Story()
    story.apdu(None, READ, b"\x30" + bytes(15) + b"\x31" + bytes(16) + b"\x11" * 300 + OK)
    assert story.lines[1] == f"< R1: 30 {bytes(15).hex(' ')} 31 00{{16}} 11{{300}} 90 00"


def test_a_secret_is_not_told_by_a_run_of_it() -> None:
    story = Story()
    story.apdu(None, bytes.fromhex("0020008110") + b"1" * 16)
    assert story.lines[0].startswith("> R1: 00 20 00 81 10 **{16}  VERIFY")


def test_names_with_line_ends_stay_in_their_line() -> None:
    story = Story()
    story.end(story.begin("C_GetInfo", program="ja\nva"), reason="one\ntwo")
    assert story.lines[1:] == ["  [1] ja\\nva: C_GetInfo(h=1) -> CKR_OK: one\\ntwo"]


# A login that got lost


def ending(lines: list[str]) -> Iterator[str]:
    """Yield what explains the last call's return value."""
    return (line.strip() for line in lines[-2:] if line.lstrip().startswith("?"))


def test_the_reset_is_named_that_lost_the_login() -> None:
    story = Story()
    other = Cause("other", Cause("step 2 (pcsc)"))
    story.status(other)
    story.power(other)
    call = story.begin("C_Sign")
    ended = story.login_ended(call, LoginEnd.CARD_RESET)
    story.end(call, LOST, login=ended, reason="nobody is logged in")
    assert story.lines == [
        "# step 2 (pcsc)",
        "  # other",
        "    * R1: reset",
        "      * R1: security status lost 3F00:00-01 PIN 01",
        "# step 1 (sign)",
        "  [1] java.exe: C_Sign(h=1)",
        "    - R1: login of CKU_USER to slot 1 ended: the card was reset",
        f"  [1] -> {LOST}: nobody is logged in",
        "    ? PIN 01 was lost on R1: reset, step 2 (pcsc) / other",
    ]


def test_the_apdu_is_named_that_lost_the_login_and_the_call_that_noticed() -> None:
    story = Story()
    other = story.begin("C_FindObjectsInit", "ssh")
    story.apdu(other)
    story.status(other)
    story.apdu(other)
    story.end(other)
    noticed = story.begin("C_Sign")
    ended = story.login_ended(noticed, LoginEnd.CARD_FORGOT)
    story.end(noticed, LOST, login=ended)
    story.end(story.begin("C_SignInit"), LOST, login=ended)
    assert list(ending(story.lines)) == [
        "? the login of CKU_USER to slot 1 ended in [2] java.exe: C_Sign: the card asked for the PIN again",
        "? PIN 01 was lost on R1: SELECT file 3F00, no data, APDU 2 of [1] ssh: C_FindObjectsInit",
    ]


def test_a_login_that_the_program_ended_is_no_matter_of_the_card() -> None:
    story = Story()
    call = story.begin("C_Sign")
    story.status(call)
    story.apdu(call)
    ended = story.login_ended(call, LoginEnd.LOGOUT_AFTER_SIGN)
    story.end(call)
    story.end(story.begin("C_SignInit"), LOST, login=ended)
    assert list(ending(story.lines)) == [
        "? the login of CKU_USER to slot 1 ended in [1] java.exe: C_Sign: P11_LogoutAfterSign=1"
    ]


def test_another_pin_that_was_lost_later_explains_nothing() -> None:
    story = Story()
    story.status(story.step)
    story.power(story.step)
    story.status(None, pin=3)
    call = story.begin("C_Sign")
    story.end(call, LOST, login=story.login_ended(call, LoginEnd.CARD_RESET))
    assert list(ending(story.lines)) == ["? PIN 01 was lost on R1: reset, step 1 (sign)"]


def test_of_a_library_that_tells_of_no_logins_the_last_loss_is_named_unless_it_was_made_good() -> None:
    for made_good, expected in ((False, ["? PIN 01 was lost on R1: reset, step 1 (sign)"]), (True, [])):
        story = Story()
        story.status(story.step)
        story.power(story.step)

        if made_good:
            story.status(story.step, CardChange.STATUS_GAINED)

        story.end(story.begin("C_Sign"), LOST)
        assert list(ending(story.lines)) == expected


def test_a_call_that_ends_in_another_way_is_not_explained() -> None:
    outcomes: list[tuple[str, Callable[[Story], LoginEnded | None]]] = [
        ("CKR_OK", lambda _: None),
        ("CKR_DEVICE_REMOVED", lambda story: story.login_ended(None, LoginEnd.CARD_REMOVED)),
    ]

    for result, prepare in outcomes:
        story = Story()
        story.status(None)
        prepare(story)
        story.end(story.begin("C_Sign"), result)
        assert not [line for line in story.lines if "?" in line]
