"""Two readings of the same wire, written apart: what the card has, decode knows, under the same name."""

from __future__ import annotations

import pytest

from cardtwin.card import cos, models
from cardtwin.card.commands import ANY, CommandForm
from cardtwin.decode import Effect, decode

FORMS = [
    pytest.param(form, id=f"{name}, {form.name}")
    for name in models.names()
    for form in cos.get(models.get(name).system).forms
]
OTHER_NAMES = {"PSO ECDH": "PSO KEY AGREEMENT"}


@pytest.mark.parametrize("form", FORMS)
def test_a_command_of_a_card_is_known_by_its_name(form: CommandForm) -> None:
    for parameters in form.parameters:
        p1_p2 = 0 if parameters == ANY else parameters
        decoded = decode(bytes((form.cla, form.ins)) + p1_p2.to_bytes(2))

        assert OTHER_NAMES.get(form.name, form.name).startswith(decoded.name)
        assert decoded.effect is not Effect.UNKNOWN
