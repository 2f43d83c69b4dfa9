"""The verb encode: what its fields may be mapped to, and what it keeps to itself."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import pytest

from cardtwin import targets
from cardtwin.scenario import Verdict, load, run
from cardtwin.source import SourceError

READING = Path(__file__).parents[3] / "scenarios" / "examples" / "read-pins.dsc"
EMPTY = "\n  a.dsc: |\n    [Encoding]\n"


def test_a_target_that_is_none_is_told_when_the_file_is_read(scenario: Any) -> None:
    steps = '- {encode: a.dsc, fields: {F: {to: "${Card_PIN"}}}'

    with pytest.raises(SourceError, match="neither"):
        load(scenario(steps, files=EMPTY, readers="{R1: cardos-5.3}"))


def test_a_refused_encoding_shows_no_secret_that_was_expected(scenario: Any) -> None:
    steps = (
        '- {encode: a.dsc, pool: {Card_PIN: {encrypted: ""}, Card_Note: {plain: old}},'
        ' expect: {result: success, pool: {Card_PIN: "93719371", Card_Note: new}}}'
    )
    (instance,) = load(scenario(steps, files=EMPTY, readers="{R1: cardos-5.3}"))
    result = run(instance, targets.get("emulated"))
    assert result.verdict is Verdict.FAILED
    assert result.failed_step is not None
    assert result.failed_step.failure is not None
    assert "result: refused" in result.failed_step.failure.actual
    assert "pool.Card_Note: old" in result.failed_step.failure.actual
    assert "9371" not in repr(result)


def test_an_encoding_that_fails_at_the_card_shows_no_secret_that_was_expected(scenario: Any) -> None:
    steps = (
        "- {encode: a.dsc, expect: {result: success, fields: {DecryptedCardPin_PIN1: '93719371'},"
        " pool: {Card_PIN: '93719371'}, variables: {Note: new}}}"
    )
    (instance,) = load(scenario(steps, files=f"{{a.dsc: {{path: '{READING}'}}}}", readers="{R1: empty}"))
    result = run(instance, targets.get("emulated"))
    assert result.failed_step is not None
    assert result.failed_step.failure is not None
    assert "result: error" in result.failed_step.failure.actual
    assert "fields.DecryptedCardPin_PIN1: absent" in result.failed_step.failure.actual
    assert "variables.Note: new" in result.failed_step.failure.expected
    assert "9371" not in repr(result)


def test_a_zipped_description_brings_its_card_profile_along(scenario: Any, tmp_path: Path) -> None:
    root = READING.parents[2]
    text = (
        "[Encoding]\nType=1024,Chip\nDevices=8711\n[Fields]\nPUK=\n[Description]\nInitToken=true\n"
        "InitialPUK=PUK\nChipProfile=token.cpf\n"
        "PKCS11LibraryWindows32=C:/Program Files (x86)/Personal/bin/personal.dll\n"
    )

    with zipfile.ZipFile(tmp_path / "init.dsz", "w") as archive:
        archive.writestr("init.dsc", text)
        archive.writestr("token.cpf", (root / "profiles" / "cardos-5.3-full.cpf").read_text())

    config = root / "scenarios" / "config" / "iD2ppa.cfg"
    certificate = root / "scenarios" / "keys" / "pin-a.crt"
    files = (
        f"{{init.dsz: {{path: '{tmp_path / 'init.dsz'}'}}, iD2ppa.cfg: {{path: '{config}'}},"
        f" pin-a.crt: {{path: '{certificate}'}}}}\nprocesses: {{java.exe: {{ppa_config: iD2ppa.cfg}}}}"
    )
    steps = '- {encode: init.dsz, fields: {PUK: "12345678"}}\n- {verify_pin: puk, pin: "12345678"}'
    (instance,) = load(scenario(steps, files=files, readers="{R1: cardos-5.3}"))
    assert run(instance, targets.get("emulated")).verdict is Verdict.PASSED
