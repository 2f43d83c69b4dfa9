"""Mechanisms of a card that knows the padding of PKCS#1 v1.5 and no other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cardtwin.cryptoki.constants import Ckm
from cardtwin.cryptoki.values import Buffer, Mechanism
from cardtwin.middleware import Ckr
from support.programs import MAIN, Desk
from support.signers import DATA, Signer

if TYPE_CHECKING:
    from collections.abc import Iterator

OTHER_PADDINGS = ("CKM_RSA_X_509", "CKM_RSA_PKCS_OAEP", "CKM_RSA_PKCS_PSS", "CKM_SHA256_RSA_PKCS_PSS")


@pytest.fixture
def holder() -> Iterator[Signer]:
    found = Signer(Desk("cosmo-8.2"))
    yield found
    found.program.close()


def test_only_mechanisms_whose_padding_the_card_does_are_listed(holder: Signer) -> None:
    listed = set(holder.program("C_GetMechanismList", MAIN, Buffer(200)).content)

    assert {Ckm.CKM_RSA_PKCS, Ckm.CKM_SHA256_RSA_PKCS} <= listed
    assert not listed & {Ckm[name] for name in OTHER_PADDINGS}


@pytest.mark.parametrize("name", OTHER_PADDINGS)
def test_a_mechanism_that_is_not_listed_is_refused_at_once(holder: Signer, name: str) -> None:
    assert holder.program.rv("C_GetMechanismInfo", MAIN, Ckm[name]) is Ckr.CKR_MECHANISM_INVALID
    assert holder.init(Mechanism(Ckm[name])) is Ckr.CKR_MECHANISM_INVALID


def test_the_listed_ones_sign(holder: Signer) -> None:
    mechanism = Mechanism(Ckm.CKM_SHA256_RSA_PKCS)
    assert holder.verify(mechanism, holder.sign(mechanism, DATA), DATA) is Ckr.CKR_OK
