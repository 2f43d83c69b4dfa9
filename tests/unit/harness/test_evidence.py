"""The evidence of runs: what it says of cards, emulated ones and one that plays the hardware."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any, Final

import jsonschema
import pytest
from click.testing import CliRunner, Result

from cardtwin.card.memory import Ef
from cardtwin.cli import main
from cardtwin.evidence import json_schema
from cardtwin.targets.hardware import Ledger
from support.hardware import EVERYTHING
from support.played import PLAYED, PlayedService

ROOT: Final = Path(__file__).parents[3]
PROFILE: Final = """\
format: 1
title: A token
files:
  token.cpf: {path: %s/profiles/%s.cpf}
  pin.crt: {path: %s/scenarios/keys/pin-a.crt}
readers: {R1: %s}
steps:
  - {personalise: token.cpf, certificate: pin.crt, secrets: {PIN1: "40281973", PUK: "88471102"}}
"""
READ: Final = """\
format: 1
title: A look
readers: {R1: cardos-4.4}
steps:
  - {apdu: 00A40000023F0000, expect: {sw: {match: "[0-9A-F ]+"}}}
"""
ALL: Final = (
    "--allow-destructive",
    "--allow-unverified-commands",
    *(part for name in sorted(EVERYTHING.irreversible) for part in ("--allow-irreversible", name)),
)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CARDTWIN_LOCKS", str(tmp_path))
    (tmp_path / "evidence").mkdir()
    return tmp_path


def token(*steps: str, model: str = "cardos-5.3", profile: str = "cardos-5.3-full") -> str:
    text = PROFILE % (ROOT, profile, ROOT, model)
    return "".join((text, *(f"  - {{{step}}}\n" for step in steps)))


def run(folder: Path, text: str, *options: str) -> Result:
    (folder / "one.scenario.yaml").write_text(text)
    arguments = ["run", str(folder / "one.scenario.yaml"), "--evidence", str(folder / "evidence"), *options]
    return CliRunner().invoke(main, arguments, env={"COLUMNS": "300"})


def on_hardware(folder: Path, text: str, *options: str) -> Result:
    return run(folder, text, "--target", "pcsc", "--ledger", str(folder / "ledger"), *options)


def read(folder: Path) -> dict[str, Any]:
    """Return the only evidence that there is, which is as the schema says."""
    (path,) = (folder / "evidence").iterdir()
    found: dict[str, Any] = json.loads(path.read_text())
    jsonschema.Draft202012Validator(json_schema()).validate(found)
    return found


def played(monkeypatch: pytest.MonkeyPatch, model: str = "cardos-5.3") -> PlayedService:
    service = PlayedService(model)
    service.play(monkeypatch)
    return service


def test_it_says_which_scenario_was_run_and_what_came_of_each_step(folder: Path) -> None:
    result = run(folder, token("verify_pin: user, pin: 99999999"))
    found = read(folder)
    assert result.exit_code == 1
    assert found["scenario"]["id"] == "one"
    written = (folder / "one.scenario.yaml").read_bytes()
    assert found["scenario"]["sha256"] == hashlib.sha256(written).hexdigest()
    assert (found["state"], found["verdict"], found["target"]) == ("ended", "failed", "emulated")
    assert [step["verdict"] for step in found["steps"]] == ["passed", "failed"]
    assert found["steps"][1]["message"]
    assert found["begun"] < found["ended"]
    assert found["asked"] is None


@pytest.mark.parametrize("target", ["emulated", "pcsc"])
def test_it_says_by_path_what_is_otherwise_on_the_card(
    folder: Path, target: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = played(monkeypatch)
    options = ("--ledger", str(folder / "ledger"), *ALL) if target == "pcsc" else ()
    result = run(folder, token(), "--target", target, *options)
    assert result.exit_code == 0, result.output
    (reader,) = read(folder)["readers"]
    files = {each["path"]: each for each in reader["changed"]["files"]}
    assert {each["change"] for each in files.values()} == {"created"}
    assert files["3F00/5015"]["after"]["kind"] == "DF"
    assert reader["before"]["files"] == 1
    assert reader["after"]["files"] == 1 + len(files)
    assert {"subject": "3F00:00-01", "before": "", "after": "PIN 'PIN'"} in reader["changed"]["others"]
    assert {"credential": "3F00:00-01", "told_by": "card", "before": None, "after": 3} in reader["tries_left"]

    if target == "pcsc":
        listing = service.card.card.image.files[bytes.fromhex("3F0050155031")]
        assert isinstance(listing, Ef)
        assert files["3F00/5015/5031"]["after"]["sha256"] == hashlib.sha256(listing.content).hexdigest()


def test_the_same_scenario_leaves_the_same_kind_of_evidence_on_both_targets(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    played(monkeypatch)
    (folder / "one.scenario.yaml").write_text(token())
    arguments = ["compare", str(folder / "one.scenario.yaml"), "--target", "emulated", "--target", "pcsc"]
    arguments += ["--evidence", str(folder / "evidence"), "--ledger", str(folder / "ledger"), *ALL]
    CliRunner().invoke(main, arguments)
    found = {path.name: json.loads(path.read_text()) for path in (folder / "evidence").iterdir()}
    assert set(found) == {"one@emulated.json", "one@pcsc.json"}
    emulated, physical = found["one@emulated.json"], found["one@pcsc.json"]
    assert emulated["changing"] == physical["changing"]
    assert emulated["readers"][0]["after"] == physical["readers"][0]["after"]


def test_it_says_which_card_it_was_what_was_allowed_and_what_was_sent(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = played(monkeypatch)
    on_hardware(folder, token(), *ALL, "--known-tries", "3")
    found = read(folder)
    (reader,) = found["readers"]
    image = service.card.card.image
    assert reader["before"]["serial"] == image.serial.hex(" ").upper()
    assert reader["before"]["atr"] == image.atr.hex(" ").upper()
    assert reader["before"]["protocol"] == "T1"
    assert reader["service_name"] == PLAYED
    assert found["asked"] == reader["permitted"]
    assert reader["permitted"]["irreversible"] == sorted(EVERYTHING.irreversible)
    assert reader["permitted"]["known_tries"] == 3
    assert found["versions"]["python"].startswith("CPython")
    assert sum(each["count"] for each in found["commands"]) == len(service.card.received)
    changing = {each["name"]: each for each in found["changing"]}
    assert changing["GENERATE KEY PAIR"]["effects"] == ["writes", "destroys"]
    generated = sum(command.startswith("0046") for command in service.card.commands)
    assert changing["GENERATE KEY PAIR"]["count"] == generated > 0
    assert changing["GENERATE KEY PAIR"]["step"] == 1
    assert "irreversible" in changing["PUT DATA FCI"]["effects"]
    assert all(each["sent_by"] == "programs" for each in found["changing"])
    assert any(each["sent_by"] == "harness" for each in found["commands"])
    assert any(line.startswith("GENERATE KEY PAIR") for line in reader["account"])
    assert reader["login_left"] is False


def test_the_tries_before_and_after_are_the_ledgers_and_the_cards(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    played(monkeypatch)
    on_hardware(folder, token("verify_pin: user, pin: 99999999, expect: CKR_PIN_INCORRECT"), *ALL)
    (reader,) = read(folder)["readers"]
    assert {"credential": "3F00:00-01", "told_by": "card", "before": None, "after": 2} in reader["tries_left"]
    assert {"credential": "PIN 1", "before": 0, "after": 1} in reader["tries_spent"]
    assert any(each["told_by"] == "guard" and each["after"] == 2 for each in reader["tries_left"])


def test_an_emulated_card_that_tells_no_tries_has_them_from_its_memory(folder: Path) -> None:
    wrong = "verify_pin: user, pin: 99999999, expect: CKR_PIN_INCORRECT"
    run(folder, token(wrong, model="cardos-4.4", profile="cardos-4.4-full"))
    tries = read(folder)["readers"][0]["tries_left"]
    assert {each["told_by"] for each in tries} == {"memory"}
    assert 2 in {each["after"] for each in tries}


def test_what_the_guard_refuses_is_told_with_its_rule_and_the_cards_are_left(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = played(monkeypatch, "cardos-4.4")
    ledger = Ledger(folder / "ledger")

    # The plan asks no card for its serial number, and so the ledger for nothing.
    for _ in range(2):
        ledger.spend(service.card.card.image.serial, "PIN 1")

    verify = '{apdu: 00 20 00 81 04 39 39 31 37, expect: {sw: {match: "[0-9A-F ]+"}}}'
    result = on_hardware(folder, f"{READ}  - {verify}\n", "--known-tries", "3")
    found = read(folder)
    assert result.exit_code == 1
    (refused,) = found["refused"]
    assert (refused["rule"], refused["step"]) == ("last try", 2)
    assert "**" in refused["command"]
    assert found["readers"][0]["after"] is None
    assert any("after a refusal nothing is sent" in why for why in found["readers"][0]["not_seen"])
    assert not any(command.startswith("0020") for command in service.card.commands)


def test_a_plan_that_fails_leaves_evidence_that_nothing_was_sent(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = played(monkeypatch)
    assert on_hardware(folder, token()).exit_code == 1
    found = read(folder)
    assert found["verdict"] == "failed"
    assert "Nothing was sent" in found["message"]
    assert found["commands"] == []
    assert service.card.received == []


def test_a_look_without_permission_leaves_out_what_the_guard_would_refuse(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = played(monkeypatch)
    result = on_hardware(folder, READ.replace("4.4", "5.3"))
    assert result.exit_code == 0, result.output
    found = read(folder)
    assert found["refused"] == []
    assert found["readers"][0]["after"]["unlisted"] == ["3F00"]
    assert not any(command.startswith("8016") for command in service.card.commands)


def test_a_card_that_vanishes_is_told_and_the_evidence_is_there(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = played(monkeypatch)

    def vanish(place: int) -> None:
        if service.card.commands[place].startswith("0046"):
            service.manager.remove(PLAYED)

    service.card.on_command = vanish
    assert on_hardware(folder, token(), *ALL).exit_code == 1
    found = read(folder)
    assert (found["state"], found["verdict"]) == ("ended", "failed")
    (reader,) = found["readers"]
    assert reader["before"] is not None
    assert reader["after"] is None
    assert reader["changed"] is None
    assert any("there is no card" in why for why in reader["not_seen"])
    assert any(each["name"] == "GENERATE KEY PAIR" for each in found["changing"])


def test_an_interrupt_leaves_evidence_with_all_that_was_sent(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = played(monkeypatch)

    def interrupt(place: int) -> None:
        if service.card.commands[place].startswith("0046"):
            raise KeyboardInterrupt

    service.card.on_command = interrupt
    assert on_hardware(folder, token(), *ALL).exit_code == 130
    found = read(folder)
    assert (found["state"], found["verdict"]) == ("interrupted", None)
    assert found["ended"] is not None
    (reader,) = found["readers"]
    assert reader["account"][-1].endswith("not answered")
    assert any("nothing is sent any more" in why for why in reader["not_seen"])


def test_a_run_that_is_killed_has_left_what_was_known_at_its_beginning(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = played(monkeypatch)
    kept: list[dict[str, Any]] = []

    def look(place: int) -> None:
        if service.card.commands[place].startswith("00E0") and not kept:
            kept.append(read(folder))

    service.card.on_command = look
    on_hardware(folder, token(), *ALL)
    (found,) = kept
    assert (found["state"], found["verdict"], found["ended"]) == ("running", None, None)
    assert found["readers"][0]["before"]["serial"]
    assert {step["verdict"] for step in found["steps"]} == {"not run"}


def test_nothing_is_run_where_evidence_cannot_be_written(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = played(monkeypatch)

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("cardtwin.evidence.store.os.fsync", full)
    result = on_hardware(folder, token(), *ALL)
    assert result.exit_code == 1
    assert "No space left on device" in result.output
    assert list((folder / "evidence").iterdir()) == []
    assert not any(command.startswith("00E0") for command in service.card.commands)


def test_evidence_is_replaced_as_a_whole_or_stays(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    played(monkeypatch)
    calls = []

    def full_later(_descriptor: int) -> None:
        calls.append(1)

        if len(calls) > 1:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr("cardtwin.evidence.store.os.fsync", full_later)
    result = run(folder, READ)
    assert result.exit_code == 1
    assert "No space left on device" in result.output
    assert read(folder)["state"] == "running"


def test_evidence_is_for_its_owner_alone(folder: Path) -> None:
    run(folder, READ)
    (path,) = (folder / "evidence").iterdir()
    assert path.stat().st_mode & 0o777 == 0o600


def test_evidence_is_not_replaced_by_that_of_another_run(folder: Path) -> None:
    assert run(folder, READ).exit_code == 0
    first = read(folder)
    result = run(folder, READ)
    assert result.exit_code == 2
    assert "is there already" in result.output
    assert read(folder) == first


def test_scenarios_without_a_card_have_no_evidence(folder: Path) -> None:
    result = run(folder, "format: 1\ntitle: none\nreaders: {R1: empty}\nsteps: [{wait: 1}]\n")
    assert result.exit_code == 2
    assert "none of these scenarios has a card in a reader" in result.output


def test_names_are_safe_and_no_two_instances_share_one(folder: Path) -> None:
    text = READ.replace("readers:", 'matrix: {name: [a*b, "a?b", A!B]}\nreaders:')
    assert run(folder, text).exit_code == 0
    names = {path.name for path in (folder / "evidence").iterdir()}
    assert names == {"one_a_b_@emulated.json", "one_a_b_@emulated-2.json", "one_A_B_@emulated-3.json"}


def test_a_name_shows_no_secret(folder: Path) -> None:
    text = token("verify_pin: user, pin: $(pin)").replace("readers:", 'matrix: {pin: ["40281973"]}\nreaders:')
    assert run(folder, text).exit_code == 0
    (path,) = (folder / "evidence").iterdir()
    assert path.name == "one_@emulated.json"
    assert "40281973" not in path.read_text()


def test_workers_write_evidence_too(folder: Path) -> None:
    text = READ.replace("readers:", "matrix: {name: [a, b]}\nreaders:")
    assert run(folder, text, "-n", "2").exit_code == 0
    assert len(list((folder / "evidence").iterdir())) == 2
