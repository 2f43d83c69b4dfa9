"""Our middleware reads and uses the card that OpenSC has made, and erases it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cardtwin.entropy import SystemEntropy
from cardtwin.middleware import (
    Ckr,
    CredentialError,
    EraseRefusedError,
    Installation,
    ObjectClass,
    PersonalDesktopClient,
    PinKind,
    UserType,
)
from cardtwin.plan import Secret
from cardtwin.plan.cms import CmsPinBlobCodec
from support.interop import READER

if TYPE_CHECKING:
    from cardtwin.card import CardImage
    from support.interop import Desk


@pytest.fixture
def client(desk: Desk, personalised_by_opensc: CardImage) -> PersonalDesktopClient:
    desk.insert("cardos-4.4", personalised_by_opensc)
    return PersonalDesktopClient(
        desk.manager.context(), Installation(), entropy=SystemEntropy(), codec=CmsPinBlobCodec()
    )


def test_the_token_has_opensc_s_label_pins_and_keys(client: PersonalDesktopClient) -> None:
    token = client.token(READER)

    assert (token.label, token.manufacturer) == ("Twin", "OpenSC Project")
    assert {(pin.label, pin.kind, pin.so) for pin in token.pins} >= {("Main", PinKind.USER, False)}
    assert token.so_credential is not None
    labels = {found.label for found in token.objects if found.object_class is ObjectClass.PRIVATE_KEY}
    assert labels == {"Key to sign", "Key to decrypt"}


def test_opensc_s_pins_log_in_change_and_reset(client: PersonalDesktopClient) -> None:
    client.login(READER, UserType.USER, Secret.of("1234"))
    client.login(READER, UserType.SO, Secret.of("12345678"))

    with pytest.raises(CredentialError) as wrong:
        client.login(READER, UserType.USER, Secret.of("9999"))

    assert wrong.value.rv is Ckr.CKR_PIN_INCORRECT
    client.change_pin(READER, Secret.of("1234"), Secret.of("4321"))
    client.login(READER, UserType.USER, Secret.of("4321"))


def test_opensc_uses_the_pin_that_we_changed(client: PersonalDesktopClient, desk: Desk) -> None:
    client.change_pin(READER, Secret.of("1234"), Secret.of("4321"))
    desk.run("pkcs15-tool", "--verify-pin", "--auth-id", "01", "--pin", "4321")


def test_a_card_of_opensc_is_erased_by_its_own_conditions(client: PersonalDesktopClient, desk: Desk) -> None:
    try:
        client.erase(READER)
    except EraseRefusedError as refused:
        pytest.fail(str(refused))

    assert client.token(READER).objects[0].label == "Card Eraser"
    desk.run("pkcs15-init", "-C", "--so-pin", "12345678", "--so-puk", "87654321", "-l", "Again")
