from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cardtwin.cryptoki.constants import Cko, Cku
from cardtwin.middleware import Ckr
from cardtwin.plan import Secret
from support.objects import data_object, labels
from support.programs import RO, Desk, Program, encoded
from support.tokens import MODELS, profile_text

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(params=MODELS)
def desk(request: pytest.FixtureRequest) -> Desk:
    return Desk(request.param)


@pytest.fixture
def program(desk: Desk) -> Iterator[Program]:
    program = desk.program()
    yield program
    program.close()


def test_the_card_eraser_erases_a_card_that_anybody_may_erase(desk: Desk, program: Program) -> None:
    session = program.session()
    program("C_DestroyObject", session, program.key(session, "Card Eraser", Cko.CKO_DATA))

    assert desk.card.image.files.keys() == desk.model.blank().files.keys()
    assert labels(program, session) == ["Card Eraser"]


def test_the_card_eraser_wants_a_read_write_session(desk: Desk, program: Program) -> None:
    session = program.session(RO)
    before = desk.card.image
    eraser = program.key(session, "Card Eraser", Cko.CKO_DATA)

    assert program.rv("C_DestroyObject", session, eraser) is Ckr.CKR_SESSION_READ_ONLY
    assert desk.card.image == before


@pytest.mark.parametrize("model", MODELS)
def test_a_card_that_only_its_operator_erases_refuses_others_unchanged(model: str) -> None:
    desk = Desk(model, image=encoded(model, profile_text(model, so="OP", burn=True)))
    program = desk.program()
    session = program.session()
    eraser = program.key(session, "Card Eraser", Cko.CKO_DATA)
    before = desk.card.image

    assert program.rv("C_DestroyObject", session, eraser) is Ckr.CKR_USER_NOT_LOGGED_IN
    program("C_Login", session, Cku.CKU_USER, Secret.of("1111"))
    assert program.rv("C_DestroyObject", session, eraser) is Ckr.CKR_USER_NOT_LOGGED_IN
    assert desk.card.image == before
    program("C_Logout", session)
    program("C_Login", session, Cku.CKU_SO, Secret.of("55556666"))
    program("C_DestroyObject", session, eraser)
    assert desk.card.image.files.keys() == desk.model.blank().files.keys()


def test_a_data_object_that_is_called_like_it_does_not_erase(desk: Desk, program: Program) -> None:
    session = program.user_session()

    rv = program.rv("C_CreateObject", session, data_object(LABEL="Card Eraser", VALUE=b"text"))
    assert rv is Ckr.CKR_ATTRIBUTE_VALUE_INVALID
    note = program("C_CreateObject", session, data_object(VALUE=b"text"))
    change = data_object(LABEL="Card Eraser")[2:]
    assert program.rv("C_SetAttributeValue", session, note, change) is Ckr.CKR_ATTRIBUTE_VALUE_INVALID
    program("C_DestroyObject", session, note)
    assert desk.card.image.files.keys() != desk.model.blank().files.keys()
