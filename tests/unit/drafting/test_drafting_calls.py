"""Drafts of single calls: arguments as they were, names for handles, matchers, and comments where to look."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from cardtwin.drafting import Circumstances, NothingToDraftError, draft
from cardtwin.events import CallBegan, Cause, Event, ReaderChanged
from cardtwin.events import PowerChange as Power
from cardtwin.scenario import load
from cardtwin.trace import MaskedExchange, Trace
from support.drafts import LOGIN, NOTHING, OPENED, Recorded, drafted, recorded, steps, trace

if TYPE_CHECKING:
    from pathlib import Path

    from cardtwin.scenario import Instance

ATR_53 = bytes.fromhex("3BD2180081 31FE58C90316")


def last_step(folder: Path, *calls: Recorded) -> str:
    return steps(draft(trace(*OPENED, *calls), folder)).splitlines()[-1].strip()


def test_handles_get_the_names_of_the_results_that_gave_them(tmp_path: Path) -> None:
    text = steps(draft(trace(*OPENED, ("C_Logout", {"hSession": "41"}, NOTHING, "CKR_OK")), tmp_path))

    assert "bind: slots" in text
    assert "slotID: $(slots.0)" in text
    assert "- {pkcs11: C_Logout, hSession: $(session), by: program}" in text


def test_two_processes_of_one_name_are_two_programs(tmp_path: Path) -> None:
    events = [
        replace(event, cause=client) if isinstance(event, CallBegan) else event
        for each in OPENED
        for client in (Cause("client 70 java"), Cause("client 71 java"))
        for event in recorded(*each)
    ]
    text = steps(draft(Trace("a log", tuple(events)), tmp_path))

    assert text.count("by: program-2") == 3
    assert text.count("by: program") == 6


def test_what_processes_do_beside_their_calls_is_theirs(tmp_path: Path) -> None:
    select = MaskedExchange(
        reader="R1", meaning="SELECT", command="00 A4 00 0C 02 3F 00", response="90 00", status="success"
    )
    processes = [Cause("client 70 java"), Cause("client 71 java")]
    events = [
        replace(event, cause=client) if isinstance(event, CallBegan) else event
        for each in OPENED
        for client in processes
        for event in recorded(*each)
    ]
    events += [replace(select, cause=client) for client in (*processes, Cause("client 72 java"))]
    text = steps(draft(Trace("a log", tuple(events)), tmp_path))
    sent = [line for line in text.splitlines() if "apdu:" in line]

    assert ["by: program-2" in line for line in sent] == [False, True, False]
    assert ["by: java" in line for line in sent] == [False, False, True]


def test_a_program_that_was_started_anew_is_another_one(tmp_path: Path) -> None:
    again = steps(draft(trace(*OPENED, *OPENED), tmp_path))
    after = steps(draft(trace(*OPENED, ("C_Finalize", NOTHING, NOTHING, "CKR_OK"), *OPENED), tmp_path))

    assert again.count("by: program-2") == 3
    assert "program-2" not in after


def test_a_name_that_nothing_refers_to_is_not_given(tmp_path: Path) -> None:
    assert "bind: session" not in steps(draft(trace(*OPENED), tmp_path))


def test_a_handle_that_nothing_gave_is_a_number_with_a_comment(tmp_path: Path) -> None:
    text = steps(draft(trace(*OPENED, ("C_Logout", {"hSession": "99"}, NOTHING, "CKR_OK")), tmp_path))
    assert "# LOOK: nothing in the trace has given this program the session 99" in text
    assert "hSession: 99" in text


def test_a_handle_that_comes_again_is_the_newer_one(tmp_path: Path) -> None:
    again = OPENED[2]
    assert "hSession: $(session_2)" in last_step(
        tmp_path, again, ("C_Logout", {"hSession": "41"}, NOTHING, "CKR_OK")
    )


def test_what_is_new_each_time_is_matched_by_its_length(tmp_path: Path) -> None:
    signed = ("C_Sign", {"hSession": "41", "pData": "4 bytes"}, {"pSignature": "256"}, "CKR_OK")
    assert "pData: {text: xxxx}" in last_step(tmp_path, signed)
    assert "expect: {pSignature: {any: 256}}" in last_step(tmp_path, signed)


def test_a_signature_that_is_verified_is_the_one_that_was_made(tmp_path: Path) -> None:
    signed = ("C_Sign", {"hSession": "41", "pData": "4 bytes"}, {"pSignature": "256"}, "CKR_OK")
    given = {"hSession": "41", "pData": "4 bytes", "pSignature": "256 bytes"}
    text = steps(draft(trace(*OPENED, signed, ("C_Verify", given, NOTHING, "CKR_OK")), tmp_path))
    assert "pSignature: $(signature)" in text
    assert "bind: signature" in text


def test_an_attribute_of_the_card_that_is_looked_for_is_the_one_that_was_read(tmp_path: Path) -> None:
    asked = {"hSession": "41", "hObject": "0", "pTemplate": "CKA_ID"}
    read = ("C_GetAttributeValue", asked, {"pTemplate": "2"}, "CKR_OK")
    sought = ("C_FindObjectsInit", {"hSession": "41", "pTemplate": "CKA_ID=AB CD"}, NOTHING, "CKR_OK")
    assert "pTemplate: {CKA_ID: $(attributes.CKA_ID)}" in last_step(tmp_path, read, sought)
    assert "pTemplate: {CKA_ID: AB CD}" in last_step(tmp_path, sought)


@pytest.mark.parametrize(("function", "told"), [("C_Decrypt", True), ("C_Encrypt", False)])
def test_data_that_matters_is_told_to_be_unknown(function: str, told: bool, tmp_path: Path) -> None:
    name = "pEncryptedData" if told else "pData"
    given = (function, {"hSession": "41", name: "256 bytes"}, NOTHING, "CKR_OK")
    text = steps(draft(trace(*OPENED, given), tmp_path))
    assert (f"# LOOK: the trace has the length of {name} alone" in text) == told


def test_a_call_that_has_not_returned_is_told(tmp_path: Path) -> None:
    events = trace(*OPENED, ("C_Logout", {"hSession": "41"}, NOTHING, "CKR_OK")).events
    text = steps(draft(Trace("a log", events[:-1]), tmp_path))

    assert "# LOOK: in the trace this hasn't returned\n  - {pkcs11: C_Logout" in text
    assert "hasn't returned" not in steps(draft(Trace("a log", events), tmp_path))


def test_a_trace_that_was_cut_is_told_to_be(tmp_path: Path) -> None:
    text = steps(draft(replace(trace(*OPENED), cut_at=9000), tmp_path))

    assert "# LOOK: the trace was cut behind this, at its limit\n  - {pkcs11: C_OpenSession" in text


def test_a_refused_call_is_expected_to_be_refused(tmp_path: Path) -> None:
    refused = ("C_Login", LOGIN, NOTHING, "CKR_PIN_LOCKED")
    assert "expect: CKR_PIN_LOCKED" in steps(draft(trace(*OPENED, refused), tmp_path))


def test_a_wrong_pin_is_another_parameter_than_the_right_one(tmp_path: Path) -> None:
    wrong = ("C_Login", LOGIN, NOTHING, "CKR_PIN_INCORRECT")
    text = draft(trace(*OPENED, wrong, ("C_Login", LOGIN, NOTHING, "CKR_OK")), tmp_path)
    assert "pPin: $(secrets.wrong_pin)" in text
    assert "pPin: $(secrets.pin)" in text


def test_the_second_slot_has_a_pin_of_its_own(tmp_path: Path) -> None:
    opened = ("C_OpenSession", {"slotID": "8", "flags": "4"}, {"phSession": "42"}, "CKR_OK")
    login = ("C_Login", {**LOGIN, "hSession": "42"}, NOTHING, "CKR_OK")
    assert "pPin: $(secrets.signature_pin)" in last_step(tmp_path, opened, login)


def test_after_a_change_the_new_pin_is_given(tmp_path: Path) -> None:
    changed = ("C_SetPIN", {"hSession": "41", "pOldPin": "**", "pNewPin": "**"}, NOTHING, "CKR_OK")
    text = steps(draft(trace(*OPENED, changed, ("C_Login", LOGIN, NOTHING, "CKR_OK")), tmp_path))
    assert "pOldPin: $(secrets.pin), pNewPin: $(secrets.new_pin)" in text
    assert "pPin: $(secrets.new_pin)" in text


def test_secrets_that_are_given_stand_at_one_place(tmp_path: Path) -> None:
    given = Circumstances(secrets={"pin": "2468"})
    text = draft(trace(*OPENED, ("C_Login", LOGIN, NOTHING, "CKR_OK")), tmp_path, given)
    assert text.count("2468") == 1
    assert "id: given, pin: 2468" in text


def test_room_that_was_enough_is_not_told_and_other_room_is(tmp_path: Path) -> None:
    def sign(room: str, rv: str) -> str:
        given = {"hSession": "41", "pData": "4 bytes", "pSignature": room}
        return last_step(tmp_path, ("C_Sign", given, {"pSignature": "256"}, rv))

    assert "room" not in sign("room for 256 or more", "CKR_OK")
    assert "room: NULL" in sign("NULL", "CKR_OK")
    assert "room: 5" in sign("room for 5", "CKR_BUFFER_TOO_SMALL")
    assert "room: 255" in sign("room for less than 256", "CKR_BUFFER_TOO_SMALL")


def test_values_that_the_trace_has_masked_are_told(tmp_path: Path) -> None:
    made = {"hSession": "41", "pTemplate": "CKA_CLASS=CKO_DATA, CKA_LABEL='a, b', CKA_VALUE=**"}
    text = steps(draft(trace(*OPENED, ("C_CreateObject", made, {"phObject": "3"}, "CKR_OK")), tmp_path))
    assert "# LOOK: the trace doesn't have the value of CKA_VALUE" in text
    assert '{CKA_CLASS: CKO_DATA, CKA_LABEL: "a, b", CKA_VALUE: {hex: 00}}' in text


def test_a_label_that_looks_like_a_name_stays_a_label(tmp_path: Path) -> None:
    sought = {"hSession": "0", "pTemplate": "CKA_LABEL='$(pin)'"}
    instance = drafted(trace(*OPENED, ("C_FindObjectsInit", sought, NOTHING, "CKR_OK")), tmp_path)
    step = instance.steps[-1].complete(instance.values)
    assert step.pTemplate.CKA_LABEL == b"$(pin)"  # type: ignore[attr-defined]


def test_parameters_of_mechanisms_are_the_usual_ones(tmp_path: Path) -> None:
    given = {"hSession": "41", "pMechanism": "CKM_SHA384_RSA_PKCS_PSS", "hKey": "0"}
    text = steps(draft(trace(*OPENED, ("C_SignInit", given, NOTHING, "CKR_OK")), tmp_path))
    assert "pParameter: {hashAlg: CKM_SHA384, mgf: CKG_MGF1_SHA384, sLen: 48}" in text
    assert "# LOOK: the trace has no parameter of the mechanism" in text


def test_a_trace_that_begins_later_gets_the_beginning(tmp_path: Path) -> None:
    text = steps(draft(trace(("C_GetInfo", NOTHING, {"pInfo": "Info"}, "CKR_OK")), tmp_path))
    assert text.index("C_Initialize") < text.index("C_GetInfo")


def test_with_a_fault_it_ends_there_and_expects_success(tmp_path: Path) -> None:
    refused = ("C_Logout", {"hSession": "41"}, NOTHING, "CKR_USER_NOT_LOGGED_IN")
    after = ("C_CloseSession", {"hSession": "41"}, NOTHING, "CKR_OK")
    text = steps(draft(trace(*OPENED, refused, after), tmp_path, Circumstances(fault=refused[3])))
    assert "# the fault: in the trace this returns CKR_USER_NOT_LOGGED_IN" in text
    assert text.endswith("- {pkcs11: C_Logout, hSession: $(session), by: program}\n")


def test_the_last_step_proves_what_is_said(tmp_path: Path) -> None:
    text = steps(draft(trace(*OPENED), tmp_path, Circumstances(proves=("BUG-7",))))
    assert text.count("proves") == 1
    assert text.splitlines()[-1].strip() == "proves: [BUG-7]"


def test_a_fault_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NothingToDraftError, match="CKR_PIN_LOCKED"):
        draft(trace(*OPENED), tmp_path, Circumstances(fault="CKR_PIN_LOCKED"))


def test_an_empty_trace_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NothingToDraftError, match="no call and no APDU"):
        draft(trace(), tmp_path)


def inserted(atr: bytes) -> tuple[Event, ...]:
    return (
        ReaderChanged(reader="R1", change=Power.INSERTED),
        ReaderChanged(reader="R1", change=Power.POWERED_ON, atr=atr),
    )


@pytest.mark.parametrize(
    ("before", "comment"),
    [
        (inserted(bytes.fromhex("3BD21802C10A31FE58C80D51")), ""),
        (inserted(bytes.fromhex("3B00")), "no known model"),
        ((), "doesn't tell which card"),
    ],
)
def test_the_card_is_known_by_its_atr(before: tuple[Event, ...], comment: str, tmp_path: Path) -> None:
    text = draft(trace(*OPENED, before=before), tmp_path)
    assert (f"model: {'cardos-5.3' if comment else 'cardos-4.4'}") in text
    assert comment in text.partition("cards:")[0]


def exchange(command: str, response: str, meaning: str) -> MaskedExchange:
    return MaskedExchange(reader="R1", meaning=meaning, command=command, response=response, status="")


@pytest.mark.parametrize(
    ("causes", "told"),
    [
        (("other",), True),
        (("step 7 (apdu)", "other"), True),
        (("step 7 (certify)", "C_CreateObject"), False),
        (("the program is gone",), False),
    ],
)
def test_commands_between_calls_are_sent_again_unless_they_come_by_themselves(
    causes: tuple[str, ...], told: bool, tmp_path: Path
) -> None:
    cause = None

    for what in causes:
        cause = Cause(what, cause)

    found = replace(exchange("00 CA 01 83 00", "20 90 00", "GET DATA life cycle"), cause=cause)
    text = steps(draft(Trace("a log", (*trace(*OPENED).events, found)), tmp_path))
    assert ("apdu: 00 CA 01 83 00" in text) == told
    assert ("by: other" in text) == told


def test_commands_that_a_call_has_caused_are_the_call_s(tmp_path: Path) -> None:
    began, ended = recorded("C_GetInfo", NOTHING, NOTHING)
    assert isinstance(began, CallBegan)
    found = replace(exchange("00 CA 01 83 00", "20 90 00", "GET DATA life cycle"), cause=began.call)
    assert "apdu" not in steps(draft(Trace("a log", (began, found, ended)), tmp_path))


def apdus(folder: Path, *exchanges: MaskedExchange) -> tuple[str, Instance]:
    text = draft(Trace("apdus", (*inserted(ATR_53), *exchanges)), folder, Circumstances(profile=None))
    path = folder / "apdus.scenario.yaml"
    path.write_text(text)
    (instance,) = load(path)
    return text, instance


def test_a_trace_without_calls_becomes_apdus(tmp_path: Path) -> None:
    text, instance = apdus(
        tmp_path,
        exchange("00 CA 01 83 00", "20 90 00", "GET DATA life cycle"),
        exchange("00 84 00 00 08", "01 02 03 04 05 06 07 08 90 00", "GET CHALLENGE 8 bytes"),
        exchange("00 20 00 81 08 ** ** ** ** ** ** ** **", "63 C2", "VERIFY 81"),
    )
    assert "apdu: 00 CA 01 83 00, by: program, expect: {sw: 90 00, data: 20}" in text
    assert "expect: {sw: 90 00, data: {any: 8}}" in text
    assert "00 20 00 81 08 39 39 39 39 00 00 00 00, by: program, expect: 63 C2" in text
    assert [step.kind.verb for step in instance.steps] == ["apdu"] * 3


def test_programs_at_the_card_have_their_names_without_their_numbers(tmp_path: Path) -> None:
    select = MaskedExchange(
        reader="R1",
        meaning="SELECT",
        command="00 A4 00 0C 02 3F 00",
        response="90 00",
        status="9000",
    )
    clients = [Cause("client 70 opensc-tool"), Cause("client 71 opensc-tool")]
    text = steps(draft(Trace("a log", tuple(replace(select, cause=each) for each in clients)), tmp_path))

    assert "by: opensc-tool, expect: 90 00}" in text
    assert "by: opensc-tool-2, expect: 90 00}" in text


def test_resets_and_removals_between_apdus_are_steps(tmp_path: Path) -> None:
    asked = exchange("00 CA 01 83 00", "20 90 00", "GET DATA life cycle")
    events = [
        ReaderChanged(reader="R1", change=each) for each in (Power.RESET, Power.REMOVED, Power.INSERTED)
    ]
    found = Trace("apdus", (*inserted(ATR_53), asked, *events, asked))
    text = draft(found, tmp_path, Circumstances(profile=None))
    done = [line.strip() for line in text.splitlines() if "card: " in line]
    assert done == ["- {card: reset}", "- {card: remove}", "- {card: insert, which: token}"]
