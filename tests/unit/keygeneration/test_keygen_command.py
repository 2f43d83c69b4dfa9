"""The command keygen."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

import cardtwin.cli
import cardtwin.source
from cardtwin.cli import main
from cardtwin.entropy import SeededEntropy
from cardtwin.issuance.manager import NumberRange
from cardtwin.issuance.pinform import PinForm
from cardtwin.targets.keygeneration import PersonalisationDesk
from support.batches import CERTIFICATE, contents, order_of

if TYPE_CHECKING:
    from click.testing import Result

    from cardtwin.issuance.keygeneration import ProducedCard

ROOTS = [str(Path(module.__path__[0]).parents[1]) for module in (cardtwin.cli, cardtwin.source)]

SECRET = "the PIN is 4711"


def arguments(out: Path, *more: str, count: int = 2) -> list[str]:
    given = {"--card": "cardos-5.3", "--count": count, "--pin-cert": CERTIFICATE, "--out": out}
    return ["keygen", "prepersonalised", *(str(part) for pair in given.items() for part in pair), *more]


def keygen(out: Path, *more: str, count: int = 2) -> Result:
    return CliRunner().invoke(main, arguments(out, *more, count=count), env={"COLUMNS": "200"})


def test_it_makes_a_batch_and_says_where(tmp_path: Path) -> None:
    result = keygen(tmp_path / "batch", "-n", "1", "--numbers", "100-199", "--label", "Nr {number}")
    assert (result.exit_code, result.output) == (0, f"2 cards in {tmp_path}/batch/\n")
    text = (tmp_path / "batch" / "production.jsonl").read_text(encoding="utf-8")
    assert [json.loads(line)["label"] for line in text.splitlines()] == ["Nr 100", "Nr 101"]


def test_an_image_in_an_archive_is_called_as_if_the_archive_were_a_folder(tmp_path: Path) -> None:
    assert keygen(tmp_path / "batch.zip", "-n", "1", "--first-serial", "0000000000000007").exit_code == 0
    image = str(tmp_path / "batch.zip" / "cards" / "0000000000000007.image")
    shown = CliRunner().invoke(main, ["image", "show", image])
    assert shown.exit_code == 0
    assert shown.output.startswith("cardos-5.3, serial 0000000000000007\n")

    for name in ("batch.zip/cards/nothing", "batch.zip/cards"):
        missing = CliRunner().invoke(main, ["image", "show", str(tmp_path / name)])
        assert missing.exit_code == 2
        assert "the archive has no such file" in missing.output


def test_no_archive_is_told(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("no archive")
    shown = CliRunner().invoke(main, ["image", "show", str(tmp_path / "text" / "x")])
    assert shown.exit_code == 2
    assert "text is no ZIP archive that can be read" in shown.output


def test_a_batch_is_begun_once_and_gone_on_with_by_resume(tmp_path: Path) -> None:
    out = tmp_path / "batch"
    assert keygen(out, "-n", "1", "--seed", "s").exit_code == 0
    before = contents(out)
    again = keygen(out, "-n", "1", "--seed", "s")
    assert again.exit_code == 2
    assert "is there already" in again.output
    assert keygen(out, "-n", "1", "--seed", "s", "--resume").exit_code == 0
    other = keygen(out, "-n", "1", "--seed", "t", "--resume")
    assert other.exit_code == 2
    assert "this batch was ordered otherwise (seed)" in other.output
    assert contents(out) == before


@pytest.mark.parametrize(
    ("more", "told"),
    [
        (["--pin", "PIN9=6 digits"], "there is no secret 'PIN9'"),
        (["--pin", "PIN1=six"], "PIN1: LENGTH or LEAST-MOST, then digits|letters"),
        (["--pin", "PIN1=6 digits", "--pin", "PIN1=7 digits"], "PIN1 is given twice"),
        (["--numbers", "5-1"], "From is more than To"),
        (["--first-serial", "xy"], "hex digits are expected"),
        (["--fresh-keys"], "without a seed all keys are new anyway"),
        (["--numbers", "1-1"], "1 numbers in 1-1, too few for 2 cards"),
        (["--label", "{pin}"], "not {pin}"),
        (["--param", "A=1"], ""),
        (["--switch", "a.b=c"], "there is no switch 'a.b'"),
        (["--count", "0"], "--count"),
        (["--out", "nofolder/batch"], "there is no folder 'nofolder'"),
        (["--pin-cert", "nofile"], "nofile: No such file"),
        (["--card", "nocard"], "nocard"),
    ],
)
def test_wrong_options_are_told_before_anything_is_made(
    tmp_path: Path, more: list[str], told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = keygen(Path("batch"), "-n", "1", *more)

    if told:
        assert result.exit_code == 2
        assert told in result.output
        assert list(tmp_path.iterdir()) == []
    else:
        assert result.exit_code == 0


def test_a_seed_may_be_elsewhere_and_one_that_others_see_is_warned_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MY_SEED", "my own")
    (tmp_path / "seed").write_text("my own\n")
    made = []

    for name, source in (("env", "env:MY_SEED"), ("file", f"file:{tmp_path}/seed"), ("plain", "text:my own")):
        (tmp_path / name).mkdir()
        result = keygen(tmp_path / name / "batch", "-n", "1", "--seed", source, count=1)
        assert result.exit_code == 0
        assert ("others can see a seed" in result.stderr) is (name == "plain")
        assert "my own" not in result.output
        made.append(contents(tmp_path / name / "batch"))

    assert made[0] == made[1] == made[2]
    missing = keygen(tmp_path / "batch", "--seed", "env:NO_SEED")
    assert (missing.exit_code, "no variable 'NO_SEED'" in missing.output) == (2, True)


def test_a_seed_is_asked_for_and_not_shown(tmp_path: Path) -> None:
    assert keygen(tmp_path / "batch", "-n", "1", "--seed", "s", count=1).exit_code == 0
    words = arguments(tmp_path / "batch", "-n", "1", "--seed", "prompt", "--resume", count=1)
    result = CliRunner().invoke(main, words, input="s\ns\n")
    assert result.exit_code == 0, result.output
    assert "Seed:" in result.output
    assert "can see" not in result.output


def test_a_parameter_may_be_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_CODE", "0x34373131")
    assert keygen(tmp_path / "batch", "-n", "1", "--param", "CODE=4711", count=1).exit_code == 0
    same = keygen(tmp_path / "batch", "-n", "1", "--param", "CODE=env:MY_CODE", "--resume", count=1)
    assert same.exit_code == 0, same.output
    wrong = keygen(tmp_path / "other", "--param", "CODE=0x1")
    assert (wrong.exit_code, "CODE: behind 0x stand hex digits" in wrong.output) == (2, True)


@pytest.mark.parametrize("first", [0, 1])
def test_a_defect_has_the_status_of_no_profile_and_tells_no_value(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, first: int
) -> None:
    make = PersonalisationDesk.make

    def defective(desk: PersonalisationDesk, index: int) -> ProducedCard:
        if index >= first:
            raise ZeroDivisionError(SECRET)

        return make(desk, index)

    monkeypatch.setattr(PersonalisationDesk, "make", defective)
    result = keygen(tmp_path / "batch", "-n", "1")
    assert result.exit_code == 2
    assert "a bug of cardtwin showed, please report it" in result.output
    assert "ZeroDivisionError" in result.output
    assert SECRET not in result.output


def test_a_defect_of_the_card_is_not_told_as_the_profiles_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def defective(*_: object) -> None:
        raise ZeroDivisionError(SECRET)

    monkeypatch.setattr("cardtwin.card.chip.Chip.commit", defective)
    result = keygen(tmp_path / "batch", "-n", "1")
    assert result.exit_code == 2
    assert "ZeroDivisionError" in result.output
    assert SECRET not in result.output


def test_a_profile_that_is_wrong_is_told_with_its_place(tmp_path: Path) -> None:
    profile = tmp_path / "wrong.cpf"
    profile.write_text("CardModel 'SIEMENS50\n")
    words = arguments(tmp_path / "batch", "-n", "1")
    words[1] = str(profile)
    result = CliRunner().invoke(main, words)
    assert result.exit_code == 1
    assert f"{profile}:1:" in result.output
    assert not (tmp_path / "batch").exists()


@pytest.mark.parametrize("workers", ["1", "2"])
@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupt_leaves_a_batch_that_is_gone_on_with(
    tmp_path: Path, workers: str, number: signal.Signals, status: int
) -> None:
    # The interrupt comes at the third card, from the program itself: so it is in the middle of the work.
    code = (
        "import itertools, os\n"
        "from cardtwin.issuance.keygeneration import Batch\n"
        "from cardtwin.cli import main\n"
        "add, turns = Batch.add, itertools.count(1)\n"
        "def counted(self, card):\n"
        "    add(self, card)\n"
        f"    next(turns) == 3 and os.killpg(0, {int(number)})\n"
        "Batch.add = counted\n"
        "main()"
    )
    out = tmp_path / "batch"
    program = subprocess.run(
        [sys.executable, "-c", code, *arguments(out, "--seed", "i", "-n", workers, count=8)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(ROOTS)},
        capture_output=True,
        text=True,
        start_new_session=True,
        check=False,
    )
    assert program.returncode == status, program.stderr
    assert "of 8 cards are there; --resume goes on" in program.stderr
    assert keygen(out, "--seed", "i", "-n", "1", "--resume", count=8).exit_code == 0
    (tmp_path / "whole").mkdir()
    assert keygen(tmp_path / "whole" / "batch", "--seed", "i", "-n", "1", count=8).exit_code == 0
    assert contents(out) == contents(tmp_path / "whole" / "batch")


@given(
    first=st.integers(0, 2**64 - 1),
    count=st.integers(1, 1000),
    low=st.integers(0, 10**6),
    index=st.integers(0, 999),
    other=st.integers(0, 999),
)
def test_no_two_cards_of_a_batch_have_a_number_in_common(
    first: int, count: int, low: int, index: int, other: int
) -> None:
    first = min(first, 2**64 - count)
    order = order_of(
        count=count,
        first_serial=first.to_bytes(8),
        numbers=NumberRange(f"{low:09}", f"{low + count:09}"),
        label="{index}",
        seed="s",
    )
    order.check()
    one, two = order.assignment(index % count), order.assignment(other % count)
    same = one.index == two.index
    assert (one.serial == two.serial, one.number == two.number, one.label == two.label) == (same, same, same)
    drawn = [order.entropy(each, "card").bytes(16) for each in (one, two)]
    assert (drawn[0] == drawn[1]) is same
    assert order.entropy(one, "PINs").bytes(16) not in drawn


@given(
    shortest=st.integers(1, 64),
    more=st.integers(0, 63),
    kind=st.sampled_from(["digits", "letters", "alphanumeric", "readable", "hex"]),
    seed=st.text(),
)
def test_a_pin_has_the_greatest_length_of_its_form_and_its_characters(
    shortest: int, more: int, kind: str, seed: str
) -> None:
    longest = min(64, shortest + more)
    form = PinForm.parse(f"{shortest}-{longest} {kind}")
    text = form.make(SeededEntropy(seed)).reveal().decode()
    assert len(text) == longest
    assert set(text) <= set(form.alphabet)
