"""The middleware on a Cosmo: what differs from CardOS, and that the rest holds too."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicNumbers
from cryptography.hazmat.primitives.hashes import SHA256

from cardtwin.card import CardView
from cardtwin.cryptoki.constants import Cka, Ckg, Ckm, Cku
from cardtwin.cryptoki.structures import RsaPkcsPssParams
from cardtwin.cryptoki.values import Attribute, Buffer, Mechanism
from cardtwin.middleware import Ckr, CredentialError, MiddlewareError
from cardtwin.middleware.channel import Channel
from cardtwin.middleware.drivers import driver_for
from cardtwin.middleware.drivers.cosmo import Cosmo
from cardtwin.middleware.rights import OPEN
from cardtwin.pcsc import Disposition
from cardtwin.plan import Secret
from support.programs import SIGN_PIN, Desk
from support.signers import Signer, consenting
from support.tokens import PIN1, PUK, READER, TokenDesk

DATA = b"signed on a Cosmo"
NEW = Secret.of("654321")


@pytest.fixture(params=["cosmo-7", "cosmo-8.2"])
def model(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def full(model: str) -> Desk:
    return Desk(model)


def test_it_is_recognised_by_its_atr(model: str) -> None:
    desk = TokenDesk(model)
    connection = desk.context.connect(READER)
    assert type(driver_for(Channel(connection))) is Cosmo
    connection.disconnect(Disposition.LEAVE)


def test_a_profile_without_fuse_leaves_it_open_and_another_takes_its_place(model: str) -> None:
    desk = TokenDesk(model)
    desk.init()
    assert desk.view.fuse == "intact"
    first = set(desk.view.files)
    desk.init()
    assert set(desk.view.files) == first


def test_files_are_listed_but_the_card_s_own(model: str) -> None:
    desk = TokenDesk(model)
    delivered = set(desk.view.files)
    connection = desk.context.connect(READER)
    driver = driver_for(Channel(connection))
    driver.select((0x3F00,))
    driver.create_file(0x1001, 4, OPEN)
    driver.select((0x3F00,))
    assert driver.children() == (0x1001,)
    assert set(desk.view.files) == {*delivered, "3F00/1001"} == {"3F00", "3F00/2F01", "3F00/1001"}
    connection.disconnect(Disposition.LEAVE)


def test_a_burnt_card_shows_no_eraser_and_nobody_but_the_operator_erases_it() -> None:
    desk = TokenDesk("cosmo-8.2")
    desk.init(burn=True)
    assert desk.client.card_eraser(READER) is None
    assert (desk.view.fuse, desk.view.erasable) == ("burnt", "object 05")
    before = desk.card.image

    with pytest.raises(MiddlewareError):
        desk.init()

    assert desk.card.image == before


def test_pins_are_verified_changed_and_unblocked_and_forgotten_again() -> None:
    desk = TokenDesk("cosmo-8.2")
    desk.init(burn=True)

    for left in (2, 1, 0):
        with pytest.raises(CredentialError) as wrong:
            desk.client.verify_pin(READER, Secret.of("9999"))

        assert wrong.value.tries_left == left

    desk.client.unblock_pin(READER, PUK, NEW)
    desk.client.verify_pin(READER, NEW)
    desk.client.change_pin(READER, NEW, PIN1)
    desk.client.verify_pin(READER, PIN1)
    connection = desk.context.connect(READER)
    states = [connection.transmit(bytes((0x00, 0x20, 0x00, reference))).hex() for reference in range(1, 6)]
    assert states == ["63c3", "63c5", "63c3", "63c5", "63c4"]


def test_the_puk_is_changed_as_a_pin_is() -> None:
    desk = TokenDesk("cosmo-8.2")
    desk.init(burn=True)
    desk.client.change_pin(READER, PUK, Secret.of("99998888"), pin="puk")
    desk.client.unblock_pin(READER, Secret.of("99998888"), NEW)
    desk.client.verify_pin(READER, NEW)


def test_the_key_of_the_main_pin_signs_through_pkcs11(full: Desk) -> None:
    signer = Signer(full)
    signature = signer.sign(Mechanism(Ckm.CKM_SHA256_RSA_PKCS), DATA)
    signer.rsa.verify(signature, DATA, padding.PKCS1v15(), SHA256())


def test_the_key_of_the_signature_pin_signs_after_a_login_for_it(full: Desk) -> None:
    signer = consenting(full)
    signer.init()
    signer.program("C_Login", signer.session, Cku.CKU_CONTEXT_SPECIFIC, SIGN_PIN)
    signature = signer.program("C_Sign", signer.session, DATA, Buffer(512)).content
    signer.rsa.verify(signature, DATA, padding.PKCS1v15(), SHA256())


def test_a_key_deciphers_through_pkcs11(full: Desk) -> None:
    signer = Signer(full)
    cryptogram = signer.rsa.encrypt(b"secret", padding.PKCS1v15())
    signer.program("C_DecryptInit", signer.session, Mechanism(Ckm.CKM_RSA_PKCS), signer.key)
    assert signer.program("C_Decrypt", signer.session, cryptogram, Buffer(512)).content == b"secret"


def test_a_signature_with_other_padding_is_refused(full: Desk) -> None:
    signer = Signer(full)
    params = RsaPkcsPssParams(hash_alg=Ckm.CKM_SHA256, mgf=Ckg.CKG_MGF1_SHA256, salt_len=32)
    pss = Mechanism(Ckm.CKM_SHA256_RSA_PKCS_PSS, params)
    assert signer.init(pss) is Ckr.CKR_MECHANISM_INVALID


def test_a_program_generates_and_deletes_a_key(full: Desk) -> None:
    signer = Signer(full)
    common = (Attribute.of(Cka.CKA_TOKEN, value=True), Attribute(Cka.CKA_ID, b"\x77"))
    private = (*common, Attribute.of(Cka.CKA_PRIVATE, value=True))
    pair = ((*common, Attribute.of(Cka.CKA_MODULUS_BITS, 2048)), private)
    mechanism = Mechanism(Ckm.CKM_RSA_PKCS_KEY_PAIR_GEN)
    public, key = signer.program("C_GenerateKeyPair", signer.session, mechanism, *pair)
    modulus, exponent = (
        int.from_bytes(signer.program.read(signer.session, public, kind))
        for kind in (Cka.CKA_MODULUS, Cka.CKA_PUBLIC_EXPONENT)
    )
    signature = signer.program.sign(signer.session, key, Mechanism(Ckm.CKM_SHA256_RSA_PKCS), DATA)
    RSAPublicNumbers(exponent, modulus).public_key().verify(signature, DATA, padding.PKCS1v15(), SHA256())
    assert len(CardView(full.card.image).keys) == 4
    signer.program("C_DestroyObject", signer.session, key)
    assert len(CardView(full.card.image).keys) == 3
