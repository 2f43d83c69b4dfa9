"""Encodings of pre-personalised cards: a certificate for the key whose public half stands beside the PINs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key

from cardtwin.cryptoki.constants import Cka, Cko, Cku
from cardtwin.cryptoki.values import Attribute
from cardtwin.encoding import ApplicationError, Engine, ServerSide
from cardtwin.entropy import SeededEntropy
from cardtwin.issuance import LocalAuthority
from cardtwin.middleware import ENCRYPTED_PINS, Installation, PersonalDesktopClient
from cardtwin.plan import Secret
from cardtwin.plan.cms import CmsPinBlobCodec
from cardtwin.ppa.shipped import shipped_profile
from cardtwin.targets.programs import EmulatedProgram
from support.encodings import job
from support.programs import Desk, Program, encoded
from support.signers import DATA, SIMPLE

if TYPE_CHECKING:
    from cardtwin.encoding import Outcome

MODELS = ("cardos-4.4", "cardos-5.3", "cosmo-8.2")
PIN = Secret.of("271828")
BESIDE = "PERSINFO_PUT_PUBRSA_AND_SEC()"
ALONE = "PERSINFO_SEC()"
P10 = '[Application_A]\nCertTempl=Sign\nObjectCriteria=CKO_PRIVATE_KEY,CKA_LABEL,string,"Digital Signature"\n'


def profile(model: str, more: str = "") -> str:
    """Return the shipped profile with a PIN that is known."""
    text = shipped_profile(model, "prepersonalised").read_text()
    text = text.replace("SEC_PIN1 = SECRANDOM(6)", f"SEC_PIN1 = '{PIN.reveal().decode()}'")
    return text.replace("X_Certificate EFCERT1", f"{more}\n\nX_Certificate EFCERT1")


def desk_with(model: str, text: str) -> Desk:
    return Desk(model, image=encoded(model, text))


def looking(desk: Desk) -> tuple[Program, int]:
    """Return a program whose user is logged in, and its session."""
    program = desk.program()
    program.slots()
    session = program.session()
    program("C_Login", session, Cku.CKU_USER, PIN)
    return program, session


def request(desk: Desk) -> Outcome:
    """Have a certificate issued for the key on the card."""
    client = PersonalDesktopClient(
        desk.manager.context(), Installation(), entropy=SeededEntropy("client"), codec=CmsPinBlobCodec()
    )
    engine = Engine(
        lambda _: client,
        programs=lambda _: EmulatedProgram(lambda: desk.program().application, desk.hub, "java.exe"),
        server=ServerSide(LocalAuthority(entropy=SeededEntropy("ca"))),
    )
    return engine.run(job("PIN=PIN\n", {"PIN": PIN}, more=P10))


@pytest.mark.parametrize("model", MODELS)
def test_a_key_s_public_half_is_known_from_beside_the_encrypted_pins(model: str) -> None:
    program, session = looking(desk_with(model, profile(model)))
    key = program.key(session)
    public = load_der_public_key(program.read(session, key, Cka.CKA_PUBLIC_KEY_INFO))
    assert isinstance(public, rsa.RSAPublicKey)
    assert program.read(session, key, Cka.CKA_MODULUS) == public.public_numbers().n.to_bytes(256)
    public.verify(program.sign(session, key, SIMPLE, DATA), DATA, padding.PKCS1v15(), SHA256())


@pytest.mark.parametrize("model", MODELS)
def test_a_certificate_takes_the_place_of_the_encrypted_pins(model: str) -> None:
    desk = desk_with(model, profile(model))
    program, session = looking(desk)
    info = program.read(session, program.key(session), Cka.CKA_PUBLIC_KEY_INFO)
    assert program.key(session, ENCRYPTED_PINS, Cko.CKO_DATA)
    program.close()
    assert request(desk).error is None

    program, session = looking(desk)
    certificate = x509.load_der_x509_certificate(
        program.read(session, program.key(session, kind=Cko.CKO_CERTIFICATE), Cka.CKA_VALUE)
    )
    assert program.read(session, program.key(session), Cka.CKA_PUBLIC_KEY_INFO) == info
    assert certificate.public_key() == load_der_public_key(info)
    assert program.find(session, Attribute.of(Cka.CKA_LABEL, ENCRYPTED_PINS)) == []


def test_a_key_whose_public_half_nobody_tells_gets_no_certificate() -> None:
    desk = desk_with("cardos-5.3", profile("cardos-5.3").replace(BESIDE, ALONE))
    error = request(desk).error
    assert isinstance(error, ApplicationError)
    assert str(error) == "[Application_A]: the token tells no public half of the key 'Digital Signature'"


def test_of_two_public_keys_beside_the_pins_neither_is_taken_for_the_certificate_s() -> None:
    other = "X_Key OTHER reference=2 directory=DFPKCS15 type=rsa size=2048 use=sign access=pin1 label='Other'"
    program, session = looking(desk_with("cardos-5.3", profile("cardos-5.3", other)))

    for label in ("Digital Signature", "Other"):
        assert program.read(session, program.key(session, label), Cka.CKA_PUBLIC_KEY_INFO) == b""
