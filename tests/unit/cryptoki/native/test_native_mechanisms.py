"""Mechanisms and their parameters, followed to where their pointers lead."""

from __future__ import annotations

import ctypes
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cardtwin.cryptoki.constants import Ckm
from cardtwin.cryptoki.structures import (
    CcmParams,
    Ecdh1DeriveParams,
    GcmParams,
    RsaPkcsOaepParams,
    RsaPkcsPssParams,
)
from cardtwin.cryptoki.values import Mechanism
from cardtwin.middleware import Ckr
from support.cryptoki import many
from support.pkcs11_module import address, mechanism, packed

if TYPE_CHECKING:
    from support.cryptoki import Served
    from support.pkcs11_module import Module

OK, BAD = Ckr.CKR_OK, Ckr.CKR_ARGUMENTS_BAD


def carried(module: Module, token: Served, kind: int, parameter: bytes | None) -> Mechanism:
    assert module.C_EncryptInit(1, ctypes.byref(mechanism(kind, parameter)), 5) == OK
    found, key = token.program.seen[-1]
    assert key == 5
    assert isinstance(found, Mechanism)
    return found


def test_no_mechanism_is_refused(module: Module) -> None:
    assert module.C_EncryptInit(1, None, 5) == BAD


def test_a_mechanism_without_parameter_has_none(module: Module, token: Served) -> None:
    assert carried(module, token, Ckm.CKM_RSA_PKCS, None) == Mechanism(Ckm.CKM_RSA_PKCS, b"")


def test_a_parameter_that_is_no_structure_is_bytes(module: Module, token: Served) -> None:
    assert carried(module, token, Ckm.CKM_AES_CBC, bytes(16)).parameter == bytes(16)


@pytest.mark.parametrize("kind", [each for each in Ckm if each.name.endswith("RSA_PKCS_PSS")])
def test_pss_is_a_structure(module: Module, token: Served, kind: Ckm) -> None:
    found = carried(module, token, kind, packed(0x250, 2, 32))
    assert found.params(RsaPkcsPssParams) == RsaPkcsPssParams(hash_alg=0x250, mgf=2, salt_len=32)


@pytest.mark.parametrize("label", [b"", b"label"])
def test_oaep_is_followed_to_its_label(module: Module, token: Served, label: bytes) -> None:
    kept, place = address(label)
    found = carried(module, token, Ckm.CKM_RSA_PKCS_OAEP, packed(0x220, 1, 1, place, len(label)))
    assert found.params(RsaPkcsOaepParams) == RsaPkcsOaepParams(
        hash_alg=0x220, mgf=1, source=1, source_data=label
    )
    assert kept


def test_ecdh_is_followed_to_both_its_data(module: Module, token: Served) -> None:
    shared, public = address(b"shared"), address(b"public point")
    found = carried(module, token, Ckm.CKM_ECDH1_DERIVE, packed(1, len(b"shared"), shared[1], 12, public[1]))
    assert found.params(Ecdh1DeriveParams) == Ecdh1DeriveParams(
        kdf=1, shared_data=b"shared", public_data=b"public point"
    )


def test_gcm_and_ccm_are_followed_to_their_data(module: Module, token: Served) -> None:
    iv, aad = address(b"twelve bytes"), address(b"more")
    found = carried(module, token, Ckm.CKM_AES_GCM, packed(iv[1], 12, 96, aad[1], 4, 128))
    assert found.params(GcmParams) == GcmParams(iv=b"twelve bytes", iv_bits=96, aad=b"more", tag_bits=128)
    found = carried(module, token, Ckm.CKM_AES_CCM, packed(100, iv[1], 12, aad[1], 4, 8))
    assert found.params(CcmParams) == CcmParams(data_len=100, nonce=b"twelve bytes", aad=b"more", mac_len=8)


def test_a_structure_of_the_wrong_length_is_bytes_that_nobody_follows(module: Module, token: Served) -> None:
    found = carried(module, token, Ckm.CKM_RSA_PKCS_OAEP, packed(0x220, 1, 1, 1))
    assert found.parameter == packed(0x220, 1, 1, 1)

    with pytest.raises(Exception, match="CKR_MECHANISM_PARAM_INVALID: CKM_RSA_PKCS_OAEP takes"):
        found.params(RsaPkcsOaepParams)


def test_null_with_a_length_within_a_parameter_makes_the_parameter_invalid(module: Module) -> None:
    for kind, parameter in (
        (Ckm.CKM_RSA_PKCS_OAEP, packed(0x220, 1, 1, 0, 5)),
        (Ckm.CKM_ECDH1_DERIVE, packed(1, 0, 0, 65, 0)),
    ):
        broken = mechanism(kind, parameter)
        assert module.C_EncryptInit(1, ctypes.byref(broken), 5) == Ckr.CKR_MECHANISM_PARAM_INVALID

    missing = mechanism(Ckm.CKM_AES_CBC)
    missing.length = 16
    assert module.C_EncryptInit(1, ctypes.byref(missing), 5) == Ckr.CKR_MECHANISM_PARAM_INVALID


@many
@given(kind=st.integers(0, 2**64 - 1), parameter=st.binary(min_size=1, max_size=100))
def test_any_parameter_comes_through(module: Module, token: Served, kind: int, parameter: bytes) -> None:
    """Structures apart: their bytes would be pointers."""
    kind |= 1 << 40
    assert carried(module, token, kind, parameter) == Mechanism(kind, parameter)
