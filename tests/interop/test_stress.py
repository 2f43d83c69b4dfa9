"""Many programs, each with several threads, over one card that comes and goes."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections import Counter
from typing import TYPE_CHECKING, Any, Self

from cardtwin.events import CallEnded, Event
from cardtwin.middleware import Ckr
from support import native_programs
from support.programs import Desk
from support.rig import READER, Rig, full_card, opened_rig
from support.signers import Signer

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

PROGRAMS, THREADS, ROUNDS = 16, 3, 8
BOUND = 120
LONGEST = 5.0
"""Seconds that a call may take."""

GONE = {"CKR_TOKEN_NOT_PRESENT", "CKR_DEVICE_REMOVED", "CKR_SESSION_HANDLE_INVALID", "CKR_USER_NOT_LOGGED_IN"}
ALSO = {
    "C_Login": {"CKR_USER_ALREADY_LOGGED_IN"},  # by another thread of the program
    "C_WaitForSlotEvent": {"CKR_CRYPTOKI_NOT_INITIALIZED"},  # ended by C_Finalize
}


class Disturbance:
    """Takes the card out after so many successful calls, and puts it back after so many refused ones."""

    def __init__(self, rig: Rig, successes: int, refusals: int) -> None:
        self._desk = rig.bench.manager
        self._limits = {True: successes, False: refusals}
        self._count = 0
        self._present = True
        self._changed = threading.Condition()
        self._over = False
        self._desk_clerk = threading.Thread(target=self._run)
        self.removals = 0
        rig.bench.hub.subscribe(self._note)

    def _note(self, event: Event) -> None:
        if isinstance(event, CallEnded):
            with self._changed:
                self._count += (event.result == Ckr.CKR_OK.name) is self._present
                self._changed.notify()

    def __enter__(self) -> Self:
        self._desk_clerk.start()
        return self

    def __exit__(self, *_error: object) -> None:
        with self._changed:
            self._over = True
            self._changed.notify()

        self._desk_clerk.join()

    def _run(self) -> None:
        """Disturb until it is over; the card is in the reader then."""
        card = self._desk.card(READER)
        assert card is not None

        while self._waited():
            self._desk.remove(READER)
            self.removals += 1
            self._turn(present=False)
            self._waited()
            self._desk.insert(READER, card)
            self._turn(present=True)

    def _waited(self) -> bool:
        with self._changed:
            self._changed.wait_for(lambda: self._over or self._count >= self._limits[self._present])
            return not self._over

    def _turn(self, *, present: bool) -> None:
        with self._changed:
            self._present, self._count = present, 0


def started(rig: Rig) -> subprocess.Popen[str]:
    arguments = (rig.library, THREADS, ROUNDS, f"{modulus():X}")
    return subprocess.Popen(
        [sys.executable, "-m", "support.signing_program", *map(str, arguments)],
        env=native_programs.environment(**rig.outlets.environment),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def modulus() -> int:
    signer = Signer(Desk(image=full_card("cardos-5.3")))
    return signer.rsa.public_numbers().n


def told(rig: Rig) -> list[Any]:
    """Run all programs to their end, and return what each told."""
    programs = [started(rig) for _ in range(PROGRAMS)]

    try:
        outputs = [program.communicate(timeout=BOUND) for program in programs]
    finally:
        for program in programs:
            program.kill()

    assert all(not errors for _, errors in outputs), outputs
    return [json.loads(output) for output, _ in outputs]


def is_expected(answer: str) -> bool:
    """Whether a function may answer so, while the card comes and goes."""
    function, rv = answer.split()
    return rv in {"CKR_OK", *GONE, *ALSO.get(function, ())}


def test_every_call_of_many_programs_is_answered_in_time_by_what_befits_a_card_that_comes_and_goes(
    tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    with opened_rig(tmp_path) as rig, Disturbance(rig, successes=200, refusals=20) as disturbance:
        results = told(rig)

    answers: Counter[str] = sum((Counter(each["answers"]) for each in results), Counter())
    longest = max(each["longest"] for each in results)
    record_property("longest call", "{:.3f} s, {}".format(*longest))
    assert all(map(is_expected, answers)), answers
    assert not sum(each["wrong"] for each in results)
    assert longest[0] < LONGEST, longest
    assert answers["C_Sign CKR_OK"]
    assert disturbance.removals
    assert answers["C_WaitForSlotEvent CKR_OK"]
    assert answers["C_WaitForSlotEvent CKR_CRYPTOKI_NOT_INITIALIZED"] == PROGRAMS
