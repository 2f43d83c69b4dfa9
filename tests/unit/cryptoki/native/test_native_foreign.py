"""A library called by its path does what the same functions do in process: the same in, the same out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cardtwin.cryptoki.calls import Client
from cardtwin.cryptoki.constants import Cka, Ckm
from cardtwin.cryptoki.dispatch import Caller
from cardtwin.cryptoki.errors import LibraryMissingError
from cardtwin.cryptoki.foreign import ForeignModule
from cardtwin.cryptoki.structures import (
    CcmParams,
    Ecdh1DeriveParams,
    GcmParams,
    RsaPkcsOaepParams,
    RsaPkcsPssParams,
)
from cardtwin.cryptoki.values import Attribute, Buffer, Mechanism, NamedValue, Query
from cardtwin.events import Hub
from cardtwin.middleware import Ckr
from cardtwin.plan import Secret
from support.cryptoki import Program, many, registry

if TYPE_CHECKING:
    from support.cryptoki import Served
    from support.pkcs11_module import Module


@pytest.fixture
def foreign(library: Path, token: Served, bare: Module) -> ForeignModule:
    """Return the library, as anybody's; it ends as the one of the other tests does."""
    foreign = ForeignModule(library)
    assert foreign.initialize().name == "CKR_OK"
    return foreign


def check(foreign: ForeignModule, token: Served, name: str, *arguments: object) -> None:
    """Call a function both ways and compare what it saw, and what it gave."""
    program = Program(Client(0, ""))
    here = Caller(program, registry, Hub()).call(name, arguments)
    before = len(token.program.seen)
    there = foreign.call(name, arguments)

    assert (there.rv, _listed(there.results)) == (here.rv, _listed(here.results))
    assert token.program.seen[before:] == program.seen


def _listed(results: tuple[object, ...]) -> list[object]:
    """Compare sequences by what is in them."""
    return [tuple(each) if isinstance(each, list | tuple) else each for each in results]


MODULUS = bytes(range(256))
PSS = Mechanism(Ckm.CKM_SHA256_RSA_PKCS_PSS, RsaPkcsPssParams(hash_alg=1, mgf=2, salt_len=3))
OAEP = RsaPkcsOaepParams(hash_alg=1, mgf=2, source=1, source_data=b"label")
ECDH = Ecdh1DeriveParams(kdf=1, shared_data=b"", public_data=b"point")
GCM = GcmParams(iv=b"iv", iv_bits=16, aad=b"", tag_bits=128)
CCM = CcmParams(data_len=9, nonce=b"nonce", aad=b"aad", mac_len=8)


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("C_GetSlotInfo", (99,)),
        ("C_GetTokenInfo", (1,)),
        ("C_GetMechanismInfo", (1, 2)),
        ("C_GetSessionInfo", (5,)),
        ("C_GetSlotList", (True, Buffer(None))),
        ("C_GetSlotList", (False, Buffer(None))),
        ("C_GetSlotList", (False, Buffer(2))),
        ("C_GetSlotList", (False, Buffer(9))),
        ("C_InitToken", (1, Secret(b"12"), b"Label".ljust(32))),
        ("C_SetPIN", (1, None, Secret(b""))),
        ("C_OpenSession", (1, 6)),
        ("C_Login", (1, 0, None)),
        ("C_Login", (1, 1, Secret(b"1234"))),
        ("C_FindObjectsInit", (1, (Attribute(Cka.CKA_ID, b""), Attribute.of(Cka.CKA_CLASS, 3)))),
        ("C_FindObjects", (1, 3)),
        ("C_FindObjects", (1, 0)),
        ("C_GetAttributeValue", (1, 2, (Query(Cka.CKA_MODULUS, 256), Query(Cka.CKA_ID, 9)))),
        ("C_GetAttributeValue", (1, 2, (Query(Cka.CKA_MODULUS, None),))),
        ("C_GetAttributeValue", (1, 2, (Query(Cka.CKA_PRIVATE_EXPONENT, 9), Query(Cka.CKA_LABEL, 99)))),
        ("C_GetAttributeValue", (1, 2, (Query(Cka.CKA_MODULUS, 1),))),
        ("C_EncryptInit", (1, Mechanism(Ckm.CKM_RSA_PKCS), 2)),
        ("C_EncryptInit", (1, Mechanism(Ckm.CKM_AES_CBC, bytes(16)), 2)),
        ("C_EncryptInit", (1, PSS, 2)),
        ("C_EncryptInit", (1, Mechanism(Ckm.CKM_RSA_PKCS_OAEP, OAEP), 2)),
        ("C_EncryptInit", (1, Mechanism(Ckm.CKM_ECDH1_DERIVE, ECDH), 2)),
        ("C_EncryptInit", (1, Mechanism(Ckm.CKM_AES_GCM, GCM), 2)),
        ("C_EncryptInit", (1, Mechanism(Ckm.CKM_AES_CCM, CCM), 2)),
        ("C_Sign", (1, b"abc", Buffer(None))),
        ("C_Sign", (1, b"abc", Buffer(2))),
        ("C_Sign", (1, b"abc", Buffer(300))),
        ("C_Sign", (1, b"", Buffer(0))),
        ("C_Verify", (1, b"abc", b"abc")),
        ("C_Verify", (1, b"abc", b"cba")),
        ("C_GenerateKeyPair", (1, PSS, (Attribute.of(Cka.CKA_MODULUS_BITS, 2048),), ())),
        ("C_GenerateRandom", (1, 20)),
        ("C_GenerateRandom", (1, 0)),
        ("C_WaitForSlotEvent", (1,)),
        ("C_Logout", (1,)),
        ("cardtwin_InitTokenPPA", (1, b"text", (NamedValue("Ä", b"n"),), (NamedValue("PIN1", b"1"),), b"")),
        ("cardtwin_UnblockPIN", (1, None, None)),
    ],
)
def test_a_call_gives_the_same_as_in_process(
    foreign: ForeignModule, token: Served, name: str, arguments: tuple[object, ...]
) -> None:
    check(foreign, token, name, *arguments)


plain_types = st.integers(0, 2**64 - 1).filter(lambda kind: not 0x40000211 <= kind <= 0x40000213)


@many
@given(template=st.lists(st.builds(Attribute, plain_types, st.binary(max_size=40)), max_size=10))
def test_any_template_gives_the_same_as_in_process(
    foreign: ForeignModule, token: Served, template: list[Attribute]
) -> None:
    check(foreign, token, "C_CreateObject", 1, tuple(template))


def test_info_comes_back_as_it_was_given_but_for_what_is_too_long(foreign: ForeignModule) -> None:
    (info,) = foreign.call("C_GetInfo", ()).results
    assert getattr(info, "library_description", "") == "A library whose description is t"


def test_a_library_that_is_none_is_refused(tmp_path: Path) -> None:
    text = tmp_path / "text.so"
    text.write_text("no library")

    for path in (tmp_path / "nothing.so", text, Path("libc.so.6")):
        with pytest.raises(LibraryMissingError, match="is no PKCS#11 library"):
            ForeignModule(path)


def test_a_library_before_its_beginning_and_after_its_end_says_so(foreign: ForeignModule) -> None:
    assert foreign.initialize().rv == Ckr.CKR_CRYPTOKI_ALREADY_INITIALIZED
    assert foreign.finalize().name == "CKR_OK"
    assert foreign.call("C_GetInfo", ()).name == "CKR_CRYPTOKI_NOT_INITIALIZED"
