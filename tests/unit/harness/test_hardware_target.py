"""The target for physical cards, as far as no reader is needed: its file, its lock, its plans."""

from __future__ import annotations

from pathlib import Path
from typing import Final, NoReturn

import pytest
from click.testing import CliRunner

from cardtwin.card import models
from cardtwin.cli import main
from cardtwin.scenario import load
from cardtwin.scenario.hardware_file import HardwareFile
from cardtwin.scenario.personal import with_pins
from cardtwin.scenario.planning import rehearse
from cardtwin.scenario.runner import unsupported
from cardtwin.source import SourceError
from cardtwin.targets import Setup, TargetError, get, is_physical
from cardtwin.targets.hardware import CommandRefusedError, Hardware, HardwareTarget, Permissions
from cardtwin.targets.hardware.lock import held
from support.hardware import GuardedDesk

SCENARIOS: Final = Path(__file__).resolve().parents[3] / "scenarios"
FILE: Final = """\
format: 1
readers:
  R1:
    reader: Virtual PCD 00 00
    model: cardos-5.3
    pins: {"1234": {env: A_PIN}}
    allow: {destructive: yes}
    known_tries: 2
"""
SCENARIO: Final = """\
format: 1
title: A PIN
readers: {R1: cardos-5.3}
steps:
  - {verify_pin: user, pin: "1234"}
"""


def hardware_file(folder: Path, text: str) -> HardwareFile:
    path = folder / "hardware.yaml"
    path.write_text(text)
    return HardwareFile.read(path)


def nobody(what: str) -> str:
    raise AssertionError(what)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("cardos-5.3", "cardos-5.33", "no card model"),
        ("destructive", "destructiv", "is no key here"),
        ("{env: A_PIN}", "{env: A_PIN, prompt: yes}", "one place"),
        ("model: cardos-5.3", "atr: '00'", "an ATR begins"),
    ],
)
def test_a_wrong_hardware_file_is_told_with_its_place(tmp_path: Path, old: str, new: str, told: str) -> None:
    with pytest.raises(SourceError, match=told) as error:
        hardware_file(tmp_path, FILE.replace(old, new))

    assert "hardware.yaml:" in str(error.value)


def test_a_pin_comes_from_the_environment_and_no_message_shows_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("A_PIN", "735190")
    readers = hardware_file(tmp_path, FILE).readers(frozenset({"R1"}), nobody)
    assert readers["R1"].pins["1234"].reveal() == b"735190"
    assert "735190" not in repr(readers)
    (tmp_path / "pin.scenario.yaml").write_text(SCENARIO)
    (instance,) = load(tmp_path / "pin.scenario.yaml")
    personal = with_pins(instance, readers)
    assert "735190" not in repr(personal)
    step = personal.steps[0].complete({})
    assert step.pin.reveal() == b"735190"  # type: ignore[attr-defined]  # it is a VerifyPin
    assert personal.steps[0].title == "verify_pin user"


def test_a_pin_that_others_may_read_is_refused(tmp_path: Path) -> None:
    pin = tmp_path / "pin"
    pin.write_text("735190\n")
    pin.chmod(0o640)
    file = hardware_file(tmp_path, FILE.replace("{env: A_PIN}", "{file: pin}"))

    with pytest.raises(SourceError, match="mode 640") as error:
        file.readers(frozenset({"R1"}), nobody)

    assert "735190" not in str(error.value)
    pin.chmod(0o600)
    assert file.readers(frozenset({"R1"}), nobody)["R1"].pins["1234"].reveal() == b"735190"


def test_a_run_may_not_ask_for_more_than_the_file_allows(tmp_path: Path) -> None:
    readers = hardware_file(tmp_path, FILE).readers(frozenset(), nobody)
    asked = Permissions(destructive=True, known_tries=9)
    assert Hardware(readers, asked).allowed(readers["R1"]) == Permissions(destructive=True, known_tries=2)

    with pytest.raises(TargetError, match="--allow-unverified-commands"):
        Hardware(readers, Permissions(unverified=True)).allowed(readers["R1"])

    with pytest.raises(TargetError, match="--allow-irreversible 'BURN'"):
        Hardware(readers, Permissions(irreversible=frozenset({"BURN"}))).allowed(readers["R1"])


def test_a_reader_has_one_scenario_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CARDTWIN_LOCKS", str(tmp_path))

    with held("a reader"):
        again = held("a reader", patience=0)

        with pytest.raises(TargetError, match="another scenario uses the reader 'a reader': process"):
            again.__enter__()

        with held("another one", patience=0):
            pass

    with held("a reader", patience=0):
        pass


@pytest.mark.cardtwin_proves("HW-06")
def test_a_plan_tells_what_is_sent_and_what_would_be_refused() -> None:
    instance = next(
        each for each in load(SCENARIOS / "deleting" / "burnt.scenario.yaml") if "cardos-4.4" in each.id
    )
    plan = rehearse(instance, HardwareTarget("a reader"), Hardware())
    text = "\n".join(plan.lines())
    assert not plan.failure
    assert "DELETE FILE (writes, destroys)" in text
    assert "--allow-destructive" in text
    assert "--allow-irreversible 'PUT DATA FCI'" in text
    allowed = Permissions(destructive=True, irreversible=frozenset({"PUT DATA FCI"}), known_tries=3)
    assert not rehearse(instance, HardwareTarget("a reader"), Hardware(asked=allowed)).refused


@pytest.mark.cardtwin_proves("HW-06")
@pytest.mark.parametrize(
    ("step", "told"),
    [
        ("apdu: 00 E4 00 00 02 50 15, expect: 6A82", "it would be refused"),
        ("apdu: 00 84 00 00 08, expect: 6A82", "the dry run on the emulated card failed: step 1 (apdu)"),
        ("apdu: 00 84 00 00 08", "nobody opens a reader in this test"),
    ],
)
def test_the_plan_is_told_and_rehearsed_before_any_reader_is_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str, told: str
) -> None:
    opened: list[str] = []

    def open_(target: HardwareTarget, *_: object) -> NoReturn:
        opened.append(target.name)
        raise TargetError("nobody opens a reader in this test")

    monkeypatch.setattr(HardwareTarget, "open", open_)
    path = tmp_path / "one.scenario.yaml"
    path.write_text(f"format: 1\ntitle: one\nreaders: {{R1: cardos-4.4}}\nsteps: [{{{step}}}]\n")
    done = CliRunner().invoke(main, ["run", str(path), "--target", "pcsc"], env={"COLUMNS": "200"})
    assert done.exit_code == 1
    assert "plan of one on pcsc: cardos-4.4 in R1" in done.output
    assert "step 1 (apdu 00 " in done.output
    assert told in done.output
    assert opened == ([] if "Nothing was sent to the card" in done.output else ["pcsc"])
    assert ("nobody opens" in told) is bool(opened)


def test_what_takes_hands_is_planned_as_not_run(tmp_path: Path) -> None:
    path = tmp_path / "hands.scenario.yaml"
    path.write_text(SCENARIO.replace('{verify_pin: user, pin: "1234"}', "{card: remove}"))
    done = CliRunner().invoke(main, ["plan", str(path)])
    assert "not run: step 1 (card) needs hands at the reader" in done.output
    assert done.exit_code == 0


def test_what_is_for_physical_cards_is_refused_without_one(tmp_path: Path) -> None:
    path = tmp_path / "pin.scenario.yaml"
    path.write_text(SCENARIO)
    done = CliRunner().invoke(main, ["run", str(path), "--allow-destructive"])
    assert done.exit_code == 2
    assert "--allow-destructive is for physical cards" in done.output


@pytest.mark.parametrize(
    ("name", "physical"),
    [
        ("module:libx.so@pcsc", True),
        ("module:libx.so@pcsc:Reader 00 00", True),
        ("module:libx.so@pcsc:A reader: of @pcsc", True),
        ("module:lib@pcscx.so", False),
        ("module:libx.so@pcscd", False),
        ("module:@pcsc", False),
    ],
)
def test_a_library_above_physical_cards_goes_by_its_path_and_the_reader(name: str, physical: bool) -> None:
    assert is_physical(name) is physical

    if physical:
        assert get(name).name == name


def test_a_library_that_is_not_there_is_told_before_a_reader_is_touched() -> None:
    with pytest.raises(TargetError, match="there is no PKCS#11 library /nowhere/"):
        get("module:/nowhere/lib.so@pcsc:Reader")


@pytest.mark.parametrize("name", ["pcscd", "pcsc:a reader", "module:libx.so@pcsc:a reader"])
@pytest.mark.parametrize("action", ["power_on", "power_off"])
def test_power_is_nobodys_to_switch_in_the_systems_readers_and_told_before_the_run(
    tmp_path: Path, name: str, action: str
) -> None:
    (tmp_path / "pin.scenario.yaml").write_text(f"{SCENARIO}  - {{card: {action}}}\n")
    (instance,) = load(tmp_path / "pin.scenario.yaml")
    number = len(instance.steps)
    told = f"step {number} (card) needs a switch for the power, which the target {name!r} lacks"
    assert told in unsupported(instance, get(name))
    assert unsupported(instance, get("emulated")) == ""


@pytest.mark.parametrize("name", ["pcscd", "pcsc:a reader", "module:libx.so@pcsc:a reader"])
@pytest.mark.parametrize("more", ["", "  - {check: {apdus: {count: 0, of: first}}}\n"])
def test_what_no_card_has_a_part_in_proves_nothing_of_cards_and_readers(
    tmp_path: Path, name: str, more: str
) -> None:
    head, _, _ = SCENARIO.partition("  -")
    published = "  - {publish: draft, id: first, expect: {published: no}}\n"
    (tmp_path / "one.scenario.yaml").write_text(head + published + more)
    (instance,) = load(tmp_path / "one.scenario.yaml")
    assert "no step uses a card or a reader" in unsupported(instance, get(name))
    assert unsupported(instance, get("emulated")) == ""


def test_what_neither_other_libraries_nor_physical_cards_do_counts_as_not_run(tmp_path: Path) -> None:
    text = SCENARIO.replace("cardos-5.3}", "token}").replace(
        "readers:",
        "switches: {cryptoki.logout: kept}\ncards: {token: {model: cardos-5.3, state: factory}}\nreaders:",
    )
    (tmp_path / "pin.scenario.yaml").write_text(text + "  - {pkcs11: C_Initialize}\n")
    (instance,) = load(tmp_path / "pin.scenario.yaml")
    told = unsupported(instance, get("module:libx.so@pcsc"))
    assert "the switch cryptoki.logout is one of cardtwin's middleware" in told
    assert "is to be as it leaves the factory" in told


@pytest.mark.parametrize("model", models.names())
def test_only_cards_that_the_guard_can_tell_apart_are_run(tmp_path: Path, model: str) -> None:
    text = SCENARIO.replace("cardos-5.3", model).replace(
        'verify_pin: user, pin: "1234"', "apdu: 00A4000C023F00"
    )
    (tmp_path / "one.scenario.yaml").write_text(text)
    (instance,) = load(tmp_path / "one.scenario.yaml")
    told = unsupported(instance, HardwareTarget("a reader"))
    desk = GuardedDesk(tmp_path / "ledger", model)

    if "no driver" not in told:
        assert desk.connect().transmit(bytes.fromhex("00A4000C023F00"))[-2:] == b"\x90\0"
        return

    with pytest.raises(CommandRefusedError, match="doesn't tell its serial number"):
        desk.connect().transmit(bytes.fromhex("00A4000C023F00"))


def test_a_scenario_without_readers_needs_none_of_the_system() -> None:
    assert HardwareTarget().readers(Setup({}, {}, {})) == {}
    assert HardwareTarget("a reader").readers(Setup({}, {}, {})) == {}
