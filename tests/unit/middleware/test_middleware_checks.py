"""Plans that no profile of ours would give: another driver of the interface may, and none reaches a card."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cardtwin.middleware import Ckr, ProfileRefusedError
from cardtwin.middleware.blueprint import draw
from cardtwin.middleware.channel import Channel
from cardtwin.middleware.checks import MARK, prepare
from cardtwin.middleware.drivers.cardos_5 import CardOs5
from cardtwin.middleware.facts import EstimatedFacts
from cardtwin.middleware.rights import ANYBODY, NOBODY, Condition, Right
from cardtwin.plan import (
    ALWAYS,
    NEVER,
    Access,
    ChipSerial,
    Content,
    DirectoryPlan,
    FilePlan,
    KeyAlgorithm,
    KeyPlan,
    Operation,
    PinPlan,
    Plan,
    PublicKeyForm,
    PublicKeyOf,
    Secret,
    SecretName,
    Wrapped,
)
from cardtwin.provenance import Switches
from support.tokens import TokenDesk

SERIAL = bytes(8)
PIN = PinPlan("PIN1", SecretName.PIN1, Secret(b"1234"), 1, "PIN", unblocked_by=SecretName.PUK)
PUK = PinPlan("PUK", SecretName.PUK, Secret(b"12345678"), 2, "PUK")
FILE = FilePlan("EF", 0x4401, 100, {Operation.READ: ALWAYS, Operation.UPDATE: Access.by(SecretName.PIN1)})
KEY = KeyPlan("K", 3, (0x3F00, 0x5015))
DF = DirectoryPlan("DF", 0x5015, 1000, files=(FILE,))
MF = DirectoryPlan("MasterFile", 0x3F00, directories=(DF,))
PLAN = Plan("x.cpf", "SIEMENS50", MF, pins=(PIN, PUK), keys=(KEY,))


@pytest.fixture(scope="module")
def driver() -> CardOs5:
    """A driver of a card that is not asked anything."""
    desk = TokenDesk("cardos-5.3")
    return CardOs5(Channel(desk.context.connect("Reader 1")))


def with_file(**changes: Any) -> Plan:
    file = replace(FILE, **changes)
    return replace(PLAN, root=replace(MF, directories=(replace(DF, files=(file,)),)))


def with_pin(**changes: Any) -> Plan:
    return replace(PLAN, pins=(replace(PIN, **changes), PUK))


def with_key(**changes: Any) -> Plan:
    return replace(PLAN, keys=(replace(KEY, **changes),))


WRONG = {
    "two PINs with one reference": (with_pin(reference=2), "two PINs have the reference 2"),
    "a role twice": (with_pin(role=SecretName.PUK), "PUK is made twice"),
    "a reference beyond the card's": (with_pin(reference=16), "the reference 16 is not among 1 to 15"),
    "a value too short": (with_pin(value=Secret(b"123")), "the value does not have 4 to 8 bytes"),
    "a value too long": (with_pin(value=Secret(b"123456789")), "the value does not have 4 to 8 bytes"),
    "more than is stored": (with_pin(max_length=9), "9 bytes at most do not go into the 8"),
    "stored too long": (with_pin(stored_length=65, max_length=65), "more than 64 bytes are too many"),
    "no try": (with_pin(tries=0), "0 tries are not among 1 to 15"),
    "too many tries": (with_pin(tries=16), "16 tries"),
    "a PUK that is not there": (with_pin(unblocked_by=SecretName.MAN), "MAN is to reset it"),
    "a PIN that resets itself": (with_pin(unblocked_by=SecretName.PIN1), "in a circle"),
    "a circle": (
        replace(PLAN, pins=(PIN, replace(PUK, unblocked_by=SecretName.PIN1))),
        "PINs reset each other in a circle",
    ),
    "an access without its PIN": (
        with_file(access={Operation.READ: Access.by(SecretName.OP)}),
        "the access needs OP",
    ),
    "a key's access without its PIN": (with_key(access=Access.by(SecretName.OP)), "K: the access needs OP"),
    "an identifier twice": (
        replace(PLAN, root=replace(MF, directories=(replace(DF, files=(FILE, FILE)),))),
        "DF: 4401 is there twice",
    ),
    "the mark's identifier": (
        replace(PLAN, root=replace(MF, files=(replace(FILE, file_id=MARK),))),
        "7EAE is reserved",
    ),
    "the MF's identifier": (with_file(file_id=0x3F00), "3F00 is reserved"),
    "an AID too long": (
        replace(PLAN, root=replace(MF, directories=(replace(DF, aid=bytes(17)),))),
        "16 bytes at most",
    ),
    "no size and no contents": (with_file(size=None), "neither a size nor contents"),
    "contents too long": (with_file(content=Content.of(bytes(101))), "101 bytes do not go into 100"),
    "an empty file": (with_file(size=None, content=Content()), "0 bytes are not among 1 to 32767"),
    "a file too large": (with_file(size=32768), "32768 bytes are not among"),
    "a public key of nobody": (with_file(content=Content.of(PublicKeyOf("X"))), "the public half of X"),
    "a public key of a room": (
        replace(
            with_file(content=Content.of(Wrapped(0x30, (PublicKeyOf("K"),)))),
            keys=(replace(KEY, generate=False),),
        ),
        "the public half of K",
    ),
    "a key in the MF": (with_key(directory=(0x3F00,)), "a key lies in a DF"),
    "a key in a DF that is not there": (with_key(directory=(0x3F00, 0x5016)), "a key lies in a DF"),
    "a key's reference": (with_key(reference=32), "the reference 32 is not among 1 to 31"),
    "a key's size": (with_key(size=2047), "does not make rsa keys of 2047 bits"),
    "a key's curve": (with_key(algorithm=KeyAlgorithm.EC, size=224), "does not make ec keys of 224 bits"),
    "two keys with one reference": (
        replace(PLAN, keys=(KEY, replace(KEY, name="L"))),
        "two keys have the reference 3",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_plan_that_cannot_be_carried_out_is_refused_with_its_reason(driver: CardOs5, name: str) -> None:
    plan, told = WRONG[name]

    with pytest.raises(ProfileRefusedError) as refused:
        prepare(plan, driver, SERIAL, 1 << 20, Switches())

    assert refused.value.rv is Ckr.CKR_ARGUMENTS_BAD
    assert told in str(refused.value)
    assert all(problem.startswith("x.cpf: ") for problem in refused.value.problems)


def test_all_that_is_wrong_is_told_at_once(driver: CardOs5) -> None:
    plan = replace(with_pin(tries=0), keys=(replace(KEY, reference=99, size=1),))

    with pytest.raises(ProfileRefusedError) as refused:
        prepare(plan, driver, SERIAL, 1 << 20, Switches())

    assert len(refused.value.problems) == 3


def test_room_is_counted_before_anything_is_made(driver: CardOs5) -> None:
    prepare(PLAN, driver, SERIAL, 2000, Switches())

    with pytest.raises(ProfileRefusedError, match="needs about") as refused:
        prepare(PLAN, driver, SERIAL, 1000, Switches())

    assert refused.value.rv is Ckr.CKR_DEVICE_MEMORY


@given(
    st.permutations([PIN, PUK, replace(PUK, role=SecretName.OP, reference=5, unblocked_by=SecretName.PIN1)])
)
def test_a_pin_is_made_behind_what_resets_it(pins: list[PinPlan]) -> None:
    made = [pin.role for pin in draw(replace(PLAN, pins=tuple(pins)), Switches()).pins]

    assert made == [SecretName.PUK, SecretName.PIN1, SecretName.OP]


@pytest.mark.parametrize(
    ("fuse", "conditions"),
    [
        ({}, (None, ANYBODY)),
        ({"eraseable": True}, (None, ANYBODY)),
        ({"eraseable": True, "burn_fuse": True}, (ANYBODY, ANYBODY)),
        ({"burn_fuse": True}, (NOBODY, NOBODY)),
    ],
)
def test_conditions_on_deletion_follow_the_fuse(
    fuse: dict[str, Any], conditions: tuple[Condition | None, Condition]
) -> None:
    blueprint = draw(replace(PLAN, **fuse), Switches())
    master = None if blueprint.master is None else blueprint.master[Right.DELETE]

    assert (master, blueprint.directories[0].rights[Right.DELETE]) == conditions
    assert blueprint.files[0].rights[Right.DELETE] == conditions[1]
    assert blueprint.files[0].rights[Right.UPDATE] == Condition(reference=1)
    assert blueprint.files[0].rights[Right.ACTIVATE] == NOBODY


def test_what_a_plan_names_wins_over_what_follows_from_the_fuse() -> None:
    plan = with_file(access={Operation.DELETE: Access.by(SecretName.PUK), Operation.READ: NEVER})
    rights = draw(replace(plan, burn_fuse=True), Switches()).files[0].rights

    assert rights[Right.DELETE] == Condition(reference=2)
    assert rights[Right.READ] == NOBODY


@pytest.mark.parametrize("form", PublicKeyForm)
@pytest.mark.parametrize(
    ("algorithm", "size"), [(KeyAlgorithm.RSA, 1024), (KeyAlgorithm.RSA, 2048), (KeyAlgorithm.EC, 521)]
)
def test_the_length_of_a_public_key_is_known_before_the_key(
    form: PublicKeyForm, algorithm: KeyAlgorithm, size: int
) -> None:
    facts = EstimatedFacts(SERIAL, [replace(KEY, algorithm=algorithm, size=size)])
    lengths = {
        (KeyAlgorithm.RSA, 1024): (140, 162),
        (KeyAlgorithm.RSA, 2048): (270, 294),
        (KeyAlgorithm.EC, 521): (158, 158),
    }
    file, spki = lengths[algorithm, size]
    expected = {PublicKeyForm.FILE: file, PublicKeyForm.SPKI: spki, PublicKeyForm.KEY_ID: 20}

    assert len(facts.public_key("K", form)) == expected[form]
    assert Content.of(ChipSerial()).resolve(facts) == SERIAL
