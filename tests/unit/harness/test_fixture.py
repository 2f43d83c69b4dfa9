"""The fixture ``cardtwin``, in suites of other people, each in a process of its own."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import entry_points
from typing import TYPE_CHECKING

import pytest

from support.hosted import TIMEOUT, encoding, environment

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Suite = Callable[..., subprocess.CompletedProcess[str]]

CLIENT = """\
from cardtwin.cryptoki.foreign import ForeignModule
from cardtwin.cryptoki.values import Buffer
from cardtwin.plan import Secret


class Client:
    def __init__(self, card):
        self.module = ForeignModule(card.library)
        self.environment = card.in_environment()

    def __enter__(self):
        self.environment.__enter__()
        assert self.module.initialize().rv == 0
        return self

    def __exit__(self, *_):
        self.module.finalize()
        self.environment.__exit__(None, None, None)

    def slots(self):
        return list(self.module.call("C_GetSlotList", (True, Buffer(8))).results[0].content)

    def login(self, pin):
        session = self.module.call("C_OpenSession", (self.slots()[0], 4)).results[0]
        return self.module.call("C_Login", (session, 1, pin and Secret.of(pin))).name
"""


@pytest.fixture
def suite(tmp_path: Path) -> Suite:
    """Run a suite with some tests in it."""
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    (tmp_path / "client.py").write_text(CLIENT)

    def run(text: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        (tmp_path / "test_them.py").write_text(text)
        alone = ("-p", "no:cacheprovider", "-p", "no:randomly", "-W", "error")
        loaded = any(entry.value == "cardtwin.plugin" for entry in entry_points(group="pytest11"))
        plugin = () if loaded else ("-p", "cardtwin.plugin")
        return subprocess.run(
            [sys.executable, "-m", "pytest", *alone, *plugin, *arguments],
            cwd=tmp_path,
            env=environment(),
            capture_output=True,
            text=True,
            check=False,
            timeout=TIMEOUT,
        )

    return run


def passed(result: subprocess.CompletedProcess[str], number: int) -> None:
    assert result.returncode == 0, result.stdout
    assert f"{number} passed" in result.stdout


def test_a_test_has_a_card_with_a_token_and_its_client_sees_it_come_and_go(suite: Suite) -> None:
    text = """\
import os
from client import Client


def test_a_token(cardtwin):
    card = cardtwin.start("cardos-5.3", profile="full", secrets={"PIN1": "271828"})

    with Client(card) as client:
        assert len(client.slots()) == 2
        card.remove()
        assert client.slots() == []
        card.insert()
        assert client.login("999999") == "CKR_PIN_INCORRECT"
        assert card.status()["programs"][0]["pid"] == os.getpid()
        assert client.login(card.pin()) == "CKR_OK"
        card.reset()

    assert card.status()["programs"] == []
    assert "CARDTWIN_SOCKET" not in os.environ
"""
    passed(suite(text), 1)


def test_a_program_under_test_gets_a_pin_that_is_entered_at_the_reader(suite: Suite) -> None:
    text = """\
import threading
from client import Client


def test_pin_pad(cardtwin):
    card = cardtwin.start("cardos-5.3", profile="full", secrets={"PIN1": "271828"}, pinpad=True)

    with Client(card) as client:
        card.enter("cancel")
        assert client.login(None) == "CKR_FUNCTION_CANCELED"
        answers = []
        program = threading.Thread(target=lambda: answers.append(client.login(None)))
        program.start()
        card.enter(card.pin())
        program.join()
        assert answers == ["CKR_OK"]
"""
    passed(suite(text), 1)


def test_all_is_taken_down_at_the_end_of_each_test_also_of_one_that_fails(suite: Suite) -> None:
    text = """\
import os
from pathlib import Path


def test_fails(cardtwin):
    cards = [cardtwin.start("cardos-5.3"), cardtwin.start("cardos-4.4")]
    Path("note").write_text("\\n".join(card.environment["CARDTWIN_SOCKET"] for card in cards))
    assert not all(map(os.path.exists, Path("note").read_text().split()))


def test_afterwards():
    assert len(Path("note").read_text().split()) == 2
    assert not any(map(os.path.exists, Path("note").read_text().split()))
"""
    result = suite(text)
    assert "1 failed, 1 passed" in result.stdout, result.stdout


def test_personal_cfg_has_a_section_for_the_name_that_programs_go_by(suite: Suite) -> None:
    text = """\
from client import Client

CONFIG = "[CSP_PKCS11]\\nSections=java.exe\\n[java.exe]\\nP11_LogoutAfterSign=1\\n"


def test_java(cardtwin):
    card = cardtwin.start("cardos-5.3", config=CONFIG, program="java.exe")
    assert card.warnings == ()

    with Client(card):
        assert [program["name"] for program in card.status()["programs"]] == ["java.exe"]
"""
    passed(suite(text), 1)


def test_tests_that_run_side_by_side_have_cards_of_their_own(suite: Suite) -> None:
    text = """\
import pytest
from client import Client


@pytest.mark.parametrize("pin", ["111111", "222222", "333333", "444444"])
def test_own(cardtwin, pin):
    card = cardtwin.start("cardos-5.3", profile="full", secrets={"PIN1": pin}, seed="shared")

    with Client(card) as client:
        assert client.login(pin) == "CKR_OK"
"""
    passed(suite(text, "-n", "2"), 4)


def test_personal_cfg_may_be_a_text_and_an_encoding_have_fields(suite: Suite, tmp_path: Path) -> None:
    encoding(tmp_path)
    text = """\
from pathlib import Path
from client import Client

CONFIG = "[Reader]\\nSkipReader=Emulated.*\\n"


def test_text(cardtwin):
    card = cardtwin.start("cardos-5.3", config=CONFIG)

    with Client(card) as client:
        assert client.slots() == []


def test_encoding(cardtwin, tmp_path):
    fields = {"PIN": "271828", "PUK": "31415926"}
    card = cardtwin.start("cardos-5.3", encoding="init.dsc", fields=fields, config=Path("pytest.ini"))
    assert card.pin() == "271828"
    assert any("unknown-section" in warning for warning in card.warnings)
    card.snapshot(tmp_path / "card.image")
    copy = cardtwin.start(image=tmp_path / "card.image")

    with Client(copy) as client:
        assert client.login("271828") == "CKR_OK"
"""
    passed(suite(text), 2)


def test_a_card_that_cannot_be_is_told_without_its_secrets(suite: Suite) -> None:
    text = """\
def test_refused(cardtwin):
    cardtwin.start("cardos-4.4", profile="no-such", secrets={"PIN1": "2718" + "28"})
"""
    result = suite(text, "--showlocals")
    assert result.returncode == 1
    assert "271828" not in result.stdout
    assert "no profile 'no-such' for cardos-4.4" in result.stdout
    assert "there are erasable, full" in result.stdout


def test_what_is_told_to_a_card_in_vain_is_not_among_what_pytest_shows(suite: Suite) -> None:
    text = """\
from cardtwin.hosting import CardRequest

def test_no_pin_pad(cardtwin):
    card = cardtwin.start("cardos-4.4")
    card.enter(*["2718" + "28"])

def test_no_profile(cardtwin):
    card = cardtwin.start(readers={"R": None})
    card.insert(CardRequest(model="cardos-4.4", profile="x", secrets={"PIN1": "2718" + "28"}))
"""
    result = suite(text, "--tb=long", "-vv")
    assert "2 failed" in result.stdout
    assert "has no PIN pad" in result.stdout
    assert "271828" not in result.stdout


def test_a_reader_without_a_card_is_not_passed_over(suite: Suite) -> None:
    text = """\
def test_which(cardtwin):
    cardtwin.start(reader="Left", readers={"Right": None})
"""
    assert "'Left': which card is in it?" in suite(text).stdout


def test_a_process_of_a_card_that_is_lost_fails_the_test(suite: Suite) -> None:
    text = """\
import os
import signal


def test_lost(cardtwin):
    card = cardtwin.start("cardos-5.3")
    os.kill(card._process.pid, signal.SIGKILL)
"""
    result = suite(text)
    assert "1 passed, 1 error" in result.stdout
    assert "the card's process has not ended as it should" in result.stdout


SEVERAL = """\
from cardtwin.hosting import CardRequest
from client import Client


def test_several(cardtwin, tmp_path):
    signer = CardRequest(model="cardos-5.3", profile="full", secrets={"PIN1": "271828"})
    cards = cardtwin.start(
        readers={"Left": signer, "Right": "Guest", "Spare": None},
        cards={"Guest": CardRequest(model="cardos-4.4", keep=str(tmp_path / "guest.image"))},
    )
    assert (cards.reader, cards.cards) == ("Left", ("Left", "Guest"))
    assert cards.readers == {"Left": "Left", "Right": "Guest", "Spare": None}
    assert (cards.pin(), cards.pins_of("Guest")) == ("271828", {})

    with Client(cards) as client:
        assert len(client.slots()) == 3  # a main and a signature slot, and a card without a token
        cards.remove(reader="Left")
        assert len(client.slots()) == 1
        made = cards.insert(CardRequest(model="cardos-4.4", profile="full"), reader="Spare")
        assert len(client.slots()) == 3
        assert cards.pin(card=made.card) == cards.pins_of("Spare")["PIN1"].reveal().decode()
        cards.add_reader("More")
        cards.insert("Left", reader="More")
        assert len(client.slots()) == 5
        cards.arm("do=mute times=always", reader="More")
        cards.remove_reader("More")
        assert len(client.slots()) == 3


def test_one_and_more(cardtwin, tmp_path):
    card = cardtwin.start("cardos-5.3", readers={"More": None}, keep=tmp_path / "card.image")
    assert list(card.readers) == ["Emulated reader", "More"]
    assert (tmp_path / "card.image").is_file()
"""


def test_a_test_has_several_readers_and_changes_what_is_in_them(suite: Suite) -> None:
    result = suite(SEVERAL)
    assert result.returncode == 0, result.stdout
    assert "2 passed" in result.stdout
