"""Other people's programs have PINs entered at a reader of ours, as at a real one with keys."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from cardtwin.card import CardView
from cardtwin.readers import PinEntry, PinPad
from support.interop import READER, TIMEOUT, opened_desk, shared_library
from support.programs import encoded
from support.rig import full_card
from support.scdaemon import opened_scdaemon

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cardtwin.card import CardImage, EmulatedCard
    from support.interop import Desk

MODELS: Final = ["cardos-4.3b", "cardos-4.4", "cardos-5.3", "cosmo-7", "idclassic-340"]
PIN, PUK, NEW = "1234", "12345678", "567890"
PROGRAMS: Final = Path(__file__).parent.parent / "support" / "pin_pad_programs.py"
PIN_PADS: Final = """\
app default {
    reader_driver pcsc { enable_pinpad = true; }
    framework pkcs15 { use_pin_caching = false; }
}
"""


class Pad:
    """An encoded card in a reader with a PIN pad, and the person there."""

    def __init__(
        self, desk: Desk, model: str, image: CardImage | None = None, *, patient: bool = False
    ) -> None:
        self.desk = desk
        self.pinpad = PinPad(patient=patient)
        desk.manager.remove_reader(READER)
        desk.manager.add_reader(READER, pinpad=self.pinpad)
        self.card: EmulatedCard = desk.insert(model, image or encoded(model))

    def enter(self, *texts: str) -> None:
        self.desk.manager.enter(READER, [PinEntry.parse(text) for text in texts])

    def tries(self, reference: int = 1) -> int:
        return CardView(self.card.image).pins["3F00", reference].tries_left

    def run(self, name: str, *arguments: str, succeeds: bool = True) -> str:
        return self.desk.run(name, *arguments, succeeds=succeeds)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with opened_desk(tmp_path) as desk:
        desk.config = PIN_PADS
        yield desk


@pytest.fixture(params=MODELS)
def pad(desk: Desk, request: pytest.FixtureRequest) -> Pad:
    return Pad(desk, request.param)


def test_opensc_has_a_pin_verified(pad: Pad) -> None:
    pad.enter(PIN)
    pad.run("pkcs15-tool", "--verify-pin", "--auth-id", "01")
    assert pad.tries() == 3


def test_a_wrong_pin_at_the_pin_pad_costs_opensc_a_try(pad: Pad) -> None:
    pad.enter("9999")
    pad.run("pkcs15-tool", "--verify-pin", "--auth-id", "01", succeeds=False)
    assert pad.tries() == 2


def test_opensc_hears_that_the_entry_was_cancelled(pad: Pad) -> None:
    pad.enter("cancel")
    assert "cancelled" in pad.run("pkcs15-tool", "--verify-pin", "--auth-id", "01", succeeds=False)
    assert pad.tries() == 3


def test_opensc_hears_that_nothing_was_entered(pad: Pad) -> None:
    assert "Timed out" in pad.run("pkcs15-tool", "--verify-pin", "--auth-id", "01", succeeds=False)
    assert pad.tries() == 3


def test_opensc_has_a_pin_changed_and_hears_of_a_wrong_repetition(pad: Pad) -> None:
    pad.enter(PIN, NEW, "567891")
    pad.run("pkcs15-tool", "--change-pin", "--auth-id", "01", succeeds=False)
    pad.enter(PIN, NEW, NEW)
    pad.run("pkcs15-tool", "--change-pin", "--auth-id", "01")
    pad.run("pkcs15-tool", "--verify-pin", "--auth-id", "01", "--pin", NEW)


@pytest.mark.parametrize("model", [model for model in MODELS if model.startswith("cardos")])
def test_opensc_has_a_pin_unblocked(desk: Desk, model: str) -> None:
    pad = Pad(desk, model)
    pad.enter(PUK, NEW, NEW)
    pad.run("pkcs15-tool", "--unblock-pin", "--auth-id", "01")
    pad.run("pkcs15-tool", "--verify-pin", "--auth-id", "01", "--pin", NEW)


@pytest.mark.parametrize("model", ["cardos-4.4", "cardos-5.3"])
def test_opensc_s_library_logs_in_without_a_pin(desk: Desk, model: str) -> None:
    pad = Pad(desk, model)
    module = ("--module", shared_library("opensc-pkcs11.so"))
    assert "PIN pad present" in pad.run("pkcs11-tool", *module, "--list-slots")
    pad.enter(PIN)
    assert "Private Key Object; RSA" in pad.run("pkcs11-tool", *module, "--login", "--list-objects")
    pad.enter("cancel")
    refused = pad.run("pkcs11-tool", *module, "--login", "--list-objects", succeeds=False)
    assert "CKR_FUNCTION_CANCELED" in refused


def test_gnupg_s_daemon_asks_for_the_pin_itself_and_leaves_the_keys_alone(desk: Desk) -> None:
    """Of GnuPG 2.2's applications, that for PKCS#15 has no use for a reader's keys."""
    pad = Pad(desk, "cardos-5.3", full_card("cardos-5.3"))
    pad.enter("9999")

    with opened_scdaemon(desk, pin=PIN) as daemon:
        status, _ = daemon.command("LEARN --force")
        keys = [line.split() for line in status if line.startswith("KEYPAIRINFO")]
        reference = next(words[2] for words in keys if "e" in words[3])
        daemon.command(f"SETDATA {bytes(32).hex()}")
        assert daemon.command(f"PKSIGN --hash=sha256 {reference}")[1]

    assert pad.tries() == 3
    assert pad.pinpad.waiting == 1


@pytest.mark.parametrize("name", ["verify", "modify", "properties", "cancelled", "physical"])
def test_pyscard_uses_the_features_by_their_codes(desk: Desk, name: str) -> None:
    pad = Pad(desk, "cardos-5.3", patient=True)  # the program goes on while somebody enters what it says
    process = subprocess.Popen(
        [sys.executable, str(PROGRAMS), name],
        env={**desk.environment, "PYTHONPATH": ":".join(filter(None, sys.path))},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )

    with process:
        assert process.stdout is not None

        for line in process.stdout:
            kind, *words = line.split()
            assert kind == "enter", line + process.stdout.read()
            pad.enter(*words)

        assert process.wait(TIMEOUT) == 0


def test_a_program_waits_for_the_person_and_the_card_is_its_own_meanwhile(desk: Desk) -> None:
    desk.manager.remove_reader(READER)
    desk.manager.add_reader(READER, pinpad=PinPad(patient=True))
    desk.insert("cardos-5.3", encoded("cardos-5.3"))
    taken = threading.Event()
    desk.hub.subscribe(lambda _: taken.set() if desk.manager.slot(READER).turns.holder else None)

    with desk.start("pkcs15-tool", "--verify-pin", "--auth-id", "01") as process:
        assert taken.wait(TIMEOUT)
        desk.manager.enter(READER, [PinEntry.parse(PIN)])
        assert process.wait(TIMEOUT) == 0
