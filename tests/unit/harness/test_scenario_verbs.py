"""The verbs on the emulated target: what they see, and that they fail where they should."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cardtwin import targets
from cardtwin.card import image as images
from cardtwin.card import models
from cardtwin.events import Exchange
from cardtwin.scenario import ScenarioResult, Verdict, load, run
from cardtwin.source import SourceError

KEYS = Path(__file__).parents[3] / "scenarios" / "keys"
PROFILE = """
    CardModel 'SIEMENS50'
    X_Pin PIN1 reference=1 label='PIN' min=4 max=8 tries=3 unblocked_by=PUK
    X_Pin PUK  reference=2 label='PUK' min=4 max=8 tries=10 so=yes
    MasterFile
    CreateDf DFPKCS15 id=0x5015 maxsize=2000 update=puk create=puk aid=0x{A0 00 00 00 63 50 4B 43 53 2D 31 35}
    CreateEf EFODF  id=0x5031 maxsize=64  read=always update=puk
    CreateEf EFAODF id=0x4481 maxsize=400 read=always update=puk
    EndDF
    Endfile
    File Dynamic EFODF
    data = X_ODF()
    Endfile
    File Dynamic EFAODF
    data = X_AODF()
    Endfile
    CreateFiles()
"""
FILES = f"\n  pin.crt: {{path: '{KEYS / 'pin-a.crt'}'}}\n  token.cpf: |{PROFILE}"
PERSONALISE = '- {personalise: token.cpf, certificate: pin.crt, secrets: {PIN1: "1234", PUK: "12345678"}}\n'


@pytest.fixture
def result(scenario: Any) -> Any:
    """Run the only instance of a scenario of these steps on an emulated CardOS 5.3."""

    def give(steps: str, **keys: str) -> ScenarioResult:
        defaults = {"readers": "{R1: cardos-5.3}", "files": FILES}
        (instance,) = load(scenario(steps, **{**defaults, **keys}))
        return run(instance, targets.get("emulated"))

    return give


def why(result: ScenarioResult) -> str:
    assert result.verdict is Verdict.FAILED
    assert result.failed_step is not None
    assert result.failed_step.failure is not None
    failure = result.failed_step.failure
    return f"{failure.message}\n{failure.expected}\n{failure.actual}"


@pytest.mark.parametrize(
    "check",
    [
        "{blank: no}",
        "{fuse: burnt}",
        "{life_cycle: operational}",
        "{erasable: never}",
        "{serial: 00}",
        "{files: {3F00: absent}}",
        "{files: {3F00/5015: df}}",
        "{files: {3F00: {size: 1}}}",
        "{pins: {1: 3}}",
        "{keys: {3F00/5015:1: RSA-2048}}",
        "{token: initialised}",
        "{token: {label: x}}",
    ],
)
def test_a_check_that_does_not_hold_fails(result: Any, check: str) -> None:
    assert "not as expected" in why(result(f"- check: {check}"))


def test_a_check_sees_what_a_profile_made(result: Any) -> None:
    got = result(
        PERSONALISE
        + "- check: {blank: no, fuse: intact, files: {3F00/5015/5031: {kind: transparent, size: 64}},"
        " pins: {1: {tries: 3, max_tries: 3, blocked: no}, 2: 10, 3: absent}, keys: {1: absent},"
        " token: {state: initialised, pins: [PIN, PUK], so: PUK}}"
    )
    assert got.verdict is Verdict.PASSED, why(got)


def test_a_check_counts_the_apdus_of_the_step_before_and_of_a_named_one(result: Any) -> None:
    got = result(
        "- {apdu: 00 84 00 00 04, id: one}\n- {check: {apdus: 1}}\n- {check: {apdus: 0}}\n"
        "- {check: {apdus: {of: one, count: 1}}}\n- {check: {apdus: {of: one, count: 2}}}"
    )
    assert [step.verdict.value for step in got.steps] == ["passed"] * 4 + ["failed"]


def test_a_check_of_a_step_that_gets_its_id_later_fails(result: Any) -> None:
    steps = "- {apdu: 00 84 00 00 04, bind: x}\n- {check: {apdus: {of: $(x), count: 1}}}"
    assert "no step before this one has the id" in why(result(steps))


def test_what_a_scenario_requires_is_checked_before_its_steps(result: Any) -> None:
    got = result("- {card: reset}", requires="{blank: no}")
    assert got.failed_step.number == 0
    assert got.steps[1].verdict is Verdict.NOT_RUN


def test_images_are_kept_compared_and_put_back(result: Any) -> None:
    got = result(
        f"- {{image: save, name: a}}\n{PERSONALISE}- {{image: compare, name: a, expect: no}}\n"
        "- {image: load, name: a}\n- {image: compare, name: a}\n- {check: {blank: yes}}"
    )
    assert got.verdict is Verdict.PASSED, why(got)


def test_a_comparison_tells_the_differences(result: Any) -> None:
    assert "3F00/5015" in why(
        result(f"- {{image: save, name: a}}\n{PERSONALISE}- {{image: compare, name: a}}")
    )


def test_an_image_whose_name_comes_in_the_run_and_is_nobodys_is_refused(result: Any) -> None:
    steps = "- {apdu: 00 84 00 00 04, bind: x}\n- {image: save, name: a}\n- {image: load, name: $(x)}"
    assert "was saved, and no file is called so; there are a, " in why(result(steps))


def test_a_card_starts_from_an_image_file(result: Any, tmp_path: Path) -> None:
    serial = bytes.fromhex("0102030405060708")
    images.save(models.get("cardos-5.3").blank(serial=serial), tmp_path / "card.image")
    got = result(
        "- {check: {serial: 01 02 03 04 05 06 07 08}}\n- {image: compare, name: card.image}",
        files="{card.image: {path: card.image}}",
        cards="{C: {model: cardos-5.3, image: card.image}}",
        readers="{R1: C}",
    )
    assert got.verdict is Verdict.PASSED, why(got)


def test_a_card_starts_as_it_leaves_the_factory(result: Any) -> None:
    steps = "- {check: {life_cycle: manufacturing}}\n- {apdu: 00 A4 00 00 02 3F 00, expect: 6D00}"
    got = result(steps, cards="{C: {model: cardos-4.3b, state: factory}}", readers="{R1: C}")
    assert got.verdict is Verdict.PASSED, why(got)


def test_a_card_may_be_said_to_be_blank(result: Any) -> None:
    got = result("- {check: {blank: yes}}", cards="{C: {model: cardos-5.0, state: blank}}", readers="{R1: C}")
    assert got.verdict is Verdict.PASSED, why(got)


@pytest.mark.parametrize("card", ["image: card.image, state: factory", "state: new"])
def test_a_state_beside_an_image_or_of_another_name_is_refused(
    result: Any, tmp_path: Path, card: str
) -> None:
    images.save(models.get("cardos-4.3b").blank(), tmp_path / "card.image")
    files = "{card.image: {path: card.image}}"

    with pytest.raises(SourceError, match=r"give 'image' or 'state'|factory"):
        result(
            "- {card: reset}", files=files, cards=f"{{C: {{model: cardos-4.3b, {card}}}}}", readers="{R1: C}"
        )


def test_an_image_of_another_model_fails_the_scenario(result: Any, tmp_path: Path) -> None:
    images.save(models.get("cardos-4.4").blank(), tmp_path / "card.image")
    got = result(
        "- {card: reset}",
        files="{card.image: {path: card.image}}",
        cards="{C: {model: cardos-5.3, image: card.image}}",
        readers="{R1: C}",
    )
    assert got.message.startswith("card 'C': ")


def test_pins_are_verified_changed_and_unblocked(result: Any) -> None:
    got = result(
        PERSONALISE + '- {verify_pin: user, pin: "1234"}\n- {change_pin: user, old: "1234", new: "4321"}\n'
        '- {verify_pin: user, pin: "1234", expect: {rv: CKR_PIN_INCORRECT, tries_left: 2}}\n'
        '- {unblock_pin: user, puk: "12345678", new: "2222"}\n- {login: user, pin: "2222"}\n'
        '- {logout: main}\n- {login: so, pin: "12345678"}\n- {check: {pins: {1: 3, 2: 10}}}'
    )
    assert got.verdict is Verdict.PASSED, why(got)


def test_a_wrong_pin_fails_a_step_and_is_not_shown(result: Any) -> None:
    got = result(PERSONALISE + '- {verify_pin: user, pin: "7777"}')
    assert "CKR_PIN_INCORRECT" in why(got)
    assert "7777" not in repr(got)
    assert "37 37 37 37" not in repr(got)


def test_the_card_eraser_erases(result: Any) -> None:
    got = result(
        f"- {{image: save, name: a}}\n{PERSONALISE}- {{erase: anonymous}}\n- {{image: compare, name: a}}"
    )
    assert got.verdict is Verdict.PASSED, why(got)


def test_cards_move_between_readers(result: Any) -> None:
    got = result(
        "- {card: remove, on: R1}\n- {card: insert, on: R2, which: C}\n- {apdu: 00 84 00 00 04, on: R2}\n"
        "- {card: power_off, on: R2}\n- {card: power_on, on: R2}\n- {apdu: 00 84 00 00 04, on: R2}\n"
        "- {card: insert, on: R1, which: C}",
        cards="{C: {model: cardos-4.4}}",
        readers="{R1: C, R2: empty}",
    )
    assert "the card 'C' is in 'R2'" in why(got)
    assert got.failed_step.number == 7


def test_a_card_is_not_taken_from_an_empty_reader(result: Any) -> None:
    assert "no card in 'R1'" in why(result("- {card: remove}\n- {card: remove}"))


def test_a_profile_refused_tells_the_codes_and_shows_no_secret(result: Any) -> None:
    profile = "\n  pin.crt: {path: '" + str(KEYS / "pin-a.crt") + "'}\n  token.cpf: SEC_PIN1 = '9371' = 5"
    got = result("- {personalise: token.cpf, certificate: pin.crt}", files=profile)
    assert "CKR_ARGUMENTS_BAD" in why(got)
    assert "9371" not in repr(got)


def test_a_file_that_is_no_certificate_is_told(result: Any) -> None:
    assert "holds no X.509 certificate" in why(result("- {personalise: token.cpf, certificate: token.cpf}"))


def test_an_unknown_model_or_quirk_is_told_when_the_file_is_read(scenario: Any) -> None:
    path = scenario(
        "- {card: reset, on: R1}",
        cards="{C: {model: cardos-5.3, quirks: [nosuch]}}",
        readers="{R1: C, R2: cardos-9}",
    )
    with pytest.raises(SourceError) as caught:
        load(path)

    messages = [found.message for found in caught.value.diagnostics]
    assert len(messages) == 2
    assert "nosuch" in " ".join(messages)
    assert "cardos-9" in " ".join(messages)


def test_seeded_scenarios_repeat_and_others_do_not(scenario: Any) -> None:
    def challenge(seed: str) -> str:
        events: list[Any] = []
        (instance,) = load(scenario("- {apdu: 00 84 00 00 08}", seed=seed))
        run(instance, targets.get("emulated"), observers=[events.append])
        return next(event.response.hex() for event in events if isinstance(event, Exchange))

    assert challenge("a") == challenge("a")
    assert challenge("a") != challenge("b")
    assert challenge("") != challenge("")
