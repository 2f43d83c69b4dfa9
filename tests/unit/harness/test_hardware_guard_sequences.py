"""No sequence of commands, cards and flags gets past the guard; judged by what reaches the card."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cardtwin.card import models
from cardtwin.card.cos import get as system_of
from cardtwin.decode import Decoder, Effect
from cardtwin.iso7816 import ApduFormatError, CommandApdu
from cardtwin.pcsc import Disposition, PcscError
from cardtwin.provenance import Basis
from cardtwin.scenario import effects
from cardtwin.targets.hardware import CommandRefusedError, ExpectedCard, Guard, Permissions
from support.hardware import EVERYTHING, GuardedDesk, PassedDesk, PlayedCard
from support.tokens import READER, TokenDesk

if TYPE_CHECKING:
    from cardtwin.card import CardImage
    from cardtwin.pcsc import CardConnection

MODELS = ("cardos-4.4", "cardos-5.3", "cosmo-7", "cosmo-8.2", "idclassic-340")
IDENTIFYING = {"00CA018200", "00CA018100", "00B09C00C0", "00CA9F7F00"}
HARMLESS = Effect.READS | Effect.SELECTS
DESKS = st.sampled_from([GuardedDesk, PassedDesk])
"""Where the guard stands: in front of a program's context, or behind a reader of a service of ours."""
DECLARED = (effects.READS, effects.PRESENTS, effects.CHANGES, effects.REPLACES, effects.REMAKES, ~Effect(0))

PINS = st.sampled_from(["9999", "1111", "11112222", "8888"]).map(lambda pin: pin.encode().ljust(8, b"\0"))
REFERENCES = st.sampled_from([0x81, 0x01, 0x01, 0x82, 0x02])


def _with(header: str, data: bytes) -> bytes:
    return bytes.fromhex(header) + bytes((len(data),)) + data


WRITTEN = st.sampled_from(
    [
        "00A4000C023F00", "00A4040000", "00CA018300", "00B0000010", "80160200 00", "00E0000000",
        "00E40000025015", "00D60000 01 00", "00DA016F03 860100", "00DA016F03 8601FF", "10DA016F02 8601",
        "00DA016F01 FF", "00DB3FFF 03 860100", "80100000", "8406000008 0000000000000000", "8440000100",
        "00FE0000", "00E60000", "80990000", "00A4", "0CB0000000", "00DC010401 00", "00470000 00",
        "00CA9F7F00", "00CB3FFF00", "00FD0000", "0087039B0A 7C088200810431323334", "00F80000", "00F60000",
        "00FB0000", "00470080 00", "002A9E9A00", "0070000001", "00440000", "80DB3FFF00", "0020800008",
        "000020000000081111",
        "0022F1B603 830101", "0082000108 0000000000000000", "002C0301", "8499000000", "80EA0000",
    ]
).map(bytes.fromhex)  # fmt: skip
PRESENTED = st.one_of(
    st.builds(lambda p2, pin: _with(f"002000{p2:02X}", pin), REFERENCES, PINS),
    st.builds(lambda p2, pin: _with(f"102000{p2:02X}", pin[:4]), REFERENCES, PINS),
    st.builds(lambda p2, old, new: _with(f"002400{p2:02X}", old + new), REFERENCES, PINS, PINS),
    st.builds(lambda p2, puk, new: _with(f"002C00{p2:02X}", puk + new), REFERENCES, PINS, PINS),
    st.builds(lambda p2: bytes.fromhex(f"002000{p2:02X}"), REFERENCES),
)
COMMANDS = st.one_of(WRITTEN, PRESENTED, PRESENTED, st.binary(min_size=1, max_size=12))
ACTIONS = st.one_of(
    COMMANDS,
    COMMANDS,
    COMMANDS,
    st.sampled_from(DECLARED),
    st.sampled_from(["connect", "reconnect", "reset", "run", "swap"]),
)
FLAGS = st.sampled_from(
    [
        EVERYTHING,
        replace(EVERYTHING, destructive=False),
        replace(EVERYTHING, irreversible=frozenset({"PUT DATA FCI"})),
        replace(EVERYTHING, irreversible=EVERYTHING.irreversible - {"PUT DATA FCI"}),
        replace(EVERYTHING, unverified=False),
        replace(EVERYTHING, known_tries=None),
        replace(EVERYTHING, known_tries=2),
        Permissions(),
    ]
)


@cache
def encoded(model: str) -> CardImage:
    desk = TokenDesk(model)
    desk.init()
    return desk.card.image


@dataclass
class Bench:
    """A guarded desk, and what was allowed when a command came."""

    desk: GuardedDesk
    allowed: Permissions
    declared: Effect
    connection: CardConnection | None = None
    right: bool = True

    def do(self, action: object) -> None:
        match action:
            case bytes():
                self.connection = self.connection or self.desk.connect()
                self.connection.transmit(action)
            case Effect():
                self.declared = action
                self.desk.guard.declare(action)
            case "connect":
                self.connection = self.desk.connect()
            case "reconnect" if self.connection is not None:
                self.connection.reconnect(Disposition.RESET)
            case "reset":
                self.desk.reset()
            case "run":
                self._begin_again()
            case "swap":
                self._put_another_in()

    def _begin_again(self) -> None:
        desk, card = (
            self.desk,
            ExpectedCard(self.desk.model.name, self.desk.model.atr, self.desk.model.serial),
        )
        guard = Guard(READER, card, self.allowed, desk.ledger, desk.hub)
        guard.declare(self.declared)
        desk.begin_again(guard)
        self.connection = None

    def _put_another_in(self) -> None:
        image = self.desk.card.card.image
        self.desk.swap(replace(image, serial=bytes(len(image.serial))))
        self.right = False


@pytest.mark.cardtwin_proves("HW-01", "HW-02", "HW-03", "HW-04", "HW-05")
@settings(max_examples=100)
@given(
    DESKS,
    st.sampled_from(MODELS),
    FLAGS,
    st.sampled_from(DECLARED),
    st.lists(ACTIONS, min_size=6, max_size=16),
)
def test_no_sequence_gets_past_the_guard(
    desk: type[GuardedDesk], model: str, allowed: Permissions, declared: Effect, actions: list[object]
) -> None:
    play(desk, model, allowed, declared, actions)


@pytest.mark.cardtwin_proves("HW-02")
@settings(max_examples=100)
@given(
    DESKS,
    st.sampled_from(MODELS),
    st.lists(PRESENTED | st.sampled_from(["connect", "reset", "run"]), min_size=6, max_size=16),
)
def test_no_sequence_of_credentials_reaches_the_last_try(
    desk: type[GuardedDesk], model: str, actions: list[object]
) -> None:
    play(desk, model, EVERYTHING, effects.REMAKES, actions)


def play(
    kind: type[GuardedDesk], model: str, allowed: Permissions, declared: Effect, actions: list[object]
) -> None:
    """Do something after the other, and look after each at what has reached the card."""
    with tempfile.TemporaryDirectory() as folder:
        serial = models.get(model).serial
        expected = ExpectedCard(model, models.get(model).atr, serial)
        desk = kind(Path(folder), model, image=encoded(model), allowed=allowed, expected=expected)
        bench = Bench(desk, allowed, declared)
        bench.do(declared)

        for action in actions:
            card, known = desk.card, len(desk.card.received)

            try:
                bench.do(action)
            except CommandRefusedError:
                bench.do("run")  # what is refused ends a run; the next one goes on with the ledger
            except PcscError:
                bench.connection = None

            check(bench, card, known)


def check(bench: Bench, card: PlayedCard, known: int) -> None:
    """See that what reached the card since was allowed."""
    decoder = Decoder()

    for each in card.received[known:]:
        text, effect = each.command.hex().upper(), decoder.command(each.command).effect
        assert not each.took_the_last, text

        if card is bench.desk.card and not bench.right:
            assert text in IDENTIFYING, text

        if effect & Effect.UNKNOWN or not is_recorded(bench.desk.model.system, each.command, effect):
            assert bench.allowed.unverified, text

        if effect & Effect.DESTROYS:
            assert bench.allowed.destructive, text

        if effect & Effect.IRREVERSIBLE:
            assert decoder.command(each.command).name in bench.allowed.irreversible, text

        assert not effect & ~(bench.declared | HARMLESS), text


def is_recorded(system: str, command: bytes, effect: Effect) -> bool:
    """Tell whether a public source has a command, or the standard has it and it changes nothing."""
    try:
        apdu = CommandApdu.parse(command)
    except ApduFormatError:
        return False

    interindustry = not apdu.cla & 0x80
    bases = {
        form.basis
        for form in system_of(system).forms
        if (form.cla, form.ins) == (0 if interindustry else apdu.cla, apdu.ins)
        and (form.p1 is None or apdu.p1 in form.p1)
        and (form.p2 is None or apdu.p2 in form.p2)
    }

    if interindustry and not effect & ~HARMLESS:
        return Basis.OURS not in bases

    return bool(bases) and not bases & {Basis.OURS, Basis.INFERRED}
