"""Whatever secrets calls of PKCS#11 carry, no trace, log or event shows them, whether they succeed or not."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from hypothesis import given, settings
from hypothesis import strategies as st

from cardtwin.cryptoki.constants import Cka, Ckk, Ckm, Cko, Cku
from cardtwin.cryptoki.values import Attribute, Buffer, Mechanism, NamedValue, Query
from cardtwin.events import Exchange
from cardtwin.plan import Secret
from cardtwin.provenance import Switches
from cardtwin.provenance.cryptoki import LOGGED_CALLS
from cardtwin.trace import Recorder
from support.programs import MAIN, OPERATOR, PIN, PROFILES, PUK, RW, Desk, Program
from support.signers import Signer

PINS = st.lists(st.from_regex(r"[1-9]{8}", fullmatch=True), min_size=5, max_size=5, unique=True)
VALUES = st.lists(st.binary(min_size=24, max_size=24), min_size=3, max_size=3, unique=True)
SECRET_ATTRIBUTES = [
    Cka.CKA_VALUE,
    Cka.CKA_PRIVATE_EXPONENT,
    Cka.CKA_PRIME_1,
    Cka.CKA_COEFFICIENT,
    Cka.CKA_UNWRAP_TEMPLATE,
    Cka.CKA_VENDOR_DEFINED,
]


def call_all(desk: Desk, folder: Path, pins: list[str], values: list[bytes], kind: Cka) -> None:
    wrong, changed, unblocked, by_officer, operator = map(Secret.of, pins)
    switches = Switches({LOGGED_CALLS.id: "all"})
    signer = Signer(desk, switches=switches, log_folder=folder)
    program, session = signer.program, signer.session
    program("C_SetPIN", session, PIN, changed)
    use_keys(signer, values, kind)
    program.rv("C_SetPIN", session, wrong, changed)
    program("C_Logout", session)
    program.rv("C_Login", session, Cku.CKU_USER, wrong)
    program.rv("C_Login", session, 17, wrong)
    program("cardtwin_UnblockPIN", MAIN, PUK, unblocked)
    program.rv("cardtwin_UnblockPIN", MAIN, wrong, unblocked)
    program("C_Login", session, Cku.CKU_SO, PUK)
    program("C_InitPIN", session, by_officer)
    program.rv("cardtwin_LoginOperator", session, operator)
    program("cardtwin_LoginOperator", session, OPERATOR)
    program.rv("C_InitToken", MAIN, wrong, b"label".ljust(32))
    program.close()


def use_keys(signer: Signer, values: list[bytes], kind: Cka) -> None:
    program, session = signer.program, signer.session
    cryptogram = signer.rsa.encrypt(values[0], PKCS1v15())
    program("C_DecryptInit", session, Mechanism(Ckm.CKM_RSA_PKCS), signer.key)
    assert program("C_Decrypt", session, cryptogram, Buffer(256)).content == values[0]
    program.rv("C_EncryptInit", session, Mechanism(Ckm.CKM_RSA_PKCS), signer.public_handle)
    program.rv("C_Encrypt", session, values[0], Buffer(256))
    data = (
        Attribute.of(Cka.CKA_CLASS, int(Cko.CKO_DATA)),
        Attribute.of(Cka.CKA_LABEL, "data"),
        Attribute(Cka.CKA_VALUE, values[1]),
    )
    handle = program("C_CreateObject", session, data)
    program("C_GetAttributeValue", session, handle, (Query(Cka.CKA_VALUE, 100),))
    program.find(session, Attribute(kind, values[2]))
    key = (
        Attribute.of(Cka.CKA_CLASS, int(Cko.CKO_PRIVATE_KEY)),
        Attribute.of(Cka.CKA_KEY_TYPE, int(Ckk.CKK_RSA)),
        Attribute.of(Cka.CKA_TOKEN, value=True),
        Attribute(kind, values[2]),
    )
    program.rv("C_CreateObject", session, key)
    program.rv("C_SetAttributeValue", session, handle, (Attribute(kind, values[2]),))
    program.rv("C_CopyObject", session, handle, (Attribute(kind, values[2]),))
    program.rv("C_UnwrapKey", session, Mechanism(Ckm.CKM_RSA_PKCS), signer.key, values[0], key)


def initialise(desk: Desk, folder: Path, pins: list[str]) -> Program:
    program = desk.program(log_folder=folder)
    profile = (PROFILES / f"{desk.model.name}-full.cpf").read_bytes()
    names = ("PIN1", "PUK", "PIN2", "OP")
    named = tuple(NamedValue(name, pin.encode()) for name, pin in zip(names, pins, strict=False))
    program("cardtwin_InitTokenPPA", MAIN, profile, (), named, b"Badge")
    program.rv("cardtwin_InitTokenPPA", MAIN, f"SEC_PIN1 = '{pins[0]}' nonsense".encode(), (), named, b"")
    session = program.session(RW)
    program("C_Login", session, Cku.CKU_USER, Secret.of(pins[0]))
    return program


def forms_of(secret: bytes) -> set[str]:
    digits = secret.hex(" ")
    return {repr(secret)[2:-1].upper(), digits.upper(), digits.replace(" ", "").upper()}


@pytest.mark.cardtwin_proves("RR-01")
@settings(max_examples=15, deadline=None)
@given(PINS, VALUES, st.sampled_from(SECRET_ATTRIBUTES), st.sampled_from(["cardos-4.4", "cardos-5.3"]))
def test_no_secret_of_a_call_is_shown(pins: list[str], values: list[bytes], kind: Cka, model: str) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        shown = ""

        for blank in (False, True):
            desk, recorder = Desk(model, blank=blank), Recorder()
            desk.hub.subscribe(recorder)

            if blank:
                initialise(desk, folder, pins).close()
            else:
                call_all(desk, folder, pins, values, kind)

            events = [event for event in desk.events if not isinstance(event, Exchange)]
            shown += recorder.text("title") + repr(desk.events) + "".join(map(str, events))

        log = (folder / "personal.log").read_text(encoding="utf-8")

    assert "C_Login(hSession=1, userType=CKU_USER, pPin=**)" in log
    assert "C_InitToken" in log
    shown = f"{shown}{log}".upper()
    secrets = [*(pin.encode() for pin in pins), *values, PIN.reveal() + b"\0\0\0\0", PUK.reveal()]

    for secret in secrets:
        assert not [form for form in forms_of(secret) if form in shown]
