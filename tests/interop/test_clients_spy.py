"""OpenSC's pkcs11-spy between a program and our library."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from cardtwin.cryptoki.constants import Ckk
from support.interop import LIBRARIES, MissingProgramError, shared_library
from support.opinions import data_for, is_right, signing
from support.pkcs11_tool import Pkcs11Tool
from support.rig import READER, opened_rig

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CALL = re.compile(r"^\d+: (C_\w+)\n(?:.*\n)*?Returned:  \d+ (CKR_\w+)$", re.MULTILINE)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "spy.log"


@pytest.fixture
def spied(tmp_path: Path, log: Path) -> Iterator[Pkcs11Tool]:
    """pkcs11-tool above the spy above our library."""
    with opened_rig(tmp_path) as rig:
        spy = {"PKCS11SPY": rig.library, "PKCS11SPY_OUTPUT": str(log)}
        yield Pkcs11Tool(rig, shared_library("pkcs11-spy.so"), environment=spy)


def calls(log: Path) -> list[tuple[str, str]]:
    """Return the functions that the log tells of, and what they returned."""
    return CALL.findall(log.read_text())


def hexadecimal(log: str) -> str:
    """Return the hexadecimal digits of a dump."""
    lines = re.findall(r"^    [0-9A-F]{8}  ((?:[0-9A-F]{2} ){1,16})", log, re.MULTILINE)
    return "".join(lines).replace(" ", "").lower()


def test_a_library_that_is_not_there_is_an_error_that_names_its_package(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(LIBRARIES, "pkcs11-none.so", "opensc")

    with pytest.raises(MissingProgramError, match="'opensc'"):
        shared_library("pkcs11-none.so")


def test_the_spy_finds_our_interface_and_sees_the_slots(spied: Pkcs11Tool, log: Path) -> None:
    spied("--list-slots")
    told = log.read_text()

    assert f'Loaded: "{spied.rig.library}"' in told
    assert READER in told
    names = [name for name, _ in calls(log)]
    assert names.index("C_Initialize") < names.index("C_GetSlotList") < names.index("C_GetTokenInfo")
    assert names[-1] == "C_Finalize"
    assert {rv for _, rv in calls(log)} == {"CKR_OK"}


def test_the_spy_sees_a_signature_with_its_login_and_its_bytes(spied: Pkcs11Tool, log: Path) -> None:
    spec = next(spec for spec in signing(Ckk.CKK_RSA) if spec.hash == "sha256")
    signature = spied.sign(spec, data_for(spec))
    told = log.read_text()
    made = [name for name, _ in calls(log) if name in {"C_Login", "C_SignInit", "C_Sign", "C_CloseSession"}]

    assert made == ["C_Login", "C_SignInit", "C_Sign", "C_CloseSession"]
    assert "pMechanism->type = CKM_SHA256_RSA_PKCS" in told
    assert signature.hex() in hexadecimal(told)
    assert is_right(spied.public_key(), spec, data_for(spec), signature)


def test_the_spy_sees_why_a_login_failed(spied: Pkcs11Tool, log: Path) -> None:
    spied.as_user("--list-objects", pin="9999", succeeds=False)

    assert ("C_Login", "CKR_PIN_INCORRECT") in calls(log)


def test_the_program_s_own_test_finds_no_errors_above_the_spy(spied: Pkcs11Tool, log: Path) -> None:
    assert "No errors" in spied.as_user("--test")
    assert {"C_Digest", "C_Sign", "C_Verify", "C_Decrypt"} <= {name for name, _ in calls(log)}
