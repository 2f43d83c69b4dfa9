from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cardtwin.hosting import CardRefusedError, CardRequest

TEXTS = st.dictionaries(st.text(min_size=1), st.text(), max_size=3)


@pytest.mark.parametrize(
    ("contents", "reason"),
    [
        ({}, "which card"),
        ({"card": "c", "profile": "p", "encoding": "e"}, "give one of them"),
        ({"card": "c", "secrets": {"PIN1": "1234"}}, "secrets: without a profile"),
        ({"card": "c", "label": "L"}, "label: without a profile"),
        ({"card": "c", "encoding": "e", "parameters": {"A": "00"}}, "parameters: without a profile"),
        ({"card": "c", "profile": "p", "fields": {"PIN": "1234"}}, "fields: without an encoding"),
        ({"card": "c", "attached": ("f",)}, "attached: without an encoding"),
        ({"card": "c", "encoding": "e", "key_properties": "k"}, "given together"),
        ({"card": "c", "speed": "fast"}, "no speed 'fast': there are instant, real"),
        ({"card": "c", "pcscd": "1", "reader": "R"}, "pcscd gives its readers their names"),
        ({"card": "c", "pcscd": "1", "config": "f"}, "config, with pcscd: the middleware"),
        ({"card": "c", "pcscd": "1", "program": "p"}, "program, with pcscd: the middleware"),
    ],
)
def test_what_contradicts_itself_is_refused(contents: dict[str, Any], reason: str) -> None:
    with pytest.raises(CardRefusedError, match=reason) as refused:
        CardRequest(**contents).check()

    assert "1234" not in str(refused.value)


@pytest.mark.parametrize(
    "contents",
    [
        {"card": "c"},
        {"image": "i"},
        {"card": "c", "pcscd": "1", "speed": "real", "faults": ("do=mute",)},
        {"image": "i", "profile": "p", "secrets": {"PIN1": "1234"}, "label": "L"},
        {"card": "c", "image": "i", "encoding": "e", "key_properties": "k", "key_descriptors": "d"},
    ],
)
def test_what_can_be_is_accepted(contents: dict[str, Any]) -> None:
    CardRequest(**contents).check()


@given(secrets=TEXTS, fields=TEXTS, quirks=st.lists(st.text()).map(tuple), seed=st.none() | st.text())
def test_a_request_comes_out_of_its_message_as_it_went_in(
    secrets: dict[str, str], fields: dict[str, str], quirks: tuple[str, ...], seed: str | None
) -> None:
    request = CardRequest(card="c", secrets=secrets, fields=fields, quirks=quirks, seed=seed)
    assert CardRequest.from_message(json.loads(json.dumps(request.to_message()))) == request


def test_a_request_shows_no_secret() -> None:
    secret = {"PIN1": "271828"}
    request = CardRequest(
        card="c", secrets=secret, fields=secret, answers=secret, parameters=secret, seed="271828"
    )
    assert "271828" not in repr(request)
