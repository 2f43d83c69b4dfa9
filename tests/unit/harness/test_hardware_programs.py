"""The guard of programs that call a library above a physical card."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cardtwin.cryptoki.constants import Cku, TokenFlag
from cardtwin.cryptoki.foreign import Returned
from cardtwin.cryptoki.structures import SessionInfo, TokenInfo
from cardtwin.events import CommandRefused, Hub
from cardtwin.plan import Secret
from cardtwin.scenario import effects
from cardtwin.targets import TargetError
from cardtwin.targets.hardware import GuardedProgram, Permissions

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cardtwin.events import Event

SESSION, SLOT = 7, 3
PIN = Secret.of("918273")
CALLS: dict[str, tuple[object, ...]] = {
    "C_Login": (SESSION, Cku.CKU_USER, PIN),
    "C_SetPIN": (SESSION, PIN, PIN),
    "C_InitPIN": (SESSION, PIN),
    "C_InitToken": (SLOT, PIN, "label"),
    "C_DestroyObject": (SESSION, 1),
}


def token_info(flags: int) -> TokenInfo:
    return TokenInfo(
        label="t",
        manufacturer_id="m",
        model="x",
        serial_number="1",
        flags=flags,
        max_session_count=0,
        session_count=0,
        max_rw_session_count=0,
        rw_session_count=0,
        max_pin_len=8,
        min_pin_len=4,
        total_public_memory=0,
        free_public_memory=0,
        total_private_memory=0,
        free_private_memory=0,
    )


class Library:
    """A program with a library that does everything, and tells flags."""

    def __init__(self, flags: TokenFlag | None) -> None:
        self.flags = flags
        self.called: list[str] = []

    def initialize(self) -> Returned:
        return Returned(0)

    def finalize(self) -> Returned:
        return Returned(0)

    def call(self, name: str, arguments: Sequence[object]) -> Returned:
        self.called.append(name)

        if name == "C_GetSessionInfo":
            return Returned(0, (SessionInfo(slot_id=SLOT, state=0, flags=0),))

        if name == "C_GetTokenInfo":
            assert arguments == (SLOT,)
            told = None if self.flags is None else token_info(int(self.flags))
            return Returned(5) if told is None else Returned(0, (told,))

        return Returned(0)

    def fork(self) -> Library:
        return self

    def close(self) -> None:
        pass


def guarded(library: Library, allowed: Permissions) -> tuple[GuardedProgram, list[Event]]:
    events: list[Event] = []
    hub = Hub()
    hub.subscribe(events.append)
    return GuardedProgram(library, "java.exe", allowed, hub), events


@pytest.mark.parametrize("name", CALLS)
def test_a_call_that_its_step_has_not_declared_is_not_made(name: str) -> None:
    library = Library(TokenFlag(0))
    program, events = guarded(library, Permissions(destructive=True))

    with pytest.raises(TargetError, match="declared"):
        program.call(name, CALLS[name])

    assert library.called == []
    assert [event.rule for event in events if isinstance(event, CommandRefused)]


@pytest.mark.cardtwin_proves("HW-03")
@pytest.mark.parametrize("name", ["C_InitToken", "C_DestroyObject"])
def test_what_destroys_needs_the_flag(name: str) -> None:
    for destructive in (True, False):
        library = Library(TokenFlag(0))
        program, _ = guarded(library, Permissions(destructive=destructive))
        program.declare(effects.REMAKES)

        if destructive:
            program.call(name, CALLS[name])
        else:
            with pytest.raises(TargetError, match="takes contents away"):
                program.call(name, CALLS[name])

        assert (name in library.called) is destructive


@pytest.mark.cardtwin_proves("HW-02")
@pytest.mark.parametrize(
    ("name", "flag"),
    [
        ("C_Login", TokenFlag.CKF_USER_PIN_FINAL_TRY),
        ("C_Login", TokenFlag.CKF_USER_PIN_LOCKED),
        ("C_SetPIN", TokenFlag.CKF_USER_PIN_FINAL_TRY),
        ("C_SetPIN", TokenFlag.CKF_SO_PIN_FINAL_TRY),
        ("C_InitToken", TokenFlag.CKF_SO_PIN_FINAL_TRY),
    ],
)
def test_no_pin_is_presented_at_the_last_try_that_the_flags_tell(name: str, flag: TokenFlag) -> None:
    library = Library(flag)
    program, _ = guarded(library, Permissions(destructive=True))
    program.declare(effects.REMAKES)

    with pytest.raises(TargetError, match="last try"):
        program.call(name, CALLS[name])

    assert name not in library.called


@pytest.mark.cardtwin_proves("HW-02")
@pytest.mark.parametrize(("known", "passes"), [(None, False), (1, False), (2, True)])
def test_without_flags_the_tries_have_to_be_known(known: int | None, passes: bool) -> None:
    library = Library(None)
    program, _ = guarded(library, Permissions(known_tries=known))
    program.declare(effects.PRESENTS)

    if passes:
        program.call("C_Login", CALLS["C_Login"])
    else:
        with pytest.raises(TargetError, match="flags"):
            program.call("C_Login", CALLS["C_Login"])

    assert ("C_Login" in library.called) is passes


def test_after_a_refusal_nothing_is_called_but_what_ends_a_login() -> None:
    library = Library(TokenFlag(0))
    program, _ = guarded(library, Permissions())

    with pytest.raises(TargetError):
        program.call("C_DestroyObject", CALLS["C_DestroyObject"])

    with pytest.raises(TargetError, match="after a refusal"):
        program.call("C_GetInfo", ())

    program.call("C_Logout", (SESSION,))
    assert library.called == ["C_Logout"]
