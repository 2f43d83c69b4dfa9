from __future__ import annotations

import pytest

from cardtwin.middleware import (
    CARD_ERASER,
    Ckr,
    CredentialError,
    EraseRefusedError,
    Login,
    MiddlewareError,
    ObjectClass,
    TokenState,
    UserType,
)
from cardtwin.plan import Secret
from cardtwin.provenance import Switches
from support.tokens import MODELS, OP, PIN1, PUK, READER, TokenDesk

LOGINS = {
    "nothing": None,
    "the PIN": Login(UserType.USER, PIN1),
    "the PUK": Login(UserType.SO, PUK),
    "the operator PIN": Login(UserType.OPERATOR, OP),
}
# eraseable, burnt: who can erase
ROWS = [
    (True, True, set(LOGINS)),
    (False, False, set(LOGINS)),
    (True, False, set(LOGINS)),
    (False, True, {"the operator PIN"}),
]


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("who", LOGINS)
@pytest.mark.parametrize(("eraseable", "burn", "able"), ROWS)
def test_who_can_erase_follows_fuse_and_erasable(
    model: str, who: str, eraseable: bool, burn: bool, able: set[str]
) -> None:
    desk = TokenDesk(model)
    desk.init(eraseable=eraseable, burn=burn)
    before = desk.card.image
    eraser = desk.client.card_eraser(READER)
    assert eraser is not None

    if who in able:
        eraser.destroy(LOGINS[who])
        assert desk.card.image == desk.blank
        desk.init()
        assert desk.client.token(READER).initialised
    else:
        with pytest.raises(EraseRefusedError) as refused:
            eraser.destroy(LOGINS[who])

        assert refused.value.rv is Ckr.CKR_USER_NOT_LOGGED_IN
        assert desk.card.image == before


@pytest.mark.parametrize("model", MODELS)
def test_where_the_profile_has_no_operator_pin_nobody_erases_a_burnt_card(model: str) -> None:
    desk = TokenDesk(model)
    plan = desk.init(burn=True, operator=False)
    before = desk.card.image
    assert plan.irreversible

    for who in ("nothing", "the PIN", "the PUK"):
        with pytest.raises(EraseRefusedError):
            desk.client.erase(READER, LOGINS[who])

    assert desk.card.image == before
    assert (desk.view.fuse, desk.view.erasable) == ("burnt", "never")


def test_a_refused_eraser_sends_nothing_that_changes_the_card() -> None:
    desk = TokenDesk()
    desk.init(burn=True)
    desk.commands.clear()

    with pytest.raises(EraseRefusedError, match="opening the MF's conditions"):
        desk.client.erase(READER)

    assert desk.changing == []


@pytest.mark.parametrize("model", MODELS)
def test_a_wrong_operator_pin_costs_one_try_and_erases_nothing(model: str) -> None:
    desk = TokenDesk(model)
    desk.init(burn=True)

    with pytest.raises(CredentialError) as wrong:
        desk.client.erase(READER, Login(UserType.OPERATOR, Secret.of("00000000")))

    assert wrong.value.rv is Ckr.CKR_PIN_INCORRECT
    assert desk.tries(5) == 3
    assert "3F00/5015" in desk.view.files


def test_what_a_refusal_returns_is_a_switch() -> None:
    desk = TokenDesk(switches=Switches({"middleware.erase-refused": "CKR_GENERAL_ERROR"}))
    desk.init(burn=True)

    with pytest.raises(EraseRefusedError) as refused:
        desk.client.erase(READER)

    assert refused.value.rv is Ckr.CKR_GENERAL_ERROR


def test_nobody_stays_logged_in_after_a_refusal() -> None:
    desk = TokenDesk("cardos-5.3")
    desk.init(burn=True)

    with pytest.raises(EraseRefusedError):
        desk.client.erase(READER, LOGINS["the PIN"])

    with desk.context.connect(READER) as connection:
        assert connection.transmit(bytes.fromhex("00200081")) == bytes.fromhex("63C3")


@pytest.mark.parametrize("model", MODELS)
def test_erasing_an_empty_card_leaves_it_empty(model: str) -> None:
    desk = TokenDesk(model)
    desk.client.erase(READER)
    assert desk.card.image == desk.blank


@pytest.mark.parametrize("model", MODELS)
def test_an_empty_card_shows_the_card_eraser_and_no_other_object(model: str) -> None:
    token = TokenDesk(model).client.token(READER)

    assert token.state is TokenState.BLANK
    assert [(found.object_class, found.label) for found in token.objects] == [(ObjectClass.DATA, CARD_ERASER)]


def test_a_login_without_such_a_pin_is_told() -> None:
    desk = TokenDesk()

    with pytest.raises(MiddlewareError) as missing:
        desk.client.erase(READER, LOGINS["the PUK"])

    assert missing.value.rv is Ckr.CKR_USER_PIN_NOT_INITIALIZED


def test_a_switch_hides_the_card_eraser() -> None:
    desk = TokenDesk(switches=Switches({"middleware.card-eraser": "hidden"}))

    assert desk.client.card_eraser(READER) is None
    assert desk.client.token(READER).find(ObjectClass.DATA, CARD_ERASER) is None
