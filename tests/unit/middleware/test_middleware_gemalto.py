"""The middleware on an IDClassic 340: what differs from other cards, and that the rest holds too."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicNumbers
from cryptography.hazmat.primitives.hashes import SHA256

from cardtwin.card import CardView, models
from cardtwin.cryptoki.constants import Cka, Ckg, Ckm, Cku
from cardtwin.cryptoki.structures import RsaPkcsPssParams
from cardtwin.cryptoki.values import Attribute, Buffer, Mechanism
from cardtwin.middleware import (
    CardNotRecognisedError,
    Ckr,
    CredentialError,
    Login,
    MiddlewareError,
    UserType,
)
from cardtwin.middleware.channel import Channel
from cardtwin.middleware.drivers import driver_for
from cardtwin.middleware.drivers.gemalto import Gemalto
from cardtwin.pcsc import Disposition, Protocol
from cardtwin.plan import Secret
from cardtwin.provenance import Switches
from support.programs import SIGN_PIN, Desk
from support.signers import Signer, consenting
from support.tokens import OP, PIN1, PUK, READER, TokenDesk

MODEL = "idclassic-340"
DATA = b"signed on an IDClassic"
NEW = Secret.of("654321")


@pytest.fixture
def desk() -> TokenDesk:
    return TokenDesk(MODEL)


@pytest.fixture
def full() -> Desk:
    return Desk(MODEL)


def test_it_is_recognised_by_its_atr_and_tells_its_serial_number(desk: TokenDesk) -> None:
    connection = desk.context.connect(READER)
    driver = driver_for(Channel(connection))
    assert connection.protocol is Protocol.T0
    assert type(driver) is Gemalto
    assert driver.chip_serial() == models.get(MODEL).serial
    connection.disconnect(Disposition.LEAVE)


def test_an_idprime_is_refused_and_the_error_says_why() -> None:
    connection = TokenDesk("idprime-940").context.connect(READER)

    with pytest.raises(CardNotRecognisedError, match=r"855956FB|85 59 56 FB.*no PKCS#15 token"):
        driver_for(Channel(connection))


def test_files_are_listed_wherever_a_profile_lays_them_out(desk: TokenDesk) -> None:
    desk.init()
    connection = desk.context.connect(READER)
    driver = driver_for(Channel(connection))
    driver.select((0x3F00, 0x5015))
    inside = {path for path in desk.view.files if path.startswith("3F00/5015/")}
    assert {f"3F00/5015/{file_id:04X}" for file_id in driver.children()} == inside
    connection.disconnect(Disposition.LEAVE)


def test_a_profile_without_fuse_leaves_it_open_and_another_takes_its_place(desk: TokenDesk) -> None:
    desk.init()
    assert desk.view.fuse == "intact"
    first = set(desk.view.files)
    desk.init()
    assert set(desk.view.files) == first


def test_a_burnt_card_shows_the_eraser_and_its_operator_alone_erases_it(desk: TokenDesk) -> None:
    delivered = desk.card.image
    desk.init(burn=True)
    assert desk.client.card_eraser(READER) is not None
    assert (desk.view.fuse, desk.view.erasable) == ("burnt", "object 05")
    before = desk.card.image

    for login in (None, Login(UserType.USER, PIN1), Login(UserType.SO, PUK)):
        with pytest.raises(MiddlewareError):
            desk.client.erase(READER, login)

    assert desk.card.image == before
    desk.client.erase(READER, Login(UserType.OPERATOR, OP))
    assert desk.card.image == delivered


def test_a_card_that_anybody_may_erase_is_as_at_delivery_afterwards(desk: TokenDesk) -> None:
    delivered = desk.card.image
    desk.init(eraseable=True, burn=True)
    assert desk.view.erasable == "always"
    desk.client.erase(READER)
    assert desk.card.image == delivered


def test_the_eraser_can_be_hidden() -> None:
    desk = TokenDesk(MODEL, switches=Switches({"middleware.card-eraser": "hidden"}))
    desk.init(eraseable=True)
    assert desk.client.card_eraser(READER) is None


def test_pins_are_verified_changed_and_unblocked_and_forgotten_again(desk: TokenDesk) -> None:
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


def test_a_wrong_puk_costs_one_of_its_tries(desk: TokenDesk) -> None:
    desk.init(burn=True)

    with pytest.raises(CredentialError) as wrong:
        desk.client.unblock_pin(READER, Secret.of("99999999"), NEW)

    assert wrong.value.tries_left == 4
    desk.client.verify_pin(READER, PIN1)


def test_the_key_of_the_main_pin_signs_through_pkcs11(full: Desk) -> None:
    signer = Signer(full)
    signature = signer.sign(Mechanism(Ckm.CKM_SHA256_RSA_PKCS), DATA)
    signer.rsa.verify(signature, DATA, padding.PKCS1v15(), SHA256())


def test_the_longest_data_that_fit_into_a_block_are_signed(full: Desk) -> None:
    signer = Signer(full)
    longest = bytes(range(245))
    signature = signer.sign(Mechanism(Ckm.CKM_RSA_PKCS), longest)
    number = pow(int.from_bytes(signature), 65537, signer.rsa.public_numbers().n)
    assert number.to_bytes(256) == b"\0\x01" + b"\xff" * 8 + b"\0" + longest


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


@pytest.mark.parametrize("bits", [1024, 2048])
def test_a_program_generates_and_deletes_a_key(full: Desk, bits: int) -> None:
    signer = Signer(full)
    common = (Attribute.of(Cka.CKA_TOKEN, value=True), Attribute(Cka.CKA_ID, b"\x77"))
    private = (*common, Attribute.of(Cka.CKA_PRIVATE, value=True))
    pair = ((*common, Attribute.of(Cka.CKA_MODULUS_BITS, bits)), private)
    mechanism = Mechanism(Ckm.CKM_RSA_PKCS_KEY_PAIR_GEN)
    public, key = signer.program("C_GenerateKeyPair", signer.session, mechanism, *pair)
    modulus, exponent = (
        int.from_bytes(signer.program.read(signer.session, public, kind))
        for kind in (Cka.CKA_MODULUS, Cka.CKA_PUBLIC_EXPONENT)
    )
    signature = signer.program.sign(signer.session, key, Mechanism(Ckm.CKM_SHA256_RSA_PKCS), DATA)
    RSAPublicNumbers(exponent, modulus).public_key().verify(signature, DATA, padding.PKCS1v15(), SHA256())
    assert modulus.bit_length() == bits
    assert len(CardView(full.card.image).keys) == 4
    signer.program("C_DestroyObject", signer.session, key)
    assert len(CardView(full.card.image).keys) == 3
