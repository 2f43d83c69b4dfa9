"""Our middleware reads and uses the card that OpenSC has made, and erases it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

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
from support.interop import READER, opened_desk, shared_library
from support.pkcs11_tool import PUK, Pkcs11Tool
from support.rig import certificate_for, opened_rig

if TYPE_CHECKING:
    from pathlib import Path

    from cardtwin.card import CardImage
    from support.interop import Desk
    from support.rig import Rig

USER = ("--auth-id", "01", "--pin", "1234")
OFFICER = ("--so-pin", "12345678")
NAMED = ("--label", "new", "--id", "77")
ONE_PIN = ("-p", "pkcs15+onepin")


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


# New objects by our library on a card of OpenSC's, and the other way round


def created(folder: Path, *arguments: str, second: tuple[str, ...] = ()) -> CardImage:
    """Return the image of a card on which pkcs15-init has made an application, and then something."""
    with opened_desk(folder) as desk:
        card = desk.insert("cardos-4.4")
        desk.run("pkcs15-init", "-C", *arguments, "-l", "Twin")

        if second:
            desk.run("pkcs15-init", *second)

        return card.image


@pytest.fixture(scope="session", params=["two PINs", "one PIN"])
def without_objects(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> CardImage:
    """The image of a card that OpenSC has made, with a security officer or without, and no objects yet."""
    folder = tmp_path_factory.mktemp("created")

    if request.param == "one PIN":
        return created(folder, *ONE_PIN, "--pin", "1234", "--puk", "123456")

    second = ("-P", *USER, "--puk", "123456", "-l", "Main", *OFFICER)
    return created(folder, *OFFICER, "--so-puk", "87654321", second=second)


def libraries(rig: Rig) -> list[Pkcs11Tool]:
    return [
        Pkcs11Tool(rig, module, label="new") for module in (rig.library, shared_library("opensc-pkcs11.so"))
    ]


def signs(rig: Rig, tool: Pkcs11Tool, identifier: str) -> bool:
    """Whether what a library signs is right, by the public key that OpenSC reads."""
    rig.write("message", "signed on the card\n")
    sign = ("--sign", "-m", "SHA256-RSA-PKCS", "--id", identifier, "-i", "message", "-o", "signature")
    tool.as_user(*sign)
    rig.run("pkcs15-tool", "--read-public-key", identifier, "-o", "public.pem")
    verify = ("dgst", "-sha256", "-verify", "public.pem", "-signature", "signature", "message")
    return "Verified OK" in rig.run("openssl", *verify)


def test_our_library_puts_objects_on_a_card_of_opensc(tmp_path: Path, without_objects: CardImage) -> None:
    with opened_rig(tmp_path, "cardos-4.4", image=without_objects) as rig:
        ours, openscs = libraries(rig)
        ours.as_user("--keypairgen", "--key-type", "rsa:2048", *NAMED)
        certificate = certificate_for(ours.public_key())
        (rig.folder / "certificate").write_bytes(certificate.public_bytes(Encoding.DER))
        rig.write("data", "any data")
        ours.as_user("--write-object", "certificate", "--type", "cert", *NAMED)
        ours.as_user("--write-object", "data", "--type", "data", "--label", "new")

        assert [tool.as_user("--list-objects").count("new") for tool in (ours, openscs)] == [4, 4]
        assert signs(rig, ours, "77")
        assert signs(rig, openscs, "77")
        rig.run("pkcs15-tool", "--read-certificate", "77", "-o", "read.pem")
        assert (rig.folder / "read.pem").read_bytes() == certificate.public_bytes(Encoding.PEM)
        rig.run("pkcs15-tool", "--read-data-object", "new", "--raw", "-o", "read")
        assert (rig.folder / "read").read_text() == "any data"


def test_opensc_goes_on_with_lists_that_our_library_has_made(tmp_path: Path) -> None:
    image = created(tmp_path, *ONE_PIN, "--pin", "1234", "--puk", "123456")

    with opened_rig(tmp_path, "cardos-4.4", image=image) as rig:
        ours, openscs = libraries(rig)
        ours.as_user("--keypairgen", "--key-type", "rsa:2048", "--label", "first", "--id", "76")
        rig.run("pkcs15-init", *ONE_PIN, "-G", "rsa/2048", "-u", "sign,decrypt", *NAMED, *USER)

        for tool in (ours, openscs):
            assert signs(rig, tool, "76")
            assert signs(rig, tool, "77")

        rig.run("pkcs15-init", *ONE_PIN, "-D", "privkey,pubkey", "--id", "76", *USER)
        ours.as_user("--delete-object", "--type", "privkey", "--label", "new")
        ours.as_user("--delete-object", "--type", "pubkey", "--label", "new")
        assert "Key [" not in rig.run("pkcs15-tool", "-D")


@pytest.mark.parametrize("model", ["cardos-4.3b", "cardos-4.4"])
def test_opensc_puts_objects_on_a_card_of_ours(tmp_path: Path, model: str) -> None:
    by = (*USER, "--so-pin", PUK, "--so-puk", PUK)

    with opened_rig(tmp_path, model) as rig:
        ours, openscs = libraries(rig)
        rig.run("pkcs15-init", "-G", "rsa/2048", "-u", "sign,decrypt", *NAMED, *by)
        certificate = certificate_for(ours.public_key())
        rig.write("certificate", certificate.public_bytes(Encoding.PEM).decode())
        rig.write("data", "any data")
        rig.run("pkcs15-init", "-X", "certificate", *NAMED, *by)
        rig.run("pkcs15-init", "-W", "data", "--label", "new", "--application-name", "tests", *by)

        assert ours.as_user("--list-objects").count("new") == 4
        ours.as_user("--read-object", "--type", "cert", "--id", "77", "-o", "read")
        assert (rig.folder / "read").read_bytes() == certificate.public_bytes(Encoding.DER)
        assert signs(rig, ours, "77")
        assert signs(rig, openscs, "77")
