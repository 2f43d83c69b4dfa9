"""``cardtwin plan``: what it says is what a run does, whatever is asked for and allowed."""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

import pytest
from click.testing import CliRunner, Result
from hypothesis import example, given, settings
from hypothesis import strategies as st

from cardtwin.cli import main
from cardtwin.report import plans
from cardtwin.scenario.effects import PRESENTS
from cardtwin.targets.hardware import Ledger, Permissions, Rule, target
from cardtwin.targets.hardware.foreseeing import Foreseen
from support.hardware import GuardedDesk, PlayedCard
from support.tokens import READER

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SCENARIO: Final = """\
format: 1
title: One card
readers: {%s: %s}
steps:
"""
COMMANDS: Final = (
    "00 84 00 00 08",
    "00 20 00 01 04 30 30 30 30",
    "00 20 00 01",
    "00 2C 01 01 04 31 32 33 34",
    "00 E4 00 00 02 50 15",
    "00 DA 01 6E 01 01",
    "80 FA 00 00",
    "00 A4 00 0C 02 3F 00",
    "0C 84 00 00 08",
)
STEPS: Final = (
    *(f"{{apdu: '{command}', expect: {{match: '.*'}}}}" for command in COMMANDS),
    "{apdu: 00 84 00 00 08, expect: 6A82}",
)
"""Of each kind that a guard tells apart, and one that fails in the dry run."""

FLAGS: Final = (
    "--allow-destructive",
    "--allow-irreversible=PUT DATA",
    "--allow-unverified-commands",
    "--known-tries=1",
    "--known-tries=3",
)
LIMITS: Final = ("destructive: yes", "irreversible: [PUT DATA]", "unverified: yes")
SERIAL: Final = "0102030405060708"


@contextmanager
def hardware(folder: Path, model: str) -> Iterator[PlayedCard]:
    """Let the system have one reader, with a card in it that plays the hardware."""
    desk = GuardedDesk(folder / "unused", model)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(target, "PhysicalContext", lambda *_, **__: desk.manager.context())
        patch.setenv("CARDTWIN_LOCKS", str(folder))
        yield desk.card


def cardtwin(command: str, folder: Path, *flags: str) -> tuple[Result, Any]:
    told = folder / f"{command}.json"
    arguments = [command, str(folder / "one.scenario.yaml"), "--target", "pcsc", f"--json={told}"]
    arguments += [f"--hardware={folder / 'hardware.yaml'}", f"--ledger={folder / 'ledger'}", *flags]
    done = CliRunner().invoke(main, arguments, env={"COLUMNS": "200"})
    return done, json.loads(told.read_text()) if told.exists() else None


def write(folder: Path, model: str, steps: list[str], limits: list[str], known: str = "") -> None:
    text = SCENARIO % (READER, model) + "".join(f"  - {step}\n" for step in steps)
    (folder / "one.scenario.yaml").write_text(text)
    (folder / "hardware.yaml").write_text(
        f"format: 1\nreaders:\n  {READER}:\n    reader: {READER}\n    allow: {{{', '.join(limits)}}}\n{known}"
    )


@given(
    model=st.sampled_from(["cardos-5.3", "cardos-4.4", "cardos-4.3b"]),
    steps=st.lists(st.sampled_from(STEPS), min_size=1, max_size=4),
    flags=st.lists(st.sampled_from(FLAGS), unique=True),
    limits=st.lists(st.sampled_from(LIMITS), unique=True),
    known=st.sampled_from(["", "    known_tries: 2\n", "    known_tries: {PIN 1: 3}\n"]),
)
@example("cardos-4.4", [STEPS[1]] * 3, ["--known-tries=3"], [], "")
@example("cardos-4.4", [STEPS[2]], [], [], "")
@example("cardos-5.3", [STEPS[0]], [FLAGS[0]], [], "")
@example("cardos-5.3", [STEPS[0], STEPS[1]], [], [], "")
@settings(max_examples=25, deadline=None, database=None)
def test_a_plan_says_refused_exactly_where_a_run_sends_nothing_and_what_it_lets_pass_is_sent(
    tmp_path_factory: pytest.TempPathFactory,
    model: str,
    steps: list[str],
    flags: list[str],
    limits: list[str],
    known: str,
) -> None:
    folder = tmp_path_factory.mktemp("plans")
    write(folder, model, steps, limits, known)

    with hardware(folder, model) as card:
        planned, document = cardtwin("plan", folder, *flags)
        assert card.received == []
        ran, results = cardtwin("run", folder, *flags)

    (plan,) = document["plans"]
    (result,) = results["scenarios"]
    assert planned.exit_code == (1 if plan["refused"] else 0), planned.output
    assert bool(plan["refused"]) == ("Nothing was sent to the card" in result["message"])
    assert bool(plan["refused"]) == (card.received == [])
    # The card in the reader has no PIN either: a plan can't know, and a run asks the card.
    of_tries = model == "cardos-5.3" and any(
        words in ran.output for words in ("how many tries", "the last try")
    )
    assert result["verdict"] == ("failed" if plan["refused"] or of_tries else "passed"), ran.output


def test_a_plan_leaves_it_to_the_card_how_many_tries_a_pin_has_that_only_the_physical_one_holds(
    tmp_path: Path,
) -> None:
    write(tmp_path, "cardos-5.3", [STEPS[1]], [])

    with hardware(tmp_path, "cardos-5.3") as card:
        assert cardtwin("plan", tmp_path)[0].exit_code == 0
        ran, _ = cardtwin("run", tmp_path)

    assert "nobody knows how many tries PIN 1 has left" in ran.output
    assert not any(each.command.startswith(bytes.fromhex("0020000104")) for each in card.received)


def test_a_plan_knows_the_tries_that_the_ledger_has_for_the_cards_serial(tmp_path: Path) -> None:
    write(tmp_path, "cardos-4.4", [STEPS[1]], [], f"    known_tries: 3\n    serial: '{SERIAL}'\n")
    planned = cardtwin("plan", tmp_path)[0]
    assert planned.exit_code == 0, planned.output
    ledger = Ledger(tmp_path / "ledger")
    ledger.spend(bytes.fromhex(SERIAL), "PIN 1")
    ledger.spend(bytes.fromhex(SERIAL), "PIN 1")
    before = ledger.spent(bytes.fromhex(SERIAL))
    planned, document = cardtwin("plan", tmp_path)
    assert planned.exit_code == 1
    assert "PIN 1 has the last try left" in document["plans"][0]["refused"][0]
    assert ledger.spent(bytes.fromhex(SERIAL)) == before


def test_a_plan_says_what_the_hardware_file_does_not_allow(tmp_path: Path) -> None:
    write(tmp_path, "cardos-5.3", [STEPS[4]], [])
    planned, _ = cardtwin("plan", tmp_path, "--allow-destructive")
    assert planned.exit_code == 1
    assert "refused: --allow-destructive: " in planned.output
    assert "hardware.yaml doesn't allow it for the card in" in planned.output


def test_a_plan_says_whose_pins_are_presented_and_asks_nobody_for_them(tmp_path: Path) -> None:
    steps = ['{verify_pin: user, pin: "1234"}', '{verify_pin: user, pin: "0000", expect: 63C2}']
    write(tmp_path, "cardos-5.3", steps, [], '    pins: {"1234": {prompt: yes}}\n')
    planned, document = cardtwin("plan", tmp_path)
    assert planned.exit_code in {0, 1}
    assert "PIN (" not in planned.output
    assert {step["pins"] for step in document["plans"][0]["steps"]} <= {
        None, "the hardware file", "the scenario",
    }  # fmt: skip


def test_the_document_is_what_its_schema_says(tmp_path: Path) -> None:
    write(tmp_path, "cardos-4.4", [STEPS[0], STEPS[4]], [])
    document = cardtwin("plan", tmp_path)[1]
    told = plans.PlanDocument.model_validate_json(json.dumps(document))
    assert told.model_dump(mode="json") == document
    assert document["version"] == plans.json_schema()["properties"]["version"]["const"] == 1
    delete = document["plans"][0]["steps"][1]
    assert delete["commands"][0]["name"] == "DELETE FILE"
    assert delete["commands"][0]["effects"] == ["writes", "destroys"]
    assert delete["refusals"][0]["remedy"] == "--allow-destructive permits such commands"


VERIFY: Final = bytes.fromhex("00 20 00 01 04 31 32 33 34")
SELECT: Final = bytes.fromhex("00 A4 00 0C 02 3F 00")


def rules(answers: list[tuple[bytes, str]], model: str, known: int | None = None) -> list[Rule | None]:
    foreseen = Foreseen(model, Permissions(known_tries=known), {}, "the ledger")
    judged = (foreseen.judge(sent, bytes.fromhex(answer), PRESENTS) for sent, answer in answers)
    return [None if refusal is None else refusal.rule for _, refusal in judged]


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ([(VERIFY, "63C2"), (VERIFY, "63C1"), (VERIFY, "6983")], [None, None, Rule.LAST_TRY]),
        ([(VERIFY, "63C1"), (VERIFY, "9000")], [None, Rule.LAST_TRY]),
        ([(VERIFY, "63C2"), (VERIFY, "9000"), (VERIFY, "63C2"), (VERIFY, "9000")], [None] * 4),
        ([(VERIFY, "63C1"), (SELECT, "9000"), (VERIFY, "63C2")], [None] * 3),
    ],
)
def test_the_last_try_is_foreseen_by_what_the_emulated_card_answered(
    answers: list[tuple[bytes, str]], expected: list[Rule | None]
) -> None:
    assert rules(answers, "cardos-5.3") == expected


def test_tries_that_no_card_tells_are_counted_from_those_that_are_known() -> None:
    wrong, right = (VERIFY, "6300"), (VERIFY, "9000")
    assert rules([right], "cardos-4.4") == [Rule.TRIES_UNKNOWN]
    assert rules([right] * 9, "cardos-4.4", 2) == [None] * 9
    assert rules([wrong] * 3, "cardos-4.4", 3) == [None, None, Rule.LAST_TRY]
