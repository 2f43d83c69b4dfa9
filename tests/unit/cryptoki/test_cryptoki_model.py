"""Random programs against a small model of PKCS#11's rules for sessions and logins."""

from __future__ import annotations

from dataclasses import dataclass, field

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, multiple, rule

from cardtwin.cryptoki.constants import Cks, Cku
from cardtwin.middleware import Ckr
from support.programs import MAIN, PIN, PUK, RO, RW, WRONG, Desk, Program
from support.tokens import READER

_STATES = {
    (False, None): Cks.CKS_RO_PUBLIC_SESSION,
    (False, Cku.CKU_USER): Cks.CKS_RO_USER_FUNCTIONS,
    (True, None): Cks.CKS_RW_PUBLIC_SESSION,
    (True, Cku.CKU_USER): Cks.CKS_RW_USER_FUNCTIONS,
    (True, Cku.CKU_SO): Cks.CKS_RW_SO_FUNCTIONS,
}
_PINS = {Cku.CKU_USER: PIN, Cku.CKU_SO: PUK}


@dataclass
class Model:
    """What one program's calls should come to."""

    user: Cku | None = None
    sessions: dict[int, bool] = field(default_factory=dict)
    removed: bool = False

    def refusal(self, session: int) -> Ckr | None:
        if session not in self.sessions:
            return Ckr.CKR_SESSION_HANDLE_INVALID

        if self.removed:
            self.sessions.clear()
            self.user, self.removed = None, False
            return Ckr.CKR_DEVICE_REMOVED

        return None

    def login(self, session: int, user: Cku, *, right: bool) -> Ckr:
        if refusal := self.refusal(session):
            return refusal

        if self.user is not None:
            same = self.user is user
            return Ckr.CKR_USER_ALREADY_LOGGED_IN if same else Ckr.CKR_USER_ANOTHER_ALREADY_LOGGED_IN

        if user is Cku.CKU_SO and not all(self.sessions.values()):
            return Ckr.CKR_SESSION_READ_ONLY_EXISTS

        if not right:
            return Ckr.CKR_PIN_INCORRECT

        self.user = user
        return Ckr.CKR_OK

    def logout(self, session: int) -> Ckr:
        if refusal := self.refusal(session):
            return refusal

        was, self.user = self.user, None
        return Ckr.CKR_USER_NOT_LOGGED_IN if was is None else Ckr.CKR_OK

    def close(self, session: int) -> Ckr:
        if refusal := self.refusal(session):
            return refusal

        del self.sessions[session]

        if not self.sessions:
            self.user = None

        return Ckr.CKR_OK

    def open(self, *, writable: bool) -> Ckr:
        if self.removed:
            self.sessions.clear()
            self.user, self.removed = None, False

        if not writable and self.user is Cku.CKU_SO:
            return Ckr.CKR_SESSION_READ_WRITE_SO_EXISTS

        return Ckr.CKR_OK


class Programs(RuleBasedStateMachine):
    """Two programs over one card, which is now and then taken out and put back."""

    sessions = Bundle("sessions")

    def __init__(self) -> None:
        super().__init__()
        self.desk = Desk()
        self.programs: list[Program] = [self.desk.program() for _ in range(2)]
        self.models = [Model(), Model()]

    @rule(target=sessions, who=st.integers(0, 1), writable=st.booleans())
    def open(self, who: int, writable: bool) -> object:
        expected = self.models[who].open(writable=writable)
        rv, results = self.programs[who].ask("C_OpenSession", MAIN, int(RW if writable else RO))
        assert rv is expected

        if rv is not Ckr.CKR_OK:
            return multiple()

        self.models[who].sessions[results[0]] = writable
        return who, results[0]

    @rule(session=sessions, user=st.sampled_from(list(_PINS)), right=st.booleans())
    def login(self, session: tuple[int, int], user: Cku, right: bool) -> None:
        who, handle = session
        wrong_is_dear = self.desk.tries(1 if user is Cku.CKU_USER else 2) < 3
        right = right or wrong_is_dear
        expected = self.models[who].login(handle, user, right=right)
        pin = _PINS[user] if right else WRONG
        assert self.programs[who].rv("C_Login", handle, user, pin) is expected

    @rule(session=sessions)
    def logout(self, session: tuple[int, int]) -> None:
        who, handle = session
        assert self.programs[who].rv("C_Logout", handle) is self.models[who].logout(handle)

    @rule(session=consumes(sessions))
    def close(self, session: tuple[int, int]) -> None:
        who, handle = session
        assert self.programs[who].rv("C_CloseSession", handle) is self.models[who].close(handle)

    @rule(who=st.integers(0, 1))
    def close_all(self, who: int) -> None:
        assert self.programs[who].rv("C_CloseAllSessions", MAIN) is Ckr.CKR_OK
        self.models[who] = Model()

    @rule(session=sessions)
    def describe(self, session: tuple[int, int]) -> None:
        who, handle = session
        model = self.models[who]
        refusal = model.refusal(handle)
        rv, results = self.programs[who].ask("C_GetSessionInfo", handle)
        assert rv is (refusal or Ckr.CKR_OK)

        if refusal is None:
            assert results[0].state == _STATES[model.sessions[handle], model.user]

    @rule()
    def take_out_and_put_back(self) -> None:
        self.desk.manager.remove(READER)
        self.desk.manager.insert(READER, self.desk.card)

        for model in self.models:
            model.removed = bool(model.sessions)

    @invariant()
    def what_is_removed_is_known_of_open_sessions_alone(self) -> None:
        assert all(model.sessions for model in self.models if model.removed)

    def teardown(self) -> None:
        for program in self.programs:
            program.close()


TestPrograms = Programs.TestCase
TestPrograms.settings = settings(max_examples=100, stateful_step_count=30, deadline=None)
