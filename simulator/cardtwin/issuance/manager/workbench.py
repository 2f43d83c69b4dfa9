"""The Administrator's workbench (AWB): requests for token procedures, on their way to be in effect.

A request is saved as incomplete as it is, modified, completed by OK, and signed by two officers. The
stages are a table: what isn't in it is refused.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from cardtwin.issuance.manager import canonical
from cardtwin.issuance.manager.checks import Problem, problems
from cardtwin.issuance.manager.errors import ProcedureRefusedError, SignatureRefusedError, StageError
from cardtwin.issuance.manager.signatures import verify

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cardtwin.issuance.manager.model import NumberRange, Policy, TokenProcedure
    from cardtwin.issuance.manager.officers import Officers
    from cardtwin.issuance.manager.store import Store

__all__ = ["NEEDED_SIGNATURES", "TRANSITIONS", "Event", "Request", "Stage", "Workbench"]

NEEDED_SIGNATURES: Final = 2
"""How many officers sign a token procedure (CM-01)."""


class Stage(StrEnum):
    """Where a request is."""

    SAVED = "saved"
    REQUESTED = "requested"
    SIGNED_ONCE = "signed once"
    IN_EFFECT = "in effect"


class Event(StrEnum):
    """What is done with it."""

    MODIFY = "Modify"
    OK = "OK"
    SIGN = "sign"


TRANSITIONS: Final[Mapping[tuple[Stage, Event], Stage]] = {
    (Stage.SAVED, Event.MODIFY): Stage.SAVED,
    (Stage.SAVED, Event.OK): Stage.REQUESTED,
    (Stage.REQUESTED, Event.MODIFY): Stage.SAVED,
    (Stage.REQUESTED, Event.SIGN): Stage.SIGNED_ONCE,
    (Stage.SIGNED_ONCE, Event.MODIFY): Stage.SAVED,
    (Stage.SIGNED_ONCE, Event.SIGN): Stage.IN_EFFECT,
}
"""The stages that follow. To modify drops the signatures: they were for what it was."""


@dataclass(frozen=True, slots=True)
class Request:
    """A request for a token procedure.

    Attributes:
        id: Its number.
        stage: Where it is.
        procedure: The procedure.
        content: What officers sign.
    """

    id: int
    stage: Stage
    procedure: TokenProcedure
    content: bytes


class Workbench:
    """The sub-group Token procedures: requests, and the procedures in effect."""

    def __init__(self, store: Store, officers: Officers, policy: Policy) -> None:
        self._store = store
        self._officers = officers
        self.policy = policy

    def save(self, procedure: TokenProcedure) -> Request:
        """Keep a new request, however incomplete (the button Save).

        Raises:
            ProcedureRefusedError: It has no name to be found by.
        """
        text = _written(procedure)

        with self._store.change() as database:
            row = (1, Stage.SAVED.value, text)
            kept = database.execute("INSERT INTO requests (revision, stage, procedure) VALUES (?, ?, ?)", row)
            return self.request(kept.lastrowid or 0)

    def modify(self, id: int, procedure: TokenProcedure) -> Request:  # noqa: A002  # the request's number
        """Change a request that isn't in effect yet; signatures that it has are dropped.

        Raises:
            StageError: There is none, or it is in effect.
            ProcedureRefusedError: It has no name any more.
        """
        text = _written(procedure)

        with self._store.change() as database:
            following = self._following(self.request(id), Event.MODIFY)
            database.execute("DELETE FROM signatures WHERE request = ?", (id,))
            change = "UPDATE requests SET revision = revision + 1, stage = ?, procedure = ? WHERE id = ?"
            database.execute(change, (following.value, text, id))
            return self.request(id)

    def confirm(self, id: int) -> Request:  # noqa: A002  # the request's number
        """Click OK: from now on it can be signed.

        Raises:
            ProcedureRefusedError: It isn't complete, or doesn't fit.
            StageError: There is none, or that was done already.
        """
        with self._store.change():
            request = self.request(id)
            following = self._following(request, Event.OK)
            self._check(request.procedure)
            return self._move(request, following)

    def sign(self, id: int, officer: str, message: bytes) -> Request:  # noqa: A002  # the request's number
        """Take an officer's signature; with the second one the procedure takes effect.

        Args:
            id: The request.
            officer: Who signs.
            message: CMS SignedData over the request's content.

        Raises:
            SignatureRefusedError: It isn't good, or the officer may not sign, or has already.
            ProcedureRefusedError: It doesn't fit any more to what has taken effect meanwhile.
            StageError: There is no such request, or it isn't to be signed.
        """
        with self._store.change() as database:
            request = self.request(id)
            following = self._following(request, Event.SIGN)
            entitled = self._officers.entitled(officer)
            verify(message, request.content, entitled.certificate)

            if officer in self.signers(id):
                raise SignatureRefusedError(f"the officer {officer!r} has signed already: another one has to")

            database.execute("INSERT INTO signatures VALUES (?, ?, ?)", (id, officer, message))

            if following is Stage.IN_EFFECT:
                self._check(request.procedure)
                self._put_in_effect(request)

            return self._move(request, following)

    def request(self, id: int) -> Request:  # noqa: A002  # the request's number
        """Return a request.

        Raises:
            StageError: There is none.
        """
        query = "SELECT revision, stage, procedure FROM requests WHERE id = ?"
        row = self._store.database.execute(query, (id,)).fetchone()

        if row is None:
            raise StageError(f"there is no request {id}")

        revision, stage, text = row
        content = canonical.to_be_signed(id, revision, text)
        return Request(id, Stage(stage), canonical.read_procedure(text), content)

    def open_request(self, name: str) -> Request:
        """Return the newest request for a procedure of that name that isn't in effect.

        Raises:
            StageError: There is none.
        """
        query = "SELECT id FROM requests WHERE stage != ? ORDER BY id DESC"

        for (id_,) in self._store.database.execute(query, (Stage.IN_EFFECT.value,)).fetchall():
            if (found := self.request(id_)).procedure.name == name:
                return found

        raise StageError(f"there is no request for {name!r} that could be changed or signed")

    def signers(self, id: int) -> tuple[str, ...]:  # noqa: A002  # the request's number
        """Return the officers who have signed a request."""
        query = "SELECT officer FROM signatures WHERE request = ? ORDER BY rowid"
        return tuple(name for (name,) in self._store.database.execute(query, (id,)).fetchall())

    def procedures(self) -> Mapping[str, TokenProcedure]:
        """Return the procedures in effect, by name."""
        rows = self._store.database.execute("SELECT name, procedure FROM procedures ORDER BY name")
        return {name: canonical.read_procedure(text) for name, text in rows.fetchall()}

    def ranges_in_use(self) -> Mapping[str, NumberRange]:
        """Return the ranges of serial numbers of the procedures in effect (the button i), by procedure."""
        return {
            name: procedure.serial_range
            for name, procedure in self.procedures().items()
            if procedure.serial_range is not None
        }

    def _following(self, request: Request, event: Event) -> Stage:
        following = TRANSITIONS.get((request.stage, event))

        if following is None:
            raise StageError(f"request {request.id} is {request.stage}: {event} isn't possible")

        return following

    def _check(self, procedure: TokenProcedure) -> None:
        if found := problems(procedure, self.policy, self.ranges_in_use()):
            raise ProcedureRefusedError(found)

    def _move(self, request: Request, stage: Stage) -> Request:
        self._store.database.execute("UPDATE requests SET stage = ? WHERE id = ?", (stage.value, request.id))
        return self.request(request.id)

    def _put_in_effect(self, request: Request) -> None:
        row = (request.procedure.name, request.id, canonical.written(request.procedure))
        self._store.database.execute("INSERT OR REPLACE INTO procedures VALUES (?, ?, ?)", row)


def _written(procedure: TokenProcedure) -> str:
    if not procedure.name:
        raise ProcedureRefusedError([Problem("name-missing", "the procedure name is mandatory")])

    return canonical.written(procedure)
