"""A program that signs in several threads while its card comes and goes.

Run as ``python -m support.signing_program LIBRARY THREADS ROUNDS MODULUS``. Each thread begins anew after
each signature, and after whatever kept it from one; one more thread waits for slot events until C_Finalize.
In the end the program prints in JSON what every function answered, and how long the longest call took.
"""

from __future__ import annotations

import ctypes
import hashlib
import json
import sys
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Final

from cardtwin.cryptoki.constants import Cka, Ckm, Cko, Cku, SessionFlag
from cardtwin.middleware.ckr import Ckr
from support.pkcs11_module import CkMechanism, Module, packed, room, template, ulong

SLOT: Final = 1
PIN: Final = b"1234"
DATA: Final = b"what is signed"
EXPONENT: Final = 65537
DIGEST_INFO: Final = bytes.fromhex("3031300D060960864801650304020105000420")


class SigningProgram:
    """Its threads, and what they were answered."""

    def __init__(self, library: str, modulus: int) -> None:
        self.module = Module(Path(library))
        self.modulus = modulus
        self.answers: Counter[str] = Counter()
        self.longest = (0.0, "")
        self.wrong = 0
        self._lock = threading.Lock()

    def call(self, name: str, *arguments: object, timed: bool = True) -> Ckr:
        """Call a function, and note what it answers and how long it takes."""
        begin = time.monotonic()
        rv = Ckr(getattr(self.module, name)(*arguments))
        taken = time.monotonic() - begin

        with self._lock:
            self.answers[f"{name} {rv.name}"] += 1

            if timed:
                self.longest = max(self.longest, (taken, f"{name} {rv.name}"))

        return rv

    def run(self, threads: int, rounds: int) -> None:
        """Sign in all threads, and finish."""
        self.call("C_Initialize", None)
        waiter = threading.Thread(target=self._wait_for_events)
        signers = [threading.Thread(target=self._sign_often, args=(rounds,)) for _ in range(threads)]

        for thread in (waiter, *signers):
            thread.start()

        for thread in signers:
            thread.join()

        self.call("C_Finalize", None)
        waiter.join()

    def _wait_for_events(self) -> None:
        slot = ulong()

        while self.call("C_WaitForSlotEvent", 0, ctypes.byref(slot), None, timed=False) is Ckr.CKR_OK:
            pass

    def _sign_often(self, rounds: int) -> None:
        for _ in range(rounds):
            session = ulong()
            flags = int(SessionFlag.CKF_SERIAL_SESSION)

            if self.call("C_OpenSession", SLOT, flags, None, None, ctypes.byref(session)) is Ckr.CKR_OK:
                self._sign(session)
                self.call("C_CloseSession", session)

    def _sign(self, session: ctypes.c_ulong) -> None:
        rv = self.call("C_Login", session, int(Cku.CKU_USER), PIN, len(PIN))

        if rv not in {Ckr.CKR_OK, Ckr.CKR_USER_ALREADY_LOGGED_IN}:
            return

        key = self._key(session)
        mechanism = CkMechanism(int(Ckm.CKM_SHA256_RSA_PKCS), None, 0)

        if key is None or self.call("C_SignInit", session, ctypes.byref(mechanism), key) is not Ckr.CKR_OK:
            return

        signature, length = room(512), ulong(512)

        if self.call("C_Sign", session, DATA, len(DATA), signature, ctypes.byref(length)) is Ckr.CKR_OK:
            self._verify(signature.raw[: length.value])

    def _key(self, session: ctypes.c_ulong) -> ctypes.c_ulong | None:
        private = template((int(Cka.CKA_CLASS), packed(int(Cko.CKO_PRIVATE_KEY))))

        if self.call("C_FindObjectsInit", session, private, 1) is not Ckr.CKR_OK:
            return None

        key, count = ulong(), ulong()
        rv = self.call("C_FindObjects", session, ctypes.byref(key), 1, ctypes.byref(count))

        if rv is not Ckr.CKR_OK or self.call("C_FindObjectsFinal", session) is not Ckr.CKR_OK:
            return None

        return key if count.value else None

    def _verify(self, signature: bytes) -> None:
        size = (self.modulus.bit_length() + 7) // 8
        block = pow(int.from_bytes(signature), EXPONENT, self.modulus).to_bytes(size)
        info = DIGEST_INFO + hashlib.sha256(DATA).digest()

        if len(signature) != size or block != b"\0\1".ljust(size - len(info) - 1, b"\xff") + b"\0" + info:
            with self._lock:
                self.wrong += 1


def main(library: str, threads: str, rounds: str, modulus: str) -> None:
    program = SigningProgram(library, int(modulus, 16))
    program.run(int(threads), int(rounds))
    told = {"answers": program.answers, "longest": program.longest, "wrong": program.wrong}
    sys.stdout.write(json.dumps(told))


if __name__ == "__main__":
    main(*sys.argv[1:])
