from __future__ import annotations

import copy
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cardtwin.iso7816 import Tlv
from cardtwin.plan import (
    ALWAYS,
    NEVER,
    Access,
    ChipSerial,
    Content,
    DirectoryPlan,
    FilePlan,
    Part,
    PinPlan,
    Plan,
    PublicKeyForm,
    PublicKeyOf,
    Secret,
    SecretName,
    Wrapped,
)

OPERATOR = PinPlan("Operator", SecretName.OP, Secret(b"87654321"), reference=4, label="Operator PIN")
ROOT = DirectoryPlan("MasterFile", 0x3F00)


class Card:
    """What a card would say of itself."""

    def chip_serial(self) -> bytes:
        return b"SERIAL"

    def public_key(self, key: str, form: PublicKeyForm) -> bytes:
        return f"{key}/{form.name}".encode()


parts = st.recursive(
    st.binary(max_size=20) | st.just(ChipSerial()) | st.builds(PublicKeyOf, st.text("abc", min_size=1)),
    lambda inner: st.builds(Wrapped, st.just(0x30), st.lists(inner, max_size=3).map(tuple)),
    max_leaves=6,
)


def by_hand(part: Part) -> bytes:
    if isinstance(part, bytes):
        return part

    if isinstance(part, ChipSerial):
        return b"SERIAL"

    if isinstance(part, PublicKeyOf):
        return f"{part.key}/FILE".encode()

    return Tlv(part.tag, b"".join(map(by_hand, part.parts))).encode()


@given(st.lists(parts, max_size=4))
def test_gaps_are_filled_from_the_card_and_lengths_follow(found: list[Part]) -> None:
    content = Content.of(*found)
    assert content.resolve(Card()) == b"".join(map(by_hand, found))

    if content.is_literal:
        assert content.literal() == content.resolve(Card())


@pytest.mark.parametrize("part", [ChipSerial(), PublicKeyOf("k"), Wrapped(0x30, (b"", ChipSerial()))])
def test_content_with_a_gap_has_no_literal(part: Part) -> None:
    content = Content.of(b"x", part)
    assert not content.is_literal

    with pytest.raises(ValueError, match="gaps that only a card can fill"):
        content.literal()


def test_content_of_bytes_is_literal_also_when_wrapped() -> None:
    assert Content.of(b"a", Wrapped(0x30, (b"b",))).literal() == b"a\x30\x01b"
    assert Content().literal() == b""


@given(st.binary(min_size=1, max_size=16))
def test_a_secret_is_shown_on_request_only(value: bytes) -> None:
    secret = Secret(value)
    assert secret.reveal() == value
    assert len(secret) == len(value)
    assert {repr(secret), str(secret), f"{secret}"} == {"Secret(***)"}


@given(st.binary(max_size=8), st.binary(max_size=8))
def test_secrets_are_equal_if_their_bytes_are(one: bytes, other: bytes) -> None:
    assert (Secret(one) == Secret(other)) == (one == other)
    assert one != other or hash(Secret(one)) == hash(Secret(other))
    assert Secret(one) != one


@pytest.mark.parametrize("leak", [pickle.dumps, copy.deepcopy])
def test_a_secret_is_not_copied_out_of_the_process(leak: object) -> None:
    assert callable(leak)

    with pytest.raises(TypeError, match="not pickled"):
        leak(Secret(b"1234"))


def test_a_secret_of_text_is_its_utf_8() -> None:
    assert Secret.of("1234ä").reveal() == "1234ä".encode()


def test_the_repr_of_a_plan_shows_no_secret() -> None:
    plan = Plan("token.cpf", "SIEMENS50", ROOT, pins=(OPERATOR,))
    assert "87654321" not in repr(plan)
    assert "38373635" not in repr(plan)


def test_the_eight_secrets_have_their_variables() -> None:
    variables = "SEC_PIN1 SEC_PIN2 SEC_PIN3 SEC_PUK SEC_PUK1 SEC_PUK2 SEC_OP SEC_MAN"
    assert [name.variable for name in SecretName] == variables.split()


@pytest.mark.parametrize(
    ("access", "text"),
    [(ALWAYS, "always"), (NEVER, "never"), (Access.by(SecretName.PIN1), "pin1")],
)
def test_a_condition_is_spelled_as_in_a_profile(access: Access, text: str) -> None:
    assert str(access) == text


def test_walking_a_directory_gives_every_file_with_its_path() -> None:
    inner = DirectoryPlan("Inner", 0x5016, files=(FilePlan("c", 0x0003, 1),))
    middle = DirectoryPlan("P15", 0x5015, directories=(inner,), files=(FilePlan("b", 0x0002, 1),))
    root = DirectoryPlan("MasterFile", 0x3F00, directories=(middle,), files=(FilePlan("a", 0x0001, 1),))
    paths = [(path, file.name) for path, file in root.walk()]
    assert paths == [
        ((0x3F00, 0x0001), "a"),
        ((0x3F00, 0x5015, 0x0002), "b"),
        ((0x3F00, 0x5015, 0x5016, 0x0003), "c"),
    ]


@pytest.mark.parametrize(
    ("eraseable", "pins", "access"),
    [
        (True, (OPERATOR,), ALWAYS),
        (True, (), ALWAYS),
        (False, (OPERATOR,), Access.by(SecretName.OP)),
        (False, (), NEVER),
    ],
)
@pytest.mark.parametrize("burn_fuse", [True, False])
def test_who_may_erase_decides_whether_a_burnt_fuse_is_for_ever(
    eraseable: bool, pins: tuple[PinPlan, ...], access: Access, burn_fuse: bool
) -> None:
    plan = Plan("t", "SIEMENS50", ROOT, pins=pins, eraseable=eraseable, burn_fuse=burn_fuse)
    assert plan.erase_access == access
    assert plan.irreversible is (burn_fuse and access != ALWAYS)
