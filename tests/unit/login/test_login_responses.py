"""Challenges and responses: one use, in time, signed by the key over this very challenge."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import example, given
from hypothesis import strategies as st

from cardtwin.login import (
    CHALLENGE_LIFE,
    Algorithm,
    Challenge,
    LoginRefusedError,
    Refusal,
    Response,
    UnknownMethodError,
    UserAccount,
    key_hash,
)
from support.access import CURVE_KEY, DESKTOP, MAIL, METHOD, USER, World, signed, spki
from support.profiles import rsa_key

if TYPE_CHECKING:
    from collections.abc import Callable


def refusal(world: World, response: Response) -> Refusal:
    with pytest.raises(LoginRefusedError) as caught:
        world.access.finish(response)

    return caught.value.refusal


def test_a_right_response_logs_in_once(world: World) -> None:
    challenge = world.access.begin(METHOD, USER)
    response = world.respond(challenge, world.certificate())
    assert world.access.finish(response).user == USER
    assert refusal(world, response) is Refusal.CHALLENGE_USED


def test_a_wrong_response_uses_the_challenge_up(world: World) -> None:
    challenge = world.access.begin(METHOD, USER)
    response = world.respond(challenge, world.certificate())
    assert refusal(world, replace(response, signature=bytes(256))) is Refusal.WRONG_SIGNATURE
    assert refusal(world, response) is Refusal.CHALLENGE_USED


def test_a_challenge_that_was_never_given_is_unknown(world: World) -> None:
    challenge = replace(world.access.begin(METHOD, USER), id="0" * 32)
    assert refusal(world, world.respond(challenge, world.certificate())) is Refusal.UNKNOWN_CHALLENGE


@pytest.mark.parametrize(("early", "late"), [(1, False), (0, True)], ids=["in time", "too late"])
def test_a_challenge_expires(world: World, early: int, late: bool) -> None:
    challenge = world.access.begin(METHOD, USER)
    response = world.respond(challenge, world.certificate())
    world.wait(seconds=CHALLENGE_LIFE.total_seconds() - early)

    if late:
        assert refusal(world, response) is Refusal.CHALLENGE_EXPIRED
    else:
        assert world.access.finish(response).user == USER


def test_challenges_that_are_long_over_are_forgotten(world: World) -> None:
    challenge = world.access.begin(METHOD, USER)
    response = world.respond(challenge, world.certificate())
    world.access.finish(response)
    world.wait(seconds=2 * CHALLENGE_LIFE.total_seconds())
    world.access.begin(METHOD, USER)
    assert refusal(world, response) is Refusal.UNKNOWN_CHALLENGE


def test_no_two_challenges_are_alike(world: World) -> None:
    challenges = [world.access.begin(METHOD, USER) for _ in range(50)]
    assert len({challenge.id for challenge in challenges}) == 50
    assert len({challenge.nonce for challenge in challenges}) == 50


@pytest.mark.parametrize(
    "changed",
    [
        lambda other: replace(other, nonce=bytes(32)),
        lambda other: replace(other, server="another"),
        lambda other: replace(other, method="another"),
        lambda other: replace(other, user="another"),
    ],
    ids=["nonce", "server", "method", "user"],
)
def test_a_signature_made_for_something_else_is_worth_nothing(
    world: World, changed: Callable[[Challenge], Challenge]
) -> None:
    challenge = world.access.begin(METHOD, USER)
    response = world.respond(changed(challenge), world.certificate())
    assert refusal(world, response) is Refusal.WRONG_SIGNATURE


@example(("ab", "c", ""), ("a", "bc", ""))
@given(st.tuples(st.text(), st.text(), st.text()), st.tuples(st.text(), st.text(), st.text()))
def test_messages_of_different_challenges_differ(
    one: tuple[str, str, str], other: tuple[str, str, str]
) -> None:
    now = World().now
    first, second = (
        Challenge("", server, method, user, b"n", "", now).message for server, method, user in (one, other)
    )
    assert (first == second) == (one == other)


def test_a_key_on_a_curve_logs_in(world: World) -> None:
    certificate = world.certify(key=CURVE_KEY).public_bytes(Encoding.DER)
    challenge = world.access.begin(METHOD, USER)
    algorithm, signature = signed(challenge.message, CURVE_KEY)
    assert world.access.finish(Response(challenge.id, algorithm, signature, certificate)).user == USER


def test_a_signature_on_a_curve_has_one_length(world: World) -> None:
    certificate = world.certify(key=CURVE_KEY).public_bytes(Encoding.DER)
    challenge = world.access.begin(METHOD, USER)
    algorithm, signature = signed(challenge.message, CURVE_KEY)
    longer = b"\0" + signature[:32] + b"\0" + signature[32:]
    response = Response(challenge.id, algorithm, longer, certificate)
    assert refusal(world, response) is Refusal.WRONG_SIGNATURE


def test_pss_logs_in(world: World) -> None:
    challenge = world.access.begin(METHOD, USER)
    pss = padding.PSS(padding.MGF1(SHA256()), 32)
    signature = rsa_key().sign(challenge.message, pss, SHA256())
    response = Response(challenge.id, Algorithm.RSA_PSS, signature, world.certificate())
    assert world.access.finish(response).user == USER


def test_an_algorithm_of_another_kind_of_key_is_refused(world: World) -> None:
    response = world.respond(world.access.begin(METHOD, USER), world.certificate())
    assert refusal(world, replace(response, algorithm=Algorithm.ECDSA)) is Refusal.WRONG_SIGNATURE


@given(st.binary(max_size=80))
def test_whatever_is_sent_as_a_certificate_is_refused(sent: bytes) -> None:
    world = World()
    response = world.respond(world.access.begin(METHOD, USER), sent)
    expected = Refusal.BROKEN_CERTIFICATE if sent else Refusal.WRONG_SIGNATURE
    assert refusal(world, response) is expected


@given(st.integers(min_value=0), st.integers(1, 255))
def test_a_certificate_with_a_changed_byte_logs_nobody_in(place: int, change: int) -> None:
    world = World()
    certificate = bytearray(world.certificate())
    certificate[place % len(certificate)] ^= change
    refusal(world, world.respond(world.access.begin(METHOD, USER), bytes(certificate)))


def test_a_method_that_is_not_published_gives_no_challenge(world: World) -> None:
    with pytest.raises(UnknownMethodError, match="'Nothing'"):
        world.access.begin("Nothing", USER)


def test_a_method_that_goes_while_somebody_logs_in_refuses(world: World) -> None:
    response = world.respond(world.access.begin(METHOD, USER), world.certificate())
    world.admin.remove_method(METHOD)
    world.admin.publish()
    assert refusal(world, response) is Refusal.METHOD_GONE


def test_a_challenge_tells_nothing_of_accounts(world: World) -> None:
    assert world.access.begin(METHOD, "nobody").user == "nobody"


# Without a certificate authority


def without_authority(world: World, *keys: bytes) -> None:
    world.admin.change_method(METHOD, replace(DESKTOP, authority=None))
    world.admin.put_user(UserAccount(USER, {"mail": MAIL}, personal=True, keys=frozenset(keys)))
    world.admin.publish()


def test_without_an_authority_an_enrolled_key_logs_in(world: World) -> None:
    without_authority(world, key_hash(rsa_key().public_key()))
    challenge = world.access.begin(METHOD, USER)
    algorithm, signature = signed(challenge.message, rsa_key())
    login = world.access.finish(Response(challenge.id, algorithm, signature, key=spki(rsa_key())))
    assert (login.user, login.chain) == (USER, ())


def test_without_an_authority_a_certificate_is_no_passport(world: World) -> None:
    without_authority(world)
    assert world.refusal() is Refusal.NO_SUCH_USER


def test_with_an_authority_a_key_alone_is_refused(world: World) -> None:
    challenge = world.access.begin(METHOD, USER)
    algorithm, signature = signed(challenge.message, rsa_key())
    response = Response(challenge.id, algorithm, signature, key=spki(rsa_key()))
    assert refusal(world, response) is Refusal.NO_CERTIFICATE


def test_no_refusal_shows_what_was_signed_or_who_tried(world: World) -> None:
    challenge = world.access.begin(METHOD, USER)
    response = replace(world.respond(challenge, world.certificate()), signature=bytes(256))

    with pytest.raises(LoginRefusedError) as caught:
        world.access.finish(response)

    assert challenge.nonce.hex() not in repr(caught.value)
    assert USER not in str(caught.value)
