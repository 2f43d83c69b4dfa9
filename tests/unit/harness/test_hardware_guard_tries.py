"""The guard counts tries: of PINs, PUKs and keys, from run to run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cardtwin.pcsc import Feature, PinVerification
from cardtwin.readers import PinEntry
from cardtwin.scenario import effects
from cardtwin.targets.hardware import CommandRefusedError, Permissions, Rule
from support.guarded import RIGHT, encoded, verify
from support.hardware import GuardedDesk
from support.tokens import READER

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.cardtwin_proves("HW-02")
def test_a_pin_with_two_tries_is_presented_once_wrongly_and_never_again(tmp_path: Path) -> None:
    desk = GuardedDesk(tmp_path, image=encoded("cardos-5.3"))
    desk.guard.declare(effects.PRESENTS)
    connection = desk.connect()

    connection.transmit(verify("cardos-5.3", 1))
    connection.transmit(verify("cardos-5.3", 1))

    with pytest.raises(CommandRefusedError, match="the last try") as caught:
        connection.transmit(verify("cardos-5.3", 1, RIGHT))

    assert caught.value.refusal.rule is Rule.LAST_TRY
    assert not any(each.took_the_last for each in desk.card.received)


def test_a_right_pin_gives_its_try_back(tmp_path: Path) -> None:
    desk = GuardedDesk(
        tmp_path, "cardos-4.4", image=encoded("cardos-4.4"), allowed=Permissions(known_tries=2)
    )
    desk.guard.declare(effects.PRESENTS)
    connection = desk.connect()

    for _ in range(4):
        assert connection.transmit(verify("cardos-4.4", 1, RIGHT)).hex() == "9000"

    assert desk.ledger.spent(desk.model.serial) == {}


@pytest.mark.cardtwin_proves("HW-02")
def test_tries_that_a_card_does_not_tell_are_counted_from_run_to_run(tmp_path: Path) -> None:
    image = encoded("cardos-4.4")

    for _ in range(2):
        desk = GuardedDesk(tmp_path, "cardos-4.4", image=image, allowed=Permissions(known_tries=3))
        desk.guard.declare(effects.PRESENTS)
        desk.connect().transmit(verify("cardos-4.4", 1))
        image = desk.card.card.image

    desk = GuardedDesk(tmp_path, "cardos-4.4", image=image, allowed=Permissions(known_tries=3))
    desk.guard.declare(effects.PRESENTS)

    with pytest.raises(CommandRefusedError, match="the last try"):
        desk.connect().transmit(verify("cardos-4.4", 1, RIGHT))


def test_a_card_that_may_charge_for_it_is_never_asked_for_its_tries(tmp_path: Path) -> None:
    desk = GuardedDesk(
        tmp_path, "cardos-4.4", image=encoded("cardos-4.4"), allowed=Permissions(known_tries=3)
    )
    desk.guard.declare(effects.PRESENTS)
    desk.connect().transmit(verify("cardos-4.4", 1))

    assert [command for command in desk.card.commands if command.startswith("0020")] == [
        verify("cardos-4.4", 1).hex().upper()
    ]


def test_a_try_counts_before_the_command_goes_out(tmp_path: Path) -> None:
    desk = GuardedDesk(
        tmp_path, "cardos-4.4", image=encoded("cardos-4.4"), allowed=Permissions(known_tries=3)
    )
    desk.guard.declare(effects.PRESENTS)
    connection = desk.connect()
    seen: list[dict[str, int]] = []
    desk.card.on_command = lambda _place: seen.append(dict(desk.ledger.spent(desk.model.serial)))

    connection.transmit(verify("cardos-4.4", 1, RIGHT))

    assert seen[-1] == {"PIN 1": 1}
    assert desk.ledger.path(desk.model.serial).stat().st_mode & 0o777 == 0o600


@pytest.mark.cardtwin_proves("HW-02")
def test_wrong_puks_count_against_every_pin_since_a_puk_is_one(tmp_path: Path) -> None:
    desk = GuardedDesk(
        tmp_path, "cardos-4.4", image=encoded("cardos-4.4"), allowed=Permissions(known_tries=3)
    )
    desk.guard.declare(effects.CHANGES)
    connection = desk.connect()

    for _ in range(2):
        connection.transmit(bytes.fromhex("002C008110") + b"9" * 16)

    with pytest.raises(CommandRefusedError, match="PIN 2 has the last try"):
        connection.transmit(verify("cardos-4.4", 2))


@pytest.mark.cardtwin_proves("HW-02")
@pytest.mark.parametrize(("template", "known"), [("0020008108" + "00" * 8, 1), ("00200081", None)])
def test_a_pin_pad_presents_no_pin_either_without_enough_tries(
    tmp_path: Path, template: str, known: int | None
) -> None:
    desk = GuardedDesk(
        tmp_path,
        "cardos-4.4",
        image=encoded("cardos-4.4"),
        allowed=Permissions(known_tries=known),
        pinpad=True,
    )
    desk.guard.declare(effects.PRESENTS)
    desk.manager.enter(READER, [PinEntry.parse("9999")])
    connection = desk.connect()
    entry = PinVerification(format_string=0x82, min_digits=4, max_digits=8, command=bytes.fromhex(template))

    with pytest.raises(CommandRefusedError):
        connection.control(connection.features()[Feature.VERIFY_PIN_DIRECT], entry.encode())

    assert not [command for command in desk.card.commands if command.startswith("0020")]
