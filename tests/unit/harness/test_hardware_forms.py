"""Forms of commands that would slip past the guard of physical cards, judged by what reaches the card."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import pytest

from cardtwin.pcsc import CardMuteError
from cardtwin.scenario import effects
from cardtwin.targets.hardware import CommandRefusedError, Permissions, Rule
from cardtwin.targets.hardware.judging import Judge
from cardtwin.targets.hardware.tries import credential_of
from support.hardware import EVERYTHING, NOTHING, GuardedDesk
from support.tokens import READER, TokenDesk

if TYPE_CHECKING:
    from pathlib import Path

    from cardtwin.card import CardImage
    from cardtwin.decode import Effect

WRONG = "39393939"


@cache
def encoded(model: str) -> CardImage:
    desk = TokenDesk(model)
    desk.init()
    return desk.card.image


def desk_with(
    folder: Path,
    model: str = "cardos-5.3",
    allowed: Permissions = NOTHING,
    declared: Effect = effects.PRESENTS,
) -> GuardedDesk:
    desk = GuardedDesk(folder, model, image=encoded(model), allowed=allowed)
    desk.guard.declare(declared)
    return desk


def refused(desk: GuardedDesk, command: str) -> Rule:
    """Return the rule by which a command is refused that has not reached the card."""
    connection = desk.connect()

    with pytest.raises(CommandRefusedError) as caught:
        connection.transmit(bytes.fromhex(command))

    assert bytes.fromhex(command).hex().upper() not in desk.card.commands
    return caught.value.refusal.rule


@pytest.mark.cardtwin_proves("HW-05")
@pytest.mark.parametrize("command", ["20B0000010", "3FCA018200", "20A4000C023F00"])
def test_a_class_that_the_standard_keeps_for_later_is_unverified(tmp_path: Path, command: str) -> None:
    assert refused(desk_with(tmp_path), command) is Rule.UNVERIFIED


@pytest.mark.cardtwin_proves("HW-05")
@pytest.mark.parametrize("cla", ["01", "03", "40", "4F"])
def test_what_changes_a_card_on_a_further_logical_channel_is_unverified(tmp_path: Path, cla: str) -> None:
    desk = desk_with(tmp_path, allowed=Permissions(known_tries=3))
    assert refused(desk, f"{cla}20008104{WRONG}") is Rule.UNVERIFIED


@pytest.mark.cardtwin_proves("HW-02")
@pytest.mark.parametrize(
    ("cla", "asked"),
    [("00", "00"), ("02", "02"), ("0E", "02"), ("12", "02"), ("43", "43"), ("6F", "4f"), ("50", "40")],
)
def test_tries_are_asked_for_on_the_channel_that_the_pin_goes_to(cla: str, asked: str) -> None:
    judged = Judge("cardos-5.3", tells_tries=True).read(bytes.fromhex(f"{cla}20008104{WRONG}"))
    question = credential_of(judged, "cardos-5.3").question
    assert question is not None
    assert question.hex() == f"{asked}200081"


@pytest.mark.cardtwin_proves("HW-02")
@pytest.mark.parametrize(
    ("model", "command"),
    [
        ("cardos-5.3", f"0020FF8104{WRONG}"),
        ("cardos-5.3", f"1020FF8104{WRONG}"),
        ("cardos-5.3", "0020008108"),
        ("cardos-4.4", "0020FF81"),
    ],
)
def test_what_another_card_may_take_for_a_pin_has_to_be_declared_as_one(
    tmp_path: Path, model: str, command: str
) -> None:
    desk = desk_with(tmp_path, model, EVERYTHING, effects.READS)
    assert refused(desk, command) is Rule.UNDECLARED


@pytest.mark.cardtwin_proves("HW-02")
def test_a_piece_of_a_chain_that_costs_a_try_counts_in_the_ledger(tmp_path: Path) -> None:
    desk = desk_with(tmp_path, "cardos-4.4", Permissions(unverified=True, known_tries=3))
    connection = desk.connect()
    piece = bytes.fromhex(f"1020008104{WRONG}")
    desk.card.answer = lambda command: b"\x63\x00" if command == piece else None

    for _ in range(2):
        assert connection.transmit(piece) == b"\x63\x00"

    with pytest.raises(CommandRefusedError, match="the last try"):
        connection.transmit(piece)

    assert [command for command in desk.card.commands if command.startswith("1020")] == [piece.hex()] * 2
    assert desk.guard.serial is not None
    assert desk.ledger.spent(desk.guard.serial) == {"PIN 1": 2}


@pytest.mark.cardtwin_proves("HW-02")
def test_others_may_come_between_the_pieces_of_a_chain_unless_a_transaction_holds_them(
    tmp_path: Path,
) -> None:
    pieces = [bytes.fromhex(f"{cla}20008104{half}") for cla, half in (("10", "31313131"), ("00", "00000000"))]
    desk = desk_with(tmp_path / "held", allowed=Permissions(unverified=True))
    desk.card.answer = lambda command: b"\x90\x00" if command[0] == 0x10 else None

    with desk.connect() as connection, connection.transaction():
        for piece in pieces:
            connection.transmit(piece)

    assert [command[:2] for command in desk.card.commands][-2:] == ["10", "00"]

    desk = desk_with(tmp_path / "not held", allowed=Permissions(unverified=True))
    desk.card.answer = lambda command: b"\x90\x00" if command[0] == 0x10 else None
    connection = desk.connect()
    connection.transmit(pieces[0])

    with pytest.raises(CommandRefusedError, match="others may have presented PIN 1"):
        connection.transmit(pieces[1])

    assert desk.card.commands[-1].startswith("10")


@pytest.mark.cardtwin_proves("HW-02")
@pytest.mark.parametrize("status", ["6400", "6401", "6F00", "6300"])
def test_only_a_pin_pad_s_own_answers_give_a_try_back(tmp_path: Path, status: str) -> None:
    desk = desk_with(tmp_path, "cardos-4.4", Permissions(known_tries=3))
    desk.card.answer = lambda command: bytes.fromhex(status) if command[1] == 0x20 else None
    desk.connect().transmit(bytes.fromhex(f"0020008104{WRONG}"))
    assert desk.guard.serial is not None
    assert desk.ledger.spent(desk.guard.serial) == {"PIN 1": 1}


@pytest.mark.cardtwin_proves("HW-02")
def test_a_card_that_goes_mute_at_a_pin_has_cost_a_try(tmp_path: Path) -> None:
    desk = desk_with(tmp_path, "cardos-4.4", Permissions(known_tries=3))
    connection = desk.connect()
    connection.transmit(bytes.fromhex("00CA018200"))

    def mute(_place: int) -> None:
        raise CardMuteError(READER, "gone")

    desk.card.on_command = mute

    with pytest.raises(CardMuteError):
        connection.transmit(bytes.fromhex(f"0020008104{WRONG}"))

    assert desk.guard.serial is not None
    assert desk.ledger.spent(desk.guard.serial) == {"PIN 1": 1}
    assert desk.guard.logged_in


@pytest.mark.cardtwin_proves("HW-01")
def test_a_card_without_a_serial_number_is_none_that_is_known(tmp_path: Path) -> None:
    desk = desk_with(tmp_path, "cardos-4.4")
    desk.card.answer = lambda command: b"\x90\x00" if command.hex() == "00ca018100" else None
    assert refused(desk, "00B0000010") is Rule.WRONG_CARD
