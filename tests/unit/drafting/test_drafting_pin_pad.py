"""What was entered at a PIN pad is entered again."""

from __future__ import annotations

from pathlib import Path

import pytest

from cardtwin.drafting import draft
from cardtwin.events import CallBegan, CallEnded, Cause, PinPadAnswer, PinPadUsed, PinPrompt
from cardtwin.scenario import Verdict, load
from cardtwin.trace import Trace
from support.drafts import drafted, ran

SCENARIO = Path(__file__).parents[3] / "scenarios" / "readers" / "pin-pad-login.scenario.yaml"
ENTERED, OLD, NEW = PinPadAnswer.ENTERED, PinPrompt.CURRENT_PIN, PinPrompt.NEW_PIN


def test_a_login_at_a_pin_pad_is_one_again(tmp_path: Path) -> None:
    recorded = ran(load(SCENARIO)[-1])
    again = ran(drafted(recorded.trace, tmp_path))

    assert again.result.verdict is Verdict.PASSED, again.failure
    assert again.calls[-len(recorded.calls) :] == recorded.calls
    assert "R1: {card: token, pinpad: yes}" in (tmp_path / "drafted.scenario.yaml").read_text()


@pytest.mark.parametrize(
    ("asked", "rv", "step"),
    [
        (((OLD, ENTERED),), "CKR_OK", "{enter: $(secrets.pin)}"),
        (((OLD, ENTERED),), "CKR_PIN_INCORRECT", "{enter: $(secrets.wrong_pin)}"),
        (((OLD, ENTERED), (NEW, PinPadAnswer.TIMED_OUT)), "CKR_X", "{enter: [$(secrets.pin), timeout]}"),
        (
            ((OLD, ENTERED), (NEW, ENTERED), (PinPrompt.NEW_PIN_AGAIN, PinPadAnswer.DIFFERENT)),
            "CKR_X",
            "{enter: [$(secrets.pin), $(secrets.new_pin), $(secrets.wrong_pin)]}",
        ),
    ],
)
def test_each_prompt_gets_what_it_got(
    asked: tuple[tuple[PinPrompt, PinPadAnswer], ...], rv: str, step: str, tmp_path: Path
) -> None:
    call = Cause("C_SetPIN")
    arguments = (("hSession", "1"), ("pOldPin", "NULL"), ("pNewPin", "NULL"))
    pads = [PinPadUsed(cause=call, reader="R1", prompt=prompt, answer=answer) for prompt, answer in asked]
    events = (
        CallBegan(call=call, interface="PKCS#11", program="program", arguments=arguments),
        *pads,
        CallEnded(call=call, result=rv),
    )

    assert step in draft(Trace("a trace", events), tmp_path)
    assert "enter:" not in draft(Trace("a trace", (events[0], events[-1])), tmp_path)


def test_a_length_that_nobody_knows_is_told(tmp_path: Path) -> None:
    call = Cause("C_Login")
    began = CallBegan(call=call, interface="PKCS#11", program="program")
    pad = PinPadUsed(cause=call, reader="R1", prompt=PinPrompt.PIN, answer=PinPadAnswer.WRONG_LENGTH)
    trace = Trace("a trace", (began, pad, CallEnded(call=call, result="CKR_PIN_LEN_RANGE")))
    before, _, after = draft(trace, tmp_path).partition("too short or too long\n")

    assert before.endswith("# LOOK: the trace doesn't tell whether a PIN was ")
    assert after.lstrip().startswith("- {enter: 1}")
