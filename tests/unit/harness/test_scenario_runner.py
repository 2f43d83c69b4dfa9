from __future__ import annotations

import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from cardtwin.iso7816 import CommandApdu
from cardtwin.scenario import Observed, ScenarioResult, Verdict, load, run, runner
from cardtwin.scenario.verbs.apdu import Apdu
from cardtwin.scenario.verbs.card import Card
from cardtwin.scenario.verbs.pins import VerifyPin
from cardtwin.targets import Capability, get

if TYPE_CHECKING:
    from pathlib import Path

    from support.fake_target import FakeTarget


@pytest.fixture
def result(scenario: Any, target: FakeTarget) -> Any:
    """Run the only instance of a scenario of these steps."""

    def give(steps: str, **options: Any) -> ScenarioResult:
        keys = {key: options.pop(key) for key in ("requires", "readers") if key in options}
        (instance,) = load(scenario(steps, **keys))
        return run(instance, target, **options)

    return give


def verdicts(result: ScenarioResult) -> list[str]:
    return [step.verdict.value for step in result.steps]


def test_a_scenario_passes_if_all_its_steps_pass(result: Any) -> None:
    got = result("- apdu: 00 A4 00 0C 02 3F 00\n- {apdu: 00 84 00 00 04, expect: {data: 01 02 03 04}}")
    assert got.verdict is Verdict.PASSED
    assert verdicts(got) == ["passed", "passed"]
    assert [step.apdus for step in got.steps] == [1, 1]


def test_without_expect_a_step_has_to_succeed(result: Any) -> None:
    got = result("- apdu: 00 B0 00 00 04")
    assert got.verdict is Verdict.FAILED
    assert got.failed_step.failure.message == "the card answers 6D00 (instruction not supported)"


def test_an_expectation_of_the_data_alone_does_not_excuse_an_error(result: Any) -> None:
    assert result("- {apdu: 00 B0 00 00 04, expect: {data: ''}}").verdict is Verdict.FAILED


def test_an_expected_error_passes(result: Any) -> None:
    assert result("- {apdu: 00 B0 00 00 04, expect: 6D00}").verdict is Verdict.PASSED


def test_the_first_failed_step_ends_the_scenario(result: Any) -> None:
    got = result("- {card: reset}\n- {apdu: 00 84 00 00 04, expect: 6D00}\n- {card: reset}\n- {card: reset}")
    assert verdicts(got) == ["passed", "failed", "not run", "not run"]
    assert got.failed_step.number == 2


def test_a_failed_step_says_what_was_expected_and_what_was_there(result: Any) -> None:
    failure = result("- {apdu: 00 84 00 00 04, expect: {sw: 6982, data: {any: 3}}}").failed_step.failure
    assert failure.expected == "sw: 69 82\ndata: anything of length 3"
    assert failure.actual == "sw: 90 00\ndata: 01 02 03 04"


def test_a_failed_step_keeps_its_last_apdus_decoded(result: Any) -> None:
    (exchange,) = result("- {apdu: 00 A4 00 0C 02 3F 00, expect: 6A82}").failed_step.exchanges
    assert exchange.meaning.startswith("SELECT")
    assert exchange.command == "00 A4 00 0C 02 3F 00"
    assert exchange.response == "90 00"


def test_the_apdus_of_an_earlier_step_are_counted_and_named(result: Any) -> None:
    got = result(
        """\
        - {apdu: 00 D6 00 00 01 AA, expect: 6D00, id: write}
        - {apdu: 00 84 00 00 04}
        - {check: {apdus: {count: 1, changing: 0, commands: [GET CHALLENGE]}}}
        - {check: {apdus: {of: write, changing: 1, commands: [UPDATE BINARY]}}}
        - {check: {apdus: {of: write, changing: 0}}}
        """
    )
    assert verdicts(got) == ["passed", "passed", "passed", "passed", "failed"]


def test_a_pin_is_not_shown_by_a_failed_step(result: Any) -> None:
    got = result("- {apdu: 00 20 00 01 04 31 33 33 37}")
    assert "31 33 33 37" not in repr(got)
    assert "**" in got.failed_step.exchanges[0].command


def test_a_secret_of_a_step_is_masked_in_why_it_failed(result: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(VerifyPin, "run", _tell)
    failure = result("- {verify_pin: user, pin: 47114711}").failed_step.failure
    assert failure.message == "the step broke: ValueError: it is ***"


def _tell(step: VerifyPin, _run: object) -> None:
    assert step.pin is not None
    raise ValueError(f"it is {step.pin.reveal().decode()}")


def test_a_bound_value_is_filled_in_later(result: Any) -> None:
    got = result("- {apdu: 00 84 00 00 04, bind: rnd}\n- {apdu: $(rnd), expect: 6D00}")
    assert got.verdict is Verdict.PASSED


def test_a_matcher_binds_too(result: Any) -> None:
    got = result(
        "- {apdu: 00 84 00 00 04, expect: {data: {bind: x}}}\n- {apdu: 00840000 04, expect: {data: $(x)}}"
    )
    assert got.verdict is Verdict.PASSED


def test_a_result_that_is_absent_cannot_be_bound(result: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Apdu, "run", lambda _self, _run: Observed({"sw": b"\x90\x00"}))
    got = result("- {apdu: 00 84 00 00 04, bind: {x: data}}")
    assert "no 'data'" in got.failed_step.failure.message


def test_a_bound_value_that_does_not_fit_fails_the_step_that_uses_it(result: Any) -> None:
    got = result("- {apdu: 00 84 00 00 04, bind: x}\n- {apdu: 00 84, expect: {sw: $(x)9}}")
    assert "9 hex digits" in got.failed_step.failure.detail


def test_a_defect_fails_a_step_that_is_as_expected_otherwise(result: Any) -> None:
    got = result("- {apdu: FF FF FF FF, expect: 6F00}")
    assert "a defect of cardtwin showed in the table" in got.failed_step.failure.message


def test_what_the_target_lacks_is_known_before_the_run(result: Any, target: FakeTarget) -> None:
    target.capabilities = frozenset({Capability.APDU})
    got = result("- apdu: 00 84 00 00 04\n- {card: reset}")
    assert got.verdict is Verdict.UNSUPPORTED
    assert got.message == "step 2 (card) needs hands at the reader, which the target 'fake' lacks"
    assert target.benches == []


def test_a_target_that_cannot_be_set_up_fails_the_scenario(result: Any) -> None:
    got = result("- {card: reset, on: broken}", readers="{broken: cardos-4.4}")
    assert (got.verdict, got.message) == (Verdict.FAILED, "the reader is broken")


def test_the_bench_is_taken_down_after_a_failure(result: Any, target: FakeTarget) -> None:
    result("- {apdu: 00 B0 00 00 04}")
    assert [bench.closed for bench in target.benches] == [True]


def test_a_step_that_breaks_is_a_failure_with_a_traceback(
    result: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Card, "run", lambda _self, _run: 1 // 0)
    failure = result("- {card: reset}").failed_step.failure
    assert failure.message.startswith("the step broke: ZeroDivisionError")
    assert "Traceback" in failure.detail


def test_a_scenario_that_takes_too_long_is_ended(result: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Card, "run", lambda _self, _run: time.sleep(30))
    began = time.monotonic()
    got = result("- {card: reset}\n- {card: reset}", timeout=0.2)
    assert time.monotonic() - began < 10
    assert verdicts(got) == ["failed", "not run"]
    assert "longer than 0.2 s" in got.failed_step.failure.message


def test_outside_the_main_thread_the_time_limit_is_held_between_steps(
    result: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [0.0]
    monkeypatch.setattr(runner, "time", SimpleNamespace(perf_counter=lambda: now[0]))

    def take_five_seconds(_step: Card, _run: object) -> Observed:
        now[0] += 5
        return Observed()

    monkeypatch.setattr(Card, "run", take_five_seconds)

    with ThreadPoolExecutor(1) as thread:
        got = thread.submit(result, "- {card: reset}\n- {card: reset}\n- {card: reset}", timeout=7).result()

    assert verdicts(got) == ["passed", "passed", "not run"]
    assert got.verdict is Verdict.FAILED
    assert got.message == "the scenario took longer than 7 s"


def test_a_time_limit_is_taken_for_no_defect_and_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The clock strikes in the card, which otherwise answers whatever goes wrong in it."""
    path = tmp_path / "slow.scenario.yaml"
    path.write_text("format: 1\ntitle: slow\nreaders: {R1: cardos-5.3}\nsteps:\n- {apdu: 00 84 00 00 08}\n")
    (instance,) = load(path)
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    monkeypatch.setattr(CommandApdu, "parse", lambda _command: time.sleep(30))
    failure = run(instance, get("emulated"), timeout=0.2).failed_step.failure  # type: ignore[union-attr]  # it failed
    assert failure is not None
    assert failure.message == "the scenario took longer than 0.2 s"
    assert list((tmp_path / "temporary").iterdir()) == []


def test_every_event_of_a_step_has_the_step_as_its_cause(result: Any) -> None:
    events: list[Any] = []
    result("- apdu: 00 84 00 00 04\n- {card: reset}", observers=[events.append])
    told = [(type(event).__name__, event.cause.chain()) for event in events if event.cause]
    assert told == [("Exchange", ("step 1 (apdu)", "cardtwin")), ("ReaderChanged", ("step 2 (card)",))]


def test_what_a_step_leaves_in_its_context_goes_with_the_run(
    result: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Such as its cause, where the clock strikes before that is taken back."""
    left = ContextVar("left", default="")

    def run_and_leave(_step: Card, _run: object) -> Observed:
        left.set("in force")
        return Observed()

    monkeypatch.setattr(Card, "run", run_and_leave)
    result("- {card: reset}")
    assert left.get() == ""


def test_progress_is_told_step_by_step(result: Any) -> None:
    told: list[str] = []
    result("- {card: reset}\n- apdu: 00", progress=lambda _instance, step: told.append(step.title))
    assert told == ["card reset", "apdu 00"]
