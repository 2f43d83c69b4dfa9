"""Cards that are lost, or refuse, in the middle of a change of their objects."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

import pytest

from cardtwin.cryptoki.constants import Cka, Cko
from cardtwin.middleware import Ckr
from cardtwin.middleware.tokens import TokenState
from support.objects import RSA_PAIR, data_object, imported_rsa, labels, of, rsa_pair, template
from support.programs import READING, Desk, Program, refusing
from support.signers import DATA, SIMPLE
from support.tokens import READER, FailingContext

if TYPE_CHECKING:
    from cardtwin.card import CardImage
    from cardtwin.readers import ReaderManager

pytestmark = pytest.mark.thorough

Change = Callable[[Program, int], Any]
NEVER = 1 << 30


class FailingManager:
    """A manager whose context loses the card at one command."""

    def __init__(self, desk: Desk, *, executed: bool) -> None:
        self.failing = FailingContext(desk.manager.context(), NEVER, executed=executed)

    def context(self) -> FailingContext:
        return self.failing


def failing_program(manager: FailingManager, desk: Desk) -> Program:
    return Program(cast("ReaderManager", manager), desk.hub)


def generate(program: Program, session: int) -> Any:
    return program.rv("C_GenerateKeyPair", session, RSA_PAIR, *rsa_pair(2048, LABEL="new"))


def import_key(program: Program, session: int) -> Any:
    return program.rv("C_CreateObject", session, imported_rsa(LABEL="new"))


def write_data(program: Program, session: int) -> Any:
    return program.rv("C_CreateObject", session, data_object(LABEL="new", VALUE=bytes(300)))


def change_data(program: Program, session: int) -> Any:
    note = program.key(session, "note", Cko.CKO_DATA)
    return program.rv("C_SetAttributeValue", session, note, template(LABEL="new", VALUE=bytes(300)))


def rename_key(program: Program, session: int) -> Any:
    key = program.key(session, "old")
    return program.rv("C_SetAttributeValue", session, key, template(LABEL="new" * 40))


def destroy_key(program: Program, session: int) -> Any:
    return program.rv("C_DestroyObject", session, program.key(session, "old"))


def destroy_data(program: Program, session: int) -> Any:
    return program.rv("C_DestroyObject", session, program.key(session, "note", Cko.CKO_DATA))


CHANGES = (generate, import_key, write_data, change_data, rename_key, destroy_key, destroy_data)
CASES = [*(("cardos-5.3", each) for each in CHANGES), ("cardos-4.4", generate)]
BEFORE = {"Digital Signature", "ProfileId", "Card Eraser", "old", "last", "note"}


_filled: dict[str, CardImage] = {}


def filled(model: str) -> CardImage:
    """Return the image of a card on which a program has made some objects, one of each list the last."""
    if model not in _filled:
        desk = Desk(model)
        program = desk.program()
        session = program.user_session()

        for label in ("old", "last"):
            program("C_GenerateKeyPair", session, RSA_PAIR, *rsa_pair(1024, LABEL=label))

        program("C_CreateObject", session, data_object(VALUE=b"text"))
        program("C_CreateObject", session, data_object(VALUE=b"text", LABEL="last"))
        _filled[model] = desk.card.image

    return _filled[model]


def changing(model: str, change: Change) -> list[int]:
    """Return which of a change's commands, counted from its beginning, may change the card."""
    desk = Desk(model, image=filled(model))
    program = desk.program()
    session = program.user_session()
    begin = len(desk.commands)
    assert change(program, session) is Ckr.CKR_OK
    return [at for at, command in enumerate(desk.commands[begin:]) if command[1] not in READING]


def some(places: list[int]) -> list[int]:
    """Return the first and the last places, and some of those between: each costs a card."""
    return sorted({*places[:2], *places[2:-3:4], *places[-3:]})


@pytest.mark.parametrize("executed", [False, True], ids=["before", "after"])
@pytest.mark.parametrize(("model", "change"), CASES)
def test_a_card_that_is_lost_in_between_still_reads_and_works(
    model: str, change: Change, executed: bool
) -> None:
    for place in some(changing(model, change)):
        desk = Desk(model, image=filled(model))
        manager = FailingManager(desk, executed=executed)
        program = failing_program(manager, desk)
        session = program.user_session()
        manager.failing.place = place
        rv = change(program, session)
        again(desk)

        assert rv is Ckr.CKR_DEVICE_REMOVED, f"command {place}"
        check(desk, whole=change not in {destroy_key, destroy_data, change_data, rename_key})


def again(desk: Desk) -> None:
    """Take the card out and put it in again."""
    desk.manager.remove(READER)
    desk.manager.insert(READER, desk.card)


def check(desk: Desk, *, whole: bool) -> None:
    """See that a new program finds the token in order: what it shows is there, and it takes new objects."""
    program = desk.program()
    session = program.user_session()
    shown = set(labels(program, session))

    assert program.application.slots.get(1).view().token.state is TokenState.INITIALISED
    assert {"Digital Signature", "ProfileId"} <= shown

    if whole:
        assert shown >= BEFORE

    for key in program.find(session, of(Cko.CKO_PRIVATE_KEY)):
        assert program.sign(session, key, SIMPLE, DATA)

    for data in program.find(session, of(Cko.CKO_DATA)):
        assert program.read(session, data, Cka.CKA_LABEL) == b"Card Eraser" or program.read(
            session, data, Cka.CKA_VALUE
        )

    assert generate(program, session) is Ckr.CKR_OK


@pytest.mark.parametrize(("model", "change"), CASES)
def test_what_the_card_refuses_in_between_is_taken_back(model: str, change: Change) -> None:
    for place in changing(model, change):
        desk = Desk(model, image=filled(model))
        program = desk.program()
        session = program.user_session()
        before = desk.card.image
        refusing(desk, place)
        rv = change(program, session)

        if rv is not Ckr.CKR_OK:
            assert {**before.files} == {**desk.card.image.files}, f"command {place}"
            assert {**before.objects} == {**desk.card.image.objects}, f"command {place}"
            assert desk.card.image.life_cycle == before.life_cycle


def test_a_generation_that_broke_off_does_not_stand_in_the_way() -> None:
    desk = Desk(image=filled("cardos-5.3"))
    manager = FailingManager(desk, executed=True)
    program = failing_program(manager, desk)
    session = program.user_session()
    places = changing("cardos-5.3", generate)
    manager.failing.place = places[2]
    generate(program, session)
    again(desk)
    assert any(path.endswith(bytes.fromhex("7EAD")) for path in desk.card.image.files)

    other = desk.program()
    assert generate(other, other.user_session()) is Ckr.CKR_OK
    assert not any(path.endswith(bytes.fromhex("7EAD")) for path in desk.card.image.files)
