"""What can't be seen of a physical card is neither right nor wrong: told before the run, and not run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from cardtwin.card import EmulatedCard, models
from cardtwin.entropy import SeededEntropy
from cardtwin.events import Hub
from cardtwin.readers import ReaderManager
from cardtwin.scenario import Verdict, load, run
from cardtwin.scenario.overrides import Overrides
from cardtwin.scenario.pool import Options, run_all
from cardtwin.targets.hardware import Hardware, HardwareTarget, Permissions, PhysicalReader, target
from cardtwin.targets.hidden import NOTHING_HIDDEN, Hidden
from support.hardware import PlayedCard

if TYPE_CHECKING:
    from cardtwin.scenario import Instance

SCENARIOS: Final = Path(__file__).resolve().parents[3] / "scenarios"
READER: Final = "R1"
ANYTHING: Final = Permissions(
    destructive=True, irreversible=frozenset({"PUT DATA FCI"}), unverified=True, known_tries=3
)
PROFILE: Final = """\
format: 1
title: A file that nobody may read
readers: {R1: %s}
files:
  pin-a.crt: {path: KEYS/pin-a.crt}
  token.cpf: |
    CardModel '%s'
    MasterFile
    CreateEf EFSECRET id=0x1001 maxsize=4 read=never update=always
    CreateEf EFOPEN id=0x1002 maxsize=4 read=always update=always
    Endfile
    CreateFiles()
steps:
  - {personalise: token.cpf, certificate: pin-a.crt}
  - {check: {files: {%s}}}
  - {apdu: 00 84 00 00 08}
"""


@pytest.fixture
def card(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> PlayedCard:
    """Let the system have one reader, with a card in it that plays the hardware."""
    hub = Hub()
    manager = ReaderManager(hub)
    manager.add_reader(READER)
    emulated = EmulatedCard(models.get("cardos-4.4"), entropy=SeededEntropy("x"), hub=hub, reader=READER)
    played = PlayedCard(emulated)
    manager.insert(READER, played)
    monkeypatch.setattr(target, "PhysicalContext", lambda *_, **__: manager.context())
    monkeypatch.setenv("CARDTWIN_LOCKS", str(tmp_path))
    return played


@pytest.fixture
def hardware(tmp_path: Path) -> Hardware:
    return Hardware({READER: PhysicalReader(READER)}, ANYTHING, tmp_path / "ledger")


def written(folder: Path, asked: str) -> Instance:
    text = PROFILE.replace("KEYS", str(SCENARIOS / "keys")) % ("cardos-4.4", "SIEMENS44", asked)
    (folder / "one.scenario.yaml").write_text(text)
    (instance,) = load(folder / "one.scenario.yaml")
    return instance


@pytest.mark.parametrize("expected", ["00000000", "01020304"])
def test_a_content_that_may_not_be_read_is_told_before_the_run_whatever_is_expected(
    tmp_path: Path, card: PlayedCard, hardware: Hardware, expected: str
) -> None:
    instance = written(tmp_path, f'3F00/1001: {{content: "{expected}"}}')
    (outcome,) = run_all([instance], Options(overrides=Overrides("pcsc", hardware=hardware)))
    assert outcome.result.verdict is Verdict.UNSUPPORTED
    assert "step 2 (check)" in outcome.result.message
    assert "the content of 3F00/1001 cannot be seen here" in outcome.result.message
    assert card.received == []


@pytest.mark.parametrize("expected", ["00000000", "01020304"])
def test_a_content_that_turns_out_not_to_be_readable_ends_the_scenario_as_not_run(
    tmp_path: Path, card: PlayedCard, hardware: Hardware, expected: str
) -> None:
    instance = written(tmp_path, f'3F00/1001: {{content: "{expected}"}}')
    result = run(instance, HardwareTarget("", hardware))
    assert result.verdict is Verdict.UNSUPPORTED, result
    assert card.received
    assert [step.verdict for step in result.steps] == [Verdict.PASSED, Verdict.NOT_RUN, Verdict.NOT_RUN]
    assert "the content of 3F00/1001 cannot be seen here" in result.message


def test_what_may_be_read_is_compared(tmp_path: Path, card: PlayedCard, hardware: Hardware) -> None:
    instance = written(
        tmp_path, '3F00/1002: {content: "00000000"}, 3F00/1001: transparent, 3F00/1003: absent'
    )
    (outcome,) = run_all([instance], Options(overrides=Overrides("pcsc", hardware=hardware)))
    assert outcome.result.verdict is Verdict.PASSED, outcome.result
    assert card.received


def test_what_an_image_does_not_know_is_said_with_the_reason() -> None:
    hidden = Hidden(
        contents={},
        files={"3F00/5015": "it can't be selected"},
        unlisted=frozenset({"3F00/4100"}),
        pins=frozenset({("3F00", 1), ("3F00", 2)}),
        assumed=frozenset({("3F00", 1)}),
    )
    assert hidden.absence("3F00/5015/4401") == "3F00/5015: it can't be selected"
    assert hidden.absence("3F00/4100/1001") == "the card doesn't list the files of 3F00/4100"
    assert hidden.absence("3F00/4100") == hidden.absence("3F00/2F00") == ""
    assert [bool(hidden.tries(("3F00", pin))) for pin in (1, 2, 3)] == [False, False, True]
    assert [bool(hidden.most_tries(("3F00", pin))) for pin in (1, 2, 3)] == [True, False, True]
    assert not NOTHING_HIDDEN.tries(("3F00", 9))
    assert not NOTHING_HIDDEN.absence("3F00/4100")
