from __future__ import annotations

from dataclasses import replace

import pytest

from cardtwin import pkcs15
from cardtwin.middleware import (
    Ckr,
    CredentialError,
    MiddlewareError,
    PinKind,
    UserType,
)
from cardtwin.plan import Secret
from support.tokens import MODELS, OP, PIN1, PIN2, PUK, PUK2, READER, TokenDesk, profile_text, write

NAMED = (PIN1, PIN1, PIN2, PUK, PUK2, OP)
WRONG = Secret.of("9876")
NEW = Secret.of("2580")
LONG = Secret.of("123456789")


@pytest.fixture(params=MODELS)
def desk(request: pytest.FixtureRequest) -> TokenDesk:
    desk = TokenDesk(request.param)
    desk.init()
    return desk


@pytest.mark.parametrize(
    ("pin", "secret"),
    [
        ("user", PIN1),
        ("PIN", PIN1),
        ("signature", PIN2),
        ("puk", PUK),
        ("Signature PUK", PUK2),
        ("operator", OP),
    ],
)
def test_a_pin_is_named_by_its_kind_or_its_label(desk: TokenDesk, pin: str, secret: Secret) -> None:
    desk.client.verify_pin(READER, secret, pin=pin)


def test_what_a_pin_is_for_follows_from_its_flags(desk: TokenDesk) -> None:
    kinds = {pin.label: (pin.kind, pin.so) for pin in desk.client.token(READER).pins}

    assert kinds == {
        "PIN": (PinKind.USER, False),
        "PUK": (PinKind.PUK, True),
        "Signature PIN": (PinKind.SIGNATURE, False),
        "Signature PUK": (PinKind.PUK, False),
        "Operator": (PinKind.OPERATOR, False),
    }


def test_a_wrong_pin_costs_one_try_and_a_right_one_brings_them_back(desk: TokenDesk) -> None:
    with pytest.raises(CredentialError) as wrong:
        desk.client.login(READER, UserType.USER, WRONG)

    assert wrong.value.rv is Ckr.CKR_PIN_INCORRECT
    assert wrong.value.tries_left == (2 if desk.model.name == "cardos-5.3" else None)
    assert desk.tries(1) == 2
    desk.client.login(READER, UserType.USER, PIN1)
    assert desk.tries(1) == 3


def test_a_blocked_pin_is_locked_even_for_the_right_value_until_its_puk_resets_it(desk: TokenDesk) -> None:
    for _ in range(3):
        with pytest.raises(CredentialError):
            desk.client.verify_pin(READER, WRONG)

    with pytest.raises(CredentialError, match="blocked") as locked:
        desk.client.verify_pin(READER, PIN1)

    assert (locked.value.rv, locked.value.tries_left) == (Ckr.CKR_PIN_LOCKED, 0)
    desk.client.unblock_pin(READER, PUK, NEW)
    desk.client.verify_pin(READER, NEW)
    assert desk.tries(1) == 3


def test_each_pin_is_reset_by_its_own_puk(desk: TokenDesk) -> None:
    with pytest.raises(CredentialError, match="Signature PUK is wrong"):
        desk.client.unblock_pin(READER, PUK, NEW, pin="signature")

    assert (desk.tries(2), desk.tries(4)) == (5, 4)
    desk.client.unblock_pin(READER, PUK2, NEW, pin="signature")
    desk.client.verify_pin(READER, NEW, pin="signature")
    desk.client.verify_pin(READER, PIN1)


def test_nothing_resets_a_pin_without_puk(desk: TokenDesk) -> None:
    with pytest.raises(MiddlewareError) as refused:
        desk.client.unblock_pin(READER, PUK, NEW, pin="operator")

    assert refused.value.rv is Ckr.CKR_FUNCTION_NOT_SUPPORTED


def test_a_pin_is_changed_by_whoever_knows_the_old_one(desk: TokenDesk) -> None:
    with pytest.raises(CredentialError, match="PIN is wrong"):
        desk.client.change_pin(READER, WRONG, NEW)

    assert desk.tries(1) == 2
    desk.client.change_pin(READER, PIN1, NEW)
    desk.client.verify_pin(READER, NEW)


@pytest.mark.parametrize("new", ["258", "123456789", ""])
def test_a_new_pin_of_the_wrong_length_is_refused_before_the_card_is_asked(desk: TokenDesk, new: str) -> None:
    with pytest.raises(MiddlewareError) as changed:
        desk.client.change_pin(READER, PIN1, Secret.of(new))

    with pytest.raises(MiddlewareError) as unblocked:
        desk.client.unblock_pin(READER, PUK, Secret.of(new))

    assert changed.value.rv is unblocked.value.rv is Ckr.CKR_PIN_LEN_RANGE
    assert not {0x24, 0x2C} & {command[1] for command in desk.commands}
    assert (desk.tries(1), desk.tries(2)) == (3, 5)


def test_a_value_that_is_longer_than_the_pin_can_be_costs_no_try(desk: TokenDesk) -> None:
    with pytest.raises(MiddlewareError) as refused:
        desk.client.login(READER, UserType.USER, LONG)

    assert refused.value.rv is Ckr.CKR_PIN_LEN_RANGE
    assert desk.tries(1) == 3


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize(("so", "right", "wrong", "reference"), [("PUK", PUK, OP, 2), ("OP", OP, PUK, 5)])
def test_the_profile_decides_what_logs_in_as_security_officer(
    model: str, so: str, right: Secret, wrong: Secret, reference: int
) -> None:
    desk = TokenDesk(model)
    desk.init(so=so)
    credential = desk.client.token(READER).so_credential
    assert credential is not None
    assert credential.reference == reference
    before = desk.tries(reference)

    with pytest.raises(CredentialError) as refused:
        desk.client.login(READER, UserType.SO, wrong)

    assert refused.value.rv is Ckr.CKR_PIN_INCORRECT
    assert desk.tries(reference) == before - 1
    desk.client.login(READER, UserType.SO, right)
    assert desk.tries(reference) == before


@pytest.mark.parametrize("model", MODELS)
def test_where_the_operator_pin_is_the_so_credential_the_puk_still_resets_the_pin(model: str) -> None:
    desk = TokenDesk(model)
    desk.init(so="OP")
    desk.client.unblock_pin(READER, PUK, NEW)
    desk.client.verify_pin(READER, NEW)
    desk.client.login(READER, UserType.OPERATOR, OP)


@pytest.mark.parametrize("user", [UserType.USER, UserType.SO, UserType.OPERATOR])
def test_an_empty_card_has_nobody_to_log_in(user: UserType) -> None:
    with pytest.raises(MiddlewareError) as missing:
        TokenDesk().client.login(READER, user, PIN1)

    assert missing.value.rv is Ckr.CKR_USER_PIN_NOT_INITIALIZED


def test_a_login_for_one_operation_needs_an_operation(desk: TokenDesk) -> None:
    with pytest.raises(MiddlewareError) as refused:
        desk.client.login(READER, UserType.CONTEXT_SPECIFIC, PIN1)

    assert refused.value.rv is Ckr.CKR_USER_TYPE_INVALID


def test_tries_are_told_where_the_card_tells_them(desk: TokenDesk) -> None:
    tells = desk.model.name == "cardos-5.3"
    assert desk.client.tries_left(READER) == (3 if tells else None)

    for _ in range(3):
        with pytest.raises(CredentialError):
            desk.client.verify_pin(READER, WRONG)

    assert desk.client.tries_left(READER) == (0 if tells else None)
    assert desk.client.tries_left(READER, pin="operator") == (4 if tells else None)


@pytest.mark.parametrize("call", ["login", "verify", "change", "unblock"])
def test_the_card_forgets_who_was_logged_in(call: str) -> None:
    desk = TokenDesk("cardos-5.3")
    desk.init()
    {
        "login": lambda: desk.client.login(READER, UserType.USER, PIN1),
        "verify": lambda: desk.client.verify_pin(READER, PIN1),
        "change": lambda: desk.client.change_pin(READER, PIN1, NEW),
        "unblock": lambda: desk.client.unblock_pin(READER, PUK, NEW),
    }[call]()

    with desk.context.connect(READER) as connection:
        assert connection.transmit(bytes.fromhex("00200081")) == bytes.fromhex("63C3")
        assert connection.transmit(bytes.fromhex("00200082")) == bytes.fromhex("63C5")


def test_no_message_holds_a_secret(desk: TokenDesk) -> None:
    messages = []

    for value in (Secret.of("90817263"), Secret.of("908172635")):
        with pytest.raises(MiddlewareError) as refused:
            desk.client.login(READER, UserType.USER, value)

        messages += [str(refused.value), repr(refused.value), repr(refused.value.__cause__)]

    assert not any("9081" in message for message in messages)


@pytest.mark.parametrize("model", MODELS)
def test_a_pin_that_is_stored_without_padding_is_sent_as_it_is(model: str) -> None:
    desk = TokenDesk(model)
    desk.init(profile_text(model).replace("label='PIN' min=4 max=8", "label='PIN' min=4 max=4 stored=auto"))
    desk.client.verify_pin(READER, PIN1)
    desk.client.change_pin(READER, PIN1, NEW)
    desk.client.unblock_pin(READER, PUK, PIN1)

    assert bytes.fromhex("0020008104") + PIN1.reveal() in desk.commands


@pytest.mark.parametrize("model", MODELS)
def test_a_pin_is_padded_as_its_profile_says(model: str) -> None:
    desk = TokenDesk(model)
    desk.init(profile_text(model).replace("label='PIN' ", "label='PIN' stored=12 pad=0xFF "))
    desk.client.verify_pin(READER, PIN1)

    assert bytes.fromhex("002000810C") + PIN1.reveal() + b"\xff" * 8 in desk.commands


@pytest.mark.parametrize("path", [(), (0x3F00, 0x5015), (0x3F00, 0x5999)])
def test_a_pin_is_found_from_the_df_that_the_token_names(desk: TokenDesk, path: tuple[int, ...]) -> None:
    listed = [
        replace(pin.entry, path=pkcs15.Path.of(*path) if path else None, reference=pin.reference | 0x80)
        for pin in desk.client.token(READER).pins
    ]
    write(desk, "3F00/5015/4481", pkcs15.encode_directory(listed))

    desk.client.verify_pin(READER, PIN1)
    desk.client.unblock_pin(READER, PUK, NEW)
    desk.client.verify_pin(READER, NEW)
