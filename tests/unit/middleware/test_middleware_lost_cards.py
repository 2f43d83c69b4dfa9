"""A card that is lost at any command: it is told, its state shows it, and it can be erased."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING

import pytest

from cardtwin.middleware import (
    CardLostError,
    Ckr,
    EraseRefusedError,
    HalfDoneError,
    MiddlewareError,
    TokenState,
)
from support.tokens import FAMILIES, MODELS, READER, FailingContext, TokenDesk

if TYPE_CHECKING:
    from collections.abc import Callable

    from cardtwin.pcsc import Context

pytestmark = pytest.mark.thorough

KEY = "X_Key K reference=16 directory=DF size=1024 use=sign access=pin1 label='Key' public=EFPUB"
FILES = (
    "CreateEf EFPUB id=0x4601 maxsize=300 read=always update=puk---"
    "File Dynamic EFPUB\ndata=X_PUBLICKEY(K)\nEndfile"
)
CASES = [
    pytest.param({}, id="intact"),
    pytest.param({"eraseable": True, "burn": True}, id="burnt, eraseable"),
    pytest.param({"burn": True}, id="burnt, operator"),
    pytest.param({"burn": True, "operator": False}, id="burnt, nobody"),
]


class Unlucky:
    """A desk whose card is lost at a command."""

    def __init__(self, model: str) -> None:
        self.contexts: list[FailingContext] = []
        self.desk = TokenDesk(model, wrap=self._wrap)

    def _wrap(self, context: Context) -> Context:
        self.contexts.append(FailingContext(context, -1, executed=False))
        return self.contexts[0]

    def lose_at(self, place: int, *, executed: bool) -> None:
        self.contexts[0].place, self.contexts[0].executed = place, executed


def failure(action: Callable[..., object], *given: object, **named: object) -> MiddlewareError | None:
    """Return the middleware's error, or None where all went well."""
    try:
        action(*given, **named)
    except MiddlewareError as error:
        return error

    return None


@pytest.mark.parametrize("executed", [False, True], ids=["before", "behind"])
@pytest.mark.parametrize("parts", CASES)
@pytest.mark.parametrize("model", FAMILIES)
def test_a_card_lost_at_any_command_of_an_initialisation_is_told_and_can_be_erased(
    model: str, parts: dict[str, bool], executed: bool
) -> None:
    for place in count():
        unlucky = Unlucky(model)
        desk = unlucky.desk
        unlucky.lose_at(place, executed=executed)
        error = failure(desk.init, **parts, keys=KEY, files=FILES)

        if error is None:
            assert place > 40
            break

        check_told(desk, error)
        check_erasable(desk)


def check_told(desk: TokenDesk, error: MiddlewareError) -> None:
    assert error.rv is Ckr.CKR_DEVICE_REMOVED
    changed = desk.card.image != desk.blank

    if isinstance(error, HalfDoneError):
        assert error.doing in str(error)
        assert bool(error.done) <= changed
        assert all(done in str(error) for done in error.done)
    else:
        assert isinstance(error, CardLostError)
        assert not changed


def check_erasable(desk: TokenDesk) -> None:
    """Hold that a half-made card can be erased by anybody, or else tells that it is unfinished or burnt."""
    state = desk.client.token(READER).state
    before = desk.card.image

    if failure(desk.client.erase, READER) is None:
        assert desk.card.image == desk.blank
    else:
        assert desk.card.image == before
        assert state is TokenState.INCOMPLETE or desk.client.card_state(READER).fuse == "burnt"


@pytest.mark.parametrize("model", FAMILIES)
def test_only_the_last_conditions_of_a_burnt_card_stand_in_the_way_of_erasing_a_half_made_one(
    model: str,
) -> None:
    refused = set()

    for place in count():
        unlucky = Unlucky(model)
        desk = unlucky.desk
        unlucky.lose_at(place, executed=True)
        error = failure(desk.init, burn=True, operator=False)

        if error is None:
            break

        if isinstance(failure(desk.client.erase, READER), EraseRefusedError):
            assert isinstance(error, HalfDoneError)
            refused.add(error.doing)

    assert refused == {"close 3F00/5015", "burn the fuse"}


@pytest.mark.parametrize("executed", [False, True], ids=["before", "behind"])
@pytest.mark.parametrize("model", FAMILIES)
def test_a_card_lost_at_any_command_of_an_erasure_can_be_erased_again(model: str, executed: bool) -> None:
    made = TokenDesk(model)
    made.init(eraseable=True, burn=True)

    for place in count():
        unlucky = Unlucky(model)
        desk = unlucky.desk
        desk.card.load(made.card.image)
        unlucky.lose_at(place, executed=executed)
        error = failure(desk.client.erase, READER)

        if error is None:
            assert place > 20
            break

        assert error.rv is Ckr.CKR_DEVICE_REMOVED
        assert isinstance(error, HalfDoneError) or desk.card.image == made.card.image
        desk.client.erase(READER)
        assert desk.card.image == desk.blank


@pytest.mark.parametrize("executed", [False, True], ids=["before", "behind"])
@pytest.mark.parametrize("model", FAMILIES)
def test_a_card_lost_while_a_profile_takes_anothers_place_is_told(model: str, executed: bool) -> None:
    made = TokenDesk(model)
    made.init(eraseable=True, burn=True)

    for place in count():
        unlucky = Unlucky(model)
        desk = unlucky.desk
        desk.card.load(made.card.image)
        unlucky.lose_at(place, executed=executed)
        error = failure(desk.init)

        if error is None:
            assert place > 60
            break

        changed = desk.card.image != made.card.image
        assert isinstance(error, HalfDoneError) or not changed
        assert changed or not executed or not isinstance(error, HalfDoneError) or model not in MODELS
        desk.init()
        assert desk.client.token(READER).initialised


def test_a_half_erased_card_is_told_as_incomplete() -> None:
    unlucky = Unlucky("cardos-4.4")
    desk = unlucky.desk
    desk.init()
    delete = desk.client.card_eraser(READER)
    assert delete is not None
    desk.commands.clear()
    delete.destroy()
    place = next(at for at, command in enumerate(desk.commands) if command[1] == 0xE4)
    desk.init()
    unlucky.lose_at(place, executed=True)

    with pytest.raises(HalfDoneError, match="done before: open the MF's conditions"):
        delete.destroy()

    assert desk.client.token(READER).state is TokenState.INCOMPLETE
    assert desk.client.card_state(READER).state is TokenState.INCOMPLETE
    desk.init()
    assert desk.client.token(READER).state is TokenState.INITIALISED
