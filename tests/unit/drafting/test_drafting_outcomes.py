"""What calls returned tells what a log doesn't: drafts of such logs pass on the emulated card."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from cardtwin.drafting import Circumstances, NoSuchProfileError, draft
from cardtwin.events import CallEnded, PowerChange, ReaderChanged
from cardtwin.scenario import Verdict
from cardtwin.trace import Trace
from support.drafts import LOGIN, NOTHING, OPENED, Recorded, drafted, ran, recorded, steps, trace

if TYPE_CHECKING:
    from pathlib import Path

SESSION = {"hSession": "41"}
SET = ("C_SetPIN", {**SESSION, "pOldPin": "**", "pNewPin": "**"}, NOTHING)
LOGGED_IN: Recorded = ("C_Login", LOGIN, NOTHING, "CKR_OK")
LOGGED_OUT: Recorded = ("C_Logout", SESSION, NOTHING, "CKR_OK")
AS_OFFICER: Recorded = ("C_Login", {**LOGIN, "userType": "CKU_SO"}, NOTHING, "CKR_OK")
REFUSED = "CKR_USER_NOT_LOGGED_IN"


def found(kind: str, handle: str) -> tuple[Recorded, ...]:
    return (
        ("C_FindObjectsInit", {**SESSION, "pTemplate": f"CKA_CLASS={kind}"}, NOTHING, "CKR_OK"),
        ("C_FindObjects", {**SESSION, "phObject": "9"}, {"phObject": handle}, "CKR_OK"),
        ("C_FindObjectsFinal", SESSION, NOTHING, "CKR_OK"),
    )


def init(function: str, handle: str, mechanism: str = "CKM_SHA256_RSA_PKCS") -> Recorded:
    return (function, {**SESSION, "pMechanism": mechanism, "hKey": handle}, NOTHING, "CKR_OK")


def signed(size: int = 4, rv: str = "CKR_OK") -> Recorded:
    results = {"pSignature": "256"} if rv == "CKR_OK" else NOTHING
    return ("C_Sign", {**SESSION, "pData": f"{size} bytes"}, results, rv)


def passes(folder: Path, *calls: Recorded, card: str = "cardos-5.3") -> str:
    """Run the draft of some calls, which has to come to what they came to; return its steps."""
    again = ran(drafted(trace(*OPENED, *calls), folder, Circumstances(card=card)))
    assert again.result.verdict is Verdict.PASSED, again.failure
    return steps((folder / "drafted.scenario.yaml").read_text())


KEY = found("CKO_PRIVATE_KEY", "5")


def test_a_new_pin_of_a_wrong_length_is_not_a_wrong_old_one(tmp_path: Path) -> None:
    text = passes(tmp_path, LOGGED_IN, (*SET, "CKR_PIN_LEN_RANGE"), (*SET, "CKR_OK"), LOGGED_OUT, LOGGED_IN)
    assert "pOldPin: $(secrets.pin)\n    pNewPin: $(secrets.unfit_pin)" in text


def test_an_officer_changes_the_puk_and_the_user_keeps_the_pin(tmp_path: Path) -> None:
    changed = (AS_OFFICER, (*SET, "CKR_OK"), LOGGED_OUT)
    passes(tmp_path, *changed, AS_OFFICER, LOGGED_OUT, LOGGED_IN, card="cosmo-8.2")


def test_the_pin_that_an_officer_gives_counts_from_then_on(tmp_path: Path) -> None:
    given = ("C_InitPIN", {**SESSION, "pPin": "**"}, NOTHING, "CKR_OK")
    changed = (LOGGED_IN, (*SET, "CKR_OK"), LOGGED_OUT)
    passes(tmp_path, *changed, AS_OFFICER, given, LOGGED_OUT, LOGGED_IN)


def test_a_signature_that_was_found_invalid_is_another_one(tmp_path: Path) -> None:
    def verified(rv: str) -> tuple[Recorded, ...]:
        given = {**SESSION, "pData": "4 bytes", "pSignature": "256 bytes"}
        return (init("C_VerifyInit", "6"), ("C_Verify", given, NOTHING, rv))

    keys = (LOGGED_IN, *KEY, *found("CKO_PUBLIC_KEY", "6"), init("C_SignInit", "5"), signed())
    text = passes(tmp_path, *keys, *verified("CKR_OK"), *verified("CKR_SIGNATURE_INVALID"))
    assert text.count("pSignature: $(signature)") == 1


@pytest.mark.parametrize(("size", "hash_"), [(20, "CKM_SHA_1"), (48, "CKM_SHA384"), (64, "CKM_SHA512")])
def test_a_digest_is_of_the_hash_that_makes_such_a_length(size: int, hash_: str, tmp_path: Path) -> None:
    sign = (init("C_SignInit", "5", "CKM_RSA_PKCS_PSS"), signed(size))
    assert f"hashAlg: {hash_}," in passes(tmp_path, LOGGED_IN, *KEY, *sign)


def test_a_buffer_that_was_too_small_is_one_though_nobody_tells_its_room(tmp_path: Path) -> None:
    text = passes(tmp_path, LOGGED_IN, *KEY, init("C_SignInit", "5"), signed(rv="CKR_BUFFER_TOO_SMALL"))
    assert "# LOOK: the trace doesn't tell how much room there was" in text


@pytest.mark.parametrize(("before", "spent"), [(0, 3), (1, 2), (3, 0)])
def test_a_pin_that_was_locked_when_the_log_begins_is_so_in_its_draft(
    before: int, spent: int, tmp_path: Path
) -> None:
    wrong: Recorded = ("C_Login", LOGIN, NOTHING, "CKR_PIN_INCORRECT")
    locked: Recorded = ("C_Login", LOGIN, NOTHING, "CKR_PIN_LOCKED")
    assert passes(tmp_path, *[wrong] * before, locked, locked).count("- {verify_pin: user") == spent


def test_a_pin_that_was_right_has_all_its_tries(tmp_path: Path) -> None:
    locked: Recorded = ("C_Login", LOGIN, NOTHING, "CKR_PIN_LOCKED")
    assert "verify_pin" not in draft(trace(*OPENED, LOGGED_IN, LOGGED_OUT, locked), tmp_path)


def test_a_key_whose_value_nobody_knows_has_a_length_that_such_keys_have(tmp_path: Path) -> None:
    template = "CKA_CLASS=CKO_SECRET_KEY, CKA_KEY_TYPE=CKK_AES, CKA_TOKEN=false, CKA_VALUE=**"
    made = ("C_CreateObject", {**SESSION, "pTemplate": template}, {"phObject": "9"}, "CKR_OK")
    assert "LOOK: the trace doesn't have the value of CKA_VALUE" in passes(tmp_path, LOGGED_IN, made)


def test_a_card_that_was_taken_out_and_put_in_is_so_again(tmp_path: Path) -> None:
    slots = ("C_GetSlotList", {"tokenPresent": "true", "pSlotList": "room for 9"})
    opened = ("C_OpenSession", {"slotID": "7", "flags": "6"}, {"phSession": "42"}, "CKR_OK")
    gone = ("C_SignInit", dict(init("C_SignInit", "5")[1]), NOTHING, "CKR_DEVICE_REMOVED")
    none: Recorded = (*slots, {"pSlotList": "0: "}, "CKR_OK")
    absent = ("C_GetTokenInfo", {"slotID": "7"}, NOTHING, "CKR_TOKEN_NOT_PRESENT")
    text = passes(tmp_path, LOGGED_IN, *KEY, gone, absent, none, opened)

    assert [line.strip() for line in text.splitlines() if "{card: " in line] == [
        "- {card: remove}",
        "- {card: insert, which: token}",
    ]
    assert text.index("{card: remove}") < text.index("CKR_DEVICE_REMOVED") < text.index("{card: insert")


def test_a_slot_that_never_had_a_card_is_no_card_taken_out(tmp_path: Path) -> None:
    absent = ("C_GetTokenInfo", {"slotID": "8"}, NOTHING, "CKR_TOKEN_NOT_PRESENT")
    assert "card: remove" not in steps(draft(trace(*OPENED, absent), tmp_path))


def test_with_readers_in_the_trace_the_card_moves_as_these_tell(tmp_path: Path) -> None:
    there = ReaderChanged(reader="R1", change=PowerChange.INSERTED)
    absent = ("C_GetTokenInfo", {"slotID": "7"}, NOTHING, "CKR_DEVICE_REMOVED")
    assert "card: remove" not in steps(draft(trace(*OPENED, absent, before=(there,)), tmp_path))


def test_where_nothing_tells_what_has_ended_a_login_a_person_is_asked(tmp_path: Path) -> None:
    lost = (*OPENED, LOGGED_IN, *KEY, init("C_SignInit", "5"), signed(rv=REFUSED))
    there = ReaderChanged(reader="R1", change=PowerChange.INSERTED)
    asked = "what has ended that: docs/not-logged-in.md"

    assert asked in draft(trace(*lost), tmp_path)
    assert asked not in draft(trace(*lost, before=(there,)), tmp_path)
    assert asked not in draft(trace(*lost), tmp_path, Circumstances(quirks=("drop_pin_on_select",)))


@pytest.mark.parametrize(
    "end",
    [
        (LOGGED_OUT,),
        (("C_CloseAllSessions", {"slotID": "7"}, NOTHING, "CKR_OK"),),
        (("C_CloseSession", SESSION, NOTHING, "CKR_OK"), OPENED[2]),
        (("C_Finalize", NOTHING, NOTHING, "CKR_OK"), *OPENED),
    ],
)
def test_a_login_that_the_program_has_ended_itself_needs_no_person(
    end: tuple[Recorded, ...], tmp_path: Path
) -> None:
    refused = ("C_Logout", SESSION, NOTHING, REFUSED)
    assert "what has ended that" not in draft(trace(*OPENED, LOGGED_IN, *end, refused), tmp_path)


def test_one_of_two_sessions_that_is_closed_ends_no_login(tmp_path: Path) -> None:
    second = ("C_OpenSession", {"slotID": "7", "flags": "6"}, {"phSession": "42"}, "CKR_OK")
    closed = ("C_CloseSession", {"hSession": "42"}, NOTHING, "CKR_OK")
    refused = ("C_Logout", SESSION, NOTHING, REFUSED)
    assert "what has ended that" in draft(trace(*OPENED, second, LOGGED_IN, closed, refused), tmp_path)


def test_a_call_at_which_a_log_was_cut_is_left_out_and_told(tmp_path: Path) -> None:
    events = trace(*OPENED, ("C_SignInit", SESSION, NOTHING, "CKR_OK")).events
    assert isinstance(events[-1], CallEnded)
    text = steps(draft(Trace("a log", events[:-1]), tmp_path))

    assert "pkcs11: C_SignInit" not in text
    assert "# LOOK: left out behind this: C_SignInit, at which the trace ends" in text


def test_who_asks_for_the_library_s_functions_is_not_worth_a_look(tmp_path: Path) -> None:
    asked = recorded("C_GetInterface", {"pInterfaceName": "7 bytes"}, NOTHING)
    events = (*asked, *trace(*OPENED).events)
    assert "C_GetInterface" not in draft(Trace("a log", events), tmp_path)


@pytest.mark.parametrize(
    ("slots", "pin"), [(("2",), "signature_pin"), (("1",), "pin"), (("0", "1"), "signature_pin")]
)
def test_a_slot_s_number_tells_its_pin_where_there_is_no_list(
    slots: tuple[str, ...], pin: str, tmp_path: Path
) -> None:
    opened = [("C_OpenSession", {"slotID": s, "flags": "6"}, {"phSession": f"4{s}"}, "CKR_OK") for s in slots]
    login = ("C_Login", {**LOGIN, "hSession": f"4{slots[-1]}"}, NOTHING, "CKR_OK")
    assert f"pPin: $(secrets.{pin})" in steps(draft(trace(*opened, login), tmp_path))


@pytest.mark.parametrize(
    ("call", "right"),
    [
        (("C_Login", LOGIN, NOTHING, "CKR_PIN_INCORRECT"), "pPin: $(secrets.pin)"),
        ((*SET, "CKR_PIN_LEN_RANGE"), "pNewPin: $(secrets.new_pin)"),
    ],
)
def test_what_is_expected_to_succeed_gets_what_is_right(call: Recorded, right: str, tmp_path: Path) -> None:
    text = draft(trace(*OPENED, call), tmp_path, Circumstances(fault=call[3]))
    assert right in steps(text)


def test_a_long_comment_stands_on_several_lines(tmp_path: Path) -> None:
    lost = trace(*OPENED, LOGGED_IN, ("C_Logout", SESSION, NOTHING, REFUSED))
    lines = draft(replace(lost, title="t"), tmp_path).splitlines()
    assert max(len(line) for line in lines if line.lstrip().startswith("# ")) <= 118


def test_a_card_without_a_profile_is_told_and_a_profile_that_is_not_there_refused(tmp_path: Path) -> None:
    told = "# LOOK: no profile for this card comes with cardtwin"
    assert told in draft(trace(*OPENED), tmp_path, Circumstances(card="eid-8.1"))
    assert told not in draft(trace(*OPENED), tmp_path, Circumstances(card="eid-8.1", profile=None))
    assert told not in draft(trace(*OPENED), tmp_path)

    for model, there in (("cardos-5.3", "there are erasable, full"), ("eid-8.1", "there are none; --image")):
        with pytest.raises(NoSuchProfileError, match=f"no profile 'other' for {model} .*: {there}"):
            draft(trace(*OPENED), tmp_path, Circumstances(card=model, profile="other"))
