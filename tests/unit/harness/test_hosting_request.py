from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cardtwin.hosting import DEFAULT_READER, CardRefusedError, CardRequest, HostRequest

TEXTS = st.dictionaries(st.text(min_size=1), st.text(), max_size=3)


@pytest.mark.parametrize(
    ("contents", "reason"),
    [
        ({}, "which card"),
        ({"model": "c", "profile": "p", "encoding": "e"}, "give one of them"),
        ({"model": "c", "secrets": {"PIN1": "1234"}}, "secrets: without a profile"),
        ({"model": "c", "label": "L"}, "label: without a profile"),
        ({"model": "c", "encoding": "e", "parameters": {"A": "00"}}, "parameters: without a profile"),
        ({"model": "c", "profile": "p", "fields": {"PIN": "1234"}}, "fields: without an encoding"),
        ({"model": "c", "attached": ("f",)}, "attached: without an encoding"),
        ({"model": "c", "encoding": "e", "key_properties": "k"}, "given together"),
        ({"model": "c", "speed": "fast"}, "no speed 'fast': there are instant, real"),
    ],
)
def test_what_contradicts_itself_is_refused(contents: dict[str, Any], reason: str) -> None:
    with pytest.raises(CardRefusedError, match=reason) as refused:
        CardRequest(**contents).check()

    assert "1234" not in str(refused.value)


@pytest.mark.parametrize(
    "contents",
    [
        {"model": "c"},
        {"image": "i"},
        {"model": "c", "speed": "real", "faults": ("do=mute",)},
        {"image": "i", "profile": "p", "secrets": {"PIN1": "1234"}, "label": "L"},
        {"model": "c", "image": "i", "encoding": "e", "key_properties": "k", "key_descriptors": "d"},
    ],
)
def test_what_can_be_is_accepted(contents: dict[str, Any]) -> None:
    CardRequest(**contents).check()


def test_cards_without_a_name_are_called_as_their_readers_and_those_in_readers_come_first() -> None:
    spare, inline = CardRequest(model="a"), CardRequest(model="b")
    request = HostRequest.arranged(
        {"L": inline, "M": "Spare", "R": "c", "E": None}, {"X": spare, "Spare": spare}
    )
    assert request.readers == {"L": "L", "M": "Spare", "R": "R", "E": None}
    assert list(request.cards) == ["L", "Spare", "R", "X"]
    assert request.cards["R"] == CardRequest(model="c")


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"readers": {}}, "which card"),
        ({"readers": {"R": CardRequest()}}, "^which card"),
        (
            {"readers": {"R": "c", "S": CardRequest(model="c", label="L")}},
            "^card 'S': label: without a profile",
        ),
        (
            {"readers": {"R": "A", "S": "A"}, "cards": {"A": CardRequest(model="c")}},
            "'A' can't be in two readers",
        ),
        ({"readers": {"A": "c"}, "cards": {"A": CardRequest(model="c")}}, "would be called so too"),
        (
            {"readers": {DEFAULT_READER: "c"}, "pcscd": "1", "config": "f"},
            "config, with pcscd: the middleware",
        ),
        (
            {"readers": {DEFAULT_READER: "c"}, "pcscd": "1", "program": "p"},
            "program, with pcscd: the middleware",
        ),
    ],
)
def test_readers_that_cannot_be_are_refused(given: dict[str, Any], reason: str) -> None:
    with pytest.raises(CardRefusedError, match=reason):
        HostRequest.arranged(**given).check()


def test_a_reader_of_pcscd_may_have_a_name_for_the_hand_as_several_may() -> None:
    HostRequest.arranged({"Left": "c"}, pcscd="1").check()


@given(secrets=TEXTS, fields=TEXTS, quirks=st.lists(st.text()).map(tuple), seed=st.none() | st.text())
def test_a_request_comes_out_of_its_message_as_it_went_in(
    secrets: dict[str, str], fields: dict[str, str], quirks: tuple[str, ...], seed: str | None
) -> None:
    card = CardRequest(model="c", secrets=secrets, fields=fields, quirks=quirks)
    request = HostRequest.arranged({"R": card, "S": None}, {"T": card}, seed=seed)
    assert HostRequest.from_message(json.loads(json.dumps(request.to_message()))) == request


@pytest.mark.parametrize("message", [None, 7, "cardos-5.3", [], {"modle": "cardos-5.3"}])
def test_what_is_no_card_is_refused(message: object) -> None:
    with pytest.raises(CardRefusedError, match="no card that can be asked for"):
        CardRequest.from_message(message)


def test_paths_are_made_absolute_and_a_shipped_profile_stays_a_name() -> None:
    card = CardRequest(image="a.image", keep="/b.image", profile="full", attached=("c",)).located("/folder")
    assert (card.image, card.keep, card.profile, card.attached) == (
        "/folder/a.image",
        "/b.image",
        "full",
        ("/folder/c",),
    )
    assert CardRequest(profile="full.cpf").located("/folder").profile == "/folder/full.cpf"


def test_a_request_shows_no_secret() -> None:
    secret = {"PIN1": "271828"}
    card = CardRequest(model="c", secrets=secret, fields=secret, answers=secret, parameters=secret)
    assert "271828" not in repr(HostRequest.of(card, seed="271828"))
