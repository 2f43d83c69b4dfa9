"""The commands ppa, dsc, image and coverage."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cardtwin.card import image as images
from cardtwin.card import models
from cardtwin.cli import main

ROOT = Path(__file__).parents[3]
SKETCH = ROOT / "scenarios" / "profiles" / "sketch.cpf"
KEYS = ROOT / "scenarios" / "keys"


def cardtwin(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments], env={"COLUMNS": "200"})


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    path = tmp_path / "broken.cpf"
    path.write_text("CardModel 'SIEMENS50'\nMakeCardErasable()\n")
    return path


def test_a_good_profile_has_no_findings() -> None:
    result = cardtwin("ppa", "check", SKETCH)
    assert result.exit_code == 0
    assert result.output == f"{SKETCH}: no findings\n"


def test_every_broken_profile_is_told_and_is_status_1(broken: Path) -> None:
    result = cardtwin("ppa", "check", broken, SKETCH, broken)
    assert result.exit_code == 1
    assert result.output.count(f"{broken}:2:1: error") == 2
    assert "MakeCardEraseable" in result.output


@pytest.mark.parametrize("command", [("ppa", "check"), ("ppa", "plan"), ("dsc", "check"), ("image", "show")])
def test_a_file_that_cannot_be_read_is_status_2(command: tuple[str, str], tmp_path: Path) -> None:
    result = cardtwin(*command, tmp_path / "none")
    assert result.exit_code == 2
    assert "No such file" in result.output


@pytest.mark.parametrize("command", ["ppa", "dsc"])
def test_a_file_that_cannot_be_read_hides_no_other(command: str, broken: Path, tmp_path: Path) -> None:
    result = cardtwin(command, "check", tmp_path / "one", broken, tmp_path / "two")
    assert result.exit_code == 2
    assert [line for line in result.stderr.splitlines() if "No such file" in line] == [
        f"cardtwin: [Errno 2] No such file or directory: '{tmp_path / name}'" for name in ("one", "two")
    ]
    assert f"{broken}:" in result.stderr


def test_one_warning_is_no_warnings(tmp_path: Path) -> None:
    path = tmp_path / "a.dsc"
    text = (ROOT / "scenarios" / "examples" / "delete-profile.dsc").read_text()
    path.write_text(text.replace("[Description]", "[Fields]\nA=value\n[Description]"))
    assert cardtwin("dsc", "check", path).stdout == f"{path}: 1 warning\n"


def test_a_plan_is_json_with_all_bytes() -> None:
    result = cardtwin("ppa", "plan", SKETCH, "--json", "--pin-cert", KEYS / "pin-a.crt")
    document = json.loads(result.stdout)
    odf = next(file for file in document["files"] if file["path"] == "3F00/5015/5031")
    assert result.exit_code == 0
    assert odf["content"] == "A40A300804063F0050154441"
    assert result.stderr == ""


def test_without_a_certificate_the_built_in_one_is_named_on_stderr() -> None:
    result = cardtwin("ppa", "plan", SKETCH, "--json")
    assert "built-in test certificate" in result.stderr
    assert json.loads(result.stdout)["profile_name"] == "P15_Siemens"


def test_a_plan_tells_of_a_parameter_that_nothing_uses() -> None:
    result = cardtwin("ppa", "plan", SKETCH, "--json", "--param", "PROFILNAME=x")
    assert result.exit_code == 0
    assert "PROFILNAME" in result.stderr
    assert "PROFILNAME" not in result.stdout


def test_a_seed_makes_a_plan_repeat() -> None:
    def plan(*options: str) -> str:
        return cardtwin("ppa", "plan", SKETCH, "--json", *options).stdout

    assert plan("--seed", "a") == plan("--seed", "a")
    assert plan("--seed", "a") != plan("--seed", "b")


def test_secrets_are_shown_only_if_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "pin.cpf"
    path.write_text(
        "CardModel 'SIEMENS50'\nX_Pin PIN1 reference=1 label='PIN' min=4 max=8 tries=3\nMasterFile\n"
        "CreateEf EFDATA id=0x1001 maxsize=auto read=always update=always\nEndfile\n"
        "File Dynamic EFDATA\ndata = colour\nEndfile\nCreateFiles()\n"
    )
    options = ("--json", "--secret", "PIN1=73914682", "--param", "colour=0xCAFE")
    hidden = cardtwin("ppa", "plan", path, *options)
    shown = cardtwin("ppa", "plan", path, *options, "--show-secrets")
    assert hidden.exit_code == 0, hidden.output
    assert "73914682" not in hidden.output
    assert "73914682" in shown.output
    assert '"CAFE"' in hidden.output


@pytest.mark.parametrize(
    "options", [("--param", "x"), ("--param", "x=0xG0"), ("--secret", "PIN9=1"), ("--pin-cert", str(SKETCH))]
)
def test_wrong_options_of_a_plan_are_status_2(options: tuple[str, str]) -> None:
    assert cardtwin("ppa", "plan", SKETCH, *options).exit_code == 2


def test_a_broken_profile_has_no_plan(broken: Path) -> None:
    result = cardtwin("ppa", "plan", broken, "--json")
    assert result.exit_code == 1
    assert result.stdout == ""
    assert "did you mean" in result.stderr


def test_a_plan_is_outlined_for_people() -> None:
    result = cardtwin("ppa", "plan", ROOT / "profiles" / "cardos-5.3-full.cpf")
    assert "PIN   1  PIN1  PIN" in result.stdout
    assert "file 3F00/5015/5031  EFODF" in result.stdout


def test_descriptions_are_checked(tmp_path: Path) -> None:
    good = ROOT / "scenarios" / "examples" / "delete-profile.dsc"
    wrong = tmp_path / "wrong.dsc"
    wrong.write_text(good.read_text().replace("DeleteProfile=true", "DeleteProfle=true"))
    assert cardtwin("dsc", "check", good).exit_code == 0
    result = cardtwin("dsc", "check", good, wrong)
    assert result.exit_code == 1
    assert "DeleteProfile" in result.output


def test_attachments_of_a_description_are_checked_if_they_are_named(tmp_path: Path) -> None:
    path = tmp_path / "init.dsc"
    path.write_text(
        "[Encoding]\nType=1024,Chip\nDevices=8711\n[Fields]\nPUK=\n[Description]\nInitToken=true\nInitialPUK=PUK\n"
        "PKCS11LibraryWindows32=C:/Program Files (x86)/Personal/bin/personal.dll\nChipProfile=token.cpf\n"
    )
    assert cardtwin("dsc", "check", path).exit_code == 0
    assert cardtwin("dsc", "check", path, "--attached", "token.cpf").exit_code == 0
    assert cardtwin("dsc", "check", path, "--attached", "other.cpf").exit_code == 1


DESCRIPTION = (
    "[Encoding]\nType=1024,Chip\nDevices=8711\n[Fields]\nPUK=\n[Description]\nInitToken=true\nInitialPUK=PUK\n"
    "PKCS11LibraryWindows32=C:/Program Files (x86)/Personal/bin/personal.dll\nChipProfile=token.cpf\n"
)


def test_of_a_zipped_description_the_files_in_it_are_attached(tmp_path: Path) -> None:
    good, bad, broken = (tmp_path / name for name in ("good.dsz", "bad.dsz", "broken.dsz"))

    for path, profile in ((good, "token.cpf"), (bad, "other.cpf")):
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("init.dsc", DESCRIPTION)
            archive.writestr(profile, "CreateFiles()")

    broken.write_bytes(b"PK\x03\x04 and no more")
    assert cardtwin("dsc", "check", good).output == f"{good}: no findings\n"
    assert f"{bad}:init.dsc:10:13: error" in cardtwin("dsc", "check", bad).output
    assert "no zip file" in cardtwin("dsc", "check", broken).output


def test_leniently_what_nobody_knows_is_warned_of(tmp_path: Path) -> None:
    path = tmp_path / "init.dsc"
    path.write_text(f"{DESCRIPTION}useChipSerialAslccsn=true\n")
    assert cardtwin("dsc", "check", path).exit_code == 1
    result = cardtwin("dsc", "check", "--lenient", path)
    assert result.exit_code == 0
    assert "write useChipSerialAsIccsn" in result.output


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("system.properties", "pinBlobDecryptor.keyDescriptorNames={}"),
        ("docker.json", '{{"pinBlobDecryptor.keyDescriptorNames": "{}"}}'),
    ],
)
def test_the_names_of_the_pin_decryptor_are_looked_up(tmp_path: Path, name: str, text: str) -> None:
    descriptors, properties = ROOT / "scenarios" / "config" / "engineSignEncrypt.xml", tmp_path / name
    properties.write_text(text.format("PinKeyDescA, PinKeyDescB"))
    assert cardtwin("dsc", "keys", descriptors, properties).output == f"{properties}: no findings\n"
    properties.write_text(text.format("pinKeyA"))
    result = cardtwin("dsc", "keys", descriptors, properties)
    assert result.exit_code == 1
    assert "the descriptor that uses it is 'PinKeyDescA'" in result.output
    assert cardtwin("dsc", "keys", tmp_path / "none.xml", properties).exit_code == 2


def test_an_image_is_shown_and_compared(tmp_path: Path) -> None:
    one, two = tmp_path / "one.image", tmp_path / "two.image"
    images.save(models.get("cardos-4.4").blank(), one)
    images.save(models.get("cardos-4.4").blank(serial=bytes(6)), two)
    shown = cardtwin("image", "show", one)
    assert "fuse: intact" in shown.output
    assert "file 3F00  df" in shown.output
    assert cardtwin("image", "compare", one, one).exit_code == 0
    different = cardtwin("image", "compare", one, two)
    assert different.exit_code == 1
    assert "serial" in different.output


def test_the_projects_own_profiles_and_descriptions_have_no_errors() -> None:
    profiles = [*ROOT.glob("profiles/*.cpf"), *ROOT.glob("scenarios/profiles/*.cpf")]
    assert cardtwin("ppa", "check", *profiles).exit_code == 0
    assert cardtwin("dsc", "check", *ROOT.glob("scenarios/examples/*.dsc")).exit_code == 0
