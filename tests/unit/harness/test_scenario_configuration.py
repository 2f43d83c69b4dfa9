from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cardtwin import targets
from cardtwin.scenario import load, run
from cardtwin.scenario.result import Verdict
from cardtwin.source import SourceError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from cardtwin.scenario.result import ScenarioResult

    Write = Callable[..., Path]

PROGRAM = "{java.exe: {config: Personal.cfg}}"


def ran(path: Path) -> ScenarioResult:
    instance, *more = load(path)
    assert not more
    return run(instance, targets.get("emulated"))


def passed(result: ScenarioResult) -> bool:
    return result.verdict is Verdict.PASSED


def codes(path: Path) -> list[tuple[str, int]]:
    with pytest.raises(SourceError) as refused:
        load(path)

    return [(finding.code, finding.span.line) for finding in refused.value.diagnostics]


def test_a_program_follows_its_personal_cfg(scenario: Write) -> None:
    path = scenario(
        "- {check: {readers: [R1]}, on: R1}\n- {get_property: family, on: R2, expect: CKR_SLOT_ID_INVALID}",
        readers="{R1: empty, R2: cardos-5.3}",
        processes=PROGRAM,
        files='{Personal.cfg: "[Reader]\\nSkipReader=R2"}',
    )

    assert passed(ran(path))


def test_a_check_of_readers_fails_where_others_are_in_sight(scenario: Write) -> None:
    result = ran(scenario("- {check: {readers: [R2]}}"))

    assert not passed(result)
    assert "R1" in result.steps[0].failure.actual if result.steps[0].failure else ""


def test_a_broken_personal_cfg_is_told_at_the_program_that_names_it(scenario: Write) -> None:
    path = scenario(
        "- {check: {apdus: 0}}",
        processes="{java.exe: {config: a.cfg, user_config: b.cfg}}",
        files='{a.cfg: "[Cache]\\nCacheValidity=1", b.cfg: "[Cache]\\nCacheValidity=x"}',
    )

    with pytest.raises(SourceError, match=r"b\.cfg:2:15: CacheValidity: 'x' is not a whole number"):
        load(path)


def test_files_that_programs_name_have_to_be_there(scenario: Write) -> None:
    path = scenario("- {check: {apdus: 0}}", processes="{java.exe: {config: a.cfg, user_config: b.cfg}}")

    assert [code for code, _ in codes(path)] == ["unknown-name", "unknown-name"]


@pytest.mark.parametrize(
    "name",
    ["OMNIKEY AG 3121 00 00", "Gemalto PC Twin (12345) 00", "Microsoft Virtual Smart Card 0", "R" * 127],
)
def test_readers_may_have_the_names_that_readers_have(scenario: Write, name: str) -> None:
    path = scenario(f'- {{check: {{readers: ["{name}"]}}}}', readers=f'{{"{name}": cardos-5.3}}')

    assert passed(ran(path))


@pytest.mark.parametrize("name", ["R" * 128, " ", "R\\t1", "../R", "R'"])
def test_other_names_of_readers_are_refused(scenario: Write, name: str) -> None:
    path = scenario("- {check: {apdus: 0}}", readers=f'{{"{name}": cardos-5.3}}')

    assert ("bad-value", 3) in codes(path)


def test_time_passes_for_programs_and_for_nobody_else(scenario: Write) -> None:
    path = scenario(
        "- {wait: 86400}\n- {get_property: family}\n"
        '- {check: {logs: {personal.log: {match: "2026-01-02T00:00:00.000.00:00 cardtwin C_.*"}}}}',
        seed="time",
    )
    result = ran(path)

    assert passed(result)
    assert result.seconds < 60


def test_logs_are_absent_until_something_is_written(scenario: Write) -> None:
    path = scenario(
        "- {check: {logs: {personal.log: absent, jpki_encoder.log: absent}}}\n"
        "- {get_property: family}\n"
        '- {check: {logs: {personal.log: {match: ".*C_GetProperty .R1. CKR_OK.*"}}}}'
    )

    assert passed(ran(path))


def test_logs_of_other_folders_are_refused(scenario: Write) -> None:
    assert codes(scenario("- {check: {logs: {../files/secret: absent}}}")) == [("bad-value", 5)]


def test_a_property_can_be_bound_and_expected(scenario: Write) -> None:
    path = scenario(
        "- {get_property: chip_serial, bind: serial}\n"
        "- {check: {serial: $(serial)}}\n"
        "- {get_property: family, expect: {rv: CKR_OK, value: cardos-5}}\n"
        "- {get_property: colour, expect: {rv: CKR_ARGUMENTS_BAD, message: {match: .*colour.*}}}",
        readers="{R1: cardos-5.3}",
    )

    assert passed(ran(path))
