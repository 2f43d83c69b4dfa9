"""Several programs at once over one card that comes and goes."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256

from cardtwin.cryptoki.constants import Cka, Cko, Cku
from cardtwin.cryptoki.values import Attribute, Buffer
from cardtwin.events import Defect
from cardtwin.middleware import Ckr
from cardtwin.pcsc import Disposition
from support.programs import MAIN, PIN, RW, Desk, Program
from support.signers import DATA, SIMPLE, Signer
from support.tokens import READER

if TYPE_CHECKING:
    from collections.abc import Callable

ALLOWED = {
    Ckr.CKR_OK,
    Ckr.CKR_TOKEN_NOT_PRESENT,
    Ckr.CKR_DEVICE_REMOVED,
    Ckr.CKR_SESSION_HANDLE_INVALID,
    Ckr.CKR_USER_NOT_LOGGED_IN,
}
KEY = (Attribute.of(Cka.CKA_CLASS, int(Cko.CKO_PRIVATE_KEY)),)


class Worker(threading.Thread):
    """A program that signs again and again, and begins anew where something ended it."""

    def __init__(self, desk: Desk, public: rsa.RSAPublicKey, times: int) -> None:
        super().__init__()
        self._program = desk.program()
        self._public = public
        self._times = times
        self.answers: list[Ckr] = []

    def run(self) -> None:
        for _ in range(self._times):
            self._sign_once()

        self._program.close()

    def _sign_once(self) -> None:
        steps: list[Callable[[Program], Ckr]] = [self._open, self._log_in, self._find, self._init, self._sign]

        for step in steps:
            rv = step(self._program)
            self.answers.append(rv)

            if rv is not Ckr.CKR_OK:
                break

        self._program.rv("C_CloseAllSessions", MAIN)

    def _open(self, program: Program) -> Ckr:
        rv, results = program.ask("C_OpenSession", MAIN, int(RW))
        self._session = results[0] if results else 0
        return rv

    def _log_in(self, program: Program) -> Ckr:
        return program.rv("C_Login", self._session, Cku.CKU_USER, PIN)

    def _find(self, program: Program) -> Ckr:
        rv = program.rv("C_FindObjectsInit", self._session, KEY)

        if rv is not Ckr.CKR_OK:
            return rv

        rv, results = program.ask("C_FindObjects", self._session, 1)
        self._key = results[0][0] if results and results[0] else 0
        return rv if self._key or rv is not Ckr.CKR_OK else Ckr.CKR_USER_NOT_LOGGED_IN

    def _init(self, program: Program) -> Ckr:
        return program.rv("C_SignInit", self._session, SIMPLE, self._key)

    def _sign(self, program: Program) -> Ckr:
        rv, results = program.ask("C_Sign", self._session, DATA, Buffer(512))

        if rv is Ckr.CKR_OK:
            self._public.verify(results[0].content, DATA, padding.PKCS1v15(), SHA256())

        return rv


@pytest.mark.parametrize("disturbance", ["nothing", "removal", "reset"])
def test_programs_sign_side_by_side_and_every_answer_is_one_of_those_expected(disturbance: str) -> None:
    desk = Desk()
    signer = Signer(desk)
    public = signer.rsa
    signer.program.close()
    others = desk.manager.context()
    workers = [Worker(desk, public, 25) for _ in range(6)]

    for worker in workers:
        worker.start()

    while alive := [worker for worker in workers if worker.is_alive()]:
        if disturbance == "removal":
            desk.manager.remove(READER)
            desk.manager.insert(READER, desk.card)
        elif disturbance == "reset":
            others.connect(READER).disconnect(Disposition.RESET)

        alive[0].join(0.05)

    answers = [rv for worker in workers for rv in worker.answers]
    assert set(answers) <= ALLOWED
    assert Ckr.CKR_OK in answers
    assert not [event for event in desk.events if isinstance(event, Defect)]
