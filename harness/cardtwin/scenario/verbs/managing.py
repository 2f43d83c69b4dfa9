"""``policy``, ``officer`` and ``token_procedure``: the Administrator's workbench of Certificate Manager."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar, Final, Literal, Self

from pydantic import model_validator

from cardtwin.issuance import IssuanceError
from cardtwin.issuance.manager import (
    ProcedureRefusedError,
    Role,
    StageError,
    parse_policy,
)
from cardtwin.scenario.document import TextNode
from cardtwin.scenario.effects import PRESENTS, READS
from cardtwin.scenario.errors import UsageError
from cardtwin.scenario.managing import officer_signature
from cardtwin.scenario.matchers import TextListMatcher, TextMatcher
from cardtwin.scenario.pkcs11.sessions import AbsentError, RefusedError
from cardtwin.scenario.pkcs11.steps import KeyName
from cardtwin.scenario.step import Expectation, Observed, Refers, Step, verb
from cardtwin.scenario.texts import error_codes, source_text
from cardtwin.scenario.values import Name
from cardtwin.source import SourceError
from cardtwin.targets import Capability

if TYPE_CHECKING:
    from cardtwin.issuance.manager import Policy, Request, TokenProcedure
    from cardtwin.scenario.document import MapNode
    from cardtwin.scenario.run import Run
    from cardtwin.scenario.values import Value

__all__ = ["Officer", "PolicyStep", "TokenProcedureStep"]

_COMPONENT: Final = "the token refuses"


class PolicyExpectation(Expectation):
    """What comes of it: ``set up``, or ``refused`` with the codes of findings."""

    main: ClassVar[str] = "result"
    result: TextMatcher | None = None
    codes: TextListMatcher | None = None


@verb("policy", needs=set(), effects=READS)
class PolicyStep(Step):
    """Set up what token procedures refer to in Certificate Manager: domains, PIN procedures and so on."""

    addressed: ClassVar[frozenset[str]] = frozenset()

    policy: Annotated[Name, Refers("files")]
    expect: PolicyExpectation | None = None

    def run(self, run: Run) -> Observed:
        """Read the file, and set it up."""
        try:
            run.managing.set_up(_read(run, self.policy))
        except SourceError as error:
            values: dict[str, Value] = {"result": "refused", "codes": error_codes(error)}
            return Observed(values, success=False, note=str(error))

        return Observed({"result": "set up", "codes": ()})


class OfficerExpectation(Expectation):
    """What comes of it: ``enrolled`` or ``refused``."""

    main: ClassVar[str] = "result"
    result: TextMatcher | None = None
    message: TextMatcher | None = None


@verb("officer", needs={Capability.PKCS11}, effects=PRESENTS)
class Officer(Step):
    """Make somebody an officer of Certificate Manager: the key on the card gets a certificate."""

    officer: Name
    key: KeyName
    slot: Literal["main", "signature"] = "main"
    roles: list[Role]
    expect: OfficerExpectation | None = None

    def run(self, run: Run) -> Observed:
        """Read the public key from the card, and enrol it."""
        session = run.token_session(self, self.slot)

        try:
            key = session.public_key(session.key(self.key.kind, self.key.value))
            run.managing.manager.officers.enrol(self.officer, key, self.roles)
        except (RefusedError, AbsentError) as error:
            raise UsageError(f"{_COMPONENT}: {error}") from None
        except IssuanceError as error:
            values: dict[str, Value] = {"result": "refused", "message": str(error)}
            return Observed(values, success=False, note=str(error))

        return Observed({"result": "enrolled", "message": None})


class ProcedureExpectation(Expectation):
    """What comes of it.

    `stage` is where the request is then: ``saved``, ``requested``, ``signed once`` or ``in effect``; or
    ``refused``, with the codes of all that was wrong. `signers` are the officers who have signed it so far.
    `usable` are the token procedures that can be used for users of `domain`, and `ranges` those in use.
    """

    main: ClassVar[str] = "stage"
    stage: TextMatcher | None = None
    codes: TextListMatcher | None = None
    message: TextMatcher | None = None
    signers: TextListMatcher | None = None
    usable: TextListMatcher | None = None
    ranges: TextListMatcher | None = None


@verb("token_procedure", needs=set(), effects=PRESENTS)
class TokenProcedureStep(Step):
    """Work on a token procedure in the Administrator's workbench. Without `expect`, it isn't refused.

    ``save`` keeps a new request, ``modify`` changes it, ``ok`` completes it, ``list`` only looks. What is
    filled in stands in the section ``[Token procedure NAME]`` of the file `dialog`. ``sign`` is the signature
    of the officer `signer`, by the `key` on the card; `tampered` lets him sign something else.
    """

    addressed: ClassVar[frozenset[str]] = frozenset()

    token_procedure: Literal["save", "modify", "ok", "list"]
    name: str = ""
    dialog: Annotated[Name | None, Refers("files")] = None
    domain: str = "/"
    expect: ProcedureExpectation | None = None

    @classmethod
    def form(cls, written: MapNode) -> type[Step]:
        """Return the class of a step: a signature is made by a card."""
        argument = written.get("token_procedure")
        return SignProcedure if isinstance(argument, TextNode) and argument.text == "sign" else cls

    @classmethod
    def forms(cls) -> tuple[type[Step], ...]:
        """Return both forms of the verb."""
        return cls, SignProcedure

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.token_procedure in {"save", "modify"} and self.dialog is None:
            raise ValueError(f"to {self.token_procedure} needs the 'dialog', as it is filled in")

        return self

    def run(self, run: Run) -> Observed:
        """Do it, and tell where the request is."""
        request: Request | None = None
        codes: tuple[str, ...] = ()
        message = ""

        try:
            request = self.done(run)
        except ProcedureRefusedError as error:
            codes, message = tuple(problem.code for problem in error.problems), str(error)
        except IssuanceError as error:
            codes, message = (error.code,), str(error)
        except SourceError as error:
            codes, message = error_codes(error), str(error)
        except (RefusedError, AbsentError) as error:
            raise UsageError(f"{_COMPONENT}: {error}") from None

        return self._observed(run, request, codes, message)

    def done(self, run: Run) -> Request | None:
        """Do it, and return the request where there is one."""
        workbench = run.managing.manager.workbench

        match self.token_procedure:
            case "save":
                return workbench.save(self._filled_in(run))
            case "modify":
                return workbench.modify(workbench.open_request(self.name).id, self._filled_in(run))
            case "ok":
                return workbench.confirm(workbench.open_request(self.name).id)
            case _:
                return None

    def _filled_in(self, run: Run) -> TokenProcedure:
        assert self.dialog is not None
        forms = _read(run, self.dialog).token_procedures

        if self.name not in forms:
            raise UsageError(f"{self.dialog} has no [Token procedure {self.name}]")

        return forms[self.name]

    def _observed(self, run: Run, request: Request | None, codes: tuple[str, ...], message: str) -> Observed:
        manager = run.managing.manager
        values: dict[str, Value] = {
            "stage": "refused" if codes else request.stage.value if request else None,
            "codes": codes,
            "message": message or None,
            "signers": manager.workbench.signers(self._id(run, request)),
            "usable": tuple(manager.registration.procedures(self.domain)),
            "ranges": tuple(
                f"{name} {numbers}" for name, numbers in manager.workbench.ranges_in_use().items()
            ),
        }
        return Observed(values, success=not codes, note=message)

    def _id(self, run: Run, request: Request | None) -> int:
        if request is not None:
            return request.id

        try:
            return run.managing.manager.workbench.open_request(self.name).id
        except StageError:
            return 0


class SignProcedure(TokenProcedureStep):
    """An officer's signature."""

    needs: ClassVar[frozenset[Capability]] = frozenset({Capability.PKCS11})
    addressed: ClassVar[frozenset[str]] = frozenset({"on", "by"})

    token_procedure: Literal["sign"]  # type: ignore[assignment]  # the form for this argument
    signer: Name
    key: KeyName
    slot: Literal["main", "signature"] = "main"
    tampered: Literal["yes", "no"] = "no"

    def done(self, run: Run) -> Request | None:
        """Sign the request with the card."""
        workbench = run.managing.manager.workbench
        request = workbench.open_request(self.name)
        content = (
            request.content.replace(b'"Active"', b'"Closed"') if self.tampered == "yes" else request.content
        )
        session = run.token_session(self, self.slot)
        message = officer_signature(run, self.signer, session, self.key, content)
        return workbench.sign(request.id, self.signer, message)


def _read(run: Run, name: str) -> Policy:
    return parse_policy(source_text(run, name))
