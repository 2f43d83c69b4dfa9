"""Tokens without lists, as pkcs15-init leaves them: the first object of a class makes its list."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from cardtwin import pkcs15
from cardtwin.card import CardView
from cardtwin.cryptoki.constants import Cku
from cardtwin.middleware import Ckr
from cardtwin.pkcs15 import DirectoryKind
from support.objects import RSA_PAIR, certificate_object, data_object, labels, rsa_pair
from support.profiles import certificate
from support.programs import READING, RW, Desk, Program, encoded, refusing
from support.tokens import MODELS, PIN1, profile_text

if TYPE_CHECKING:
    from collections.abc import Callable

    from cardtwin.card import CardImage

AODF = (DirectoryKind.AUTH_OBJECTS, "3F00/5015/4481")
LISTS = {
    AODF,
    (DirectoryKind.PRIVATE_KEYS, "3F00/5015/4401"),
    (DirectoryKind.PUBLIC_KEYS, "3F00/5015/4411"),
    (DirectoryKind.CERTIFICATES, "3F00/5015/4441"),
    (DirectoryKind.DATA_OBJECTS, "3F00/5015/4471"),
}


def bare(model: str, *, directory: str = "pin1") -> CardImage:
    """Return the image of a card with PINs alone, to whose application's DF the main PIN adds files."""
    text = profile_text(model)
    text = text.replace("maxsize=4000 update=puk create=puk", "maxsize=12000 update=pin1 create=pin1")
    return encoded(
        model, text.replace("EFODF id=0x5031 maxsize=64 read=always update=puk", ODF.format(directory))
    )


ODF = "EFODF id=0x5031 maxsize=128 read=always update={}"


def logged_in(desk: Desk) -> tuple[Program, int]:
    program = desk.program()
    program.slots()
    session = program.session(RW)
    program("C_Login", session, Cku.CKU_USER, PIN1)
    return program, session


def lists(desk: Desk) -> set[tuple[DirectoryKind, str]]:
    """Return the lists that the card's EF.ODF leads to."""
    entries = pkcs15.parse_odf(CardView(desk.card.image).files["3F00/5015/5031"].content)
    return {(entry.kind, str(entry.path)) for entry in entries}


def generate(program: Program, session: int) -> Any:
    return program.rv("C_GenerateKeyPair", session, RSA_PAIR, *rsa_pair(1024, LABEL="key"))


def write_certificate(program: Program, session: int) -> Any:
    der = certificate().public_bytes(Encoding.DER)
    return program.rv("C_CreateObject", session, certificate_object(der, LABEL="certificate"))


def write_data(program: Program, session: int) -> Any:
    return program.rv("C_CreateObject", session, data_object(LABEL="data", VALUE=b"text"))


CHANGES = (generate, write_certificate, write_data)


@pytest.mark.parametrize("model", MODELS)
def test_the_first_object_of_a_class_makes_its_list(model: str) -> None:
    desk = Desk(model, image=bare(model))
    assert lists(desk) == {AODF}
    program, session = logged_in(desk)

    for change in (*CHANGES, generate, write_data):  # the second ones are entered in the lists of the first
        assert change(program, session) is Ckr.CKR_OK

    assert lists(desk) == LISTS
    program, session = logged_in(desk)
    assert sorted(labels(program, session)) == sorted(
        ["Card Eraser", "certificate", *("key",) * 4, *("data",) * 2]
    )


@pytest.mark.parametrize("change", CHANGES)
def test_a_list_goes_again_where_its_object_is_refused(change: Callable[[Program, int], Any]) -> None:
    desk = Desk("cardos-5.3", image=bare("cardos-5.3"))
    program, session = logged_in(desk)
    begin = len(desk.commands)
    assert change(program, session) is Ckr.CKR_OK
    places = [at for at, command in enumerate(desk.commands[begin:]) if command[1] not in READING]
    refused = 0

    for place in places:
        desk = Desk("cardos-5.3", image=bare("cardos-5.3"))
        program, session = logged_in(desk)
        before = desk.card.image
        refusing(desk, place)

        if change(program, session) is not Ckr.CKR_OK:
            refused += 1
            assert {**desk.card.image.files} == {**before.files}, f"command {place}"
            assert {**desk.card.image.objects} == {**before.objects}, f"command {place}"

    assert refused


def test_a_token_whose_lists_are_another_s_takes_none() -> None:
    desk = Desk("cardos-5.3", image=bare("cardos-5.3", directory="puk"))
    program, session = logged_in(desk)
    before = desk.card.image
    assert {change(program, session) for change in CHANGES} == {Ckr.CKR_TOKEN_WRITE_PROTECTED}
    assert desk.card.image == before
