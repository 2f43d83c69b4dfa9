"""Several readers on one host: cards in them, cards that come later, readers that come and go."""

from __future__ import annotations

import re
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from cardtwin.card import image as images
from cardtwin.card import models
from cardtwin.hosting import CardRequest, CommandRefusedError
from cardtwin.hosting.host import Host
from cardtwin.pcsc import CardMuteError
from cardtwin.plan import Secret
from cardtwin.targets.clock import pass_time
from support.hosted import TIMEOUT
from support.hosts import Served, asked, refusal, served
from support.traces import text_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SELECT = bytes.fromhex("00A4000C023F00")
CREATE = bytes.fromhex("00E000001B621980020010820101830244018501008609" + "00" * 9)
OK = b"\x90\x00"

SIGNER = CardRequest(model="cardos-5.3", profile="full", secrets={"PIN1": "271828"})
LIBRARY = {"Left": SIGNER, "Right": "cardos-4.4", "Spare": None}


def send(card: Served, reader: str, command: bytes = SELECT) -> bytes:
    return card.host.bench.manager.context().connect(reader).transmit(command)


def inside(card: Served) -> dict[str, str | None]:
    """Return the name of the card in each reader, as the status tells it."""
    with card.control() as control:
        told = control.status()["readers"]

    return {reader["name"]: reader["card"] and reader["card"]["name"] for reader in told}


@contextmanager
def busy_with_a_late_answer(monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    """Have a card whose answer is to come in an hour; afterwards the program must have had it."""
    begun = threading.Event()

    def pause(seconds: float, over: threading.Event) -> None:
        begun.set()
        pass_time(seconds, over)

    monkeypatch.setattr("cardtwin.hosting.host.pass_time", pause)
    slow = CardRequest(model="cardos-5.3", faults=("do=delay seconds=3600",))

    with served(readers={"R": slow}) as card:
        program = threading.Thread(target=send, args=(card, "R"), daemon=True)
        program.start()
        assert begun.wait(TIMEOUT)
        yield card
        program.join(TIMEOUT)
        assert not program.is_alive()


@pytest.mark.parametrize("command", ["remove", "remove-reader", "reset", "power-off"])
def test_a_hand_waits_for_no_answer_that_is_late(command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with busy_with_a_late_answer(monkeypatch) as card, card.control() as control:
        control.call(command, reader="R")


def test_the_end_waits_for_no_answer_that_is_late(monkeypatch: pytest.MonkeyPatch) -> None:
    with busy_with_a_late_answer(monkeypatch) as card:
        assert card.host.close() == {"stopped": {"problems": []}}


def test_every_reader_has_its_card_or_none() -> None:
    with served(readers=LIBRARY) as card:
        assert card.host.bench.manager.readers() == ("Left", "Right", "Spare")
        assert card.ready["readers"] == {"Left": "Left", "Right": "Right", "Spare": None}
        assert inside(card) == card.ready["readers"]
        assert card.ready["pins"]["Left"]["PIN1"] == "271828"
        assert card.ready["pins"]["Right"] == {}
        card.host.bench.client("test").verify_pin("Left", Secret.of("271828"))
        assert card.host.desk.image("Right") == models.get("cardos-4.4").blank()


def test_a_hand_works_at_the_reader_that_is_named() -> None:
    with served(readers=LIBRARY) as card, card.control() as control:
        control.remove(reader="Right")
        assert inside(card) == {"Left": "Left", "Right": None, "Spare": None}
        control.insert(reader="Spare")  # the only card that is in no reader
        assert inside(card) == {"Left": "Left", "Right": None, "Spare": "Right"}
        control.power_off(reader="Spare")
        left, _, spare = control.status()["readers"]
        assert (left["card"]["powered"], spare["card"]["powered"]) == (True, False)


def test_with_several_readers_one_has_to_be_named() -> None:
    with served(readers=LIBRARY) as card, card.control() as control:
        for command in (control.insert, control.remove, control.reset, control.power_on, control.disarm):
            with pytest.raises(CommandRefusedError, match=r"which reader.*'Left', 'Right', 'Spare'"):
                command()

        with pytest.raises(CommandRefusedError, match="no reader 'Middle', only Left, Right, Spare"):
            control.remove(reader="Middle")

        with pytest.raises(CommandRefusedError, match="a reader's name"):
            control.call("remove", reader=7)


def test_cards_change_places() -> None:
    with served(readers=LIBRARY) as card, card.control() as control:
        control.remove(reader="Left")
        control.remove(reader="Right")

        with pytest.raises(CommandRefusedError, match=r"which card.*'Left', 'Right'"):
            control.insert(reader="Spare")

        control.insert("Left", reader="Right")
        token = card.host.bench.client("test").token("Right")
        assert token.chip_serial == models.get("cardos-5.3").serial

        with pytest.raises(CommandRefusedError, match="the card 'Left' is in 'Right'"):
            control.insert("Left", reader="Left")

        with pytest.raises(CommandRefusedError, match="there is a card in 'Right' already"):
            control.insert("Right", reader="Right")

        with pytest.raises(CommandRefusedError, match="no card 'Middle'"):
            control.insert("Middle", reader="Spare")

        control.remove(reader="Right")
        control.insert(reader="Left")
        assert inside(card) == {"Left": "Left", "Right": None, "Spare": None}


def test_the_card_that_was_in_a_reader_comes_back_to_it() -> None:
    with served(readers=LIBRARY) as card, card.control() as control:
        control.remove(reader="Right")
        control.remove(reader="Left")
        control.insert(reader="Right")
        control.insert(reader="Left")
        assert inside(card) == {"Left": "Left", "Right": "Right", "Spare": None}


def test_a_card_that_is_in_no_reader_at_first_is_there_to_be_inserted() -> None:
    cards = {"Guest": CardRequest(model="cardos-5.0")}

    with served(readers={"Only": None}, cards=cards) as card, card.control() as control:
        assert control.status()["cards"] == [{"name": "Guest", "model": "cardos-5.0", "reader": None}]
        assert control.insert("Guest").card == "Guest"
        assert inside(card) == {"Only": "Guest"}


def test_another_card_than_was_there_is_inserted_and_its_pins_are_told_to_who_made_it(tmp_path: Path) -> None:
    saved = tmp_path / "saved.image"
    images.save(models.get("cardos-5.4").factory(), saved)

    with served(readers=LIBRARY) as card, card.control() as control:
        control.remove(reader="Left")
        made = control.insert(CardRequest(model="cardos-4.4", profile="full"), reader="Left")
        assert made.card == "Left 2"
        assert made.pins["PIN1"] not in repr(made)
        card.host.bench.client("test").verify_pin("Left", Secret.of(made.pins["PIN1"]))

        taken = control.insert(CardRequest(image=str(saved), serial="0102030405060708"), reader="Spare")
        assert taken.card == "Spare"
        assert card.host.desk.image("Spare").serial == bytes(range(1, 9))

        with pytest.raises(CommandRefusedError, match="there is a card in 'Left' already"):
            control.insert(CardRequest(model="cardos-4.4"), reader="Left")


@pytest.mark.parametrize(
    ("request_", "reason"),
    [
        (CardRequest(), "which card"),
        (CardRequest(model="cardos-9"), "'cardos-9' is neither"),
        (CardRequest(model="cardos-5.3", profile="ful"), "no profile 'ful'"),
        (CardRequest(model="cardos-5.3", faults=("do=fly",)), "'do' is one of"),
        (
            CardRequest(model="cardos-5.3", serial="01"),
            "'01' is no serial number of a cardos-5.3: these are 8",
        ),
        (CardRequest(keep="no.image"), "no card is kept there yet"),
    ],
)
def test_a_new_card_that_cannot_be_leaves_everything_as_it_is(request_: CardRequest, reason: str) -> None:
    with served(readers=LIBRARY) as card, card.control() as control:
        with pytest.raises(CommandRefusedError, match=reason):
            control.insert(request_, reader="Spare")

        assert [each["name"] for each in control.status()["cards"]] == ["Left", "Right"]


@pytest.mark.parametrize(
    ("card", "reader", "reason"),
    [
        (
            CardRequest(model="Lft"),
            "Spare",
            r"'Lft' is neither a card here \(Left, Right\) nor a card model \(card",
        ),
        (None, "Spar", "there is no reader 'Spar', only Left, Right, Spare"),
    ],
)
def test_a_name_that_there_is_not_is_told_with_those_that_there_are(
    card: CardRequest | None, reader: str, reason: str
) -> None:
    refused = pytest.raises(CommandRefusedError, match=reason)

    with served(readers=LIBRARY) as host, host.control() as control, refused:
        control.insert(card, reader=reader)


def test_readers_come_and_go() -> None:
    with served() as card, card.control() as control:
        control.add_reader("Second")

        with pytest.raises(CommandRefusedError, match="there is a reader 'Second' already"):
            control.add_reader("Second")

        with pytest.raises(CommandRefusedError, match="a reader's name has"):
            control.add_reader("x" * 200)

        control.remove_reader("Emulated reader")
        assert card.host.bench.manager.readers() == ("Second",)
        control.insert()
        assert inside(card) == {"Second": "Emulated reader"}

        with pytest.raises(CommandRefusedError, match="no reader 'Emulated reader'"):
            control.remove_reader("Emulated reader")

        control.remove_reader("Second")

        with pytest.raises(CommandRefusedError, match=r"which reader.*none"):
            control.insert()


def test_faults_are_armed_and_cleared_at_one_card() -> None:
    with served(readers=LIBRARY) as card, card.control() as control:
        control.arm("do=mute at=00A4 after=1", reader="Left")
        told = {
            reader["name"]: reader["card"] and reader["card"]["faults"]
            for reader in control.status()["readers"]
        }
        assert told == {"Left": ["do=mute at=00A4 after=1"], "Right": [], "Spare": None}
        assert send(card, "Left") == OK
        assert send(card, "Right") == OK

        with pytest.raises(CardMuteError):
            send(card, "Left")

        control.disarm(reader="Left")
        control.reset(reader="Left")
        assert [send(card, "Left") for _ in range(3)] == [OK] * 3

        for words, reason in (
            ("do=fly", "'do' is one of"),
            ("", "it takes a fault"),
            (7, "it takes a fault"),
        ):
            with pytest.raises(CommandRefusedError, match=reason):
                control.arm(words, reader="Left")  # type: ignore[arg-type]


@pytest.mark.parametrize("size", ["02", "0102030405060708090A", "xy"])
def test_what_is_no_serial_number_is_refused(size: str) -> None:
    assert f"'{size}' is no serial number of a cardos-5.3: these are 8 bytes in hex" in refusal(serial=size)


def test_of_several_cards_the_one_that_is_refused_is_named() -> None:
    assert re.match("card 'R': there is no card model", refusal(readers={"L": "cardos-5.3", "R": "cardos-9"}))
    wrong = CardRequest(model="cardos-5.3", profile="ful")
    assert re.match("card 'R': no profile 'ful'", refusal(readers={"L": "cardos-5.3", "R": wrong}))


def test_the_trace_names_all_models_and_readers(tmp_path: Path) -> None:
    path = tmp_path / "trace"

    with served(readers=LIBRARY, trace=str(path)) as card:
        send(card, "Left")
        send(card, "Right")

    text = text_of(path)
    assert text.startswith("## cardos-5.3, cardos-4.4\n")
    assert "> Left: 00 A4" in text
    assert "> Right: 00 A4" in text


def test_a_kept_card_is_made_once_and_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "card.image"
    given = {"keep": str(path), "profile": "full", "secrets": {"PIN1": "271828"}}

    with served(**given) as card:
        assert len(card.pins) == 6
        first = images.load(path)
        assert first == card.host.desk.image("Emulated reader")
        send(card, "Emulated reader", bytes.fromhex("00200081083939393939390000"))
        assert images.load(path) != first
        left = images.load(path)

    with served(**given) as card:
        assert card.host.desk.image("Emulated reader") == left
        assert card.pins == {"PIN1": "271828"}  # the others nobody knows any more

    with served(model=None, keep=str(path)) as card:
        assert card.host.desk.cards[0].model == "cardos-5.3"
        (reader,) = status_of(card)
        assert reader["card"]["kept"] == str(path)


def status_of(card: Served) -> list[dict[str, dict[str, object]]]:
    with card.control() as control:
        return list(control.status()["readers"])


def test_a_card_that_could_not_be_made_is_not_kept(tmp_path: Path) -> None:
    path = tmp_path / "card.image"
    assert "no profile 'ful'" in refusal(keep=str(path), profile="ful")
    assert list(tmp_path.iterdir()) == []
    path.touch()  # what is left where the process was killed while it made the card

    with served(keep=str(path), profile="full"):
        assert images.load(path).model == "cardos-5.3"


def test_a_file_that_another_host_keeps_its_card_in_is_refused(tmp_path: Path) -> None:
    path = str(tmp_path / "card.image")

    with served(keep=path) as card:
        assert f"{path}: another card has its memory there" in refusal(keep=path)

        with card.control() as control:
            control.remove()

            with pytest.raises(CommandRefusedError, match="another card has its memory there"):
                control.insert(CardRequest(keep=path))

    assert "the memory of a cardos-5.3, and the card" in refusal(keep=path, model="cardos-4.4")
    assert "there is no folder" in refusal(keep=str(tmp_path / "none" / "card.image"))


def test_no_memory_is_saved_over_the_file_that_a_card_is_kept_in(tmp_path: Path) -> None:
    kept = tmp_path / "card.image"

    with served(keep=str(kept)) as card, card.control() as control:
        with pytest.raises(CommandRefusedError, match="another card has its memory there"):
            control.snapshot(kept)

        control.snapshot(tmp_path / "other.image")
        assert "another card has its memory there" in refusal(keep=str(kept))


def test_a_memory_that_could_not_be_written_is_told_at_the_end(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    host = Host(asked(keep=str(folder / "card.image")), lambda: None)
    card = Served(host, host.open())
    folder.rename(tmp_path / "elsewhere")

    for _ in range(2):
        with pytest.raises(CardMuteError):
            send(card, "Emulated reader", CREATE)

    (problem,) = host.close()["stopped"]["problems"]
    assert problem.startswith(f"the card's memory can't be written to {folder / 'card.image'}: No such file")


def test_a_torn_command_is_in_the_trace_and_its_half_in_the_file(tmp_path: Path) -> None:
    trace, path = tmp_path / "trace", tmp_path / "card.image"
    erase = bytes.fromhex("84060000100600000800000000F76AFC09E6D5F465")

    with served(trace=str(trace), keep=str(path), faults=("do=tear at=8406 writes=1",)) as card:
        send(card, "Emulated reader", CREATE)
        before = images.load(path)
        send(card, "Emulated reader")

        with pytest.raises(CardMuteError):
            send(card, "Emulated reader", erase)

        assert images.load(path) == card.host.desk.image("Emulated reader") != before

    text = text_of(trace)
    assert "> Emulated reader: 84 06" in text
    assert "< Emulated reader: no answer: the power was cut while the card wrote" in text
