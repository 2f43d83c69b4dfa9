"""The guard of physical cards, judged by what reaches the card."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING, Any

import pytest

from cardtwin.card import models
from cardtwin.decode import Effect, decode
from cardtwin.pcsc import Context, Disposition
from cardtwin.scenario import all_verbs, effects, load, run
from cardtwin.targets.emulated import EmulatedBench, EmulatedTarget
from cardtwin.targets.hardware import (
    CommandRefusedError,
    ExpectedCard,
    Guard,
    GuardedContext,
    Ledger,
    Permissions,
    Rule,
    name_states,
)
from support.guarded import RIGHT, encoded, verify
from support.hardware import EVERYTHING, GuardedDesk
from support.tokens import PIN1, READER, TokenDesk

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from cardtwin.events import Hub
    from cardtwin.scenario import Instance
    from cardtwin.targets import Setup


def test_what_only_reads_goes_through_without_any_permission(tmp_path: Path) -> None:
    desk = GuardedDesk(tmp_path)

    assert desk.connect().transmit(bytes.fromhex("00CA018200")).hex() == "c9039000"


@pytest.mark.cardtwin_proves("HW-01")
def test_a_card_of_another_atr_gets_no_command_at_all(tmp_path: Path) -> None:
    desk = GuardedDesk(tmp_path, "cardos-4.4", expected=ExpectedCard("cardos-5.3", b"\x3b\x00"))

    with pytest.raises(CommandRefusedError, match="ATR"):
        desk.connect()

    assert desk.card.received == []


@pytest.mark.cardtwin_proves("HW-01")
def test_a_card_of_another_serial_number_gets_only_what_asks_for_it(tmp_path: Path) -> None:
    expected = ExpectedCard("cardos-5.3", models.get("cardos-5.3").atr, bytes(8))
    desk = GuardedDesk(tmp_path, expected=expected, allowed=EVERYTHING)
    connection = desk.connect()
    desk.guard.declare(effects.REMAKES)

    with pytest.raises(CommandRefusedError, match="serial number"):
        connection.transmit(bytes.fromhex("00A40000023F00"))

    with pytest.raises(CommandRefusedError):
        connection.transmit(bytes.fromhex("80EA0000"))

    assert desk.card.commands == ["00CA018200", "00CA018100"]


@pytest.mark.cardtwin_proves("HW-01")
def test_another_card_put_in_later_is_noticed_before_anything_is_sent_to_it(tmp_path: Path) -> None:
    desk = GuardedDesk(tmp_path)
    connection = desk.connect()
    connection.transmit(bytes.fromhex("00CA018200"))
    desk.manager.remove(READER)
    other = desk.put_in("cardos-4.4")

    with pytest.raises(CommandRefusedError, match="ATR"):
        connection.reconnect()

    assert other.received == []


def test_a_step_changes_nothing_that_it_has_not_declared(tmp_path: Path) -> None:
    desk = GuardedDesk(tmp_path, "cardos-4.4", allowed=EVERYTHING)
    connection = desk.connect()

    with pytest.raises(CommandRefusedError) as caught:
        connection.transmit(bytes.fromhex("00E0000000"))

    assert caught.value.refusal.rule is Rule.UNDECLARED
    assert "00E0000000" not in desk.card.commands


@pytest.mark.cardtwin_proves("HW-02", "HW-03", "HW-04", "HW-05")
@pytest.mark.parametrize(
    ("command", "lacking", "rule"),
    [
        ("00E40000025015", {"destructive": False}, Rule.DESTRUCTIVE),
        ("00DA016F0386 01 FF", {"irreversible": frozenset({"FORMAT"})}, Rule.IRREVERSIBLE),
        ("8406000008 0000000000000000", {"irreversible": frozenset()}, Rule.IRREVERSIBLE),
        ("00DC0104 01 00", {"unverified": False}, Rule.UNVERIFIED),
        ("0CB0000000", {"unverified": False}, Rule.UNVERIFIED),
        ("8099000000", {"unverified": False}, Rule.UNKNOWN),
        ("00A4", {"unverified": False}, Rule.UNKNOWN),
        ("0020008108 3131313100000000", {"known_tries": None}, Rule.TRIES_UNKNOWN),
        ("00200081", {"known_tries": None}, Rule.TRIES_UNKNOWN),
        ("8406000008 0000000000000000", {"known_tries": 1}, Rule.LAST_TRY),
    ],
)
def test_what_one_flag_allows_is_refused_without_it(
    tmp_path: Path, command: str, lacking: dict[str, Any], rule: Rule
) -> None:
    allowed = {name: getattr(EVERYTHING, name) for name in Permissions.__slots__} | lacking
    desk = GuardedDesk(tmp_path, "cardos-4.4", allowed=Permissions(**allowed))
    desk.guard.declare(effects.REMAKES | Effect.UNKNOWN)
    connection = desk.connect()

    with pytest.raises(CommandRefusedError) as caught:
        connection.transmit(bytes.fromhex(command))

    assert caught.value.refusal.rule is rule
    assert bytes.fromhex(command).hex().upper() not in desk.card.commands
    assert [event.rule for event in desk.refusals] == [rule.value]

    sent = GuardedDesk(tmp_path / "other", "cardos-4.4", allowed=EVERYTHING)
    sent.guard.declare(effects.REMAKES | Effect.UNKNOWN)
    sent.connect().transmit(bytes.fromhex(command))
    assert bytes.fromhex(command).hex().upper() in sent.card.commands


@pytest.mark.cardtwin_proves("HW-04")
def test_the_first_piece_of_a_chain_counts_as_the_worst_that_the_whole_may_do(tmp_path: Path) -> None:
    desk = GuardedDesk(tmp_path, "cardos-4.4", allowed=Permissions(unverified=True))
    desk.guard.declare(effects.REMAKES)
    connection = desk.connect()

    with pytest.raises(CommandRefusedError) as caught:
        connection.transmit(bytes.fromhex("10DA016F0286 01"))

    assert caught.value.refusal.rule is Rule.IRREVERSIBLE


@pytest.mark.cardtwin_proves("HW-05")
def test_a_form_that_a_card_system_has_from_us_is_refused_there_alone(tmp_path: Path) -> None:
    for model, passes in {"cardos-4.4": True, "cardos-5.3": False}.items():
        desk = GuardedDesk(tmp_path, model)
        desk.guard.declare(effects.CHANGES)
        create = bytes.fromhex("00E0000000")

        if passes:
            desk.connect().transmit(create)
        else:
            with pytest.raises(CommandRefusedError, match="no public source"):
                desk.connect().transmit(create)


def test_after_a_refusal_nothing_is_sent_but_the_end_of_the_login(tmp_path: Path) -> None:
    desk = GuardedDesk(tmp_path, image=encoded("cardos-5.3"))
    desk.guard.declare(effects.PRESENTS)
    connection = desk.connect()
    connection.transmit(verify("cardos-5.3", 1, RIGHT))

    with pytest.raises(CommandRefusedError, match="no public source"):
        connection.transmit(bytes.fromhex("00D60000 01 00"))

    with pytest.raises(CommandRefusedError, match="after a refusal"):
        connection.transmit(bytes.fromhex("00CA018200"))

    before = len(desk.card.received)
    connection.transmit(bytes.fromhex("80EA0000"))
    assert desk.card.commands[before:] == ["80EA0000"]


def test_a_refused_program_leaves_no_login_on_the_card(tmp_path: Path) -> None:
    desk = GuardedDesk(tmp_path, image=encoded("cardos-5.3"))
    desk.guard.declare(effects.PRESENTS)
    connection = desk.connect()
    connection.transmit(verify("cardos-5.3", 1, RIGHT))

    with pytest.raises(CommandRefusedError):
        connection.transmit(bytes.fromhex("00D60000 01 00"))

    connection.disconnect(Disposition.LEAVE)
    assert desk.power_changes[-1] == "reset"


def presses_ctrl_c_at(place: int) -> Callable[[int], None]:
    def press(received: int) -> None:
        if received == place:
            signal.raise_signal(signal.SIGINT)

    return press


def interrupted(folder: Path, place: int) -> tuple[GuardedDesk, GuardedContext, KeyboardInterrupt | None]:
    """Initialise a card and log in, with an interrupt while the card answers one command."""
    desk = GuardedDesk(folder, "cardos-4.4", allowed=EVERYTHING)
    desk.guard.declare(effects.REMAKES)
    context = desk.context()
    desk.card.on_command = presses_ctrl_c_at(place)

    try:
        program = TokenDesk("cardos-4.4", wrap=lambda _context: context)
        program.init()
        program.client.verify_pin(READER, PIN1)
    except KeyboardInterrupt as error:
        return desk, context, error

    return desk, context, None


@pytest.mark.cardtwin_proves("HW-07")
def test_an_interrupt_at_any_command_leaves_no_transaction_no_login_and_a_named_state(tmp_path: Path) -> None:
    whole, _, none = interrupted(tmp_path / "whole", -1)
    assert none is None

    for place in range(len(whole.card.received)):
        desk, context, error = interrupted(tmp_path / str(place), place)
        assert error is not None
        desk.card.on_command = lambda _place: None
        context.release()
        name_states(error, [desk.guard])

        assert len(desk.card.received) == place + 1
        changes = [each.command for each in desk.card.received if changes_the_card(each.command)]
        assert len(desk.guard.account) == len(changes)
        assert [line.rpartition(": ")[2] for line in desk.guard.account[:-1]] == ["9000 (success)"] * (
            len(desk.guard.account) - 1
        )
        assert all(line in error.__notes__[0] for line in desk.guard.account)

        if any(command[1] == 0x20 for command in changes):
            assert desk.power_changes[-1] in {"reset", "powered off"}

        with desk.manager.context().connect(READER) as other, other.transaction():
            assert other.transmit(bytes.fromhex("00CA018200")).endswith(b"\x90\x00")


def changes_the_card(command: bytes) -> bool:
    return bool(decode(command).effect & ~(Effect.READS | Effect.SELECTS))


def test_a_control_code_that_nobody_knows_is_refused(tmp_path: Path) -> None:
    desk = GuardedDesk(tmp_path, allowed=EVERYTHING)

    with pytest.raises(CommandRefusedError, match="control code"):
        desk.connect().control(0x42000000 + 1)


def test_the_last_program_that_ends_takes_its_login_with_it(tmp_path: Path) -> None:
    desk = GuardedDesk(tmp_path, image=encoded("cardos-5.3"))
    desk.guard.declare(effects.PRESENTS)
    first, second = desk.context(), desk.context()
    first.connect(READER).transmit(verify("cardos-5.3", 1, RIGHT))
    second.connect(READER)

    first.release()
    assert "reset" not in desk.power_changes

    second.release()
    assert desk.power_changes[-1] in {"reset", "powered off"}
    assert not desk.guard.logged_in


def test_every_verb_says_what_it_may_do_to_a_card() -> None:
    assert [name for name, kind in all_verbs().items() if kind.worst is None] == []


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        ("apdu: 00 B0 00 00 00", effects.READS),
        ("apdu: 00 20 00 81", effects.PRESENTS),
        ("apdu: 80 99 00 00", effects.READS | Effect.UNKNOWN),
        ("apdu: 00 DA 01 6F 03 86 01 00", effects.READS | Effect.WRITES | Effect.IRREVERSIBLE),
        ("pkcs11: C_GetInfo", effects.PRESENTS),
        ("pkcs11: C_Finalize", effects.PRESENTS),
        ("erase: anonymous", effects.REMAKES),
    ],
)
def test_a_step_declares_what_it_is_written_to_do(tmp_path: Path, step: str, expected: Effect) -> None:
    assert scenario(tmp_path, step).steps[0].effects == expected


class GuardedBench(EmulatedBench):
    """An emulated bench whose cards are guarded as if they could not be made again."""

    guard: Guard | None = None
    declared = effects.REMAKES

    def make_context(self) -> Context:
        card = ExpectedCard("cardos-4.4", models.get("cardos-4.4").atr)
        self.guard = Guard("R1", card, Permissions(), Ledger(self.folder / "ledger"), self.hub)
        self.guard.declare(self.declared)
        return GuardedContext(super().make_context(), {"R1": self.guard})

    def declare(self, effects: Effect) -> None:
        self.declared = effects

        if self.guard is not None:
            self.guard.declare(effects)


class GuardedTarget(EmulatedTarget):
    def open(self, setup: Setup, hub: Hub) -> GuardedBench:
        return GuardedBench(setup, hub)


def scenario(folder: Path, *steps: str) -> Instance:
    path = folder / "one.scenario.yaml"
    lines = ["format: 1", "title: one", "readers: {R1: cardos-4.4}", "processes: {a: {}}", "steps:"]
    path.write_text("\n".join([*lines, *(f"- {{{step}}}" for step in steps), ""]))
    return load(path)[0]


def test_a_refusal_fails_the_step_whatever_the_step_expects(tmp_path: Path) -> None:
    step = "apdu: 00 20 00 81 04 39 39 39 39, expect: {sw: absent}"
    failed = run(scenario(tmp_path, "pcsc: connect", step), GuardedTarget()).failed_step

    assert failed is not None
    assert failed.number == 2
    assert failed.failure is not None
    assert failed.failure.message == (
        "not sent to the card in R1: nobody knows how many tries PIN 1 has left"
    )
    assert "39" not in failed.failure.detail
