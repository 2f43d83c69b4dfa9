"""Calls of a library that tells nobody of them are told where they are made."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cardtwin.cryptoki.constants import Cku
from cardtwin.cryptoki.foreign import Returned
from cardtwin.cryptoki.values import Answer
from cardtwin.events import Hub, because
from cardtwin.middleware import Ckr
from cardtwin.plan import Secret
from cardtwin.targets import TargetError
from cardtwin.targets.told import ToldProgram
from cardtwin.trace import Recorder

if TYPE_CHECKING:
    from collections.abc import Sequence


class Foreign:
    """A program whose library signs once, and dies at the second signature."""

    def __init__(self) -> None:
        self.closed = False
        self._signed = False

    def initialize(self) -> Returned:
        return Returned(Ckr.CKR_OK)

    def finalize(self) -> Returned:
        return Returned(0x80000001)

    def call(self, name: str, arguments: Sequence[object]) -> Returned:
        assert arguments

        if name == "C_Sign" and self._signed:
            raise TargetError("it is gone")

        self._signed = name == "C_Sign"
        return Returned(Ckr.CKR_OK, (Answer(2, b"ab"),) if self._signed else ())

    def fork(self) -> Foreign:
        return Foreign()

    def close(self) -> None:
        self.closed = True


def test_every_call_is_told_with_its_secrets_masked() -> None:
    hub, recorder, foreign = Hub(), Recorder(), Foreign()
    hub.subscribe(recorder)
    program = ToldProgram(foreign, "java.exe", hub)

    with because("step 1 (pkcs11)"):
        program.initialize()
        program.call("C_Login", (1, Cku.CKU_USER, Secret.of("271828")))
        assert program.call("C_Sign", (1, b"data")).results == (Answer(2, b"ab"),)
        program.fork().call("C_Logout", (1,))

        with pytest.raises(TargetError):
            program.call("C_Sign", (1, b"data"))

        program.finalize()

    program.close()
    assert foreign.closed
    text = recorder.text("foreign")
    assert "271828" not in text
    assert text.splitlines()[:6] == [
        "## foreign",
        "# step 1 (pkcs11)",
        "  [1] java.exe: C_Initialize() -> CKR_OK",
        "  [2] java.exe: C_Login(hSession=1, userType=CKU_USER, pPin=**) -> CKR_OK",
        "  [3] java.exe: C_Sign(hSession=1, pData=4 bytes) -> CKR_OK, *pSignature=2",
        "  [4] the child of java.exe: C_Logout(hSession=1) -> CKR_OK",
    ]
    assert text.splitlines()[-1].endswith("C_Finalize() -> 0x80000001")
